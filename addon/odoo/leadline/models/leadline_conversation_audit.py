from odoo import SUPERUSER_ID, models


class LeadlineConversation(models.Model):
    """To whom conversations are given is noted."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        before = {conversation: conversation.user_id for conversation in self} if "user_id" in vals else {}
        written = super().write(vals)
        for conversation, owner in before.items():
            conversation._note_owner(owner)
        return written

    def _note_owner(self, before):
        """Note that somebody has given the conversation away, if they have.

        :param before: whose it was
        """
        self.ensure_one()
        if self.user_id != before and self.env.uid != SUPERUSER_ID:
            nobody = self.env._("nobody")
            detail = self.env._(
                "From %(before)s to %(after)s", before=before.name or nobody, after=self.user_id.name or nobody
            )
            self.env["leadline.audit"]._note("transferred", self.company_id, conversation=self, detail=detail)
