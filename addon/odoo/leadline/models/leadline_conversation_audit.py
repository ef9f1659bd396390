from odoo import SUPERUSER_ID, models


class LeadlineConversation(models.Model):
    """To whom conversations are given is noted."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        before = {conversation: conversation.user_id for conversation in self} if "user_id" in vals else {}
        written = super().write(vals)
        for conversation, owner in before.items():
            if conversation.user_id != owner and self.env.uid != SUPERUSER_ID:
                nobody = self.env._("nobody")
                self.env["leadline.audit"]._note(
                    "transferred",
                    conversation.company_id,
                    conversation=conversation,
                    detail=self.env._(
                        "From %(before)s to %(after)s",
                        before=owner.name or nobody,
                        after=conversation.user_id.name or nobody,
                    ),
                )
        return written
