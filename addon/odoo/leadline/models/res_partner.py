from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Every first message looks a customer up by it, and `phone_validation` gives leads alone an index.
    phone_sanitized = fields.Char(index="btree_not_null")

    leadline_consent_ids = fields.One2many(
        "leadline.consent", "partner_id", string="WhatsApp Consent", readonly=True, groups="leadline.group_agent"
    )

    def action_leadline_link(self):
        """Open a new link's form for somebody who brings customers: its label and its leads' owner filled in."""
        self.ensure_one()
        return self.env["leadline.link"]._action_new(self.company_id, name=self.display_name, user_id=self.user_id.id)
