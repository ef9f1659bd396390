import base64
import json
from http.server import HTTPServer

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import users

from ..models import leadline_connection
from ..models.leadline_connection import ServiceRefused, ServiceUnreachable
from .common import CONNECTION, SECRET, LeadlineCase, Service


class TestConnection(LeadlineCase):
    def setUp(self):
        super().setUp()
        self.serve()

    def test_a_call_is_signed_over_path_query_and_body(self):
        answer = self.connection._call("POST", "/v1/things", query={"after": "a b", "limit": 1}, payload={"é": 1})
        self.assertEqual(answer, {"items": [], "next": None})
        [(method, path, connection, body)] = self.service.calls
        self.assertEqual((method, path), ("POST", "/base/chat/v1/things?after=a+b&limit=1"))
        self.assertEqual(connection, CONNECTION)
        self.assertEqual(json.loads(body), {"é": 1})

    def test_a_check_that_passes_connects(self):
        self.connection.action_check()
        self.assertEqual(self.connection.state, "connected")
        self.assertFalse(self.connection.failure)
        self.assertEqual(self.service.calls[0][:2], ("GET", "/base/chat/v1/events?limit=1"))

    def test_a_check_says_what_is_wrong(self):
        self.connection.secret = base64.urlsafe_b64encode(b"x" * 32).decode()
        self.connection.action_check()
        self.assertEqual(self.connection.state, "failed")
        self.assertIn("secret is wrong", self.connection.failure)
        self.connection.secret = SECRET
        for answer in ((500, b""), (200, b"<html>"), (302, b"")):
            with self.subTest(answer):
                self.service.answer = answer
                self.connection.action_check()
                self.assertIn("answered with an error", self.connection.failure)
        self.assertNotIn("/elsewhere", {path for _method, path, *_rest in self.service.calls})

    def test_an_answer_without_an_end_is_not_read_to_it(self):
        self.patch(leadline_connection, "ANSWER_LIMIT", 1000)
        for answer in ((200, b"1" * 1001), (422, b'{"code": "' + b"x" * 1001), (200, b"[" * 900)):
            with self.subTest(answer):
                self.service.answer = answer
                with self.assertRaisesRegex(ServiceUnreachable, "answered with an error"):
                    self.connection._call("GET", "/v1/events")
        self.service.answer = 200, b"1" * 1000
        self.assertEqual(self.connection._call("GET", "/v1/events"), int("1" * 1000))

    def test_what_the_service_says_no_to_is_handed_on_with_its_problem(self):
        problem = {"code": "template_invalid", "detail": "Fill in the name.", "errors": [{"field": "body.1"}]}
        self.service.answer = 422, json.dumps(problem).encode()
        with self.assertRaisesRegex(ServiceRefused, "Fill in the name.") as refused:
            self.connection._call("POST", "/v1/conversations", payload={})
        self.assertEqual(refused.exception.problem, problem)

    def test_a_service_that_is_not_there_is_told_in_a_sentence(self):
        # The port is taken and nobody answers on it.
        silent = HTTPServer(("127.0.0.1", 0), Service, bind_and_activate=False)
        silent.server_bind()
        self.addCleanup(silent.server_close)
        self.connection.url = f"http://127.0.0.1:{silent.server_port}"
        with self.assertRaisesRegex(UserError, "does not answer"):
            self.connection._call("GET", "/v1/events")

    def test_without_a_secret_nothing_is_signed(self):
        self.connection.secret = False
        with self.assertRaisesRegex(UserError, "no secret"):
            self.connection._call("GET", "/v1/events")
        self.assertFalse(self.service.calls)

    def test_a_wrong_secret_or_address_cannot_be_saved(self):
        for secret in ("short", SECRET + "AAAA"):
            with self.subTest(secret), self.assertRaises(ValidationError):
                self.connection.secret = secret
        for url in ("chat.example.com", "ftp://chat.example.com", "https://", "https://chat.example.com?a=1"):
            with self.subTest(url), self.assertRaises(ValidationError):
                self.connection.url = url

    @users("leadline_agent")
    def test_an_agent_sees_neither_connection_nor_secret(self):
        connection = self.connection.with_user(self.env.user)
        with self.assertRaises(AccessError):
            connection.read(["url"])

    def test_a_manager_does_not_see_the_secret(self):
        self.agent.group_ids += self.env.ref("leadline.group_manager")
        connection = self.connection.with_user(self.agent)
        self.assertEqual(connection.identifier, CONNECTION)
        with self.assertRaises(AccessError):
            connection.read(["secret"])
        self.assertNotIn("secret", connection.fields_get())
