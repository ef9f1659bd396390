from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import email_normalize

from ..tools.asked import text_of

AWAY = timedelta(days=1)
"""Who was silent for so long comes back: until then an answer to a lost lead is no new one."""

FITTING = 8
"""Cards offered at once, of each kind."""

KINDS = ("crm.lead", "res.partner")

LEARNT = {
    "name": {"res.partner": "name", "crm.lead": "contact_name"},
    "email": {"res.partner": "email", "crm.lead": "email_from"},
    "lang": {"res.partner": "lang", "crm.lead": "lang_id"},
}
"""What a chat may tell of the customer, and the field of a card that it goes to."""


class LeadlineConversation(models.Model):
    """Which lead and which contact a conversation is about. The likeliest is found by itself; an agent may choose."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    lead_id = fields.Many2one(
        "crm.lead",
        string="Chosen Lead",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The lead that an agent chose, where the customer has several.",
    )
    phones = fields.Char("Phone", readonly=True, help="Every living form of the customer's number.")
    username = fields.Char("WhatsApp Username", readonly=True)

    @api.depends("lead_id")
    def _compute_partner_id(self):
        return super()._compute_partner_id()

    @api.depends("lead_id")
    def _compute_user_id(self):
        return super()._compute_user_id()

    def _lead(self):
        return self.lead_id & self.lead_ids or super()._lead()

    def _take_state(self, told):
        before = self.last_in
        shown = {"phones": " ".join(told.contact.phones) or False, "username": told.contact.username or False}
        if any(self[name] != value for name, value in shown.items()):
            self.write(shown)
        taken = super()._take_state(told)
        if before and told.last_in and told.last_in - before >= AWAY and not told.merged_into:
            self._welcome_back(told.contact)
        return taken

    def _welcome(self, contact):
        welcomed = super()._welcome(contact)
        self._welcome_back(contact)
        return welcomed

    def _welcome_back(self, contact):
        """Make a new lead of somebody who writes again and whose every lead is lost or archived."""
        self.ensure_one()
        line = self.line_id
        if line.unknown_customer != "lead" or line.lost_customer != "lead" or self.lead_ids:
            return
        theirs = self.with_context(active_test=False)._leads_of(self.partner_id)
        if theirs and not any(lead.active or lead.won_status == "won" for lead in theirs):
            self._make_lead(contact)

    def _leads_of(self, partner):
        """Return the leads of the conversation and those of a contact, as far as they are of the line's company."""
        in_company = Domain("company_id", "in", (False, self.company_id.id))
        of_partner = self.env["crm.lead"].search(Domain("partner_id", "=", partner.id) & in_company) if partner else ()
        return self.lead_ids.union(*of_partner)

    # ------------------------------------------------------------
    # Chat
    # ------------------------------------------------------------

    @api.model
    @api.readonly
    def chat_records(self, res_model, res_id, identifier):
        """Return which lead and contact a conversation is about, and which others the agent may choose.

        :raise AccessError: when the user may not read the card, or the card has no such conversation
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        return conversation._records_told(self._may_send(card), self.env)

    @api.model
    @api.readonly
    def chat_find_records(self, res_model, res_id, identifier, term):
        """Return the leads and contacts that a text finds and the user may choose, as `chat_records` lists them."""
        _card, conversation = self._chat_of_card(res_model, res_id, identifier)
        found = []
        for model in KINDS:
            records = self.env[model]
            # Not every agent sells.
            if not records.has_access("read"):
                continue
            in_company = Domain("company_id", "in", (False, conversation.company_id.id))
            named = records.name_search(text_of(term), list(in_company), limit=FITTING)
            found += records.browse(id_ for id_, _name in named)
        return [_told(record) for record in found]

    @api.model
    def chat_switch(self, res_model, res_id, identifier, to_model, to_id):
        """Let a conversation be about another lead or contact, and return what `chat_records` would.

        :raise AccessError: when the user may not change both the card and the one that is chosen
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        if to_model not in KINDS:
            raise AccessError(self.env._("There is no chat on this card."))
        chosen = self._card(to_model, to_id)
        if not (self._may_send(card) and self._may_send(chosen)):
            raise AccessError(self.env._("You may change only cards that you may write to."))
        if chosen.company_id and chosen.company_id != conversation.company_id:
            raise UserError(self.env._("This card belongs to another company than the conversation."))
        conversation._lock()
        if to_model == "crm.lead":
            conversation._turn_to_lead(chosen.sudo())
        else:
            conversation._turn_to_partner(chosen.sudo())
        told = conversation._records_told(True, self.env)
        # Whoever switches away from a card no longer finds the chat on it.
        return told | {"here": bool(self._of_card(card, Domain("id", "=", conversation.id)))}

    @api.model
    def chat_learn(self, res_model, res_id, identifier, what, value, over):
        """Take over what the agent learnt in the chat: a name, an e-mail address or a language.

        It goes to the customer's contact, or to the lead where there is none, with the agent's own rights.

        :param what: "name", "email" or "lang"
        :param over: what stood on the card when it was offered
        :return: as `chat_records`
        :raise AccessError: when the user may not change the card
        :raise UserError: when the card says something else by now, or the value is none
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        record = (conversation.partner_id or conversation._lead()).with_env(self.env)
        if not self._may_send(card) or not record or text_of(what) not in LEARNT:
            raise AccessError(self.env._("You may change only cards that you may write to."))
        record.check_access("write")
        if _learnt_of(record)[what] != text_of(over):
            raise UserError(self.env._("The card has changed meanwhile. Reload it."))
        value = text_of(value).strip()
        if what == "email" and not email_normalize(value):
            raise UserError(self.env._("%s is no e-mail address.", value))
        if what == "lang" and value not in dict(self.env["res.lang"].get_installed()):
            raise UserError(self.env._("This language is not installed."))
        field = LEARNT[what][record._name]
        record[field] = self.env["res.lang"]._get_data(code=value).id if field == "lang_id" else value
        return conversation._records_told(True, self.env)

    @api.model
    def chat_lead(self, res_model, res_id, identifier):
        """Return the open lead of a conversation's customer, made now when there is none.

        :return: {"id", "name", "created"}
        :raise AccessError: when the user may not write from the card or make leads
        :raise UserError: when the customer's lead is a colleague's who keeps it to themselves
        """
        _card, conversation = self._chat_of_card(res_model, res_id, identifier, writing=True)
        conversation._lock()
        open_leads = conversation._leads_of(conversation.partner_id).filtered(_is_open)
        mine = open_leads.with_env(self.env)._filtered_access("read").sudo()
        # The one that an agent chose, else the likeliest.
        lead = (conversation.lead_id & mine) or mine._leadline_ranked()[:1]
        if not lead and open_leads:
            owner = open_leads._leadline_ranked()[:1].user_id.name
            raise UserError(
                self.env._("This customer has an open lead that you may not read. Ask %s.", owner)
                if owner
                else self.env._("This customer has an open lead that you may not read. Ask your manager.")
            )
        created = not lead
        if created:
            # With the agent's rights: whoever may not make leads makes none here.
            lead = self.env["crm.lead"].create(conversation._prepare_asked_lead(self.env.user)).sudo()
        conversation.write({"lead_ids": [Command.link(lead.id)]})
        return {"id": lead.id, "name": lead.display_name, "created": created}

    def _prepare_asked_lead(self, agent):
        """Return the values of a lead that an agent asks for: theirs, unless the conversation is somebody's."""
        number = (self.phones or "").partition(" ")[0] or self.partner_id.phone
        return self._prepare_lead(number) | {"user_id": (self.user_id or agent).id}

    def _records_told(self, may_switch, env):
        """Return what the tab shows of a conversation's records, as far as the user of `env` may read them."""
        self.ensure_one()
        lead, partner = (record.with_env(env)._filtered_access("read") for record in (self._lead(), self.partner_id))
        return {
            "lead": _told(lead) if lead else None,
            "contact": _told(partner) if partner else None,
            "others": [_told(record) for record in self._fitting(env) if record not in (lead, partner)],
            "can_switch": may_switch,
            "card": _learnt_of(partner or lead),
            "languages": env["res.lang"].get_installed(),
        }

    def _fitting(self, env):
        """Return the leads and contacts whose number or contact is the customer's, likeliest first, as lists."""
        in_company = Domain("company_id", "in", (False, self.company_id.id))
        numbers = (self.phones or "").split()
        by_phone = Domain("phone_sanitized", "in", numbers) if numbers else Domain.FALSE
        partners = env["res.partner"].search(
            (by_phone | Domain("id", "in", self.partner_id.ids)) & in_company, limit=FITTING
        )
        leads = env["crm.lead"]
        if not leads.has_access("read"):
            return [*partners]
        leads = leads.search(
            (by_phone | Domain("partner_id", "in", partners.ids) | Domain("id", "in", self.lead_ids.ids)) & in_company,
            limit=FITTING,
        )
        return [*leads._leadline_ranked(), *partners]

    # ------------------------------------------------------------
    # Turning to others
    # ------------------------------------------------------------

    def _turn_to_lead(self, lead):
        """Let the conversation be about a lead, and about its contact; one without contact gets the conversation's."""
        self.ensure_one()
        if lead.partner_id and lead.partner_id != self.partner_id:
            self._turn_to_partner(lead.partner_id)
        elif self.partner_id and not lead.partner_id:
            lead._handle_partner_assignment(force_partner_id=self.partner_id.id, create_missing=False)
        self.write({"lead_ids": [Command.link(lead.id)], "lead_id": lead.id})

    def _turn_to_partner(self, partner):
        """Let the conversation be about a contact and what is open with them; leads of others are theirs no more."""
        self.ensure_one()
        if partner == self.partner_id:
            return
        linked = self.with_context(active_test=False).lead_ids
        others = linked.filtered(lambda lead: lead.partner_id and lead.partner_id != partner)
        theirs = self._leads_of(partner).filtered(lambda lead: _is_open(lead) and lead.partner_id == partner)
        self.write(
            {
                "partner_id": partner.id,
                "lead_id": False,
                "lead_ids": [Command.unlink(lead.id) for lead in others] + [Command.link(lead.id) for lead in theirs],
            }
        )


def _is_open(lead):
    return lead.active and lead.won_status == "pending"


def _told(record):
    """Return a lead or a contact as the tab lists it."""
    if record._name == "crm.lead":
        words = (record.stage_id.name if record.active else record.env._("Lost"), record.user_id.name)
    else:
        words = (record.parent_id.name, record.email or record.phone)
    return {
        "model": record._name,
        "id": record.id,
        "name": record.display_name,
        "detail": ", ".join(word for word in words if word),
    }


def _learnt_of(record):
    """Return what a card says of what a chat may tell; None without card."""
    if not record:
        return None
    said = {what: record[fields_of[record._name]] for what, fields_of in LEARNT.items()}
    return {what: (value if isinstance(value, str) else value and value.code) or "" for what, value in said.items()}
