import json
import time
import uuid
from urllib.parse import urlencode, urlsplit

import requests

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import signature
from ..tools.asked import line_of
from ..tools.keys import SecretMalformed, decode_secret, derive

TIMEOUT = 10
"""Seconds to wait for the service: whoever clicked is waiting, and so is an Odoo worker."""

ANSWER_LIMIT = 32 * 1024 * 1024
"""Bytes of an answer, unpacked. The service's platform gives no more; at a wrong address is anything."""

_CHUNK = 64 * 1024


class ServiceUnreachable(UserError):
    """The service gave no answer, or something else did. The text says which link is broken."""


class ServiceRefused(UserError):
    """The service understood a call and says no. `problem` is its problem document (RFC 9457)."""

    def __init__(self, sentence, problem):
        super().__init__(sentence)
        self.problem = problem


class LeadlineConnection(models.Model):
    """One link to a Leadline service: where it is, and the secret that both sides share."""

    _name = "leadline.connection"
    _description = "WhatsApp Connection"
    _check_company_auto = True

    name = fields.Char(required=True, default="Leadline")
    active = fields.Boolean(default=True)
    identifier = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        help="The id by which the Leadline service knows this connection.",
    )
    url = fields.Char(
        "Service Address",
        required=True,
        help="Public address of the Leadline service, such as https://chat.example.com. "
        "Agents' browsers must reach it too.",
    )
    secret = fields.Char(
        copy=False,
        groups="base.group_system",
        help="What both sides sign with. It came by pairing, and nobody has seen it.",
    )
    database_uuid = fields.Char(
        copy=False,
        readonly=True,
        groups="base.group_system",
        default=lambda self: self._current_database(),
        help="The database that was paired. A copy of it has another one, and stays silent.",
    )
    state = fields.Selection(
        [("new", "Not Checked"), ("connected", "Connected"), ("failed", "Failed")],
        default="new",
        required=True,
        readonly=True,
        copy=False,
    )
    failure = fields.Char(readonly=True, copy=False, help="What the last check came upon.")
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    line_ids = fields.One2many("leadline.line", "connection_id", string="Lines")

    _identifier_unique = models.Constraint("UNIQUE (identifier)", "There is a connection with this id already.")

    @api.constrains("secret")
    def _check_secret(self):
        for connection in self.filtered("secret"):
            try:
                decode_secret(connection.secret)
            except SecretMalformed:
                raise ValidationError(
                    self.env._("This is not a connection's secret. Copy it again, from its first to its last letter.")
                ) from None

    @api.constrains("url")
    def _check_url(self):
        for connection in self:
            parts = urlsplit(connection.url)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
                raise ValidationError(self.env._("The service address must look like https://chat.example.com."))

    def action_check(self):
        """Ask the service something that only this connection may ask, and note how that went."""
        for connection in self:
            try:
                connection._call("GET", "/v1/events", query={"limit": 1})
            except UserError as failure:
                connection.write({"state": "failed", "failure": str(failure)})
            else:
                connection.write({"state": "connected", "failure": False})

    def _chat_url(self):
        """Return the address of the chat API, which browsers use as well."""
        self.ensure_one()
        return self.url.rstrip("/") + "/chat"

    @api.model
    def _current_database(self):
        # sudo: only the system may read parameters; the database's own name is no secret.
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _key(self, purpose):
        """Return the connection's key for a purpose (see `tools.keys`).

        :raise UserError: when it has no secret, or the database is a copy of the one that was paired
        """
        self.ensure_one()
        # sudo: the secret is hidden from everybody but the system; a key that is derived from it never leaves
        # the server.
        connection = self.sudo()
        if not connection.secret:
            raise UserError(self.env._("The connection %s has no secret. Pair it anew.", self.name))
        if connection.database_uuid != self._current_database():
            raise UserError(
                self.env._(
                    "This database is a copy of the one that was paired, so %s stays silent here. Pair it anew if "
                    "this is to be the real one.",
                    self.name,
                )
            )
        return derive(connection.secret, purpose)

    def _call(self, method, path, *, query=None, payload=None):
        """Make a signed call to the chat API and return its JSON answer.

        :param path: path under the chat API, such as `/v1/events`
        :param query: parameters, as a mapping
        :param payload: what becomes the JSON body
        :raise ServiceRefused: when the service says what is wrong with the call
        :raise UserError: with a sentence that says what went wrong
        """
        self.ensure_one()
        url = self._chat_url() + path + (f"?{urlencode(query)}" if query else "")
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = b"" if payload is None else json.dumps(payload).encode()
        headers = signature.sign(self._key("calls"), uuid.uuid4().hex, int(time.time()), method, target, body) | {
            "leadline-connection": self.identifier,
            "content-type": "application/json",
        }
        return self._ask(method, url, body, headers)

    @api.model
    def _ask(self, method, url, body, headers):
        """Call the chat API and return its JSON answer.

        :raise ServiceRefused: when the service says what is wrong with the call
        :raise ServiceUnreachable: when there is no answer, or it is none of the service's
        """
        try:
            # A redirection would carry the signed call to another host.
            with requests.request(
                method, url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                document = _document(answer)
        except requests.exceptions.SSLError:
            raise ServiceUnreachable(
                self.env._("The certificate of the Leadline service is not valid for its address.")
            ) from None
        except requests.Timeout:
            raise ServiceUnreachable(
                self.env._("The Leadline service does not answer in time. Does a firewall stop Odoo's calls?")
            ) from None
        except requests.ConnectionError as error:
            if "NameResolutionError" in str(error) or "getaddrinfo" in str(error):
                sentence = self.env._("The name in the address of the Leadline service leads nowhere.")
            else:
                sentence = self.env._("The Leadline service does not answer: its host refuses the connection.")
            raise ServiceUnreachable(sentence) from None
        except requests.RequestException:
            raise ServiceUnreachable(self.env._("The address of the Leadline service can't be called.")) from None
        problem = document if isinstance(document, dict) and document.get("code") else {}
        if problem.get("code") == "clock_wrong":
            raise ServiceUnreachable(
                self.env._("The clocks of Odoo and the service differ by more than five minutes. Set Odoo's clock.")
            )
        if answer.status_code in (401, 403):
            raise ServiceUnreachable(
                self.env._("The Leadline service does not know this connection: its id or its secret is wrong.")
            )
        if 400 <= answer.status_code < 600 and problem.get("detail"):
            raise ServiceRefused(line_of(str(problem["detail"])), problem)
        if not answer.ok or document is None or answer.is_redirect:
            raise ServiceUnreachable(
                self.env._("The Leadline service answered with an error (status %s).", answer.status_code)
            )
        return document


def _document(answer):
    """Return an answer's JSON; None for what is none, or has no end. Raises `requests.RequestException`."""
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > ANSWER_LIMIT:
            return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
