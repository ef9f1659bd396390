from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tools import mute_logger

from .common import PHONE, LeadlineCase, contact, conversation, event
from .common_service import ServiceCase


class PullCase(ServiceCase, LeadlineCase):
    """A connection whose service can't reach Odoo."""

    def setUp(self):
        super().setUp()
        self.play()
        self.connection.url = self.service_url
        self.line.existing_done = True
        self.reach = {"way": "pulled", "code": "private", "reason": "…", "check": None}
        self.cron = self.env.ref("leadline.fetch_cron")

    def fetch(self):
        """Let the scheduled action run once, as Odoo does each minute."""
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()


class TestPull(PullCase):
    def test_what_the_service_could_not_tell_is_fetched_and_handed_in(self):
        told = self.wrote()
        self.fetch()
        row = self.row()
        self.assertEqual(row.name, told["conversation"]["contact"]["name"])
        self.assertTrue(row.lead_ids)
        [result] = self.results
        self.assertEqual((result["id"], result["at"], result["ok"]), (told["id"], told["at"], True))
        self.assertIn({"model": "crm.lead", "id": row.lead_ids.id, "name": row.lead_ids.name}, result["records"])
        self.assertFalse(self.waiting)

    def test_a_refused_event_is_handed_in_with_its_sentence_and_costs_no_other(self):
        self.wrote(1)
        self.waiting[0]["conversation"]["version"] = "no number"
        self.wrote(2)
        self.fetch()
        self.assertEqual([result["ok"] for result in self.results], [False, True])
        self.assertIn("version", self.results[0]["refused"])
        self.assertTrue(self.row("conv-2"))

    def test_a_long_backlog_is_caught_up_with_in_one_run(self):
        self.page_size = 7
        for number in range(24):
            self.wrote(number, contact=contact(f"contact-{number}", phone=f"+1202555{number:04}"))
        self.fetch()
        self.assertFalse(self.waiting)
        self.assertEqual(len(self.results), 24)
        self.assertEqual(self.conversations.search_count([("line_id", "=", self.line.id)]), 24)

    def test_what_was_not_handed_in_comes_again_and_changes_nothing(self):
        told = self.wrote()
        with patch.object(type(self.connection), "_call", autospec=True, side_effect=self.losing("/v1/events/results")):
            self.fetch()
        lead = self.row().lead_ids
        self.assertEqual(self.waiting, [told])
        self.fetch()
        self.assertEqual(self.row().lead_ids, lead)
        self.assertFalse(self.waiting)

    def losing(self, lost):
        """Return `_call` as it is when calls to one path fail."""
        call = type(self.connection)._call

        def losing(connection, method, path, **arguments):
            if path == lost:
                path = "/v1/nowhere"
            return call(connection, method, path, **arguments)

        return losing

    def test_a_service_that_is_away_breaks_nothing(self):
        self.problem = 503, {"code": "unavailable", "detail": "Try again shortly."}
        self.fetch()
        self.assertIn(("GET", "/chat/v1/events"), self.asked)
        self.problem = None
        self.wrote()
        self.fetch()
        self.assertTrue(self.row())

    def test_a_fault_of_one_connection_costs_no_other(self):
        self.wrote()
        faulty = self.connection.copy({"identifier": "faulty", "secret": self.connection.secret})
        faulty.database_uuid = self.connection.database_uuid
        fetch = type(faulty)._fetch_events

        def fetched(connection):
            if connection == faulty:
                raise KeyError("an answer of another version")
            fetch(connection)

        with (
            patch.object(type(faulty), "_order", "id desc"),
            patch.object(type(faulty), "_fetch_events", fetched),
            mute_logger("odoo.addons.leadline.tools.edge"),
        ):
            self.fetch()
        self.assertTrue(self.row())

    def test_nothing_is_lost_over_an_outage_of_an_hour_and_nothing_comes_twice(self):
        begin = datetime.now().replace(microsecond=0)
        self.problem = 503, {"code": "unavailable", "detail": "Try again shortly."}
        for minute in range(60):
            with freeze_time(begin + timedelta(minutes=minute), tick=True):
                self.wrote(minute, contact=contact(f"contact-{minute}", phone=f"+1202555{minute:04}"))
                if minute % 20 == 0:
                    self.fetch()
        self.assertFalse(self.conversations.search_count([("line_id", "=", self.line.id)]))
        self.problem = None
        with freeze_time(begin + timedelta(hours=1), tick=True):
            for _run in range(2):
                self.fetch()
        rows = self.conversations.search([("line_id", "=", self.line.id)])
        self.assertEqual(sorted(rows.mapped("identifier")), sorted(f"conv-{minute}" for minute in range(60)))
        self.assertEqual(len(rows.lead_ids), 60)
        self.assertFalse(self.waiting)

    def test_the_form_says_why_events_are_fetched_and_what_would_help(self):
        self.fetch()
        self.assertEqual(self.connection.way, "pulled")
        self.assertIn("private network", self.connection.way_reason)
        self.assertIn("public address", self.connection.way_reason)

    def test_every_reason_of_the_service_has_its_words(self):
        for code in ("dns", "refused", "timeout", "tls", "not_found", "clock", "signature", "something new"):
            with self.subTest(code):
                self.assertTrue(self.connection._reach_words(code)[0].endswith("."))

    def test_who_is_told_at_once_looks_for_more_every_ten_minutes_only(self):
        self.reach = {"way": "pushed", "code": None, "reason": None, "check": None}
        begin = datetime.now()
        for minute, expected in ((0, 1), (1, 1), (9, 1), (11, 2)):
            with freeze_time(begin + timedelta(minutes=minute), tick=True):
                self.fetch()
                self.assertEqual(self.asked.count(("GET", "/chat/v1/events")), expected, minute)
        self.assertEqual(self.connection.way, "pushed")

    def test_a_copy_of_the_database_takes_nothing_away_from_the_real_one(self):
        self.wrote()
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        self.fetch()
        self.assertFalse(self.asked)
        self.assertEqual(len(self.waiting), 1)
        self.connection.action_check()
        self.assertIn("copy", self.connection.failure)


