from odoo import fields, models


class LeadlineConversation(models.Model):
    """Whether somebody has still to look for doubles of the customer."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    doubles_due = fields.Boolean(default=True, readonly=True, copy=False)

    _doubles_due = models.Index("(id) WHERE doubles_due")

    def write(self, vals):
        if "partner_id" in vals or "name" in vals:
            renamed = self.filtered(
                lambda row: vals.get("name", row.name) != row.name
                or vals.get("partner_id", row.partner_id.id) != row.partner_id.id
            )
            super(LeadlineConversation, renamed.filtered(lambda row: not row.doubles_due)).write({"doubles_due": True})
        return super().write(vals)
