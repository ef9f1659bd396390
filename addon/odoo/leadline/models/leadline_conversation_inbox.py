from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..tools.asked import identifier_of

BY_HAND = frozenset({"tag_ids"})
"""What agents may change of a row. Everything else follows what happens, or is a manager's."""

RUNG_LIMIT = 20
"""Conversations of which one page tells at once."""


class LeadlineConversation(models.Model):
    """The conversation as a line of the inbox: how long somebody waits, what nobody has read, and who hears of it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    tag_ids = fields.Many2many(
        "leadline.tag", "leadline_conversation_tag_rel", "conversation_id", "tag_id", string="Tags"
    )
    waiting_since = fields.Datetime(
        compute="_compute_waiting_since",
        store=True,
        readonly=True,
        help="The customer's first message that nobody has answered.",
    )
    rung_count = fields.Integer(
        "Received When Rung", readonly=True, aggregator=None, help="How many there were when agents were last alerted."
    )
    rung_event = fields.Char(readonly=True, help="The event that alerted them.")

    # What the counter in the menu bar asks for, with every burst and of every agent.
    _unread = models.Index("(user_id) WHERE unread_count > 0")

    @api.depends("state", "last_in", "last_out")
    def _compute_waiting_since(self):
        for row in self:
            since, answered = row.waiting_since, row.last_out
            if row.state != "waiting":
                row.waiting_since = False
            elif not since or (answered and since < answered):
                row.waiting_since = row.last_in

    def write(self, vals):
        if not self.env.su and not set(vals) <= BY_HAND and not self._may_manage():
            raise AccessError(self.env._("Agents may change the tags of a conversation, and managers its owner too."))
        return super().write(vals)

    @api.model
    def _may_manage(self):
        return self.env.user.has_groups("leadline.group_manager,base.group_system")

    # ------------------------------------------------------------
    # Counter, sound and desktop notification
    # ------------------------------------------------------------

    @api.model
    @api.readonly
    def inbox_status(self, rung=()):
        """Return how many conversations have something unread: the user's own, and nobody's.

        :param rung: ids of conversations that a notification named; those that are the user's to answer come back
            with their names
        :raise AccessError: when the user is no agent
        """
        if not self.env.user.has_group("leadline.group_agent"):
            raise AccessError(self.env._("Only agents may read chats."))
        unread = (
            Domain("unread_count", ">", 0)
            & Domain("state", "!=", "merged")
            & Domain("user_id", "in", (self.env.uid, False))
        )
        counts = {owner.id: count for owner, count in self._read_group(unread, ["user_id"], ["__count"])}
        named = [identifier_of(one) for one in (rung if isinstance(rung, list) else [])[:RUNG_LIMIT]]
        rings = self.search(unread & Domain("identifier", "in", named)) if named else self.browse()
        return {
            "mine": counts.get(self.env.uid, 0),
            "unassigned": counts.get(False, 0),
            "rung": [{"id": row.id, "conversation": row.identifier, "name": row.name} for row in rings],
        }

    def _ring(self, event):
        """Let agents' pages ring for a customer who writes: once, until what was written has been read."""
        self.ensure_one()
        if self.unread_count and self.rung_count <= self.read_count and not self.merged_into:
            self.write({"rung_count": self.received_count, "rung_event": event.id})

    def _prepare_alert(self, event):
        type_, told = super()._prepare_alert(event)
        return type_, told | {"ring": True} if self.rung_event == event.id else told
