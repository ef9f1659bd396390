from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import PHONE, LeadlineCase, contact, conversation, event


class TestRecords(LeadlineCase):
    """Which lead and contact a conversation is about, and who may say otherwise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(cls.env, "leadline_colleague", "sales_team.group_sale_salesman")

    def partner(self, name, **values):
        return self.env["res.partner"].create({"name": name, "phone": PHONE} | values)

    def lead(self, name, partner=None, **values):
        values = {"name": name, "partner_id": partner and partner.id, "type": "opportunity", "user_id": False} | values
        return self.env["crm.lead"].create(values)

    def chat(self, method, card, *arguments, user=None):
        """Call one of the methods that the tab calls, as an agent."""
        conversations = self.conversations.with_user(user or self.agent)
        return getattr(conversations, method)(card._name, card.id, "conv-1", *arguments)

    def shown(self, card):
        return [found["id"] for found in self.conversations.chat_open(card._name, card.id)["conversations"]]

    # Which it is about

    def test_the_tab_lists_what_it_is_about_and_what_else_fits(self):
        likely, other = self.partner("Likely", user_id=self.agent.id), self.partner("Other")
        deal = self.lead("Deal", likely)
        row = self.met()
        self.assertEqual((row.partner_id, row.lead_ids), (likely, deal))
        told = self.chat("chat_records", deal)
        self.assertEqual((told["lead"]["id"], told["contact"]["id"]), (deal.id, likely.id))
        self.assertEqual([(found["model"], found["id"]) for found in told["others"]], [("res.partner", other.id)])
        self.assertTrue(told["can_switch"])

    def test_an_agent_turns_the_chat_to_another_contact_and_what_is_open_with_it(self):
        likely, other = self.partner("Likely", user_id=self.agent.id), self.partner("Other")
        first, second = self.lead("First", likely), self.lead("Second", other)
        row = self.met()
        # Of two open deals the newer one was taken.
        self.assertEqual((row.partner_id, row.lead_ids), (other, second))
        told = self.chat("chat_switch", second, "res.partner", likely.id)
        self.assertEqual((row.partner_id, row.lead_ids), (likely, first))
        self.assertEqual((told["contact"]["id"], told["lead"]["id"], told["here"]), (likely.id, first.id, False))
        self.assertEqual((self.shown(first), self.shown(likely)), (["conv-1"], ["conv-1"]))
        self.assertEqual((self.shown(second), self.shown(other)), ([], []))

    def test_an_agent_chooses_among_the_leads_of_one_customer(self):
        partner = self.partner("Ada")
        older, newer = self.lead("Older", partner), self.lead("Newer", partner, user_id=self.colleague.id)
        older.user_id = self.agent
        row = self.met()
        self.assertEqual((row._lead(), row.user_id), (newer, self.colleague))
        self.chat("chat_switch", older, "crm.lead", older.id)
        self.assertEqual((row._lead(), row.user_id), (older, self.agent))
        self.assertEqual(row._event_result()["records"][0]["id"], older.id, "the service is told so")
        self.assertEqual((self.shown(older), self.shown(newer)), (["conv-1"], ["conv-1"]))

    def test_a_chosen_lead_without_contact_gets_the_customer(self):
        row = self.met()
        bare = self.lead("Bare")
        told = self.chat("chat_switch", row.partner_id, "crm.lead", bare.id)
        self.assertEqual((bare.partner_id, row._lead(), told["here"]), (row.partner_id, bare, True))

    def test_a_merge_takes_the_choice_along(self):
        partner = self.partner("Ada")
        older, newer = self.lead("Older", partner), self.lead("Newer", partner)
        row = self.met()
        row.lead_id = newer
        merged = (older | newer).merge_opportunity()
        self.assertEqual((row.lead_ids, row.lead_id, row._lead()), (merged, merged, merged))

    def test_both_cards_must_be_the_agents_to_change(self):
        row = self.met()
        lead = row.lead_ids
        lead.user_id = self.agent
        theirs = self.lead("Theirs", user_id=self.colleague.id)
        with self.assertRaises(AccessError):
            self.chat("chat_switch", lead, "crm.lead", theirs.id)
        with self.assertRaises(AccessError):
            self.chat("chat_switch", theirs, "crm.lead", lead.id)
        with self.assertRaises(AccessError):
            self.chat("chat_switch", lead, "res.users", self.agent.id)
        stranger = self.lead("Stranger", user_id=self.agent.id)
        with self.assertRaises(AccessError):
            self.chat("chat_switch", stranger, "crm.lead", lead.id)
        self.assertEqual(row.lead_ids, lead)

    def test_what_an_agent_may_not_read_is_not_listed(self):
        partner = self.partner("Ada")
        mine = self.lead("Mine", partner, user_id=self.agent.id)
        self.lead("Hidden", partner, user_id=self.colleague.id)
        self.met()
        told = self.chat("chat_records", mine)
        self.assertIsNone(told["lead"])
        self.assertEqual([found["name"] for found in told["others"]], ["Mine"])
        found = self.chat("chat_find_records", mine, "Hidden")
        self.assertEqual(found, [])

    def test_a_card_of_another_company_is_not_to_be_chosen(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        row = self.met()
        row.lead_ids.user_id = self.agent
        self.agent.company_ids += elsewhere
        theirs = self.env["res.partner"].create({"name": "Theirs", "company_id": elsewhere.id})
        with self.assertRaises(UserError):
            self.chat("chat_switch", row.lead_ids, "res.partner", theirs.id)

    def test_the_customers_number_and_username_find_the_row(self):
        self.met(conversation(contact=contact(username="ada", phone_variants=[PHONE, "+12025550199"])))
        for known in ("2025550143", "2025550199"):
            self.assertTrue(self.conversations.search([("phones", "like", known)]))
        self.assertEqual(self.row().username, "ada")

    # A lead on demand

    def test_asking_for_the_lead_gives_the_open_one(self):
        row = self.met()
        told = self.chat("chat_lead", row.partner_id)
        self.assertEqual(told, {"id": row.lead_ids.id, "name": "WhatsApp: Ada Example", "created": False})

    def test_asking_for_a_lead_where_there_is_none_makes_the_agents(self):
        self.line.unknown_customer = "nothing"
        row = self.met()
        told = self.chat("chat_lead", row)
        lead = row.lead_ids
        self.assertEqual(told, {"id": lead.id, "name": "WhatsApp: Ada Example", "created": True})
        self.assertEqual((lead.user_id, lead.team_id, lead.phone_sanitized), (self.agent, self.team, PHONE))
        self.assertEqual((lead.source_id.name, lead.medium_id.name), ("WhatsApp", "WhatsApp"))
        self.assertEqual(self.chat("chat_lead", row)["created"], False)

    def test_a_lost_lead_is_no_answer_to_who_asks_for_one(self):
        row = self.met()
        row.lead_ids.action_set_lost()
        self.assertTrue(self.chat("chat_lead", row.partner_id)["created"])

    def test_a_lead_that_a_colleague_keeps_is_not_made_twice(self):
        row = self.met()
        row.lead_ids.user_id = self.colleague
        with self.assertRaisesRegex(UserError, "leadline_colleague"):
            self.chat("chat_lead", row.partner_id)
        self.assertEqual(len(row.lead_ids), 1)

    # Who comes back

    def lost(self, partner):
        lead = self.lead("Lost", partner)
        lead.action_set_lost()
        return lead

    def test_who_has_lost_leads_only_becomes_a_new_lead(self):
        partner = self.partner("Known")
        lost = self.lost(partner)
        row = self.met()
        self.assertEqual(row.partner_id, partner)
        self.assertEqual((len(row.lead_ids), row.lead_ids.partner_id), (1, partner))
        self.assertNotEqual(row.lead_ids, lost)

    def test_a_customer_who_was_won_is_no_new_lead(self):
        partner = self.partner("Known")
        self.lost(partner)
        self.lead("Won", partner).action_set_won()
        row = self.met()
        self.assertEqual(row.lead_ids.mapped("won_status"), ["won"])

    def test_a_line_may_leave_those_who_come_back_alone(self):
        self.line.lost_customer = "nothing"
        self.lost(self.partner("Known"))
        self.assertFalse(self.met().lead_ids)

    def test_an_answer_to_a_lost_lead_is_no_new_one_and_a_message_after_days_is(self):
        row = self.met()
        row.lead_ids.action_set_lost()
        self.apply(event(conversation(version=2, received=2, last_in="2026-11-20T10:10:00Z")))
        self.assertFalse(row.lead_ids)
        self.apply(event(conversation(version=3, received=3, last_in="2026-11-24T10:10:00Z")))
        self.assertEqual(row.lead_ids.mapped("active"), [True])
        self.apply(event(conversation(version=4, received=4, last_in="2026-11-29T10:10:00Z")))
        self.assertEqual(len(row.lead_ids), 1, "there is an open one")

    # What the chat tells of the customer

    def test_what_the_chat_tells_is_taken_over_when_the_agent_says_so(self):
        self.agent.group_ids += self.env.ref("base.group_partner_manager")
        row = self.met()
        row.lead_ids.user_id = self.agent
        told = self.chat("chat_records", row.lead_ids)
        self.assertEqual((told["card"]["name"], told["card"]["email"]), ("Ada Example", ""))
        self.assertIn("en_US", dict(told["languages"]))
        told = self.chat("chat_learn", row.lead_ids, "email", "ada@example.com", "")
        self.assertEqual((row.partner_id.email, told["card"]["email"]), ("ada@example.com", "ada@example.com"))
        self.chat("chat_learn", row.lead_ids, "name", "Ada Lovelace", "Ada Example")
        self.assertEqual(row.partner_id.name, "Ada Lovelace")
        with self.assertRaisesRegex(UserError, "changed meanwhile"):
            self.chat("chat_learn", row.lead_ids, "name", "Somebody", "Ada Example")
        for what, value, over in (("email", "no address", "ada@example.com"), ("lang", "xx_XX", told["card"]["lang"])):
            with self.assertRaises(UserError):
                self.chat("chat_learn", row.lead_ids, what, value, over)
        with self.assertRaises(AccessError):
            self.chat("chat_learn", row.lead_ids, "user_id", "1", "")

    def test_without_contact_it_is_the_leads(self):
        self.line.unknown_customer = "nothing"
        row = self.met()
        self.chat("chat_lead", row)
        self.chat("chat_learn", row.lead_ids, "email", "ada@example.com", "")
        self.chat("chat_learn", row.lead_ids, "lang", "en_US", "")
        self.assertEqual((row.lead_ids.email_from, row.lead_ids.lang_id.code), ("ada@example.com", "en_US"))

    def test_who_may_not_change_the_lead_takes_nothing_over(self):
        self.line.unknown_customer = "nothing"
        row = self.met()
        row.lead_ids = self.lead("Theirs", user_id=self.colleague.id)
        row.user_id = self.agent
        with self.assertRaises(AccessError):
            self.chat("chat_learn", row, "email", "ada@example.com", "")
