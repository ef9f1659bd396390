import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from ..tools import signature
from ..tools.keys import derive
from .common import CONNECTION, LINE, SECRET, conversation, event, line

CODE = "K7QF-M2XW-9R4T"
FRESH_SECRET = "B" * 43
LINK = {"link": "https://wa.me/12025550100?text=Hello%21"}


class ServiceCase:
    """Mixed into a test case: plays the service that Odoo is paired with, over real HTTP."""

    def play(self):
        """Begin to serve; what is told and how the way to Odoo fares can be changed at any time."""
        self.service = HTTPServer(("127.0.0.1", 0), _Service)
        self.service.state = self
        self.waiting = []
        self.existing = []
        self.gone = set()
        self.results = []
        self.exchanges = []
        self.asked = []
        self.secret = SECRET
        self.problem = None
        self.page_size = 100
        self.lines = [line() | LINK]
        self.reach = {"way": "pushed", "code": None, "reason": None, "check": None}
        serving = threading.Thread(target=self.service.serve_forever, args=(0.01,))
        serving.start()
        self.addCleanup(serving.join)
        self.addCleanup(self.service.server_close)
        self.addCleanup(self.service.shutdown)
        self.service_url = f"http://127.0.0.1:{self.service.server_port}"

    def wrote(self, number=1, **changed):
        """Let a customer have written, of which Odoo has not heard."""
        told = event(conversation(f"conv-{number}", **changed), id=f"told-{number}")
        self.waiting.append(told)
        return told

    def was_there(self, number, **changed):
        """Let a conversation be there that began before Odoo was connected."""
        told = conversation(f"conv-{number}", **changed)
        self.existing.append(told | {"line": LINE, "unread": 0, "updated": "2026-11-20T10:00:00Z"})
        return told

    def answer(self, method, path, query, payload):
        """Return status and document."""
        self.asked.append((method, path))
        if self.problem:
            return self.problem
        match method, path:
            case "POST", "/chat/v1/pairings":
                self.exchanges.append(payload)
                if payload["code"] != CODE:
                    return 404, {"code": "pairing_code_unknown", "detail": "Unknown."}
                return 201, {"connection": CONNECTION, "secret": self.secret, "lines": self.lines}
            case "GET", "/chat/v1/connection":
                return 200, {"id": CONNECTION, "lines": self.lines, "reach": self.reach}
            case "POST", "/chat/v1/connection/check":
                self.place = payload
                return 202, {"check": "check-1"}
            case "DELETE", "/chat/v1/connection":
                return 200, {}
            case "GET", "/chat/v1/events":
                limit = min(int(query["limit"][0]), self.page_size)
                page = self.waiting[:limit]
                more = len(self.waiting) > limit
                return 200, {"items": page, "next": "1", "more": more, "reach": self.reach}
            case "POST", "/chat/v1/events/results":
                self.results += payload["results"]
                taken = {(result["id"], result["at"]) for result in payload["results"]}
                self.waiting = [told for told in self.waiting if (told["id"], told["at"]) not in taken]
                return 200, {"settled": len(taken)}
            case "GET", "/chat/v1/conversations":
                if query["line"][0] in self.gone:
                    return 404, {"code": "not_found", "detail": "There is no such thing here."}
                start = int(query.get("before", ["0"])[0])
                end = start + min(int(query["limit"][0]), self.page_size)
                more = str(end) if end < len(self.existing) else None
                return 200, {"items": self.existing[start:end], "next": more}
        return 404, {"code": "http", "detail": "Not Found"}


class _Service(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(b"")

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def do_DELETE(self):
        self._answer(b"")

    def _answer(self, body):
        state, parts = self.server.state, urlsplit(self.path)
        status, document = 401, {"code": "signature_wrong", "detail": "…"}
        if parts.path.endswith("/pairings") or self._signed(state.secret, body):
            payload = json.loads(body) if body else None
            status, document = state.answer(self.command, parts.path, parse_qs(parts.query), payload)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def _signed(self, secret, body):
        try:
            signature.verify(derive(secret, "calls"), self.headers, self.command, self.path, body, time.time())
        except signature.SignatureRefused:
            return False
        return True

    def log_message(self, *_arguments):
        """Stay quiet."""
