from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.asked import ids_of, text_of

SHOWN = 8
"""Responses offered at once; whoever looks further types more of the shortcut."""

SEARCHED = 80


class LeadlineConversation(models.Model):
    """Odoo's own canned responses, for answers to customers."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def chat_canned(self, term):
        """Return the user's canned responses with this in their shortcut, those that begin with it first.

        :return: [{"id", "source": shortcut, "substitution": text}]
        :raise AccessError: when the user is no agent
        """
        term = text_of(term).strip()
        responses = self._own_canned(Domain("source", "ilike", term), limit=SEARCHED)
        begins = term.casefold()
        responses = responses.sorted(
            lambda one: (not one.source.casefold().startswith(begins), one.source.casefold(), one.id)
        )
        return responses[:SHOWN].read(["source", "substitution"], load=None)

    @api.model
    def chat_canned_used(self, ids):
        """Note that canned responses have just been sent, as Odoo does when one is posted."""
        responses = self._own_canned(Domain("id", "in", ids_of(ids, SEARCHED)))
        if responses:
            # By hand, skipping what somebody else is writing to: when it was used last is worth no conflict.
            self.env.cr.execute(
                SQL(
                    "UPDATE mail_canned_response SET last_used = %s WHERE id IN "
                    "(SELECT id FROM mail_canned_response WHERE id IN %s FOR NO KEY UPDATE SKIP LOCKED)",
                    fields.Datetime.now(),
                    tuple(responses.ids),
                )
            )
            responses.invalidate_recordset(["last_used"])

    @api.model
    def _own_canned(self, domain, limit=None):
        """Return the user's own canned responses and those of their groups: an administrator sees others', too."""
        user = self.env.user
        if not user.has_group("leadline.group_agent"):
            raise AccessError(self.env._("Only agents may read chats."))
        theirs = Domain("create_uid", "=", user.id) | Domain("group_ids", "in", user.all_group_ids.ids)
        return self.env["mail.canned.response"].search(theirs & domain, limit=limit)
