import json
from datetime import timedelta

from .common_sessions import SessionCase

STOPPED = 422, b'{"code": "stopped", "detail": "The customer said STOP: nothing is sent automatically."}'


class TestSatisfaction(SessionCase):
    """What the customer is asked and told by itself, over the real signed call."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.service.answer = 202, b"{}"
        self.online(self.ann)
        self.queue(self.ann, asks_satisfaction=True)

    @property
    def session(self):
        return self.row().session_id

    def sent(self):
        """Return what the service was asked to send, as (path, body) pairs."""
        return [(path, json.loads(body)) for method, path, _connection, body in self.service.calls if method == "POST"]

    def closed(self, identifier="conv-1"):
        """Let a customer be answered, and the session be closed."""
        self.write_in(identifier)
        self.answer(self.ann, identifier)
        self.as_agent(self.ann, "chat_close", identifier=identifier)
        self.assertFalse(self.sent(), "no click waits for it")
        self.forward(minutes=1)
        return self.row(identifier).session_id

    def rate(self, session, rating, identifier="conv-1"):
        return self.write_in(identifier, satisfaction={"session": session.id, "rating": rating})

    def test_the_customer_is_asked_with_buttons_that_name_the_session(self):
        session = self.closed()
        [(path, body)] = self.sent()
        self.assertEqual(path, "/base/chat/v1/conversations/conv-1/messages")
        self.assertTrue(body["automatic"])
        buttons = [button["reply"] for button in body["interactive"]["action"]["buttons"]]
        self.assertEqual(
            [button["id"] for button in buttons], [f"leadline.satisfaction.{session.id}.{n}" for n in (5, 3, 1)]
        )
        self.assertTrue(all(len(button["title"]) <= 20 for button in buttons))
        self.assertEqual((session.satisfaction, session.satisfaction_at), ("asked", self.now))

    def test_the_answer_becomes_odoos_rating_of_the_session_and_opens_none(self):
        session = self.closed()
        self.rate(session, 5)
        self.assertEqual(self.session, session)
        self.assertEqual((session.state, session.satisfaction, session.score), ("closed", "rated", 5))
        self.assertEqual((session.rating_count, session.rating_last_value), (1, 5))
        rating = session.rating_ids
        self.assertEqual((rating.rated_partner_id, rating.consumed), (self.ann.partner_id, True))
        self.assertEqual(self.row().state, "answered", "nobody waits for an answer to it")

    def test_the_first_answer_counts(self):
        session = self.closed()
        self.rate(session, 1)
        self.rate(session, 5)
        self.assertEqual((session.score, session.rating_count, len(self.row().session_ids)), (1, 1, 1))

    def test_an_answer_to_what_nobody_asked_is_an_ordinary_message(self):
        session = self.closed("conv-1")
        self.rate(session, 5, "conv-2")
        self.rate(self.env["leadline.session"].browse(987654321), 5, "conv-3")
        self.assertFalse(session.score)
        self.assertEqual(self.row("conv-2").session_id.state, "assigned")
        self.assertEqual(self.row("conv-3").session_id.state, "assigned")

    def test_words_after_the_answer_open_a_session(self):
        session = self.closed()
        self.rate(session, 3)
        self.forward(minutes=1)
        self.write_in()
        self.assertNotEqual(self.session, session)

    def test_nobody_is_asked_twice_in_a_month(self):
        self.closed()
        self.forward(days=20)
        self.online(self.ann)
        self.write_in()
        self.answer(self.ann)
        self.session._close("hand", by=self.ann)
        self.assertEqual(self.session.satisfaction, "recent")
        self.forward(days=11)
        self.write_in()
        self.answer(self.ann)
        self.session._close("hand", by=self.ann)
        self.forward(minutes=1)
        self.assertEqual(self.session.satisfaction, "asked")
        self.assertEqual(len(self.sent()), 2)

    def test_who_was_not_answered_is_not_asked(self):
        self.write_in()
        self.as_agent(self.ann, "chat_close")
        self.forward(minutes=1)
        self.assertEqual((self.session.satisfaction, self.sent()), ("unanswered", []))

    def test_who_said_stop_is_not_asked_again_and_again(self):
        self.service.answer = STOPPED
        session = self.closed()
        self.forward(minutes=1)
        self.assertEqual((session.satisfaction, len(self.sent())), ("stopped", 1))

    def test_after_the_window_the_template_asks_if_there_is_one(self):
        self.line.close_after = 2000
        template = self.env["leadline.template"].create(
            {
                "name": "how_was_it",
                "language": "en_US",
                "line_id": self.line.id,
                "status": "APPROVED",
                "told_at": self.now,
            }
        )
        self.line.satisfaction_template_id = template
        self.write_in()
        self.answer(self.ann)
        self.forward(minutes=2001)
        self.assertEqual(self.session.ending, "time")
        [(_path, body)] = self.sent()
        self.assertEqual((body["type"], body["template"]["name"]), ("template", "how_was_it"))
        payloads = [button["parameters"][0]["payload"] for button in body["template"]["components"]]
        self.assertEqual(payloads, [f"leadline.satisfaction.{self.session.id}.{n}" for n in (5, 3, 1)])

    def test_after_the_window_without_a_template_nobody_is_asked(self):
        self.line.close_after = 2000
        self.write_in()
        self.answer(self.ann)
        self.forward(minutes=2001)
        self.assertEqual((self.session.satisfaction, self.sent()), ("closed", []))

    def test_a_session_that_is_opened_again_is_not_asked_about(self):
        self.write_in()
        self.answer(self.ann)
        self.as_agent(self.ann, "chat_close")
        self.as_agent(self.ann, "chat_reopen")
        self.forward(minutes=1)
        self.assertEqual((self.session.satisfaction, self.sent()), (False, []))

    def test_a_service_that_does_not_answer_is_asked_again_for_an_hour(self):
        self.service.answer = 503, b"{}"
        session = self.closed()
        self.assertEqual(session.satisfaction, "due")
        self.service.answer = 202, b"{}"
        self.forward(minutes=1)
        self.assertEqual(session.satisfaction, "asked")
        self.assertEqual(len({body["client_id"] for _path, body in self.sent()}), 1, "asking again is harmless")

    def test_a_service_that_stays_away_is_given_up(self):
        self.service.answer = 503, b"{}"
        session = self.closed()
        self.forward(hours=2)
        self.assertEqual(session.satisfaction, "failed")

    def test_customers_hear_once_a_session_that_nobody_is_here(self):
        self.offline(self.ann)
        self.line.away_reply = "We are back at nine."
        self.write_in()
        self.assertFalse(self.sent(), "no event waits for it")
        self.forward(minutes=1)
        self.write_in()
        self.forward(minutes=1)
        [(_path, body)] = self.sent()
        self.assertEqual((body["text"]["body"], body["automatic"]), ("We are back at nine.", True))
        self.assertEqual(self.session.away_reply, "sent")
        self.assertFalse(self.session.first_response_at)

    def test_who_said_stop_does_not_hear_it(self):
        self.service.answer = STOPPED
        self.offline(self.ann)
        self.line.away_reply = "We are back at nine."
        self.write_in()
        self.forward(minutes=1)
        self.assertEqual(self.session.away_reply, "stopped")

    def test_nothing_is_said_when_somebody_came_meanwhile(self):
        self.offline(self.ann)
        self.line.away_reply = "We are back at nine."
        self.write_in()
        self.online(self.ann)
        self.forward(minutes=1)
        self.assertEqual((self.session.user_id, self.sent()), (self.ann, []))

    def test_without_a_text_nothing_is_said(self):
        self.offline(self.ann)
        self.write_in()
        self.forward(minutes=1)
        self.assertEqual(self.sent(), [])

    def test_one_session_that_fails_does_not_keep_the_others_waiting(self):
        first, second = self.closed("conv-1"), None
        self.write_in("conv-2")
        self.answer(self.ann, "conv-2")
        second = self.row("conv-2").session_id
        (first | second).write({"satisfaction": "due", "satisfaction_at": False})
        second._close("hand", by=self.ann)

        def fail(session):
            if session == first:
                raise ZeroDivisionError
            return original(session)

        original = type(first)._ask_satisfaction
        self.patch(type(first), "_ask_satisfaction", fail)
        with self.assertLogs("odoo.addons.leadline.tools.edge", "ERROR") as logged:
            self.forward(minutes=1)
        self.assertEqual((first.satisfaction, second.satisfaction), ("due", "asked"))
        self.assertNotIn("Customer", "".join(logged.output))
        self.assertEqual(second.satisfaction_at - self.now, timedelta())

    def test_a_service_that_is_away_is_asked_once_a_round(self):
        self.service.answer = 503, b""
        for number in range(3):
            self.write_in(f"conv-{number}")
            self.answer(self.ann, f"conv-{number}")
            self.as_agent(self.ann, "chat_close", identifier=f"conv-{number}")
        self.forward(minutes=1)
        self.assertEqual(len(self.sent()), 1, "the others' sessions do not wait for each call to run out of time")
        self.service.answer = 202, b"{}"
        self.forward(minutes=1)
        self.assertEqual(len(self.sent()), 4)
