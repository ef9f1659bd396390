from odoo import models


class LeadlineTemplateBinding(models.Model):
    """Who changes these settings is noted."""

    _name = "leadline.template.binding"
    _inherit = ["leadline.template.binding", "leadline.audited"]
