import json
import time

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CONNECTION, LINE, PHONE, batch, connection_values, contact, conversation, event, signed

CONTROLLER = "odoo.addons.leadline.controllers.leadline"


@tagged("post_install", "-at_install")
class TestController(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = cls.env["leadline.connection"].create(connection_values(cls.env))
        cls.conversations = cls.env["leadline.conversation"]

    def post(self, body, headers, path="/leadline/events"):
        return self.url_open(path, data=body, headers=headers)

    def assertRefused(self, answer, status, code):
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertEqual((answer.json()["code"], answer.json()["status"]), (code, status))
        self.assertFalse(self.conversations.search([]))

    def test_a_signed_batch_is_taken_and_answered_item_by_item(self):
        good, bad = event(), {"id": "event-bad"}
        body = batch(good, bad)
        answer = self.post(body, signed(body))
        self.assertEqual(answer.status_code, 200, answer.text)
        results = answer.json()["results"]
        self.assertEqual(
            [(result["id"], result["ok"]) for result in results], [(good["id"], True), ("event-bad", False)]
        )
        row = self.conversations.search([])
        self.assertEqual((row.identifier, row.line_id.identifier), ("conv-1", LINE))
        self.assertEqual({record["model"] for record in results[0]["records"]}, {"crm.lead", "res.partner"})
        self.assertEqual(row.lead_ids.create_uid, self.env.ref("base.user_root"))
        self.assertNotEqual(row.lead_ids.user_id, self.env.ref("base.public_user"))

    def test_an_id_that_no_column_holds_costs_no_other_event(self):
        good, bad = event(), event(conversation("a\0\ud800"))
        body = batch(bad, {"conversation": {"id": "\0"}}, good)
        answer = self.post(body, signed(body))
        self.assertEqual([result["ok"] for result in answer.json()["results"]], [False, False, True])

    def test_delivered_three_times_is_one_lead(self):
        body = batch(event())
        answers = [self.post(body, signed(body)) for _time in range(3)]
        self.assertEqual([answer.json() for answer in answers], [answers[0].json()] * 3)
        self.assertEqual(self.env["crm.lead"].search_count([("name", "=", "WhatsApp: Ada Example")]), 1)

    def test_no_session_is_kept(self):
        body = batch()
        answer = self.post(body, signed(body))
        self.assertEqual(answer.json(), {"results": []})
        self.assertNotIn("session_id", answer.cookies)

    def test_a_query_is_part_of_what_is_signed(self):
        body, path = batch(), "/leadline/events?db=x"
        self.assertEqual(self.post(body, signed(body, target=path), path).status_code, 200)
        self.assertRefused(self.post(body, signed(body), path), 401, "signature_wrong")

    def test_a_call_that_is_not_the_connections_is_refused(self):
        body = batch(event())
        other = "A" * 43
        for code, headers in (
            ("signature_wrong", signed(body, secret=other)),
            ("signature_wrong", signed(body + b" ")),
            ("signature_wrong", signed(body, target="/leadline/other")),
            ("signature_timestamp_away", signed(body, at=time.time() - 301)),
            ("signature_timestamp_away", signed(body, at=time.time() + 310)),
            ("signature_header_missing", signed(body) | {"webhook-signature": ""}),
            ("signature_header_missing", {"leadline-connection": CONNECTION}),
            ("connection_unknown", signed(body, connection="conn-unknown")),
            ("connection_unknown", {}),
        ):
            with self.subTest(code, headers=headers):
                self.assertRefused(self.post(body, headers), 401, code)

    def test_a_connection_without_secret_fails_closed(self):
        self.connection.secret = False
        body = batch(event())
        self.assertRefused(self.post(body, signed(body)), 401, "connection_without_secret")

    def test_an_archived_connection_is_unknown(self):
        self.connection.active = False
        body = batch(event())
        self.assertRefused(self.post(body, signed(body)), 401, "connection_unknown")

    def test_a_form_cannot_smuggle_a_body_past_the_signature(self):
        body = batch(event())
        headers = signed(body) | {"content-type": "application/x-www-form-urlencoded"}
        self.assertRefused(self.post(body, headers), 401, "signature_wrong")

    def test_a_signed_body_must_be_a_batch_of_this_connection(self):
        for status, code, body in (
            (400, "body_unreadable", b"\xff{"),
            (400, "body_unreadable", b"[" * 100_000),
            (400, "body_malformed", b"[]"),
            (400, "body_malformed", b'{"events": {}}'),
            (400, "connection_differs", batch(event(), connection="conn-other")),
            (413, "batch_too_large", batch(*[{}] * 101)),
        ):
            with self.subTest(code):
                self.assertRefused(self.post(body, signed(body)), status, code)

    def test_a_body_beyond_the_limit_is_refused_unread(self):
        body = b" " * (4 * 1024 * 1024 + 1)
        answer = self.post(body, signed(body))
        self.assertEqual(answer.status_code, 413)

    def test_only_post_is_served(self):
        self.assertEqual(self.url_open("/leadline/events", method="GET").status_code, 405)

    def test_neither_name_nor_phone_nor_body_is_logged(self):
        person = contact(name="Nobody Shouldlog")
        body = batch(event(conversation(contact=person)), {"id": "bad", "text": "Nobody Shouldlog"})
        with self.assertLogs("odoo", "DEBUG") as logged, mute_logger("odoo.sql_db"):
            self.post(body, signed(body))
            self.post(body, signed(body + b" "))
        text = "\n".join(logged.output)
        self.assertIn("signature_wrong", text)
        for private in ("Shouldlog", PHONE[1:]):
            self.assertNotIn(private, text)

    def test_the_answer_is_json(self):
        body = json.dumps({"connection": CONNECTION, "events": []}).encode()
        self.assertEqual(self.post(body, signed(body)).headers["content-type"], "application/json; charset=utf-8")
