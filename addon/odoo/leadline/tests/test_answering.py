import json
from types import SimpleNamespace
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user

from .common import LeadlineCase, contact, conversation


class TestAnswering(LeadlineCase):
    """What agents who have the same conversation open are told of each other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(cls.env, "leadline_colleague", "sales_team.group_sale_salesman")
        cls.manager = new_test_user(cls.env, "leadline_manager", "sales_team.group_sale_manager")
        cls.clerk = new_test_user(cls.env, "leadline_clerk", "base.group_user")
        cls.portal = new_test_user(cls.env, "leadline_portal", "base.group_portal")

    def setUp(self):
        super().setUp()
        self.talk = self.met()
        self.lead = self.talk.lead_ids
        self.lead.user_id = self.agent

    def told(self, user, card, identifier="conv-1"):
        """Return what the bus is given when a user writes, as (channel, message) pairs."""
        self.env.cr.precommit.run()
        seen = self.env["bus.bus"].search([], order="id desc", limit=1).id or 0
        self.conversations.with_user(user).chat_answering(card._name, card.id, identifier)
        self.env.cr.precommit.run()
        rows = self.env["bus.bus"].search([("id", ">", seen)], order="id")
        return [(json.loads(row.channel), json.loads(row.message)) for row in rows]

    def listens_to(self, user, *asked):
        """Return the conversations whose bus channels a user's browser gets when it asks for these."""
        socket = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch("odoo.addons.bus.models.ir_websocket.wsrequest", socket):
            channels = self.env["ir.websocket"].with_user(user)._build_bus_channel_list(["their own", *asked])
        self.assertIn("their own", channels)
        self.assertFalse({*asked} & {channel for channel in channels if isinstance(channel, str)})
        found = [channel for channel in channels if getattr(channel, "_name", "") == "leadline.conversation"]
        return [conversation.identifier for conversation in found]

    def test_colleagues_are_told_who_answers_where_and_nothing_else(self):
        [(channel, told)] = self.told(self.agent, self.lead)
        self.assertEqual(channel, [self.env.cr.dbname, "leadline.conversation", self.talk.id])
        self.assertEqual(told["type"], "leadline/answering")
        agent = {"id": self.agent.id, "name": self.agent.name}
        self.assertEqual(told["payload"], {"conversation": "conv-1", "agent": agent})

    def test_it_is_told_from_every_card_that_shows_the_conversation(self):
        for card in (self.lead, self.talk.partner_id, self.talk):
            with self.subTest(card._name):
                self.assertTrue(self.told(self.agent, card))

    def test_who_may_not_see_the_card_tells_nobody(self):
        for user in (self.colleague, self.clerk, self.portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.told(user, self.lead)

    def test_who_may_only_read_tells_nobody(self):
        model = self.env.ref("crm.model_crm_lead").id
        closed = {"name": "Read only", "model_id": model, "domain_force": "[(0, '=', 1)]", "perm_read": False}
        self.env["ir.rule"].create(closed)
        with self.assertRaises(AccessError):
            self.told(self.agent, self.lead)

    def test_a_conversation_of_another_card_is_refused(self):
        self.met(conversation("conv-2", contact=contact("c2", name="Bea", phone="+12025550144")))
        for identifier in ("conv-2", "conv-9", "", None):
            with self.subTest(identifier), self.assertRaises(AccessError):
                self.told(self.agent, self.lead, identifier)

    def test_who_may_see_the_card_may_listen(self):
        for card in (self.lead, self.talk.partner_id, self.talk):
            with self.subTest(card._name):
                asked = f"leadline.conversation/{card._name}/{card.id}/conv-1"
                self.assertEqual(self.listens_to(self.agent, asked), ["conv-1"])

    def test_nobody_else_listens_and_what_is_wrong_costs_no_other_channel(self):
        lead = f"leadline.conversation/crm.lead/{self.lead.id}"
        for user in (self.colleague, self.clerk, self.portal):
            with self.subTest(user.login):
                self.assertEqual(self.listens_to(user, f"{lead}/conv-1"), [])
        wrong = ("", "/", "crm.lead/x/conv-1", f"res.users/{self.agent.id}/conv-1", "crm.lead/0/conv-1", "a/b/c/d/e")
        asked = [*(f"leadline.conversation/{end}" for end in wrong), f"{lead}/conv-9", f"{lead}/conv-1"]
        self.assertEqual(self.listens_to(self.agent, *asked), ["conv-1"])


class TestWithoutTheLead(LeadlineCase):
    """A conversation's owner and a manager see it on its own form, though they may not see the lead."""

    def setUp(self):
        super().setUp()
        self.talk = self.met()
        self.talk.lead_ids.user_id = self.agent
        # Agents by Leadline's own groups, who may not see any lead.
        self.owner = new_test_user(self.env, "leadline_owner", "leadline.group_agent")
        self.other = new_test_user(self.env, "leadline_other", "leadline.group_agent")
        self.manager = new_test_user(self.env, "leadline_boss", "leadline.group_manager")
        self.talk.user_id = self.owner

    def test_the_owner_and_a_manager_read_and_answer(self):
        for user in (self.owner, self.manager):
            with self.subTest(user.login):
                chat = self.conversations.with_user(user)
                opened = chat.chat_open("leadline.conversation", self.talk.id)
                self.assertEqual([found["id"] for found in opened["conversations"]], ["conv-1"])
                self.assertTrue(opened["can_send"])
                self.assertTrue(chat.chat_grant("leadline.conversation", self.talk.id, "conv-1")["token"])
                with self.assertRaises(AccessError):
                    chat.chat_open("crm.lead", self.talk.lead_ids.id)

    def test_the_form_opens_for_them(self):
        view = self.env.ref("leadline.leadline_conversation_view_form")
        for user in (self.owner, self.manager):
            with self.subTest(user.login):
                form = Form(self.talk.with_user(user), view)
                self.assertEqual(form.name, "Ada Example")
                listed = self.conversations.with_user(user).search([])
                self.assertEqual(listed, self.talk)
                for kind in ("form", "list", "search"):
                    self.assertNotIn("lead_ids", listed.get_view(view_type=kind)["arch"], "no lead may be read")

    def test_nobody_else_does(self):
        chat = self.conversations.with_user(self.other)
        self.assertFalse(chat.search([]))
        for call in (chat.chat_open, lambda *card: chat.chat_grant(*card, "conv-1")):
            with self.assertRaises(AccessError):
                call("leadline.conversation", self.talk.id)

    def test_one_that_nobody_has_taken_is_every_agents(self):
        self.talk.lead_ids = False
        self.talk.user_id = False
        chat = self.conversations.with_user(self.other)
        self.assertTrue(chat.chat_grant("leadline.conversation", self.talk.id, "conv-1")["token"])
