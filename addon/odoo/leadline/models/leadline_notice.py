from odoo import api, fields, models

from ..tools.edge import apart

AT_ONCE = 100
"""Notices that one run of the scheduled action gives, before it is asked to run again."""


class LeadlineNotice(models.Model):
    """What the owner of a conversation has still to be told.

    Odoo's notifications cost several times what taking a message in does, so they come a moment later and keep no
    message waiting. Pages that are open ring at once, by the bus.
    """

    _name = "leadline.notice"
    _description = "WhatsApp Notice"
    _order = "id"
    _log_access = False

    conversation_id = fields.Many2one("leadline.conversation", required=True, index=True, ondelete="cascade")
    about = fields.Selection([("message", "Message"), ("reaction", "Reaction")], required=True)

    @api.model
    def _ask(self, conversation, about):
        """Have the conversation's owner told soon."""
        self.create({"conversation_id": conversation.id, "about": about})

    @api.model
    def _wake(self):
        """Let what waits be given as soon as this transaction is done."""
        cron = self.env.ref("leadline.ir_cron_notices", raise_if_not_found=False)
        if cron and self.search_count([], limit=1):
            cron._trigger()

    @api.model
    def _cron_give(self):
        """Tell owners what they have still to be told."""
        given = self.browse()
        for notice in self.search([], limit=AT_ONCE):
            with apart(self.env, f"Notice {notice.id}") as outcome:
                notice.conversation_id._tell_owner(notice.about)
            if not outcome.busy:
                given |= notice
        given.unlink()
        self._wake()
