from odoo import models


class CrmLead(models.Model):
    """Where a lead goes, its chat goes."""

    # Each of its subjects is a file of its own.
    _inherit = "crm.lead"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        is_handed_over = vals.get("user_id") and not self.env.context.get("leadline_routing")
        former = {lead: lead.user_id for lead in self if lead.user_id} if is_handed_over else {}
        result = super().write(vals)
        for lead, user in former.items():
            if lead.user_id != user:
                lead._leadline_hand_chats_over(user)
        return result

    def _leadline_hand_chats_over(self, former):
        """Let the open chats go along that the lead's former salesperson had."""
        # sudo: who may hand a lead over hands its chat over with it.
        sessions = self.env["leadline.session"].sudo()
        for session in sessions.search(
            [("state", "=", "assigned"), ("user_id", "=", former.id), ("conversation_id.lead_ids", "in", self.ids)]
        ):
            session._assign(self.user_id, "lead", by=self.env.user)

    def _assign_userless_lead_in_team(self, creation_source):
        # Who gets the chat gets the lead.
        if self.env.context.get("leadline_routed"):
            return None
        return super()._assign_userless_lead_in_team(creation_source)

    def _merge_dependences(self, opportunities):
        merged = super()._merge_dependences(opportunities)
        # sudo: agents don't write sessions, and they go where the lead goes whoever merges it.
        self.env["leadline.session"].sudo().search([("lead_id", "in", opportunities.ids)]).lead_id = self
        return merged
