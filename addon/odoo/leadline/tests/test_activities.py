from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..models import leadline_conversation_activity
from .common import LeadlineCase, contact, conversation, event

NOON = "2026-11-20 12:00:00"
"""The customers of these tests write at ten; their window closes the next day at ten."""


class TestActivities(LeadlineCase):
    """Nobody is forgotten: a message that did not go out, and a window about to close, become somebody's to do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.user_id = cls.agent

    def failed(self, message="msg-out", version=2, **changed):
        about = conversation(version=version, last_out="2026-11-20T11:00:00Z") | changed
        told = event(about, "message.status")
        told["message"] |= {"id": message, "direction": "out", "status": "failed", "author": {"kind": "agent"}}
        return told

    def activities(self, row):
        card = row.lead_ids or row.partner_id
        return self.env["mail.activity"].search([("res_model", "=", card._name), ("res_id", "in", card.ids)])

    def warn(self, at):
        with freeze_time(at):
            self.conversations._cron_warn_closing()

    @freeze_time(NOON)
    def test_a_message_that_was_not_sent_becomes_the_owners_to_do(self):
        row = self.met()
        self.apply(self.failed())
        activity = self.activities(row)
        self.assertEqual((activity.user_id, activity.res_model), (self.agent, "crm.lead"))
        self.assertEqual(activity.activity_type_id, self.env.ref("leadline.activity_type_failed"))
        self.assertTrue(row.failed_at)

    @freeze_time(NOON)
    def test_it_is_asked_for_once_however_often_it_fails_and_is_told(self):
        row = self.met()
        told = self.failed()
        self.apply(told, told, self.failed("msg-other", 3))
        self.assertEqual(len(self.activities(row)), 1)

    def test_an_answer_ends_it(self):
        with freeze_time(NOON):
            row = self.met()
            self.apply(self.failed())
        activity = self.activities(row)
        self.apply(event(conversation(version=3, last_out="2026-11-20T12:30:00Z"), "message.sent"))
        self.assertFalse(self.activities(row))
        self.assertFalse(row.failed_at or row.activity_id or activity.active)

    @freeze_time(NOON)
    def test_what_goes_out_and_what_customers_send_asks_for_nothing(self):
        row = self.met()
        sent = self.failed()
        sent["message"]["status"] = "delivered"
        strange = event(conversation(version=3, received=2))
        strange["message"]["status"] = "failed"
        self.apply(sent, strange)
        self.assertFalse(self.activities(row))
        self.assertFalse(row.failed_at)

    def test_a_window_about_to_close_on_who_waits_becomes_a_to_do(self):
        row = self.met()
        self.warn("2026-11-21 07:59:00")
        self.assertFalse(self.activities(row))
        self.warn("2026-11-21 08:01:00")
        self.assertEqual(self.activities(row).activity_type_id, self.env.ref("leadline.activity_type_closing"))
        self.warn("2026-11-21 08:11:00")
        self.assertEqual(len(self.activities(row)), 1)

    def test_one_that_was_done_by_hand_does_not_come_back_for_the_same_window(self):
        row = self.met()
        self.warn("2026-11-21 08:01:00")
        self.activities(row).action_feedback(feedback="Called her.")
        self.warn("2026-11-21 08:11:00")
        self.assertFalse(self.activities(row))
        more = conversation(version=2, received=2, window_until="2026-11-22T09:00:00Z", last_in="2026-11-21T09:00:00Z")
        self.apply(event(more))
        self.warn("2026-11-22 08:01:00")
        self.assertEqual(len(self.activities(row)), 1)

    def test_who_is_answered_or_whose_window_is_over_is_not_warned_of(self):
        row = self.met()
        self.warn("2026-11-21 10:01:00")
        self.assertFalse(self.activities(row))
        self.apply(event(conversation(version=2, last_out="2026-11-20T10:30:00Z"), "message.sent"))
        self.warn("2026-11-21 09:00:00")
        self.assertFalse(self.activities(row))

    def other(self):
        """Return the row of another customer, whose window closes a minute later."""
        person = contact("contact-2", name="Bo", phone="+12025550144")
        return self.met(conversation("conv-2", contact=person, window_until="2026-11-21T10:01:00Z"))

    @freeze_time(NOON)
    def test_an_owner_who_works_for_another_company_now_costs_no_event(self):
        row = self.met()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.agent.write({"company_id": elsewhere.id, "company_ids": [(6, 0, elsewhere.ids)]})
        [result] = self.apply(self.failed())
        self.assertTrue(result["ok"], result)
        self.assertFalse(self.activities(row))

    def test_those_who_were_warned_of_stand_before_nobody(self):
        self.met()
        other = self.other()
        with patch.object(leadline_conversation_activity, "AT_ONCE", 1):
            self.warn("2026-11-21 09:00:00")
            self.assertFalse(self.activities(other))
            self.warn("2026-11-21 09:10:00")
        self.assertTrue(self.activities(other))

    def test_a_fault_in_one_conversation_keeps_nobody_else_waiting(self):
        faulty, other = self.met(), self.other()
        warn = type(faulty)._warn_of_closing

        def warned(row):
            if row == faulty:
                raise KeyError("a fault of another module")
            warn(row)

        with patch.object(type(faulty), "_warn_of_closing", warned), mute_logger("odoo.addons.leadline.tools.edge"):
            self.warn("2026-11-21 09:00:00")
        self.assertTrue(self.activities(other))

    def test_a_failed_message_and_a_closing_window_are_one_to_do(self):
        with freeze_time(NOON):
            row = self.met()
            self.apply(self.failed(last_out=None))
        self.warn("2026-11-21 09:00:00")
        self.assertEqual(len(self.activities(row)), 1)

    def test_a_line_chooses_how_long_before_and_whether_at_all(self):
        row = self.met()
        self.line.closing_notice = 0
        self.warn("2026-11-21 09:59:00")
        self.assertFalse(self.activities(row))
        self.line.closing_notice = 12
        self.warn("2026-11-20 22:01:00")
        self.assertTrue(self.activities(row))

    def test_what_nobody_owns_is_the_team_leaders_who_may_read_it(self):
        colleague = new_test_user(self.env, "leadline_colleague", "sales_team.group_sale_salesman")
        row = self.met()
        row.lead_ids.user_id = colleague
        self.assertEqual(row.user_id, colleague)
        row.user_id = self.agent
        # The lead is the colleague's, and the agent may not read it: better nobody than somebody who can't open it.
        self.warn("2026-11-21 09:00:00")
        self.assertFalse(self.activities(row))
        row.user_id = False
        row.lead_ids.user_id = False
        row.user_id = False
        self.warn("2026-11-21 09:10:00")
        self.assertEqual(self.activities(row).user_id, self.agent)

    def test_waiting_counts_from_the_first_message_that_nobody_answered(self):
        row = self.met()
        first = row.last_in
        self.apply(event(conversation(version=2, received=2, last_in="2026-11-20T10:20:00Z")))
        self.assertEqual(row.waiting_since, first)
        self.apply(event(conversation(version=3, received=2, last_out="2026-11-20T10:30:00Z"), "message.sent"))
        self.assertFalse(row.waiting_since)
        again = conversation(
            version=4, received=3, last_in="2026-11-20T10:40:00Z", last_out="2026-11-20T10:30:00Z"
        )
        self.apply(event(again))
        self.assertEqual(row.waiting_since, first + timedelta(minutes=40))
