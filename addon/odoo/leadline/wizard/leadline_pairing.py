import json
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.leadline_connection import ServiceRefused, ServiceUnreachable
from ..tools.event import read_line

CHECK_SECONDS = 60
"""A check that has not been done by then is stuck in the service's queue."""


class LeadlinePairing(models.TransientModel):
    """Connects Odoo to a Leadline service: from a pairing code to the first message."""

    _name = "leadline.pairing"
    _description = "WhatsApp Pairing"

    state = fields.Selection([("code", "Pairing"), ("chain", "Connection")], default="code", required=True)
    url = fields.Char("Service Address", help="Agents' browsers must reach it too.")
    code = fields.Char("Pairing Code", help="Printed by `leadline connect odoo`. It is good once and for 30 minutes.")
    claim = fields.Char(
        default=lambda self: secrets.token_urlsafe(24),
        groups="base.group_system",
        help="Tells the service that it is asked again by the same wizard, should its answer get lost.",
    )
    odoo_url = fields.Char(
        "Address of This Odoo",
        # sudo: only the system may read parameters; everybody sees the address.
        default=lambda self: self.env["ir.config_parameter"].sudo().get_param("web.base.url"),
        help="Where the service reaches this Odoo. Leave it empty in a network that can't be reached: events are then "
        "fetched every minute.",
    )
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    connection_id = fields.Many2one("leadline.connection", readonly=True, ondelete="cascade")
    check_name = fields.Char(readonly=True, help="The check of the way from the service that was asked for last.")
    check_asked_at = fields.Datetime(readonly=True)
    begun_at = fields.Datetime(readonly=True, help="Who writes from then on has written the test message.")

    # ------------------------------------------------------------
    # The code
    # ------------------------------------------------------------

    def action_pair(self):
        """Exchange the code for a connection and its secret, and go on to the chain."""
        self.ensure_one()
        url = (self.url or "").strip().rstrip("/").removesuffix("/chat")
        if not url or not (self.code or "").strip():
            raise UserError(self.env._("Enter the service's address and the pairing code."))
        if not urlsplit(url).scheme:
            url = f"https://{url}"
        paired = self._exchange(url)
        connection = self._connect(url, paired)
        connection._take_lines(paired["lines"])
        self.write(
            {
                "state": "chain",
                "url": url,
                # Used up, and of no use to anybody.
                "code": False,
                "claim": False,
                "connection_id": connection.id,
                "begun_at": fields.Datetime.now(),
            }
        )
        if todo := self.env.ref("leadline.pairing_todo", raise_if_not_found=False):
            # Whoever installs another module next is not asked again.
            todo.state = "done"
        self.env.ref("leadline.fetch_cron")._trigger()
        return self._reopened()

    def _exchange(self, url):
        """Return what the service gives for the code: `{"connection", "secret", "lines"}`."""
        payload = {
            "code": self.code.strip(),
            "claim": self.claim,
            "kind": "odoo",
            "place": self._place(),
        }
        body = json.dumps(payload).encode()
        headers = {"content-type": "application/json"}
        try:
            paired = self.env["leadline.connection"]._ask("POST", f"{url}/chat/v1/pairings", body, headers)
        except ServiceRefused as refusal:
            raise UserError(self._refusal_words(refusal)) from None
        if not isinstance(paired, dict) or not {"connection", "secret", "lines"} <= paired.keys():
            raise UserError(self.env._("At this address is something else than a Leadline service."))
        return paired

    def _place(self):
        """Return where this Odoo is, as the service is told."""
        return {"url": (self.odoo_url or "").strip() or None, "database": self.env.cr.dbname}

    def _refusal_words(self, refusal):
        code = refusal.problem.get("code")
        again = self.env._("Make another one on the service: leadline connect odoo")
        if code == "pairing_code_unknown":
            sentence = self.env._("The service does not know this code. Compare it letter by letter.")
            return f"{sentence} {again}"
        if code == "pairing_code_expired":
            return f"{self.env._('This code has run out.')} {again}"
        if code == "pairing_code_used":
            return f"{self.env._('This code was used already.')} {again}"
        if code == "http":
            return self.env._("At this address is something else than a Leadline service.")
        return str(refusal)

    def _connect(self, url, paired):
        """Return the connection that the service names, made or brought up to date."""
        values = {
            "url": url,
            "secret": paired["secret"],
            "database_uuid": self.env["leadline.connection"]._current_database(),
            "active": True,
            "state": "connected",
            "failure": False,
            "way": False,
            "way_code": False,
        }
        connections = self.env["leadline.connection"].with_context(active_test=False)
        known = connections.search([("identifier", "=", paired["connection"])])
        if known:
            known.write(values)
            return known
        name = urlsplit(url).hostname
        return connections.create(
            {"identifier": paired["connection"], "name": name, "company_id": self.company_id.id, **values}
        )

    def _reopened(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connect WhatsApp"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": self.env.context.get("leadline_target") or "new",
            "context": self.env.context,
        }

    # ------------------------------------------------------------
    # The chain
    # ------------------------------------------------------------

    def chain(self):
        """Return how each link from the customer's phone to this Odoo fares, for the view to show.

        Each link has a `state` (ok, wait, warn, bad), a `text` and maybe `mend`: what to do about it.
        """
        self.ensure_one()
        self.check_access("write")
        connection = self.connection_id
        try:
            told = connection._call("GET", "/v1/connection")
        except UserError as failure:
            connection.write({"state": "failed", "failure": str(failure)})
            return {"service": {"state": "bad", "text": str(failure)}}
        if connection.state != "connected":
            connection.write({"state": "connected", "failure": False})
        connection._take_lines(told["lines"])
        odoo = self._link_to_odoo(told["reach"])
        if connection.way != "pushed":
            # Nobody who watches waits for the next minute.
            self.env.ref("leadline.fetch_cron")._trigger()
        return {
            "service": {"state": "ok", "text": self.env._("Odoo reaches the service at %s.", connection.url)},
            "odoo": odoo,
            "chat_url": connection._chat_url(),
            "lines": self._lines(told["lines"]),
            "existing": self._existing(),
            "message": self._message(),
        }

    def check_again(self):
        """Have the way from the service to this Odoo tried once more."""
        self.ensure_one()
        self.check_access("write")
        self.check_name = False
        return True

    def _link_to_odoo(self, reach):
        """Return how the way from the service to Odoo fares; the first time it is asked to try it."""
        connection = self.connection_id
        checking = {"state": "wait", "text": self.env._("The service tries to reach Odoo …")}
        if not self.check_name:
            try:
                asked = connection._call("POST", "/v1/connection/check", payload=self._place())
            except (ServiceRefused, ServiceUnreachable) as failure:
                return {"state": "bad", "text": str(failure)}
            self.write({"check_name": asked["check"], "check_asked_at": fields.Datetime.now()})
            return checking
        if reach["check"] != self.check_name:
            if fields.Datetime.now() - self.check_asked_at < timedelta(seconds=CHECK_SECONDS):
                return checking
            return {
                "state": "bad",
                "text": self.env._("The service has not tried to reach Odoo: its queue does not run."),
                "mend": self.env._("Its administrator finds out why with: leadline doctor"),
            }
        connection._note_reach(reach)
        if reach["way"] == "pushed":
            return {"state": "ok", "text": self.env._("The service reaches Odoo. New messages are told at once.")}
        why, mend = connection._reach_words(reach["code"])
        fetched = self.env._("Odoo fetches new messages every minute instead; nothing is lost.")
        return {"state": "warn", "text": f"{why} {fetched}", "mend": mend}

    def _lines(self, told):
        # Where a browser is sent; whatever else the service may say would be run.
        links = {line["id"]: line["link"] for line in told if line["link"].startswith(("https://", "http://"))}
        return [
            {"id": line.id, "name": line.name, "number": line.number or "", "link": links[line.identifier]}
            for line in self.connection_id.line_ids.filtered(lambda line: line.identifier in links)
        ]

    def _existing(self):
        """Return how far the conversations are fetched that were there before."""
        lines = self.connection_id.line_ids
        found = self.env["leadline.conversation"].search_count([("line_id", "in", lines.ids)])
        return {"count": found, "done": all(lines.mapped("existing_done"))}

    def _message(self):
        """Return the conversation of whoever has written since the wizard was opened, if somebody has."""
        written = self.env["leadline.conversation"].search(
            [("connection_id", "=", self.connection_id.id), ("last_in", ">=", self.begun_at)], limit=1
        )
        if not written:
            return None
        lead = written._lead()
        return {
            "name": written.name,
            "model": lead._name if lead else written._name,
            "id": lead.id if lead else written.id,
        }


class LeadlineConnection(models.Model):
    # Each of its subjects is a file of its own.
    _inherit = "leadline.connection"  # pylint: disable=consider-merging-classes-inherited

    def _take_lines(self, told):
        """Make or bring up to date the lines that the service says lead here, as the chat API shows them.

        A line that belonged to another connection of this database takes its conversations along.
        """
        self.ensure_one()
        lines = self.env["leadline.line"].with_context(active_test=False)
        for line in told:
            known = lines.search([("identifier", "=", line["id"])])
            if known and known.connection_id != self:
                known.connection_id = self
            lines._of_event(self, read_line(line))

    def action_pair(self):
        """Open the wizard that connects a service, with the address of the one that is there."""
        self.check_access("create")
        action = self.env["ir.actions.act_window"]._for_xml_id("leadline.leadline_pairing_action")
        return action | {"context": {"default_url": self[:1].url}}
