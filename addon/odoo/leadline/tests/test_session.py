import logging
from datetime import datetime, timedelta
from unittest.mock import patch

import psycopg2.errors

from odoo.exceptions import AccessError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import conversation, event
from .common_sessions import START, SessionCase

_logger = logging.getLogger(__name__)


class TestSession(SessionCase):
    """Sessions open with the customer's message, once, and are measured."""

    def setUp(self):
        super().setUp()
        self.online(self.ann)
        self.queue(self.ann)

    @property
    def session(self):
        return self.row().session_id

    def told_of_wait(self, user):
        return self.env["mail.message"].search_count(
            [("subject", "like", "WhatsApp customer still waits"), ("notified_partner_ids", "in", user.partner_id.ids)]
        )

    def join(self, younger, *, into):
        """Let a conversation turn out to be another one."""
        about = conversation(younger, version=9, received=1, merged_into=into)
        self.apply(event(about, "conversation.merged"))

    def test_a_customers_message_opens_a_session_and_the_next_ones_count_in_it(self):
        self.write_in()
        self.write_in()
        self.answer(self.ann)
        self.assertEqual(len(self.sessions.search([("conversation_id", "=", self.row().id)])), 1)
        self.assertEqual((self.session.in_count, self.session.out_count), (2, 1))
        self.assertEqual((self.session.opened_hour, self.session.opened_weekday), (10, "1"))
        self.assertEqual(self.session.lead_id, self.row()._lead())

    def test_what_is_told_again_opens_and_counts_nothing_twice(self):
        told = self.told("message.received", version=1, received=1)
        self.apply(told)
        self.apply(told, told)
        self.session._close("hand", by=self.ann)
        self.apply(told)
        self.assertEqual(self.row().session_ids.mapped("in_count"), [1])
        self.assertEqual(self.session.state, "closed")

    def test_two_messages_told_with_the_same_state_are_two(self):
        # Both are told after both were stored.
        self.apply(*(self.told("message.received", version=2, received=2) for _ in range(2)))
        self.assertEqual(self.session.in_count, 2)

    def test_a_message_that_comes_late_opens_a_session_after_the_last_one(self):
        self.write_in()
        self.answer(self.ann)
        self.forward(minutes=30)
        self.session._close("hand", by=self.ann)
        self.forward(minutes=30)
        self.write_in(at=START + timedelta(minutes=10))
        self.assertEqual(len(self.row().session_ids), 2)
        self.assertEqual(self.session.opened_at, START + timedelta(minutes=30))
        self.assertFalse(self.session.first_response_at)

    def test_an_answer_that_is_told_before_the_question_still_answers_it(self):
        self.write_in()
        self.session._close("hand", by=self.ann)
        self.forward(minutes=10)
        asked = self.now
        self.forward(minutes=5)
        self.answer(self.ann)
        self.write_in(at=asked)
        self.assertEqual(self.session.first_response_at, asked + timedelta(minutes=5))
        self.assertFalse(self.session.waiting_since)

    def test_notes_and_what_goes_out_by_itself_answer_nothing(self):
        self.write_in()
        self.answer(self.ann, type="note")
        self.answer(self.ann, automatic=True)
        self.assertFalse(self.session.first_response_at)
        self.assertFalse(self.session.out_count)

    def test_the_businesss_phone_answers_for_nobody(self):
        self.write_in()
        self.forward(minutes=3)
        self.answer()
        self.assertEqual(self.session.first_response_at, self.now)
        self.assertFalse(self.session.answered_by_id)
        self.assertEqual(self.session.user_id, self.ann, "whoever had it still has it")

    def test_an_author_that_is_no_user_is_nobody(self):
        self.write_in()
        for strange in ("0", "-1", "abc", "99999999999999999999", None, "123456789"):
            author = {"kind": "agent", "id": strange, "name": "?"}
            told = self.told("message.sent", version=self.row().version + 1, received=1, author=author)
            self.assertTrue(self.apply(told)[0]["ok"])
        self.assertFalse(self.session.answered_by_id)
        self.assertTrue(self.session.first_response_at)

    def test_first_answers_are_measured_inside_and_outside_working_hours(self):
        self.line.calendar_id = self.hours(self.ben, 9, 17).calendar_id
        self.frozen.move_to(datetime(2026, 11, 24, 16, 30))
        self.write_in()
        self.frozen.move_to(datetime(2026, 11, 25, 9, 15))
        self.answer(self.ann)
        self.assertAlmostEqual(self.session.response_time, 16.75)
        self.assertAlmostEqual(self.session.response_working, 0.75)
        self.assertAlmostEqual(self.session.response_outside, 16)

    def test_handling_counts_from_the_first_agent_to_the_end(self):
        self.offline(self.ann)
        self.write_in()
        self.forward(minutes=20)
        self.online(self.ann)
        self.forward(minutes=1)
        self.answer(self.ann)
        self.forward(minutes=29)
        self.session._close("hand", by=self.ann)
        self.assertAlmostEqual(self.session.handling_time, 29 / 60)

    def test_what_is_not_known_is_left_out_of_averages(self):
        self.write_in("conv-1")
        self.write_in("conv-2")
        self.forward(minutes=6)
        self.answer(self.ann, "conv-1")
        [(response, handling, score)] = self.sessions._read_group(
            [], [], ["response_time:avg", "handling_time:avg", "score:avg"]
        )
        self.assertAlmostEqual(response, 0.1)
        self.assertIs(handling, False)
        self.assertIs(score, False)

    def test_silence_closes_what_was_answered_and_nothing_else(self):
        self.line.close_after = 60
        self.write_in("conv-1")
        self.write_in("conv-2")
        self.answer(self.ann, "conv-1")
        self.forward(minutes=59)
        self.assertEqual(self.session.state, "assigned")
        self.forward(minutes=2)
        self.assertEqual((self.session.state, self.session.ending), ("closed", "time"))
        self.assertIn("The session was closed after 60 minutes without a message.", self.log(self.session))
        self.assertEqual(self.session.handling_time, 0, "nobody was at it while its time ran out")
        self.assertEqual(self.row("conv-2").session_id.state, "assigned", "nobody has answered them")

    def test_every_message_keeps_it_open(self):
        self.line.close_after = 60
        self.write_in()
        for _ in range(3):
            self.answer(self.ann)
            self.forward(minutes=50)
            self.write_in()
            self.forward(minutes=50)
        self.assertEqual(self.session.state, "assigned")

    def test_nobody_who_had_the_last_word_is_done_with_by_time(self):
        self.line.close_after = 60
        self.write_in()
        self.answer(self.ann)
        self.forward(minutes=10)
        self.write_in()
        self.forward(minutes=59)
        self.assertEqual(self.told_of_wait(self.ann), 0)
        self.forward(minutes=1)
        self.forward(days=3)
        self.assertEqual((self.session.state, self.row().state), ("assigned", "waiting"))
        self.assertEqual(self.told_of_wait(self.ann), 1, "once")
        self.assertIn("Ann was told that the customer still waits.", self.log(self.session))
        self.answer(self.ann)
        self.forward(minutes=59)
        self.assertEqual(self.session.state, "assigned")
        self.forward(minutes=1)
        self.assertEqual((self.session.state, self.session.ending), ("closed", "time"))

    def test_each_time_that_a_customer_is_left_waiting_is_told(self):
        self.line.close_after = 60
        for times in (1, 2):
            self.write_in()
            self.answer(self.ann)
            self.forward(minutes=1)
            self.write_in()
            self.forward(minutes=60)
            self.assertEqual(self.told_of_wait(self.ann), times)

    def test_managers_hear_of_who_is_left_waiting_without_an_agent(self):
        self.line.close_after = 60
        self.write_in()
        self.answer(self.ann)
        self.forward(minutes=1)
        self.write_in()
        self.session._release(by=self.manager)
        self.offline(self.ann)
        self.forward(minutes=60)
        self.assertEqual((self.told_of_wait(self.ann), self.told_of_wait(self.manager)), (0, 1))
        self.assertIn("The managers were told that the customer still waits.", self.log(self.session))

    def test_what_is_told_after_its_answer_leaves_nobody_waiting(self):
        self.line.close_after = 60
        self.write_in()
        self.answer(self.ann)
        self.forward(minutes=2)
        asked = self.now
        self.forward(minutes=2)
        self.answer(self.ann)
        self.write_in(at=asked)
        self.assertFalse(self.session.waiting_since)
        self.forward(minutes=60)
        self.assertEqual(self.session.ending, "time")

    def test_a_closed_session_takes_the_conversation_off_the_waiting_ones(self):
        self.write_in()
        self.assertEqual(self.row().state, "waiting")
        self.as_agent(self.ann, "chat_close")
        self.assertEqual(self.row().state, "answered")
        self.forward(minutes=1)
        self.write_in()
        self.assertEqual(self.row().state, "waiting")

    def test_the_next_message_after_the_end_opens_another(self):
        self.write_in()
        first = self.session
        self.as_agent(self.ann, "chat_close")
        self.forward(minutes=1)
        self.write_in()
        self.assertNotEqual(self.session, first)
        self.assertEqual(self.session.state, "assigned")

    def test_one_open_session_is_all_that_the_database_allows(self):
        self.write_in()
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.UniqueViolation), self.env.cr.savepoint():
            self.session.copy({"conversation_id": self.row().id, "opened_at": self.now, "last_at": self.now})

    def test_sessions_go_with_the_conversation_to_the_elder_one(self):
        self.write_in("conv-old")
        self.write_in("conv-new")
        self.answer(self.ann, "conv-new")
        older, younger = self.row("conv-old").session_id, self.row("conv-new").session_id
        self.join("conv-new", into="conv-old")
        self.assertEqual(self.row("conv-old").session_ids, older | younger)
        self.assertEqual(self.row("conv-old").session_id, older)
        self.assertEqual((older.state, younger.ending), ("assigned", "merged"))
        self.assertFalse(self.row("conv-new").session_ids)

    def test_an_open_session_goes_on_in_an_elder_conversation_that_has_none(self):
        self.write_in("conv-new")
        session = self.row("conv-new").session_id
        self.join("conv-new", into="conv-old")
        elder = conversation("conv-old", version=3, received=2)
        self.apply(event(elder, "conversation.updated"))
        self.assertEqual((self.row("conv-old").session_id, session.state), (session, "assigned"))
        self.write_in("conv-old")
        self.assertEqual(session.in_count, 2)

    def test_won_leads_are_counted_with_the_sessions_that_led_to_them(self):
        self.write_in("conv-1")
        self.write_in("conv-2")
        self.row("conv-1")._lead().action_set_won()
        [(leads, won)] = self.sessions._read_group([], [], ["lead_id:count_distinct", "won_lead_id:count_distinct"])
        self.assertEqual((leads, won), (2, 1))

    def test_a_merged_lead_takes_its_sessions_along(self):
        self.write_in()
        lead = self.row()._lead()
        other = self.env["crm.lead"].create({"name": "Other", "type": "opportunity"})
        (other | lead).merge_opportunity()
        self.assertEqual(self.session.lead_id, (other | lead).exists())

    def test_agents_see_their_own_sessions_and_managers_all_of_their_companies(self):
        self.write_in("conv-1")
        self.online(self.ben)
        self.queue(self.ben)
        self.write_in("conv-2")
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            "elsewhere",
            "sales_team.group_sale_manager",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        seen = {
            user: set(self.sessions.with_user(user).search([]).mapped("conversation_id.identifier"))
            for user in (self.ann, self.ben, self.manager, stranger)
        }
        self.assertEqual(seen[self.ann], {"conv-1"})
        self.assertEqual(seen[self.ben], {"conv-2"})
        self.assertEqual(seen[self.manager], {"conv-1", "conv-2"})
        self.assertEqual(seen[stranger], set())
        with self.assertRaises(AccessError):
            self.session.with_user(self.manager).write({"missed": 1})
        self.assertTrue(self.session.with_user(self.ann).step_ids.mapped("sentence"))

    def test_the_log_speaks_the_readers_language(self):
        self.write_in()
        [step] = self.session.step_ids
        self.assertEqual(step.sentence, "Ann got the chat, as the only one in the line's queue who was available.")

    def test_a_message_in_a_known_session_costs_few_queries(self):
        self.write_in()
        without = self.count(lambda conversations, event: None)
        counted = self.count(type(self.conversations)._take_message)
        _logger.info("Queries for a message in a known session: %s, without sessions %s.", counted, without)
        self.assertLessEqual(counted - without, 4)

    def count(self, take_message):
        """Return how many queries each of ten messages costs."""
        row = self.row()
        told = [
            self.told("message.received", version=row.version + n, received=row.received_count + n)
            for n in range(1, 11)
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        with patch.object(type(self.conversations), "_take_message", take_message):
            self.apply(*told)
            self.env.flush_all()
        return (self.env.cr.sql_log_count - before) / 10
