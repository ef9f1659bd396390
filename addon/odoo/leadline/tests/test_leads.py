from odoo.tests import Form, users

from .common import LeadlineCase, contact, conversation, event


class TestLeads(LeadlineCase):
    """The chat stays with the customer whatever becomes of lead and contact."""

    def cards(self, record):
        """Return the conversations that a card shows."""
        return [found["id"] for found in self.conversations.chat_open(record._name, record.id)["conversations"]]

    def convert(self, lead, **values):
        wizard = self.env["crm.lead2opportunity.partner"].with_context(
            active_model="crm.lead", active_id=lead.id, active_ids=lead.ids
        )
        wizard.create({"name": "convert"} | values).action_apply()

    def test_a_converted_lead_keeps_its_chat_and_its_contact(self):
        row = self.met()
        lead, partner = row.lead_ids, row.partner_id
        lead.type = "lead"
        self.convert(lead, user_id=self.agent.id, team_id=self.team.id)
        self.assertEqual(lead.type, "opportunity")
        self.assertEqual((row.lead_ids, row.partner_id, row.user_id), (lead, partner, self.agent))
        self.assertEqual(self.cards(lead), ["conv-1"])
        self.assertEqual(self.cards(partner), ["conv-1"])

    def test_a_lead_that_gets_its_contact_by_conversion_gives_it_to_the_chat(self):
        self.line.unknown_customer = "nothing"
        lead = self.env["crm.lead"].create(
            {"name": "By hand", "type": "lead", "contact_name": "Ada", "phone": "+12025550143"}
        )
        row = self.met()
        self.assertEqual((row.lead_ids, row.partner_id.id), (lead, False))
        self.convert(lead, action="create")
        self.assertTrue(row.partner_id)
        self.assertEqual(row.partner_id, lead.partner_id)

    def test_merging_leads_moves_the_chats_to_the_one_that_stays(self):
        first = self.met().lead_ids
        second = self.met(conversation("conv-2", contact=contact("c2", phone="+12025550144"))).lead_ids
        # Opportunities win over leads, whatever the order they are given in.
        first.type, second.type = "lead", "opportunity"
        merged = (first | second).merge_opportunity()
        self.assertEqual(merged, second)
        self.assertFalse(first.exists())
        self.assertEqual((self.row("conv-1").lead_ids, self.row("conv-2").lead_ids), (merged, merged))
        self.assertCountEqual(self.cards(merged), ["conv-1", "conv-2"])

    def test_converting_into_another_deal_moves_the_chat_there(self):
        lead = self.met().lead_ids
        lead.type = "lead"
        deal = self.env["crm.lead"].create(
            {"name": "Deal", "type": "opportunity", "partner_id": self.env["res.partner"].create({"name": "Firm"}).id}
        )
        self.convert(lead, name="merge", duplicated_lead_ids=[(6, 0, (lead | deal).ids)])
        self.assertFalse(lead.exists())
        self.assertEqual(self.row().lead_ids, deal)
        self.assertEqual(self.cards(deal), ["conv-1"])

    @users("leadline_agent")
    def test_an_agent_may_merge_leads_that_have_chats(self):
        rows = [
            self.met(conversation(f"conv-{index}", contact=contact(f"c{index}", phone=f"+1202555014{index}")))
            for index in (1, 2)
        ]
        merged = (rows[0].lead_ids | rows[1].lead_ids).with_user(self.env.user).merge_opportunity()
        self.assertEqual(rows[0].lead_ids, rows[1].lead_ids)
        self.assertEqual(rows[0].lead_ids.id, merged.id)

    def test_merging_contacts_keeps_the_chats(self):
        first = self.met().partner_id
        second = self.met(conversation("conv-2", contact=contact("c2", phone="+12025550144"))).partner_id
        self.env.flush_all()
        self.env["base.partner.merge.automatic.wizard"]._merge((first | second).ids, second)
        self.env.invalidate_all()
        self.assertEqual(self.row("conv-1").partner_id, second)
        self.assertCountEqual(self.cards(second), ["conv-1", "conv-2"])

    def test_the_chat_shows_on_every_lead_of_its_contact(self):
        partner = self.met().partner_id
        another = self.env["crm.lead"].create({"name": "Another deal", "partner_id": partner.id})
        self.assertEqual(self.cards(another), ["conv-1"])

    def test_deleting_lead_and_contact_leaves_the_row_and_makes_no_new_lead(self):
        row = self.met()
        row.lead_ids.unlink()
        row.partner_id.unlink()
        self.env.invalidate_all()
        [result] = self.apply(event(conversation(version=2, received=2)))
        self.assertEqual((result["ok"], result["records"]), (True, []))
        self.assertFalse(row.lead_ids or row.partner_id)

    def test_the_owner_follows_the_salesperson_of_the_lead(self):
        row = self.met()
        row.lead_ids.user_id = self.agent
        self.assertEqual(row.user_id, self.agent)
        row.lead_ids.user_id = False
        self.assertEqual(row.user_id, self.agent, "who knows the conversation keeps it")

    def test_the_forms_have_the_chat_for_agents_only(self):
        row = self.met()
        for card in (row.lead_ids, row.partner_id):
            view = card.with_user(self.agent).get_view(view_type="form")["arch"]
            self.assertIn("leadline_chat", view)
            Form(card)
        outsider = self.env["res.users"].create(
            {"name": "Clerk", "login": "leadline_clerk", "group_ids": [(6, 0, [self.env.ref("base.group_user").id])]}
        )
        self.assertNotIn("leadline_chat", row.partner_id.with_user(outsider).get_view(view_type="form")["arch"])
