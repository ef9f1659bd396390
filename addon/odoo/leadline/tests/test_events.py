from unittest.mock import patch

import psycopg2.errors

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .common import CONNECTION, LeadlineCase, connection_values, contact, conversation, event, line

CONVERSATION_MODEL = "odoo.addons.leadline.models.leadline_conversation"


class TestEvents(LeadlineCase):
    def test_the_state_of_the_conversation_is_mirrored(self):
        row = self.met(conversation(received=3, read=1, last_out="2026-11-20T09:00:00Z"))
        self.assertEqual(row.name, "Ada Example")
        self.assertEqual(row.line_id, self.line)
        self.assertEqual((row.received_count, row.read_count, row.unread_count), (3, 1, 2))
        self.assertEqual(row.state, "waiting")
        self.assertEqual(row.last_at, row.last_in)
        self.assertEqual(str(row.window_until), "2026-11-21 10:00:00")

    def test_an_answer_ends_the_waiting(self):
        row = self.met()
        self.apply(event(conversation(version=2, read=1, last_out="2026-11-20T10:05:00Z"), "message.sent"))
        self.assertEqual((row.state, row.unread_count), ("answered", 0))

    def test_the_answer_names_the_cards_and_the_owner(self):
        self.line.user_id = self.agent
        self.team.crm_team_member_ids = [(0, 0, {"user_id": self.agent.id})]
        told = event()
        [result] = self.apply(told)
        row = self.row()
        self.assertEqual(
            result,
            {
                "id": told["id"],
                "ok": True,
                "records": [
                    {"model": "crm.lead", "id": row.lead_ids.id, "name": "WhatsApp: Ada Example"},
                    {"model": "res.partner", "id": row.partner_id.id, "name": "Ada Example"},
                ],
                "owner": {"id": self.agent.id, "name": self.agent.name},
            },
        )

    def test_an_event_that_comes_three_times_makes_one_lead(self):
        told = event()
        results = [*self.apply(told), *self.apply(told, told)]
        self.assertEqual(results, [results[0]] * 3)
        self.assertEqual(self.env["crm.lead"].search_count([("team_id", "=", self.team.id)]), 1)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Ada Example")]), 1)
        self.assertEqual(self.conversations.search_count([]), 1)

    def test_an_older_version_changes_nothing(self):
        row = self.met(conversation(version=5, received=4, read=2))
        older = conversation(version=4, received=1, read=0, contact=contact(name="Old Name"), merged_into="conv-9")
        [result] = self.apply(event(older))
        self.assertTrue(result["ok"])
        self.assertEqual((row.received_count, row.read_count, row.version), (4, 2, 5))
        self.assertEqual((row.name, row.merged_into), ("Ada Example", False))

    def test_a_version_in_microseconds_is_kept_exactly(self):
        version = 1_795_000_000_123_457
        row = self.met(conversation(version=version))
        row.invalidate_recordset()
        self.assertEqual(row.version, version)

    def test_one_bad_event_never_costs_its_batch(self):
        bad = {"id": "event-bad", "type": "message.received"}
        results = self.apply(event(conversation("conv-2", contact=contact("c2"))), bad, "?", event())
        self.assertEqual([result["ok"] for result in results], [True, False, False, True])
        self.assertEqual(results[1]["id"], "event-bad")
        self.assertTrue(results[1]["refused"].endswith("."))
        self.assertEqual(results[2]["id"], "")
        self.assertEqual(self.conversations.search_count([]), 2)

    def test_a_refusal_of_odoo_is_handed_on_and_leaves_nothing(self):
        with patch.object(type(self.env["crm.lead"]), "create", side_effect=UserError("No lead for you.")):
            results = self.apply(event(), event(type_="conversation.gone"))
        self.assertEqual(results[0]["refused"], "No lead for you.")
        self.assertFalse(self.row())
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Ada Example")]))
        self.assertTrue(self.met())

    def test_a_fault_costs_one_event_and_its_log_tells_nothing_of_the_customer(self):
        with (
            patch.object(type(self.env["crm.lead"]), "create", side_effect=KeyError("Ada Example +12025550143")),
            self.assertLogs(CONVERSATION_MODEL, "ERROR") as logged,
        ):
            [result] = self.apply(event())
        self.assertEqual(result["refused"], "Odoo could not apply this event (KeyError).")
        self.assertIn("_welcome", logged.output[0])
        self.assertNotIn("Ada", logged.output[0])
        self.assertNotIn("2025550143", logged.output[0])

    @mute_logger("odoo.sql_db")
    def test_what_the_database_refuses_costs_one_event(self):
        def create(_self, _values):
            self.env.cr.execute("SELECT 1/0")

        with (
            patch.object(type(self.env["crm.lead"]), "create", create),
            self.assertLogs(CONVERSATION_MODEL, "ERROR"),
        ):
            results = self.apply(event(), event(conversation("conv-2", received=0, contact=contact("c2"))))
        self.assertEqual([result["ok"] for result in results], [False, True])

    def test_a_conflict_with_another_transaction_is_raised(self):
        for conflict in (
            psycopg2.errors.SerializationFailure,
            psycopg2.errors.DeadlockDetected,
            psycopg2.errors.LockNotAvailable,
        ):
            with (
                self.subTest(conflict.__name__),
                patch.object(type(self.env["crm.lead"]), "create", side_effect=conflict()),
                self.assertRaises(conflict),
            ):
                self.apply(event())

    def test_results_keep_the_order_of_the_events(self):
        told = [event(conversation(f"conv-{name}", contact=contact(f"c-{name}", phone=None))) for name in "cab"]
        self.assertEqual([result["id"] for result in self.apply(*told)], [raw["id"] for raw in told])

    def test_an_unknown_line_is_made_and_a_known_one_follows_its_number(self):
        self.met(conversation(line=line("line-new", number="+1 202 555 0111", name="New shop")))
        made = self.row().line_id
        self.assertEqual((made.name, made.connection_id, made.unknown_customer), ("New shop", self.connection, "lead"))
        made.name = "Our own name"
        self.apply(event(conversation(line=line("line-new", number="+1 202 555 0112", name="Renamed"))))
        self.assertEqual((made.name, made.number), ("Our own name", "+1 202 555 0112"))

    def test_another_connection_can_touch_neither_line_nor_conversation(self):
        row = self.met()
        other = self.env["leadline.connection"].create(connection_values(self.env, identifier="conn-other"))
        foreign_line = event(conversation(version=9, received=9))
        foreign_conversation = event(conversation(version=9, received=9, line=line("line-other")))
        results = self.conversations._apply_events(other, [foreign_line, foreign_conversation])
        self.assertEqual([result["ok"] for result in results], [False, False])
        self.assertIn("another connection", results[0]["refused"])
        self.assertIn("another connection", results[1]["refused"])
        self.assertEqual((row.received_count, row.connection_id.identifier), (1, CONNECTION))
        self.assertFalse(other.line_ids)

    def test_after_a_merge_the_elder_conversation_has_the_cards(self):
        younger = self.met(conversation("conv-young", contact=contact("c-young")))
        lead, partner = younger.lead_ids, younger.partner_id
        self.apply(event(conversation("conv-old", received=0, contact=contact("c-old", phone=None)), "message.sent"))
        elder = self.row("conv-old")
        self.assertFalse(elder.partner_id)
        merged = conversation("conv-young", version=2, contact=contact("c-young"), merged_into="conv-old")
        self.apply(event(merged, "conversation.merged"))
        self.assertEqual(younger.state, "merged")
        self.assertEqual((elder.lead_ids, elder.partner_id), (lead, partner))

    def test_an_elder_conversation_that_comes_later_finds_the_cards(self):
        younger = self.met(conversation("conv-young", contact=contact("c-young"), merged_into=None))
        merged = conversation("conv-young", version=2, contact=contact("c-young"), merged_into="conv-old")
        self.apply(event(merged, "conversation.merged"))
        elder = self.met(conversation("conv-old", contact=contact("c-old", phone=None)))
        self.assertEqual((elder.lead_ids, elder.partner_id), (younger.lead_ids, younger.partner_id))
