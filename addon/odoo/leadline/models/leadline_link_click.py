from odoo import fields, models


class LeadlineLinkClick(models.Model):
    """How many people clicked a link on a day. The service counts; nothing of who they are is known anywhere."""

    _name = "leadline.link.click"
    _description = "WhatsApp Link Clicks"
    _order = "day desc"
    _rec_name = "day"

    link_id = fields.Many2one("leadline.link", required=True, readonly=True, index=True, ondelete="cascade")
    day = fields.Date(required=True, readonly=True)
    count = fields.Integer("Clicks", required=True, readonly=True)

    _day_unique = models.Constraint("UNIQUE (link_id, day)", "This day of the link is counted already.")
