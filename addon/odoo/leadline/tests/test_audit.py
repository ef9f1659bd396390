"""Who did what, in one list for managers: fetched from the service, and noted here."""

import json

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import LINE, LeadlineCase


def act(identifier="act-1", **changed):
    """Return one item of the service's trail."""
    return {
        "id": identifier,
        "act": "saw",
        "actor": "agent",
        "agent": "2",
        "name": "Marc",
        "first": "2026-11-20T10:05:00+00:00",
        "last": "2026-11-20T10:40:00+00:00",
        "count": 1,
        "line": LINE,
        "conversation": "conv-1",
        "contact": None,
        "what": None,
        "version": 1,
    } | changed


class TestAudit(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, "leadline_audit", "sales_team.group_sale_manager")
        cls.acts = cls.env["leadline.audit"]

    def tell(self, *items, following="7", more=False):
        self.service.answer = 200, json.dumps({"items": items, "next": following, "more": more}).encode()

    def test_what_happened_in_the_service_is_fetched_once_in_its_newest_state(self):
        self.serve()
        row = self.met()
        mine = str(self.agent.id)
        self.tell(
            act(agent=mine, name=self.agent.name), act("act-2", act="erased", actor="cli", agent="root", name=None)
        )
        self.acts.with_user(self.manager).action_open()
        self.tell(act(agent=mine, name=self.agent.name, count=4), following="9")
        self.acts._cron_fetch()
        seen, by_admin = self.acts.search([("identifier", "in", ("act-1", "act-2"))], order="identifier")
        self.assertEqual(
            (seen.user_id, seen.count, seen.conversation_id, seen.line_id), (self.agent, 4, row, self.line)
        )
        self.assertEqual((by_admin.actor, by_admin.user_id.id, by_admin.act), ("root", False, "erased"))
        self.assertEqual(self.connection.audit_cursor, "9")
        self.assertIn("after=7", self.service.calls[-1][1])

    def test_a_service_that_does_not_answer_leaves_the_list_to_read(self):
        self.connection.url = "http://127.0.0.1:9"
        action = self.acts.with_user(self.manager).action_open()
        self.assertEqual(action["res_model"], "leadline.audit")
        self.assertIn("does not answer", action["help"])

    def test_who_gave_a_conversation_to_whom_is_noted(self):
        row = self.met()
        row.with_user(self.manager).write({"user_id": self.agent.id})
        noted = self.acts.search([("act", "=", "transferred")])
        self.assertEqual((noted.user_id, noted.conversation_id), (self.manager, row))
        self.assertIn(self.agent.name, noted.detail)

    def test_who_changed_a_setting_is_noted_without_its_value(self):
        self.line.with_user(self.manager).write({"unknown_customer": "contact"})
        admin = self.env.ref("base.user_admin")
        self.connection.with_user(admin).write({"url": "https://other.example.com"})
        by_line, by_connection = self.acts.search([("act", "=", "set")], order="id")
        self.assertEqual((by_line.user_id, by_connection.user_id), (self.manager, admin))
        self.assertIn("Unknown Customers", by_line.detail)
        self.assertIn("Service Address", by_connection.detail)
        self.assertNotIn("other.example.com", by_connection.detail)

    def test_a_changed_setting_is_noted_in_the_language_of_who_changed_it(self):
        self.env["res.lang"]._activate_lang("pt_BR")
        self.env["ir.model"]._get("leadline.line").update_field_translations("name", {"pt_BR": "Linha do WhatsApp"})
        self.line.with_user(self.manager).with_context(lang="pt_BR").write({"unknown_customer": "contact"})
        self.assertIn("Linha do WhatsApp", self.acts.search([("act", "=", "set")]).detail)

    def test_what_the_service_tells_is_nobodys_change(self):
        self.met()
        self.assertFalse(self.acts.search([("act", "in", ("set", "transferred"))]))

    def test_managers_read_it_and_nobody_writes_it(self):
        noted = self.acts._note("exported", self.env.company)
        self.assertTrue(noted.with_user(self.manager).read(["act"]))
        with self.assertRaises(AccessError):
            noted.with_user(self.manager).write({"act": "saw"})
        with self.assertRaises(AccessError):
            noted.with_user(self.manager).unlink()
        with self.assertRaises(AccessError):
            noted.with_user(self.agent).read(["act"])
        with self.assertRaises(AccessError):
            self.acts.with_user(self.agent).action_open()
