import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, new_test_user

from ..tools.likeness import likeness, name_key
from .common import PHONE, LeadlineCase, contact, conversation, event


class TestLikeness(BaseCase):
    def test_names_that_differ_in_little_are_alike(self):
        for one, other in (
            ("Jonathan Smith", "Jonathon Smith"),
            ("Ana Souza", "SOUZA, Ána"),
            ("María José Pérez", "Maria Jose Perez"),
            ("Grace Hopper", "Grace M. Hopper"),
        ):
            self.assertGreaterEqual(likeness(name_key(one), name_key(other)), 80, (one, other))

    def test_others_are_not_and_short_names_tell_nobody_apart(self):
        for one, other in (("Ana Souza", "Ana Castro"), ("John Carter", "Joan Miller"), ("Ana", "Ana"), ("", "")):
            self.assertLess(likeness(name_key(one), name_key(other)), 80, (one, other))


class TestDoubles(LeadlineCase):
    """Cards that may be one customer's are shown side by side; people decide."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.doubles = cls.env["leadline.double"]
        cls.manager = new_test_user(
            cls.env, "leadline_manager", "sales_team.group_sale_manager,base.group_partner_manager"
        )

    def partner(self, name="Ada Exampel", **values):
        return self.env["res.partner"].create({"name": name} | values)

    def look(self):
        self.doubles._cron_find()
        return self.doubles.search([])

    def test_a_card_of_nearly_the_same_name_is_to_be_reviewed(self):
        other = self.partner()
        row = self.met()
        [double] = self.look()
        self.assertEqual((double.partner_id, double.other_id, double.reason), (row.partner_id, other, "name"))
        self.assertGreaterEqual(double.likeness, 80)
        self.assertEqual(row.partner_id.name, "Ada Example", "nothing is joined by itself")
        self.assertEqual(len(self.look()), 1, "and nobody is asked twice")

    def test_what_contradicts_makes_them_two(self):
        parent, elsewhere = self.partner("Firm", is_company=True), self.env["res.company"].create({"name": "Else"})
        for number, values in enumerate(
            (
                {"phone": "+12025550199"},
                {"email": "other@example.com"},
                {"country_id": self.env.ref("base.de").id},
                {"is_company": True},
                {"parent_id": parent.id},
                {"company_id": elsewhere.id},
            )
        ):
            self.partner(f"Ada{chr(97 + number)} Example", **values)
        row = self.met()
        row.partner_id.write(
            {"email": "ada@example.com", "country_id": self.env.ref("base.us").id, "parent_id": self.partner("Corp").id}
        )
        self.assertFalse(self.look())

    def test_a_second_card_with_the_number_is_to_be_reviewed_whatever_its_name(self):
        first, second = self.partner("Ada", phone=PHONE), self.partner("Workshop", phone=PHONE)
        self.met()
        [double] = self.look()
        self.assertEqual((double.partner_id | double.other_id, double.reason), (first | second, "number"))

    def test_a_lead_without_contact_counts_too_and_gets_it(self):
        lead = self.env["crm.lead"].create({"name": "Bicycle", "contact_name": "Ada Exampel", "type": "opportunity"})
        row = self.met()
        brought = row.lead_ids
        [double] = self.look()
        self.assertEqual(double.lead_id, lead)
        double.with_user(self.manager).action_keep_first()
        self.assertEqual(len((lead | brought).exists()), 1)
        self.assertEqual(row.lead_ids, (lead | brought).exists())
        self.assertEqual(row.lead_ids.partner_id, row.partner_id)
        self.assertFalse(self.doubles.search([]))

    def test_joining_keeps_every_conversation(self):
        other = self.partner(email="ada@example.com")
        first = self.met()
        second = self.met(conversation("conv-2", contact=contact("c2", name="Other", phone="+12025550144")))
        made = second.partner_id
        second.lead_ids.partner_id = second.partner_id = other
        made.unlink()
        [double] = self.look()
        double.with_user(self.manager).action_keep_second()
        self.assertEqual((first.partner_id, second.partner_id), (other, other))
        self.assertEqual(first.lead_ids.partner_id, other)
        shown = self.conversations.chat_open("res.partner", other.id)["conversations"]
        self.assertEqual({found["id"] for found in shown}, {"conv-1", "conv-2"})
        self.assertFalse(self.doubles.search([]))

    def test_not_the_same_is_remembered(self):
        self.partner()
        row = self.met()
        self.look().with_user(self.manager).action_different()
        self.apply(event(conversation(version=2, contact=contact(name="Ada Exampla"))))
        self.assertTrue(row.doubles_due)
        [double] = self.look()
        self.assertEqual(double.state, "different")

    def test_only_who_may_write_both_decides_and_who_may_merge_joins(self):
        self.partner()
        self.met()
        [double] = self.look()
        clerk = new_test_user(self.env, "leadline_clerk", "base.group_user")
        with self.assertRaises(AccessError):
            double.with_user(clerk).read(["reason"])
        # Odoo's own merge is for those who may make contacts.
        self.agent.group_ids -= self.env.ref("base.group_partner_manager")
        with self.assertRaises(AccessError):
            double.with_user(self.agent).action_keep_first()
        with self.assertRaises(AccessError):
            double.with_user(self.agent).write({"state": "different"})

    def test_different_addresses_are_odoos_to_refuse(self):
        first, second = (self.partner(email=f"{name}@example.com", phone=PHONE) for name in "ab")
        double = self.doubles.create(
            {"partner_id": first.id, "other_id": second.id, "reason": "number", "company_id": self.env.company.id}
        )
        with self.assertRaises(UserError):
            double.with_user(self.manager).action_keep_first()

    def test_what_the_service_doubts_is_shown_too(self):
        first = self.met()
        second = self.met(conversation("conv-2", contact=contact("contact-2", name="Bob Other", phone="+12025550144")))
        self.serve()
        review = {"id": "r1", "contacts": [{"id": "contact-1"}, {"id": "contact-2"}], "reason": "…", "at": "…"}
        self.service.answer = 200, json.dumps({"items": [review], "next": None}).encode()
        [double] = self.look()
        both = first.partner_id | second.partner_id
        self.assertEqual((double.partner_id | double.other_id, double.reason), (both, "whatsapp"))
        self.assertIn("/base/chat/v1/reviews?limit=50", [path for _method, path, *_more in self.service.calls])

    def test_the_comparison_shows_both_and_runs_nothing_of_theirs(self):
        self.partner("Ada Exampel", city="<script>alert(1)</script>", comment="x")
        self.met()
        shown = self.look().comparison
        self.assertIn("Ada Exampel", shown)
        self.assertIn("English (US)", shown)
        self.assertNotIn("Country", shown, "it is on neither")
        self.assertIn("&lt;script&gt;", shown)
        self.assertNotIn("<script>", shown)

    def test_the_search_among_names_uses_its_index(self):
        self.env.cr.execute("SELECT indexdef FROM pg_indexes WHERE tablename IN ('res_partner', 'crm_lead')")
        definitions = " ".join(definition for (definition,) in self.env.cr.fetchall())
        for part in ('"left"((name)', '"right"((name)', '"left"((contact_name)', '"right"((contact_name)'):
            self.assertIn(part, definitions)
