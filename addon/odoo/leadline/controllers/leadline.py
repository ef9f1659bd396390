import json
import logging
import time
from http import HTTPStatus

from odoo import SUPERUSER_ID, http
from odoo.exceptions import UserError
from odoo.http import request

from ..tools import signature
from ..tools.event import BATCH_LIMIT

_logger = logging.getLogger(__name__)

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes. A full batch is some 200 kB."""


class CallRefused(Exception):
    """The call is answered with a problem document; nothing of it was applied."""

    def __init__(self, status, code, detail):
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail


class LeadlineController(http.Controller):
    """Where the functions tell what happened."""

    @http.route(
        "/leadline/events",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        max_content_length=BODY_LIMIT,
    )
    def events(self, **_parameters):
        """Take a batch of events: `{"connection": id, "events": [...]}` → `{"results": [...]}`, one per event.

        An empty batch is the service's look whether it reaches us.
        """
        body = request.httprequest.get_data()
        try:
            connection = self._verified_connection(body)
            events = self._events(connection, body)
        except CallRefused as refusal:
            # The fact alone: what came is from somebody who may be anybody.
            _logger.info("A call with events was refused: %s", refusal.code)
            return self._problem(refusal)
        # As the system: who calls is a machine, and who may see what comes of it is decided when somebody looks.
        conversations = request.env(user=SUPERUSER_ID)["leadline.conversation"]
        connection = connection.with_env(conversations.env)
        connection._note_reach({"way": "pushed"})
        results = conversations._apply_events(connection, events)
        return request.make_json_response({"results": results})

    def _verified_connection(self, body):
        """Return the connection that signed the request, in sudo. Raises `CallRefused`."""
        identifier = request.httprequest.headers.get("leadline-connection") or ""
        # sudo: the caller is nobody until its signature has been checked, and that takes the connection.
        connection = request.env["leadline.connection"].sudo().search([("identifier", "=", identifier)])
        try:
            if not connection:
                raise CallRefused(401, "connection_unknown", "No connection has the id that this call names.")
            signature.verify(
                connection._key("events"),
                request.httprequest.headers,
                request.httprequest.method,
                self._target(),
                body,
                time.time(),
            )
        except signature.SignatureRefused as refusal:
            raise CallRefused(
                401, refusal.code, "The call is not signed by this connection, or its clock is wrong."
            ) from None
        except UserError as failure:
            raise CallRefused(401, "connection_without_secret", str(failure)) from None
        return connection

    def _target(self):
        """Return path and query as they were signed."""
        query = request.httprequest.query_string.decode("latin-1")
        return request.httprequest.path + (f"?{query}" if query else "")

    def _events(self, connection, body):
        """Return the events in a signed body. Raises `CallRefused`."""
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            raise CallRefused(400, "body_unreadable", "The body is not JSON.") from None
        if not isinstance(call, dict) or not isinstance(call.get("events"), list):
            raise CallRefused(400, "body_malformed", "The body has no list of events.")
        if call.get("connection") != connection.identifier:
            raise CallRefused(400, "connection_differs", "Body and header name different connections.")
        if len(call["events"]) > BATCH_LIMIT:
            raise CallRefused(413, "batch_too_large", f"A call may carry {BATCH_LIMIT} events.")
        return call["events"]

    def _problem(self, refusal):
        """Return the answer that tells a refusal (RFC 9457)."""
        document = {
            "type": "about:blank",
            "title": HTTPStatus(refusal.status).phrase,
            "status": refusal.status,
            "code": refusal.code,
            "detail": refusal.detail,
        }
        return request.make_response(
            json.dumps(document), headers=[("Content-Type", "application/problem+json")], status=refusal.status
        )
