from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        written = super().write(vals)
        if vals.get("active") is False:
            self._leadline_leave()
        return written

    def unlink(self):
        self._leadline_leave()
        return super().unlink()

    def _leadline_leave(self):
        """Put the chats of who is gone back into their queues, so that no customer waits for them."""
        # sudo: who may archive a user need not see their chats.
        theirs = [("user_id", "in", self.ids)]
        for session in self.env["leadline.session"].sudo().search([*theirs, ("state", "=", "assigned")]):
            session._release(by=self.env.user)
        conversations = self.env["leadline.conversation"].sudo()
        self.env.add_to_compute(conversations._fields["user_id"], conversations.search(theirs))

    def _is_leadline_agent(self, company):
        """Say whether the user may be given a company's chats."""
        return self.active and not self.share and company in self.company_ids and self.has_group("leadline.group_agent")
