from odoo import fields, models


class LeadlineMention(models.Model):
    """A colleague who is mentioned in a note: which note and who, so that nobody is alerted of it twice."""

    _name = "leadline.mention"
    _description = "WhatsApp Note Mention"
    _rec_name = "message"

    conversation_id = fields.Many2one("leadline.conversation", required=True, ondelete="cascade")
    message = fields.Char("Note ID", required=True, help="The note. Its text is not kept in Odoo.")
    user_id = fields.Many2one("res.users", required=True, index=True, ondelete="cascade")

    _mention_unique = models.Constraint(
        "UNIQUE (conversation_id, message, user_id)", "This colleague is mentioned in this note already."
    )
