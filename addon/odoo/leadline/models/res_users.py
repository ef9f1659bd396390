from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _is_leadline_agent(self, company):
        """Say whether the user may be given a company's chats."""
        return self.active and not self.share and company in self.company_ids and self.has_group("leadline.group_agent")
