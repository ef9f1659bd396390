from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import LeadlineCase, contact, conversation, event


class TestInbox(LeadlineCase):
    """What the list of conversations shows to whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(cls.env, "leadline_colleague", "sales_team.group_sale_salesman")
        cls.manager = new_test_user(cls.env, "leadline_manager", "sales_team.group_sale_manager")
        cls.clerk = new_test_user(cls.env, "leadline_clerk", "base.group_user")

    def seen(self, user):
        return set(self.conversations.with_user(user).search([]).mapped("identifier"))

    def people(self):
        """Make a conversation that nobody owns, one of the agent's and one of the colleague's."""
        rows = [
            self.met(conversation(f"conv-{name}", contact=contact(f"c-{name}", phone=f"+1202555014{index}")))
            for index, name in enumerate(("nobody", "agent", "colleague"))
        ]
        rows[1].lead_ids.user_id = self.agent
        rows[2].lead_ids.user_id = self.colleague
        return rows

    def test_agents_see_theirs_and_nobodys_and_managers_all(self):
        self.people()
        self.assertEqual(self.seen(self.agent), {"conv-nobody", "conv-agent"})
        self.assertEqual(self.seen(self.colleague), {"conv-nobody", "conv-colleague"})
        self.assertEqual(self.seen(self.manager), {"conv-nobody", "conv-agent", "conv-colleague"})
        with self.assertRaises(AccessError):
            self.seen(self.clerk)

    def test_on_the_board_who_waits_comes_first(self):
        self.people()
        rows = self.conversations.with_context(read_group_expand=True)
        groups = rows.web_read_group([], ["state"], [])["groups"]
        self.assertEqual([group["state"] for group in groups], ["waiting", "answered"])

    def test_a_conversation_with_a_contact_only_is_its_owners(self):
        self.line.unknown_customer = "contact"
        self.met().user_id = self.colleague
        self.assertEqual(self.seen(self.agent), set())

    def test_rows_of_another_company_are_not_listed(self):
        self.people()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.line.company_id = elsewhere
        self.assertEqual(self.seen(self.manager), set())

    def test_agents_change_no_row_and_managers_may_give_it_to_somebody(self):
        row = self.people()[1]
        with self.assertRaises(AccessError):
            row.with_user(self.agent).user_id = self.agent
        row.with_user(self.manager).user_id = self.colleague
        self.assertEqual(row.user_id, self.colleague)

    def test_every_salesperson_is_an_agent_and_their_manager_a_manager(self):
        self.assertTrue(self.agent.has_group("leadline.group_agent"))
        self.assertFalse(self.agent.has_group("leadline.group_manager"))
        self.assertTrue(self.manager.has_group("leadline.group_manager"))
        self.assertFalse(self.clerk.has_group("leadline.group_agent"))

    # Tags

    def test_agents_tag_what_they_see_and_find_it_again(self):
        mine = self.people()[1]
        tag = self.env["leadline.tag"].with_user(self.agent).create({"name": "Spare parts"})
        mine.with_user(self.agent).write({"tag_ids": [(4, tag.id)]})
        found = self.conversations.with_user(self.agent).search([("tag_ids", "=", "Spare parts")])
        self.assertEqual(found.mapped("identifier"), ["conv-agent"])
        with self.assertRaises(AccessError):
            self.row("conv-colleague").with_user(self.agent).write({"tag_ids": [(4, tag.id)]})
        with self.assertRaises(AccessError):
            mine.with_user(self.agent).write({"tag_ids": [(4, tag.id)], "user_id": self.agent.id})
        with self.assertRaises(AccessError):
            tag.with_user(self.agent).unlink()

    # The counter

    def status(self, user=None, rung=()):
        return self.conversations.with_user(user or self.agent).inbox_status(list(rung))

    def test_the_counter_counts_conversations_of_ours_and_nobodys(self):
        self.people()
        self.assertEqual(self.status(), {"mine": 1, "unassigned": 1, "rung": []})
        self.apply(event(conversation("conv-agent", version=2, read=1), "conversation.updated"))
        self.assertEqual(self.status(), {"mine": 0, "unassigned": 1, "rung": []})
        with self.assertRaises(AccessError):
            self.status(self.clerk)

    def test_only_what_is_ours_to_answer_rings(self):
        self.people()
        told = self.status(rung=["conv-nobody", "conv-agent", "conv-colleague", "conv-unheard-of", 7])
        self.assertCountEqual([found["conversation"] for found in told["rung"]], ["conv-nobody", "conv-agent"])
        self.assertEqual({found["name"] for found in told["rung"]}, {"Ada Example"})

    def test_what_was_merged_away_is_counted_no_more(self):
        self.met()
        self.apply(event(conversation(version=2, merged_into="conv-2"), "conversation.merged"))
        self.assertEqual(self.status()["unassigned"], 0)

    def test_who_answers_without_selling_finds_the_conversations_and_no_pipeline(self):
        user = new_test_user(self.env, "leadline_no_seller", "leadline.group_agent")
        menus = self.env["ir.ui.menu"].with_user(user)
        visible = menus.browse(menus._visible_menu_ids())
        inbox = self.env.ref("leadline.leadline_conversation_menu")
        self.assertIn(inbox, visible)
        self.assertIn(inbox.parent_id, visible)
        self.assertIn(inbox.parent_id.parent_id, visible)
        for name in ("menu_crm_opportunities", "sales_team_menu_team_pipeline"):
            self.assertNotIn(self.env.ref(f"crm.{name}"), visible)
            self.assertIn(self.env.ref(f"crm.{name}").id, menus.with_user(self.agent)._visible_menu_ids())
