from odoo import models


class LeadlineLink(models.Model):
    _inherit = "leadline.link"

    def write(self, vals):
        written = super().write(vals)
        if {"active", "short_url"} & vals.keys():
            self.env["website"]._leadline_forget_pages()
        return written
