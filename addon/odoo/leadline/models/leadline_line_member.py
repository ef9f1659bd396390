from odoo import fields, models


class LeadlineLineMember(models.Model):
    """An agent in a line's queue."""

    _name = "leadline.line.member"
    _description = "WhatsApp Line Agent"
    _order = "sequence, id"
    _rec_name = "user_id"

    line_id = fields.Many2one("leadline.line", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    user_id = fields.Many2one(
        "res.users",
        string="Agent",
        required=True,
        ondelete="cascade",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    capacity = fields.Integer("Chats at Once", help="Open sessions at most. 0: as many as the line allows everybody.")

    _user_unique = models.Constraint("UNIQUE (line_id, user_id)", "This agent is in the line's queue already.")
    _capacity_positive = models.Constraint("CHECK (capacity >= 0)", "Nobody can have fewer than no chats.")
