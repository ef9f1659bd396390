import logging
from datetime import timedelta
from functools import partial

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tools import SQL

from ..tools.edge import log_fault
from ..tools.event import BATCH_LIMIT
from .leadline_connection import ServiceRefused

_logger = logging.getLogger(__name__)

BATCHES = 20
"""Batches that one run fetches of each kind; Odoo runs it again at once while there are more."""

LOOK_AGAIN = timedelta(minutes=10)
"""How often Odoo looks for events that it should have been told."""


class LeadlineConnection(models.Model):
    """Events come by themselves where the service reaches Odoo. Where it does not, they are fetched."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.connection"  # pylint: disable=consider-merging-classes-inherited

    way = fields.Selection(
        [("pushed", "Told at Once"), ("pulled", "Fetched Every Minute")],
        string="Events",
        readonly=True,
        copy=False,
        help="How Odoo learns of what happens. They are fetched where the service can't reach Odoo.",
    )
    way_code = fields.Char(readonly=True, copy=False, help="Why the service can't reach Odoo, in its own words.")
    way_reason = fields.Char("Why They Are Fetched", compute="_compute_way_reason")
    fetched_at = fields.Datetime("Last Fetched", readonly=True, copy=False)

    @api.depends("way", "way_code")
    def _compute_way_reason(self):
        for connection in self:
            pulled = connection.way == "pulled"
            connection.way_reason = pulled and " ".join(connection._reach_words(connection.way_code))

    @api.model
    def _reach_words(self, code):
        """Return why the service can't reach Odoo, and how to mend that: two sentences, the second may be empty."""
        words = {
            "no_address": (
                self.env._("The service was told no address of this Odoo."),
                self.env._("If it can be reached from the internet, pair again and enter its address."),
            ),
            "dns": (
                self.env._("The name in Odoo's address leads nowhere."),
                self.env._("Correct the address, or the name's DNS entry."),
            ),
            "private": (
                self.env._("Odoo's address is inside a private network, which the service can't reach."),
                self.env._("To be told at once, give Odoo a public address."),
            ),
            "insecure": (
                self.env._("Odoo's address begins with http://, so that anyone on the way could read along."),
                self.env._("Give Odoo a certificate, pair again and enter its address with https."),
            ),
            "refused": (
                self.env._("Odoo's host refuses the service's connection."),
                self.env._("Check the port in the address, and the firewall."),
            ),
            "timeout": (
                self.env._("Odoo's host does not answer the service."),
                self.env._("Usually a firewall stops the calls."),
            ),
            "tls": (
                self.env._("Odoo's certificate is not valid for its address."),
                self.env._("Renew it, with its intermediate certificates."),
            ),
            "interrupted": (self.env._("The connection to Odoo broke off."), self.env._("Try again.")),
            "redirected": (
                self.env._("Odoo's address leads on to another one."),
                self.env._("Enter the address that stands in the browser once Odoo is open, with https."),
            ),
            "not_found": (
                self.env._("The address reaches a server, but no Leadline module in this database."),
                self.env._("Check the address. On a host with several databases, let Odoo's dbfilter allow this one."),
            ),
            "clock": (
                self.env._("The clocks of Odoo and the service differ by more than five minutes."),
                self.env._("Set the clock of Odoo's host."),
            ),
            "signature": (
                self.env._("Odoo does not take the service's signature."),
                self.env._("Pair again. If that does not help, a proxy changes the calls on their way."),
            ),
            "connection_unknown": (
                self.env._("The address reaches another database, which does not know this connection."),
                self.env._("Check the address."),
            ),
            "forbidden": (
                self.env._("Something before Odoo refuses the service's calls."),
                self.env._("Let /leadline/events through without a password."),
            ),
            "error": (self.env._("Odoo answers the service with an error."), self.env._("Odoo's log says more.")),
            "not_leadline": (
                self.env._("Something else than Odoo answers at its address."),
                self.env._("Check the address."),
            ),
            "ours": (
                self.env._("The service can't open this connection's secret."),
                self.env._("Its administrator must give it back the data key that is missing."),
            ),
        }
        return words.get(code) or (self.env._("The service can't reach Odoo."), "")

    def _note_reach(self, reach):
        """Note how the service says that it reaches Odoo: `{"way", "code"}`. Nothing is written that stands already."""
        self.ensure_one()
        told = {"way": "pushed" if reach.get("way") == "pushed" else "pulled", "way_code": reach.get("code") or False}
        changed = {name: value for name, value in told.items() if self[name] != value}
        if changed and self._is_free():
            self.write(changed)

    def _is_free(self):
        """Lock the row, unless another call has it or has just changed it: that one notes the same."""
        query = SQL("SELECT FROM leadline_connection WHERE id = %s FOR NO KEY UPDATE NOWAIT", self.id)
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(query, log_exceptions=False)
        except psycopg2.OperationalError:
            return False
        return True

    # ------------------------------------------------------------
    # Fetching
    # ------------------------------------------------------------

    @api.model
    def _cron_fetch(self):
        """Fetch what the service could not tell, and the conversations that were there before Odoo was connected."""
        for connection in self.search([("secret", "!=", False)]):
            if connection.database_uuid == connection._current_database():
                connection._fetch()

    def _fetch(self):
        """Fetch as much as one run may. What fails is tried again in a minute."""
        self.ensure_one()
        try:
            if self._fetch_is_due():
                self._fetch_events()
            for line in self.line_ids.filtered(lambda line: not line.existing_done):
                try:
                    self._fetch_existing(line)
                except ServiceRefused as refusal:
                    # A line that was taken off the service has nothing any more, and must not keep the others waiting.
                    if refusal.problem.get("code") != "not_found":
                        raise
                    line.existing_done = True
        except UserError as failure:
            # Its sentence names no person. A warning each minute of an outage would help nobody.
            _logger.info("Connection %s can't be fetched from: %s", self.identifier, failure)
        except Exception as error:
            # The edge of one connection: the others are fetched all the same.
            self.env.cr.rollback()
            log_fault(f"Connection {self.id}", error)

    def _fetch_is_due(self):
        told_at_once = self.way == "pushed" and self.fetched_at
        return not told_at_once or fields.Datetime.now() - self.fetched_at >= LOOK_AGAIN

    def _fetch_events(self):
        """Apply what waits at the service, batch by batch, and hand in what became of each event."""
        after = "0"
        for _batch in range(BATCHES):
            page = self._call("GET", "/v1/events", query={"after": after, "limit": BATCH_LIMIT})
            results = self._apply_in_turn(page["items"])
            self._note_reach(page["reach"])
            self.fetched_at = fields.Datetime.now()
            more, after = page["more"], page["next"]
            # Kept before it is handed in: what the service forgets must be here.
            time_left = self.env["ir.cron"]._commit_progress(len(results), remaining=int(more))
            if results:
                self._call("POST", "/v1/events/results", payload={"results": results})
            if not more or not time_left:
                return

    def _fetch_existing(self, line):
        """Make mirror rows of a line's conversations that are there already, the latest first."""
        shown = {"id": line.identifier, "phone_number_id": line.phone_number_id or ""}
        shown |= {"number": line.number or "", "name": line.name}
        for _batch in range(BATCHES):
            query = {"line": line.identifier, "limit": BATCH_LIMIT}
            if line.existing_before:
                query["before"] = line.existing_before
            page = self._call("GET", "/v1/conversations", query=query)
            found = [
                {"id": f"existing.{item['id']}", "type": "conversation.updated", "conversation": item | {"line": shown}}
                for item in page["items"]
            ]
            self.with_context(leadline_existing=True)._apply_in_turn(found)
            line.write({"existing_before": page["next"], "existing_done": not page["next"]})
            time_left = self.env["ir.cron"]._commit_progress(len(found), remaining=int(bool(page["next"])))
            if line.existing_done or not time_left:
                return

    def _apply_in_turn(self, events):
        """Apply a batch of events and return a result for each, as the service takes them."""
        conversations = self.env["leadline.conversation"]
        # As Odoo does with a request: what loses against another transaction is done again.
        results = retrying(partial(conversations._apply_events, self, events), self.env)
        return [result | {"at": event.get("at")} for result, event in zip(results, events, strict=True)]

    # ------------------------------------------------------------
    # Unpairing
    # ------------------------------------------------------------

    def action_unpair(self):
        """Tell the service to forget this Odoo, and take away the connection with its lines and mirror rows."""
        # Before the service hears of it: who may only read a connection must not end it there.
        self.check_access("unlink")
        untold = self.filtered(lambda connection: not connection._tell_unpaired())
        names = ", ".join(untold.mapped("identifier"))
        self.unlink()
        action = self.env["ir.actions.act_window"]._for_xml_id("leadline.leadline_connection_action") | {
            "target": "main"
        }
        if not untold:
            return action
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "message": self.env._(
                    "The service could not be told. Its administrator must run: leadline connect remove %s", names
                ),
                "next": action,
            },
        }

    def _tell_unpaired(self):
        """Tell the service that this Odoo is gone. Return whether it knows."""
        self.ensure_one()
        try:
            self._call("DELETE", "/v1/connection")
        except UserError as failure:
            _logger.info("Connection %s could not be told that it is unpaired: %s", self.identifier, failure)
            return False
        return True
