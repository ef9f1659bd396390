from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

TOLD = frozenset({"link", "keyword", "whatsapp"})
"""Ways that come with a conversation's events."""

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
        [("marketing", "Marketing"), ("service", "Service")],
        required=True,
        default="marketing",
        help="Service: answers to what the customer asked for. Marketing: offers they did not ask for.",
    )
    state = fields.Selection([("given", "Given"), ("withdrawn", "Withdrawn")], required=True, default="given")
    at = fields.Datetime("When", required=True, default=fields.Datetime.now)
    way = fields.Selection(
        [
            ("link", "Link"),
            ("keyword", "Keyword"),
            ("whatsapp", "WhatsApp's own switch"),
            ("form", "Form"),
            ("import", "Import"),
            ("note", "Agent's note"),
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
        return said

    def _check_by_hand(self):
        """Refuse what only the conversation itself can tell, and what has not happened yet."""
        if any(consent.way in TOLD for consent in self):
            raise UserError(
                self.env._("A keyword, a link or WhatsApp's own switch is recorded by itself, not by hand.")
            )
        if any(consent.at > fields.Datetime.now() + CLOCKS_APART for consent in self):
            raise UserError(self.env._("Nobody has agreed to anything in the future."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What a customer agreed to is proof and can't be changed. Record anew what holds."))

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
