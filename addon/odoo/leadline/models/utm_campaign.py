from odoo import models


class UtmCampaign(models.Model):
    _inherit = "utm.campaign"

    def action_leadline_link(self):
        """Open a new link's form with this campaign filled in."""
        self.ensure_one()
        # Whoever runs the campaign need not be who answers: the line's rules give the leads their owner.
        return self.env["leadline.link"]._action_new(self.env.company, name=self.title, campaign_id=self.id)
