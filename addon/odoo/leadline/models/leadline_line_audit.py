from odoo import models


class LeadlineLine(models.Model):
    """Who changes these settings is noted."""

    _name = "leadline.line"
    _inherit = ["leadline.line", "leadline.audited"]
