from odoo import fields, models


class LeadlineLine(models.Model):
    # Each of its subjects is a file of its own.
    _inherit = "leadline.line"  # pylint: disable=consider-merging-classes-inherited

    existing_done = fields.Boolean(
        "Earlier Conversations Fetched",
        readonly=True,
        copy=False,
        help="Whether the conversations that were there before Odoo was connected are all here.",
    )
    existing_before = fields.Char(readonly=True, copy=False, help="Where fetching them goes on.")
