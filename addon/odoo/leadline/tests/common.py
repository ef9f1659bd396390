"""Builders of what the functions send, and the users and lines that the tests share."""

import base64
import itertools
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

from odoo.tests import TransactionCase, new_test_user, tagged

from ..tools import signature
from ..tools.keys import derive

SECRET = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
CONNECTION = "conn-test"
LINE = "line-test"
PHONE = "+12025550143"

_numbers = itertools.count(1)


def line(identifier=LINE, **changed):
    """Return the line part of an event."""
    return {
        "id": identifier,
        "phone_number_id": "100000000000009",
        "number": "+1 202 555 0100",
        "name": "Shop",
    } | changed


def contact(identifier="contact-1", **changed):
    """Return the contact part of an event. The forms of the phone follow the phone."""
    fields = {"id": identifier, "name": "Ada Example", "phone": PHONE, "bsuid": None, "username": None} | changed
    phone = fields["phone"]
    return {"wa_id": phone[1:] if isinstance(phone, str) else None, "phone_variants": [phone]} | fields


def conversation(identifier="conv-1", *, version=1, received=1, read=0, **changed):
    """Return the conversation part of an event, at a version and with its counters."""
    return {
        "id": identifier,
        "version": version,
        "line": line(),
        "contact": contact(),
        "received": received,
        "read": read,
        "last_in": "2026-11-20T10:00:00.250Z" if received else None,
        "last_out": None,
        "window_until": "2026-11-21T10:00:00Z" if received else None,
        "referral": None,
        "merged_into": None,
    } | changed


def event(about=None, type_="message.received", **changed):
    """Return an event about a conversation."""
    number = next(_numbers)
    message = {
        "id": f"msg-{number}",
        "version": 1,
        "direction": "in",
        "type": "text",
        "author": {"kind": "customer", "id": None, "name": "Ada Example"},
        "status": "received",
    }
    return {
        "id": f"event-{number}",
        "type": type_,
        "at": "2026-11-20T10:00:01Z",
        "conversation": about or conversation(),
        "message": message if type_.startswith("message.") else None,
    } | changed


def line_event(type_, **changed):
    """Return an event about a line: its health, or one of its templates."""
    return {
        "id": f"event-{next(_numbers)}",
        "type": type_,
        "at": "2026-11-20T10:00:01Z",
        "line": line(),
        "conversation": None,
        "message": None,
    } | changed


def health(**changed):
    """Return the health part of an event: sending is held unless told otherwise."""
    return {
        "sending": "held",
        "error": {"code": 131042, "title": "Payment issue", "plain": "Add a payment method in Meta's settings."},
        "since": "2026-11-20T09:59:00Z",
        "quality": "GREEN",
        "limit": "TIER_1K",
    } | changed


def template(**changed):
    """Return the template part of an event."""
    return {
        "name": "order_ready",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "quality": "GREEN",
        "reason": None,
    } | changed


def signed(body, *, secret=SECRET, connection=CONNECTION, target="/leadline/events", at=None):
    """Return the headers with which the functions post these bytes."""
    headers = signature.sign(derive(secret, "events"), uuid.uuid4().hex, int(at or time.time()), "POST", target, body)
    return headers | {"leadline-connection": connection, "content-type": "application/json"}


def batch(*events, connection=CONNECTION):
    """Return the body of a call that carries these events."""
    return json.dumps({"connection": connection, "events": events}).encode()


def connection_values(env, **changed):
    """Return the values of a paired connection."""
    return {
        "name": "Test service",
        "identifier": CONNECTION,
        "url": "https://chat.example.com",
        "secret": SECRET,
        "company_id": env.ref("base.main_company").id,
    } | changed


class Service(BaseHTTPRequestHandler):
    """A chat API that knows one connection and answers what it is told to."""

    def do_GET(self):
        self.answer(b"")

    def do_DELETE(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def do_PUT(self):
        self.do_POST()

    def answer(self, body):
        status, document = self.server.answer
        try:
            signature.verify(derive(SECRET, "calls"), self.headers, self.command, self.path, body, time.time())
        except signature.SignatureRefused:
            # The address of a file is a secret of its own.
            status, document = (200, b"x" * 100) if self.path.startswith("/files/") else (401, b"{}")
        self.server.calls.append((self.command, self.path, self.headers["leadline-connection"], body))
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.end_headers()
        self.wfile.write(document)

    def log_message(self, *_arguments):
        """Stay quiet."""


@tagged("post_install", "-at_install")
class LeadlineCase(TransactionCase):
    """A paired connection with one line, and an agent who sees only their own leads."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, mail_create_nolog=True, no_reset_password=True))
        cls.conversations = cls.env["leadline.conversation"]
        cls.connection = cls.env["leadline.connection"].create(connection_values(cls.env))
        cls.team = cls.env["crm.team"].create({"name": "WhatsApp team", "use_leads": True})
        cls.line = cls.env["leadline.line"].create(
            {
                "name": "Shop",
                "identifier": LINE,
                "connection_id": cls.connection.id,
                "team_id": cls.team.id,
            }
        )
        cls.agent = new_test_user(
            cls.env, "leadline_agent", "sales_team.group_sale_salesman", notification_type="inbox"
        )

    def serve(self):
        """Put a service beside Odoo, to which the connection leads."""
        self.service = HTTPServer(("127.0.0.1", 0), Service)
        self.service.calls = []
        self.service.answer = 200, b'{"items": [], "next": null}'
        serving = threading.Thread(target=self.service.serve_forever, args=(0.01,))
        serving.start()
        self.addCleanup(serving.join)
        self.addCleanup(self.service.server_close)
        self.addCleanup(self.service.shutdown)
        self.connection.url = f"http://127.0.0.1:{self.service.server_port}/base/"

    def apply(self, *events):
        """Apply events as the controller does and return the results."""
        return self.conversations._apply_events(self.connection, list(events))

    def row(self, identifier="conv-1"):
        """Return a conversation's mirror row."""
        return self.conversations.search([("identifier", "=", identifier)])

    def met(self, about=None):
        """Return the row of a customer who has just written."""
        about = about or conversation()
        [result] = self.apply(event(about))
        self.assertTrue(result["ok"], result)
        return self.row(about["id"])
