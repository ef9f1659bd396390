from odoo import fields, models
from odoo.exceptions import AccessError


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Every first message looks a customer up by it, and `phone_validation` gives leads alone an index.
    phone_sanitized = fields.Char(index="btree_not_null")

    # Doubles are looked for among names that begin or end alike.
    _leadline_head = models.Index("(lower(left(name, 3)))")
    _leadline_tail = models.Index("(lower(right(name, 3)))")

    leadline_consent_ids = fields.One2many(
        "leadline.consent", "partner_id", string="WhatsApp Consent", readonly=True, groups="leadline.group_agent"
    )

    leadline_conversation_count = fields.Integer(
        compute="_compute_leadline_conversation_count", groups="leadline.group_manager"
    )

    def _compute_leadline_conversation_count(self):
        for partner in self:
            partner.leadline_conversation_count = len(partner._leadline_conversations()) if partner.id else 0

    def _leadline_conversations(self):
        """Return, in sudo, this very person's conversations, as far as their companies are the user's."""
        # sudo: the chat follows the contact, see `leadline.conversation._of_card`; a company's people are persons of
        # their own.
        mirrors = self.env["leadline.conversation"].sudo()
        own = [("partner_id", "in", self.ids), ("company_id", "in", self.env.user.company_ids.ids)]
        return mirrors.search(own)

    def action_leadline_export(self):
        """Download all that is held of the person: messages to read, the same as JSON, and their files."""
        self.ensure_one()
        self._leadline_check_privacy()
        return {"type": "ir.actions.act_url", "url": f"/leadline/contact/{self.id}/archive", "target": "download"}

    def action_leadline_erase(self):
        """Ask whether the person is to be erased, and say what goes."""
        self.ensure_one()
        self._leadline_check_privacy()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Erase WhatsApp Data"),
            "res_model": "leadline.erasure",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": self.id},
        }

    def _leadline_check_privacy(self):
        """Raise `AccessError` unless the user may hand out and erase what the person wrote."""
        if not self.env.user.has_group("leadline.group_manager"):
            raise AccessError(self.env._("Only managers may export or erase what a customer wrote."))
        self.check_access("write")

    def action_leadline_link(self):
        """Open a new link's form for somebody who brings customers: its label and its leads' owner filled in."""
        self.ensure_one()
        return self.env["leadline.link"]._action_new(self.company_id, name=self.display_name, user_id=self.user_id.id)
