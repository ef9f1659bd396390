from odoo.tests import HttpCase, tagged

from .common import LeadlineCase


@tagged("post_install", "-at_install")
class TestTour(LeadlineCase, HttpCase):
    def test_an_agent_talks_on_a_real_card(self):
        """Card, grant and drafts are Odoo's own; the chat API is played in the browser."""
        lead = self.met().lead_ids
        lead.user_id = self.agent
        self.start_tour(f"/odoo/crm.lead/{lead.id}", "leadline_chat_tour", login=self.agent.login)
