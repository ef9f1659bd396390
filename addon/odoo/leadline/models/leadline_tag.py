from odoo import fields, models

COLOURS = 11


class LeadlineTag(models.Model):
    """A word that agents put on conversations by hand."""

    _name = "leadline.tag"
    _description = "WhatsApp Tag"
    _order = "name"

    name = fields.Char(required=True, translate=True)
    color = fields.Integer(default=lambda self: self.search_count([]) % COLOURS + 1)

    _name_unique = models.Constraint("UNIQUE (name)", "There is a tag of this name already.")
