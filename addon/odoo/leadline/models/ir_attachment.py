from odoo import fields, models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    leadline_message = fields.Char(
        "WhatsApp Message ID",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The message whose file this is.",
    )
