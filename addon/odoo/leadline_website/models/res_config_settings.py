from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    leadline_link_id = fields.Many2one(related="website_id.leadline_link_id", readonly=False)
    leadline_side = fields.Selection(related="website_id.leadline_side", readonly=False)
    leadline_text = fields.Char(related="website_id.leadline_text", readonly=False)
    leadline_calendar_id = fields.Many2one(related="website_id.leadline_calendar_id", readonly=False)
