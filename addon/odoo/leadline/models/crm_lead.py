from odoo import fields, models
from odoo.fields import Command


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _leadline_ranked(self):
        """Return the leads with the likeliest one to be spoken of first: open ones, opportunities, new ones, owned."""
        return self.sorted(
            key=lambda lead: (
                lead.active and lead.won_status == "pending",
                lead.type == "opportunity",
                lead.create_date or fields.Datetime.now(),
                bool(lead.user_id),
                lead._origin.id,
            ),
            reverse=True,
        )

    def _merge_dependences(self, opportunities):
        merged = super()._merge_dependences(opportunities)
        # sudo: agents don't write mirror rows, and the chat goes where the lead goes whoever merges it.
        conversations = self.env["leadline.conversation"].sudo().search([("lead_ids", "in", opportunities.ids)])
        conversations.write(
            {"lead_ids": [Command.link(self.id), *(Command.unlink(tail) for tail in opportunities.ids)]}
        )
        return merged
