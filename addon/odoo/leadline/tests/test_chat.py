import time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from ..tools.keys import derive
from .common import CONNECTION, SECRET, LeadlineCase, contact, conversation, line
from .test_grant import read_grant


class TestChat(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(cls.env, "leadline_colleague", "sales_team.group_sale_salesman")
        cls.all_documents = new_test_user(cls.env, "leadline_all", "sales_team.group_sale_salesman_all_leads")
        cls.manager = new_test_user(cls.env, "leadline_manager", "sales_team.group_sale_manager")
        cls.clerk = new_test_user(cls.env, "leadline_clerk", "base.group_user")
        cls.portal = new_test_user(cls.env, "leadline_portal", "base.group_portal")
        cls.public = cls.env.ref("base.public_user")
        elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.foreigner = new_test_user(
            cls.env,
            "leadline_foreigner",
            "sales_team.group_sale_manager",
            company_id=elsewhere.id,
            company_ids=[(6, 0, elsewhere.ids)],
        )

    def setUp(self):
        super().setUp()
        self.conversation_row = self.met()
        self.lead = self.conversation_row.lead_ids
        self.partner = self.conversation_row.partner_id
        self.lead.user_id = self.agent

    def open(self, user, card):
        return self.conversations.with_user(user).chat_open(card._name, card.id)

    def grant(self, user, card, identifier="conv-1"):
        """Return the claims of the grant that a user gets."""
        given = self.conversations.with_user(user).chat_grant(card._name, card.id, identifier)
        header, claims = read_grant(given["token"], derive(SECRET, "grants"))
        self.assertEqual(header["kid"], CONNECTION)
        self.assertEqual(claims["exp"], given["expires"])
        self.assertAlmostEqual(given["now"], time.time(), delta=10)
        return claims

    def test_a_chat_opens_with_what_the_tab_needs(self):
        opened = self.open(self.agent, self.lead)
        opened.pop("invitation")
        session = opened["conversations"][0].pop("session")
        self.assertEqual((session["state"], session["agent"]), ("open", {"id": self.agent.id, "name": self.agent.name}))
        self.assertEqual(
            opened,
            {
                "conversations": [
                    {
                        "id": "conv-1",
                        "line": {"id": "line-test", "name": "Shop", "number": "+1 202 555 0100"},
                        "contact": "Ada Example",
                        "unread": 1,
                        "window_until": "2026-11-21T10:00:00Z",
                        "owner": {"id": self.agent.id, "name": self.agent.name},
                        "merged_into": None,
                        "chat_url": "https://chat.example.com/chat",
                    }
                ],
                "chat_url": "https://chat.example.com/chat",
                "user": {"id": self.agent.id, "name": self.agent.name},
                "can_send": True,
            },
        )

    def test_lead_and_contact_and_row_show_the_same_conversation(self):
        for card in (self.lead, self.partner, self.conversation_row):
            with self.subTest(card._name):
                [found] = self.open(self.agent, card)["conversations"]
                self.assertEqual(found["id"], "conv-1")

    def test_a_card_without_conversation_opens_empty(self):
        stranger = self.env["res.partner"].create({"name": "Never wrote"})
        opened = self.open(self.agent, stranger)
        self.assertEqual(opened["conversations"], [])
        self.assertEqual(opened["chat_url"], "https://chat.example.com/chat")

    def test_without_a_connection_the_chat_says_so(self):
        self.connection.unlink()
        self.assertEqual(self.open(self.agent, self.partner)["conversations"], [])
        self.assertIsNone(self.open(self.agent, self.partner)["chat_url"])

    def test_the_latest_conversation_comes_first_and_a_merged_one_not_at_all(self):
        for index, last_in in ((2, "2026-11-20T12:00:00Z"), (3, "2026-11-20T08:00:00Z")):
            self.met(conversation(f"conv-{index}", line=line(f"line-{index}"), last_in=last_in))
        shown = [found["id"] for found in self.open(self.agent, self.lead)["conversations"]]
        self.assertEqual(shown, ["conv-2", "conv-1", "conv-3"])
        merged = conversation("conv-3", version=2, line=line("line-3"), merged_into="conv-2")
        self.met(merged)
        shown = [found["id"] for found in self.open(self.agent, self.lead)["conversations"]]
        self.assertEqual(shown, ["conv-2", "conv-1"])
        self.assertTrue(self.grant(self.agent, self.lead, "conv-3"), "who has it open may go on")

    def test_a_company_shows_what_its_people_write(self):
        company = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        self.partner.parent_id = company
        [found] = self.open(self.agent, company)["conversations"]
        self.assertEqual(found["id"], "conv-1")
        self.partner.active = False
        self.assertEqual(len(self.open(self.agent, self.partner)["conversations"]), 1)

    def test_a_grant_is_for_one_conversation_one_agent_and_five_minutes(self):
        claims = self.grant(self.agent, self.lead)
        self.assertEqual(
            (claims["aud"], claims["sub"], claims["name"]), ("leadline", str(self.agent.id), self.agent.name)
        )
        self.assertEqual((claims["conversation"], claims["can"]), ("conv-1", ["read", "send", "note"]))
        self.assertEqual(claims["exp"] - claims["iat"], 300)
        self.assertAlmostEqual(claims["iat"], time.time(), delta=10)

    def test_who_may_only_read_the_card_may_not_send(self):
        self.env["ir.rule"].create(
            {
                "name": "Contacts are read only",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.partner.id})]",
                "perm_read": False,
            }
        )
        self.assertFalse(self.open(self.agent, self.partner)["can_send"])
        self.assertEqual(self.grant(self.agent, self.partner)["can"], ["read", "note"])
        self.assertTrue(self.open(self.agent, self.lead)["can_send"])

    def test_who_may_read_the_lead_may_read_its_chat_and_nobody_else(self):
        for user, allowed in (
            (self.agent, True),
            (self.colleague, False),
            (self.all_documents, True),
            (self.manager, True),
            (self.foreigner, False),
            (self.clerk, False),
            (self.portal, False),
            (self.public, False),
        ):
            with self.subTest(user.login):
                if allowed:
                    self.assertTrue(self.open(user, self.lead)["conversations"])
                    self.assertTrue(self.grant(user, self.lead))
                    continue
                with self.assertRaises(AccessError):
                    self.open(user, self.lead)
                with self.assertRaises(AccessError):
                    self.grant(user, self.lead)

    def test_a_portal_user_gets_no_chat_on_their_own_contact(self):
        self.conversation_row.partner_id = self.portal.partner_id
        with self.assertRaises(AccessError):
            self.grant(self.portal, self.portal.partner_id)

    def test_somebody_of_another_company_sees_no_chat_on_a_shared_contact(self):
        self.assertFalse(self.partner.company_id)
        self.assertEqual(self.open(self.foreigner, self.partner)["conversations"], [])
        with self.assertRaises(AccessError):
            self.grant(self.foreigner, self.partner)

    def test_a_grant_is_given_only_for_conversations_of_the_card(self):
        self.met(conversation("conv-2", contact=contact("c2", name="Bea", phone="+12025550144")))
        for identifier in ("conv-2", "conv-9", "", None, ["conv-1"]):
            with self.subTest(identifier), self.assertRaises(AccessError):
                self.grant(self.agent, self.lead, identifier)

    def test_other_models_and_missing_cards_have_no_chat(self):
        chat = self.conversations.with_user(self.manager)
        for model, card in (
            ("res.users", self.agent.id),
            ("ir.config_parameter", 1),
            ("nothing", 1),
            ("crm.lead", "1"),
        ):
            with self.subTest(model), self.assertRaises(AccessError):
                chat.chat_open(model, card)

    def test_a_card_that_is_missing_and_one_of_somebody_else_look_the_same(self):
        said = []
        for card in (self.lead.id, 2**31 - 1, 2**63, -1, True, None):
            with self.subTest(card), self.assertRaises(AccessError) as refused:
                self.conversations.with_user(self.colleague).chat_open("crm.lead", card)
            said.append(str(refused.exception))
        self.assertEqual(len(set(said)), 1)

    def test_a_grant_names_its_own_connection(self):
        self.connection.secret = False
        with self.assertRaisesRegex(Exception, "no secret"):
            self.grant(self.agent, self.lead)
