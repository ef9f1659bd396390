from odoo import fields, models


class LeadlineConnection(models.Model):
    """Who changes these settings is noted."""

    _name = "leadline.connection"
    _inherit = ["leadline.connection", "leadline.audited"]

    audit_cursor = fields.Char(
        readonly=True, copy=False, help="Up to where the service's audit trail has been fetched."
    )
