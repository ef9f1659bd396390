from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

TOLD = frozenset({"link", "keyword", "whatsapp", "notice", "blacklist"})
"""Ways that are recorded by themselves: they come with a conversation's events, or with the phone blacklist."""

KEY = ("partner_id", "company_id", "purpose", "state", "way", "at")

CLOCKS_APART = timedelta(minutes=5)
"""How far a browser's clock may be ahead of ours."""


class LeadlineConsent(models.Model):
    """One word of a customer about what we may write, kept as proof: nobody changes it, the newest one counts."""

    _name = "leadline.consent"
    _description = "WhatsApp Consent"
    _order = "at desc, id desc"
    _rec_name = "partner_id"

    # Erasing the contact erases what they said.
    partner_id = fields.Many2one("res.partner", string="Contact", required=True, index=True, ondelete="cascade")
    purpose = fields.Selection(
        [("marketing", "Marketing"), ("service", "Service"), ("data", "Data Notice")],
        required=True,
        default="marketing",
        help="Service: answers to what the customer asked for. Marketing: offers they did not ask for. Data notice: "
        "what they were told about their data.",
    )
    state = fields.Selection(
        [("given", "Given"), ("withdrawn", "Withdrawn"), ("informed", "Informed")], required=True, default="given"
    )
    at = fields.Datetime("When", required=True, default=fields.Datetime.now)
    way = fields.Selection(
        [
            ("link", "Link"),
            ("keyword", "Keyword"),
            ("whatsapp", "WhatsApp's own switch"),
            ("form", "Form"),
            ("import", "Import"),
            ("note", "Agent's note"),
            ("notice", "Sent by itself"),
            ("blacklist", "Phone blacklist"),
        ],
        string="How",
        required=True,
        default="note",
    )
    evidence = fields.Text(required=True, help="What the customer saw or said, or where the proof of it is kept.")
    line_id = fields.Many2one("leadline.line", index="btree_not_null", ondelete="set null")
    conversation = fields.Char("Conversation ID", readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, ondelete="cascade"
    )

    _said_once = models.Constraint(
        "UNIQUE (partner_id, company_id, purpose, state, way, at)", "This is recorded of the contact already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        said = super().create(vals_list)
        if not self.env.su:
            said._check_by_hand()
        said.filtered(lambda consent: consent.purpose == "marketing" and consent.way not in TOLD)._reach_service()
        return said

    def _reach_service(self):
        """Have the service know what was recorded here, since it is what keeps marketing back.

        A customer who agrees after they were put on the phone blacklist leaves it.
        """
        for consent in self:
            # sudo: whoever may record consent need not see every conversation of the customer, nor write the list.
            conversations = self.env["leadline.conversation"].sudo()
            theirs = conversations.search(
                [
                    ("partner_id", "=", consent.partner_id.id),
                    ("company_id", "=", consent.company_id.id),
                    ("merged_into", "=", False),
                ]
            )
            value = "resume" if consent.state == "given" else "stop"
            if consent.state == "given":
                consent._leave_blacklist(theirs)
            told = self.env["leadline.consent.telling"]._queue(theirs, value, "crm", consent.at)
            if len(self) == 1:
                # At once: somebody waits for it, to send a template.
                told._tell()

    def _leave_blacklist(self, conversations):
        """Take the customer's numbers off the phone blacklist, as far as they were put on it before this."""
        numbers = {self.partner_id.phone_sanitized} | {
            number for conversation in conversations for number in conversation._valid_numbers()
        }
        blacklist = self.env["phone.blacklist"].sudo().with_context(leadline_told=True)
        listed = blacklist.search([("number", "in", list(filter(None, numbers)))])
        # A consent knows the second only, a list's entry more.
        if before := listed.filtered(lambda entry: entry.write_date.replace(microsecond=0) <= self.at).mapped("number"):
            blacklist._remove(before, message=self.env._("The customer agreed to marketing: %s", self.evidence))

    def _check_by_hand(self):
        """Refuse what only the conversation itself can tell, and what has not happened yet."""
        if any(consent.way in TOLD for consent in self):
            raise UserError(
                self.env._("A keyword, a link or WhatsApp's own switch is recorded by itself, not by hand.")
            )
        if any(consent.purpose == "data" or consent.state == "informed" for consent in self):
            raise UserError(self.env._("That a customer was sent the data notice is recorded by itself."))
        if any(consent.at > fields.Datetime.now() + CLOCKS_APART for consent in self):
            raise UserError(self.env._("Nobody has agreed to anything in the future."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What a customer agreed to is proof and can't be changed. Record anew what holds."))

    @api.model
    def _recorded_of(self, partner, company):
        """Return the customer's last word on marketing; none where a number was blacklisted since: that is no word."""
        if not partner:
            return self.browse()
        ours = [("partner_id", "=", partner.id), ("company_id", "=", company.id), ("purpose", "=", "marketing")]
        return self.search(ours, limit=1).filtered(lambda said: said.way != "blacklist")

    def _word(self):
        """Return a word on marketing as the chat API takes it."""
        return {
            "value": "resume" if self.state == "given" else "stop",
            "source": "crm",
            "at": f"{self.at.isoformat()}Z",
        }

    @api.model
    def _record(self, conversation, **said):
        """Record what a customer said in a conversation, once however often it is told.

        Nothing is recorded while nobody knows whose conversation it is: it is told again with the next event.
        """
        partner, company = conversation.partner_id, conversation.company_id
        if not partner:
            return
        # Several conversations of one customer may tell the same at once.
        said |= {"partner_id": partner.id, "company_id": company.id}
        key = [(name, "=", said[name]) for name in KEY]
        if self.search_count(key, limit=1):
            return
        self.env["leadline.claim"]._take(f"consent/{partner.id}")
        self.create(said | {"conversation": conversation.identifier, "line_id": conversation.line_id.id})
