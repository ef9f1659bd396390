from odoo import fields, models


class ResUsersSettings(models.Model):
    _inherit = "res.users.settings"

    leadline_alerts = fields.Boolean(
        "WhatsApp Sound and Desktop Notifications",
        default=True,
        help="Sound and desktop notification when a customer begins to write: theirs, or nobody's.",
    )
