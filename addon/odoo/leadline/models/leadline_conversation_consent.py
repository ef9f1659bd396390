from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

START = ("resume", "keyword")


class LeadlineConversation(models.Model):
    """What the customer agreed to and took back, as far as the conversation tells it, and what Odoo knows of it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    consent_at = fields.Datetime(readonly=True, copy=False, help="When the customer last spoke of marketing.")
    consent_partner_id = fields.Many2one(
        "res.partner",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The contact of whose recorded consent the service knows.",
    )
    notice_at = fields.Datetime(readonly=True, copy=False, help="When the customer was told about their data.")
    blacklist_told = fields.Boolean(
        readonly=True, copy=False, help="Whether the service knows if the number is blacklisted."
    )

    def _take_state(self, told):
        taken = super()._take_state(told)
        # Last, when it is known who writes.
        if told.attribution and self.first_link_id:
            self._take_way_in(told.attribution.first)
        return taken

    @api.model
    def _apply_event(self, connection, event, known):
        conversation = super()._apply_event(connection, event, known)
        # It is the contact's, and does not make the conversation newer.
        conversation._take_consent(event.conversation)
        return conversation

    def _take_consent(self, told):
        """Take over what the customer said of marketing and was told of their data, and tell what Odoo knows."""
        self.ensure_one()
        # Each event tells it again: what is on record of this contact costs nothing.
        is_recorded = self.partner_id and self.partner_id == self.consent_partner_id
        said = told.marketing
        # Whether START was consent may change when an older STOP comes late.
        settled = is_recorded and said and said.at == self.consent_at and (said.value, said.source) != START
        if said and not settled:
            self._take_marketing(said)
        if told.notice and not (is_recorded and told.notice == self.notice_at):
            self._take_notice(told.notice)
        if not self.merged_into:
            self._tell_known()

    def _take_marketing(self, said):
        """Record what the customer said of marketing last. A STOP puts the number on the phone blacklist, once.

        :param said: `tools.event.Marketing`
        """
        stops = said.value == "stop"
        sentences = {
            "stop": {
                "keyword": self.env._("The customer wrote a word that stops messages, such as STOP."),
                "whatsapp": self.env._("The customer switched marketing messages off in WhatsApp."),
            },
            "resume": {
                "keyword": self.env._("The customer took STOP back by a word such as START."),
                "whatsapp": self.env._("The customer switched marketing messages on in WhatsApp."),
            },
        }
        if stops or said.agreed:
            self.env["leadline.consent"]._record(
                self,
                purpose="marketing",
                state="withdrawn" if stops else "given",
                way=said.source,
                at=said.at,
                evidence=sentences[said.value][said.source],
            )
        # On any line: it is the person's word.
        spoken = self.search([("contact", "=", self.contact), ("connection_id", "=", self.connection_id.id)])
        known = max(spoken.filtered("consent_at").mapped("consent_at"), default=None)
        if known and said.at <= known:
            # Told again: somebody here may have decided otherwise meanwhile.
            return
        self.consent_at = said.at
        if said.source == "keyword":
            self._blacklist(stops)
            self.blacklist_told = True

    def _take_notice(self, at):
        """Record that the customer was told about their data."""
        self.notice_at = at
        self.env["leadline.consent"]._record(
            self,
            purpose="data",
            state="informed",
            way="notice",
            at=at,
            evidence=self.line_id._notice() or self.env._("The data notice was sent."),
        )

    def _take_way_in(self, touch):
        """Record that the customer wrote of their own accord, and what the link that they came through showed."""
        link = self.first_link_id
        shown = link.prefilled if link.text else touch.reference
        self.env["leadline.consent"]._record(
            self,
            purpose="service",
            state="given",
            way="link",
            at=touch.at,
            evidence=self.env._("Wrote first, through the link “%(label)s”: %(text)s", label=link.name, text=shown),
        )

    # ------------------------------------------------------------
    # The phone blacklist
    # ------------------------------------------------------------

    def _blacklist(self, stops):
        """Put the customer's number on the phone blacklist, or take it off, as they wish."""
        # sudo: the customer decides, whoever's rights this runs with.
        blacklist = self.env["phone.blacklist"].sudo().with_context(leadline_told=True)
        numbers = self._valid_numbers()
        if numbers and stops:
            blacklist._add(numbers, message=self.env._("The customer wrote STOP on WhatsApp."))
        elif listed := blacklist.search([("number", "in", numbers)]).mapped("number"):
            blacklist._remove(listed, message=self.env._("The customer took STOP back on WhatsApp."))

    def _valid_numbers(self):
        """Return the customer's number in each form that Odoo takes for one."""
        forms = (self.env.user._phone_format(number=form) for form in (self.phones or "").split())
        return list(dict.fromkeys(form for form in forms if form))

    @api.model
    def _of_numbers(self, numbers):
        """Return the conversations of those whose numbers these are, in E.164.

        Who hides the number on WhatsApp is known by that of their contact or lead.
        """
        like = Domain.OR(Domain("phones", "like", number) for number in numbers)
        hidden = Domain("phones", "=", False) & (
            Domain("partner_id.phone_sanitized", "in", list(numbers))
            | Domain("lead_ids.phone_sanitized", "in", list(numbers))
        )
        return self.search((like | hidden) & Domain("merged_into", "=", False)).filtered(
            # A part of a longer number is another one.
            lambda found: not found.phones or numbers & {*found.phones.split(), *found._valid_numbers()}
        )

    def _tell_known(self):
        """Have the service told what was recorded of the customer before it was known who they are."""
        telling = self.env["leadline.consent.telling"]
        partner = self.partner_id
        if partner and partner != self.consent_partner_id:
            self.consent_partner_id = partner
            said = self.env["leadline.consent"]._recorded_of(partner, self.company_id)
            # What the conversation itself told is known there.
            if said and said.conversation != self.identifier:
                telling._queue(self, "resume" if said.state == "given" else "stop", "crm", said.at)
        if not self.blacklist_told:
            self.blacklist_told = True
            listed = self.env["phone.blacklist"].sudo().search([("number", "in", self._valid_numbers())])
            if listed:
                telling._queue(self, "stop", "blacklist", max(listed.mapped("write_date")))

    # ------------------------------------------------------------
    # Chat
    # ------------------------------------------------------------

    @api.model
    @api.readonly
    def chat_record_consent(self, res_model, res_id, identifier=None):
        """Return the action that opens the form on which an agent records what the customer of a card agreed to.

        :param identifier: the conversation, where there is one
        :raise AccessError: when the user may not write to the customer of this card
        :raise UserError: when there is no contact yet to record it on
        """
        card, conversation = self._card(res_model, res_id), self.browse()
        if identifier:
            card, conversation = self._chat_of_card(res_model, res_id, identifier)
        if not self._may_send(card):
            raise AccessError(self.env._("You may read this card, not write to its customer."))
        partner = conversation.partner_id or self._cards_of(card)["res.partner"]
        if not partner:
            raise UserError(
                self.env._("There is no contact yet to record it on. Choose or create one on the card and save.")
            )
        action = self.env["ir.actions.act_window"]._for_xml_id("leadline.leadline_consent_note_action")
        filled = {"default_partner_id": partner.id, "default_line_id": conversation.line_id.id}
        return action | {"context": {name: value for name, value in filled.items() if value}}

    @api.model
    def _invitation(self, card):
        told = super()._invitation(card)
        lines = self.env["leadline.line"].search([("identifier", "in", [line["id"] for line in told["lines"]])])
        rules = {line.identifier: line.marketing_rule == "opt_in" for line in lines}
        told["lines"] = [line | {"opt_in": rules[line["id"]]} for line in told["lines"]]
        return told | {"consent": self._consent_of(card)}

    @api.model
    def _consent_of(self, card):
        """Return what is recorded of the customer of a card, as the tab has it from the chat API otherwise."""
        said = self._marketing_of(card)
        word = said and said._word()
        return {"marketing": word or None, "agreed": said.state == "given", "stopped": False}

    @api.model
    def _marketing_of(self, card):
        partner = self._cards_of(card)["res.partner"]
        return self.env["leadline.consent"]._recorded_of(partner, self.env.company)

    @api.model
    def _call_to_start(self, card, line, message):
        call = super()._call_to_start(card, line, message)
        said = self._marketing_of(card)
        return call | {"consent": said._word()} if said else call
