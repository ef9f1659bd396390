from odoo import api, fields, models
from odoo.tools import SQL

KEPT_DAYS = 30
"""Events wait for 8 days, and those that are put aside for 8 more: afterwards none can come again."""


class LeadlineSessionMessage(models.Model):
    """A message that a session has counted: its event may come again and counts once. Nothing but its id."""

    _name = "leadline.session.message"
    _description = "WhatsApp Message That Was Counted"
    _log_access = False

    message = fields.Char(required=True, readonly=True)
    conversation_id = fields.Many2one(
        "leadline.conversation", readonly=True, index=True, ondelete="cascade", help="Who is erased takes it along."
    )
    counted_at = fields.Datetime(required=True, readonly=True, index=True)

    _message_unique = models.Constraint("UNIQUE (message)", "This message was counted already.")

    @api.model
    def _is_first(self, conversation, message):
        """Say whether a message of a conversation is heard of for the first time, and remember it."""
        # By hand: every message asks, and a conflict must not show up as an error.
        self.env.cr.execute(
            SQL(
                "INSERT INTO leadline_session_message (message, conversation_id, counted_at) VALUES (%s, %s, %s) "
                "ON CONFLICT (message) DO NOTHING RETURNING id",
                message,
                conversation.id,
                fields.Datetime.now(),
            ),
            log_exceptions=False,
        )
        return bool(self.env.cr.rowcount)

    @api.autovacuum
    def _gc_counted(self):
        self.env.cr.execute(
            SQL(
                "DELETE FROM leadline_session_message WHERE counted_at < %s",
                fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS),
            )
        )
