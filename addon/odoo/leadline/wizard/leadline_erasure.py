from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..models.leadline_connection import ServiceRefused

GONE = 404
"""The service's answer for a person whom it does not know: erased before, or by somebody else."""


class LeadlineErasure(models.TransientModel):
    """The erasure of a person: asked for on a contact, and told by the service whoever asked for it."""

    _name = "leadline.erasure"
    _description = "WhatsApp Erasure"

    partner_id = fields.Many2one("res.partner", string="Contact", required=True, readonly=True, ondelete="cascade")
    conversation_count = fields.Integer("Conversations", compute="_compute_conversation_count")
    sure = fields.Boolean("I understand that this can't be undone")

    @api.depends("partner_id")
    def _compute_conversation_count(self):
        for erasure in self:
            erasure.conversation_count = len(erasure.partner_id._leadline_conversations())

    def action_erase(self):
        """Erase the person in the service, and what mirrors them here."""
        self.ensure_one()
        self.partner_id._leadline_check_privacy()
        if not self.sure:
            raise UserError(self.env._("Tick the box first: what is erased is gone for good."))
        conversations = self.partner_id._leadline_conversations()
        known = {(conversation.connection_id, conversation.contact) for conversation in conversations}
        for connection, contact in known:
            self._ask(connection, contact)
        self._forget(conversations)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _ask(self, connection, contact):
        """Ask the service to erase a person; one whom it does not know is erased already."""
        try:
            connection._call("DELETE", f"/v1/contacts/{contact}", query={"by": self.env.uid})
        except ServiceRefused as refusal:
            if refusal.problem.get("status") != GONE:
                raise

    # ------------------------------------------------------------
    # Events
    # ------------------------------------------------------------

    @api.model
    def _apply_event(self, connection, event):
        """Remove what mirrors a person whom the service has erased. Doing it again is harmless.

        :param event: `tools.event.Erasure`
        """
        known = Domain("identifier", "in", event.conversations) | Domain("contact", "in", event.contacts)
        # Archived lines too.
        conversations = self.env["leadline.conversation"].with_context(active_test=False)
        self._forget(conversations.search(known & Domain("connection_id", "=", connection.id)))
        self._forget_claims(event.contacts, event.conversations)
        return self

    @api.model
    def _forget(self, conversations):
        """Remove the mirror of conversations, and what their customers agreed to. Contact and leads stay."""
        partners = conversations.partner_id
        identifiers = conversations.mapped("identifier")
        self._forget_claims(conversations.mapped("contact"), identifiers)
        conversations.unlink()
        # sudo: proof is nobody's to delete, but for the person's own wish.
        consents = self.env["leadline.consent"].sudo()
        left = self.env["leadline.conversation"].sudo().search([("partner_id", "in", partners.ids)]).partner_id
        whose = Domain("conversation", "in", identifiers) | Domain("partner_id", "in", (partners - left).ids)
        consents.search(whose).unlink()

    @api.model
    def _forget_claims(self, contacts, conversations):
        named = [f"contact/{contact}" for contact in contacts]
        named += [f"{what}/{conversation}" for conversation in conversations for what in ("conversation", "mentions")]
        # sudo: they are nobody's, and hold ids of the person.
        self.env["leadline.claim"].sudo().search([("name", "in", named)]).unlink()

    def _event_result(self):
        """Return the part of an event's result that says which cards show it: none any more."""
        return {"ok": True, "records": [], "owner": None}

    def _prepare_alert(self, _event):
        """Return what open tabs are told: they find the conversation gone when they ask next."""
        return