class TestExisting(PullCase):
    def setUp(self):
        super().setUp()
        self.line.existing_done = False

    def test_conversations_from_before_appear_page_by_page(self):
        self.page_size = 4
        for number in range(10):
            self.was_there(number, contact=contact(f"contact-{number}", phone=f"+1202555{number:04}"))
        self.fetch()
        rows = self.conversations.search([("line_id", "=", self.line.id)])
        self.assertEqual(len(rows), 10)
        self.assertTrue(self.line.existing_done)
        asked = self.asked.count(("GET", "/chat/v1/conversations"))
        self.fetch()
        self.assertEqual(self.asked.count(("GET", "/chat/v1/conversations")), asked)

    def test_a_line_that_the_service_has_no_more_keeps_no_other_waiting(self):
        gone = self.line.copy({"identifier": "line-gone", "name": "A", "existing_done": False})
        self.gone.add("line-gone")
        self.was_there(1)
        self.fetch()
        self.assertTrue(gone.existing_done)
        self.assertTrue(self.line.existing_done)
        self.assertEqual(len(self.conversations.search([("line_id", "=", self.line.id)])), 1)

    def test_old_ones_make_no_lead_and_alert_nobody_until_the_customer_writes_again(self):
        partner = self.env["res.partner"].create({"name": "Ana", "phone": PHONE, "user_id": self.agent.id})
        self.was_there(1, window_until=None, received=3, read=1)
        self.fetch()
        row = self.row()
        self.assertEqual((row.partner_id, row.received_count, row.existing), (partner, 3, True))
        self.assertFalse(row.lead_ids)
        # What waited at the service is as old.
        self.apply(event(conversation(window_until=None, received=3, read=1)))
        self.assertEqual(self.told_owners(), 0)
        self.apply(event(conversation(received=4, read=1, version=self.row().version + 1)))
        self.assertFalse(row.existing)
        self.assertEqual(self.told_owners(), 1)

    def told_owners(self):
        """Return how often an owner is about to be notified."""
        return self.env["leadline.notice"].search_count([])

    def test_an_old_stranger_becomes_a_lead_when_they_write_again(self):
        self.was_there(1, window_until=None, received=3)
        self.fetch()
        self.assertFalse(self.row().partner_id or self.row().lead_ids)
        self.apply(event(conversation(received=4, version=self.row().version + 1)))
        self.assertEqual(len(self.row().lead_ids), 1)

    def test_who_still_waits_becomes_a_lead_at_once(self):
        until = (datetime.now() + timedelta(hours=5)).isoformat(timespec="seconds") + "Z"
        self.was_there(1, window_until=until)
        self.fetch()
        self.assertEqual(len(self.row().lead_ids), 1)
        self.assertFalse(self.row().existing)

    def test_one_that_cannot_be_read_costs_no_other(self):
        self.was_there(1)["contact"]
        self.existing[0]["contact"] = None
        self.was_there(2)
        self.fetch()
        self.assertFalse(self.row("conv-1"))
        self.assertTrue(self.row("conv-2"))


class TestUnpairing(PullCase):
    def test_unpairing_tells_the_service_and_leaves_no_row(self):
        self.met()
        lead = self.row().lead_ids
        self.assertEqual(self.connection.action_unpair()["res_model"], "leadline.connection")
        self.assertIn(("DELETE", "/chat/v1/connection"), self.asked)
        for model in ("connection", "line", "conversation", "template", "link"):
            self.assertFalse(self.env[f"leadline.{model}"].search_count([]), model)
        self.assertTrue(lead.exists())

    def test_a_service_that_cannot_be_told_is_named_to_its_administrator(self):
        self.problem = 500, {}
        told = self.connection.action_unpair()
        self.assertIn("leadline connect remove conn-test", told["params"]["message"])
        self.assertFalse(self.connection.exists())

