from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import LeadlineCase


class TestBinding(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Ada Example", "city": "Oslo", "lang": "en_US"})
        cls.lead = cls.env["crm.lead"].create(
            {
                "name": "Blue\n\tbicycle",
                "partner_id": cls.partner.id,
                "user_id": cls.agent.id,
                "date_deadline": date(2026, 11, 24),
                "expected_revenue": 1200,
            }
        )

    def bind(self, parameter="body.1", expression="name", **changed):
        values = {"template": "order_ready", "parameter": parameter, "expression": expression, **changed}
        return self.env["leadline.template.binding"].create(values)

    def values(self, card=None, user=None, language="en_US", template="order_ready"):
        card = card or self.lead
        chat = self.conversations.with_user(user or self.agent)
        return chat.chat_template_values(card._name, card.id, "line-test", template, language)

    def test_values_come_from_the_card_as_people_write_them(self):
        for parameter, expression in (
            ("header.1", "partner_id.name"),
            ("body.1", "name"),
            ("body.2", "user_id"),
            ("body.3", "date_deadline"),
            ("body.4", "expected_revenue"),
            ("body.5", "type"),
            ("body.6", "user_id.email"),
            ("buttons.0", "partner_id.city"),
        ):
            self.bind(parameter, expression)
        found = self.values()
        self.assertEqual(found["header.1"], "Ada Example")
        self.assertEqual(found["body.1"], "Blue bicycle", "WhatsApp takes neither line breaks nor tabs")
        self.assertEqual(found["body.2"], self.agent.name)
        self.assertEqual(found["body.3"], "11/24/2026")
        self.assertIn("1,200.00", found["body.4"])
        self.assertEqual(found["body.5"], "Lead" if self.lead.type == "lead" else "Opportunity")
        self.assertEqual(found["buttons.0"], "Oslo")

    def test_what_is_empty_has_its_fallback(self):
        self.bind(expression="partner_id.website", fallback="our shop")
        self.bind("body.2", "partner_id.website")
        self.assertEqual(self.values(), {"body.1": "our shop", "body.2": ""})

    def test_the_nearer_binding_goes_first_and_a_contact_fills_in_for_a_lead(self):
        self.bind(expression="partner_id.city", fallback="somewhere")
        self.bind(expression="partner_id.name", language="en_US")
        self.assertEqual(self.values()["body.1"], "Ada Example")
        self.assertEqual(self.values(language="de")["body.1"], "Oslo")
        self.bind(expression="name", model="res.partner", line_id=self.line.id)
        self.assertEqual(self.values(self.partner)["body.1"], "Ada Example")
        self.assertEqual(self.values(self.partner, template="another"), {})

    def test_what_the_user_may_not_read_stays_open(self):
        self.bind(expression="partner_id.city", fallback="your town")
        self.env["ir.rule"].create(
            {
                "name": "Not this contact",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.partner.id})]",
            }
        )
        self.assertEqual(self.values(), {"body.1": "your town"})

    def test_who_may_not_read_the_card_gets_no_values(self):
        self.bind()
        stranger = new_test_user(self.env, "leadline_stranger", "sales_team.group_sale_salesman")
        with self.assertRaises(AccessError):
            self.values(user=stranger)

    def test_a_path_leads_only_to_what_may_be_told(self):
        for expression in (
            "nothing",
            "partner_id.nothing",
            "name.name",
            "user_id.password",
            "user_id.partner_id",
            "message_ids",
            "company_id.secret",
            "__class__",
            "_fields",
            "partner_id.signup_type",
            "partner_id.",
            "env.cr",
            "tag_ids.name",
        ):
            with self.subTest(expression), self.assertRaises(ValidationError):
                self.bind(expression=expression)

    def test_a_parameter_is_one_that_templates_have(self):
        for parameter in ("1", "body", "footer.1", "body.1 or 1", "buttons.x"):
            with self.subTest(parameter), self.assertRaises(ValidationError):
                self.bind(parameter)

    def test_a_value_is_bound_once_a_place(self):
        self.bind()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.bind(expression="partner_id.name")

    def test_agents_use_bindings_and_managers_make_them(self):
        with self.assertRaises(AccessError):
            self.env["leadline.template.binding"].with_user(self.agent).create(
                {"template": "x", "parameter": "body.1", "expression": "name"}
            )
        manager = new_test_user(self.env, "leadline_binder", "sales_team.group_sale_manager")
        made = (
            self.env["leadline.template.binding"]
            .with_user(manager)
            .create({"template": "x", "parameter": "body.1", "expression": "name"})
        )
        self.assertEqual(made.model, "crm.lead")
