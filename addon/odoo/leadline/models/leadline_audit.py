import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools.edge import apart

_logger = logging.getLogger(__name__)

PAGE = 200
"""Acts asked for at once."""

PAGES = 50
"""How often the service is asked in one go; the next time goes on."""


class LeadlineAudit(models.Model):
    """Who did what: what happens in the service is fetched from there, what happens here is noted here.

    It names agents, conversations and settings; never what was written, nor a value of a setting.
    """

    _name = "leadline.audit"
    _description = "WhatsApp Audit"
    _order = "at desc, id desc"
    _rec_name = "act"

    at = fields.Datetime("When", required=True, readonly=True, index=True)
    first_at = fields.Datetime("From", readonly=True, help="The first time in this hour.")
    act = fields.Selection(
        [
            ("saw", "Saw"),
            ("sent", "Sent a message"),
            ("noted", "Left a note"),
            ("transferred", "Transferred"),
            ("exported", "Exported"),
            ("erased", "Erased"),
            ("set", "Changed a setting"),
        ],
        string="What",
        required=True,
        readonly=True,
        index=True,
    )
    user_id = fields.Many2one("res.users", string="Agent", readonly=True, index=True, ondelete="set null")
    actor = fields.Char("Who", readonly=True, help="Who it was, also when the user is gone or was none of ours.")
    count = fields.Integer("Times", readonly=True, default=1)
    conversation_id = fields.Many2one(
        "leadline.conversation", readonly=True, index="btree_not_null", ondelete="set null"
    )
    conversation = fields.Char("Conversation ID", readonly=True)
    contact = fields.Char("Contact ID", readonly=True)
    line_id = fields.Many2one("leadline.line", readonly=True, index="btree_not_null", ondelete="set null")
    detail = fields.Char(readonly=True)
    identifier = fields.Char(readonly=True, copy=False, index="btree_not_null", help="The act's id in the service.")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")

    _identifier_unique = models.Constraint("UNIQUE (identifier, company_id)", "This act is here already.")

    @api.model
    def _note(self, act, company, *, conversation=None, line=None, detail=None):
        """Note that the user does something here."""
        # sudo: whoever acts may not write here.
        return self.sudo().create(
            {
                "at": fields.Datetime.now(),
                "act": act,
                "user_id": self.env.uid,
                "actor": self.env.user.name,
                "conversation_id": conversation.id if conversation else False,
                "conversation": conversation.identifier if conversation else False,
                "line_id": (line or (conversation and conversation.line_id) or self.env["leadline.line"]).id,
                "detail": detail,
                "company_id": company.id,
            }
        )

    # ------------------------------------------------------------
    # From the service
    # ------------------------------------------------------------

    @api.model
    def action_open(self):
        """Fetch what is new, and open the list."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("leadline.leadline_audit_action")
        failures = self.sudo()._fetch(Domain("company_id", "in", self.env.companies.ids))
        if failures:
            action["help"] = " ".join(failures)
        return action

    @api.model
    def _cron_fetch(self):
        """Fetch what is new on every connection."""
        for connection in self.env["leadline.connection"].search([("secret", "!=", False)]):
            with apart(self.env, f"Connection {connection.id}"):
                for failure in self._fetch(Domain("id", "=", connection.id)):
                    _logger.warning("The audit trail could not be fetched: %s", failure)

    @api.model
    def _fetch(self, domain):
        """Fetch what is new on connections; return a sentence for each that can't be asked."""
        failures = []
        for connection in self.env["leadline.connection"].search(domain):
            try:
                self._fetch_from(connection)
            except UserError as failure:
                failures.append(str(failure))
        return failures

    @api.model
    def _fetch_from(self, connection):
        for _turn in range(PAGES):
            query = {"limit": PAGE, "after": connection.audit_cursor or "0"}
            page = connection._call("GET", "/v1/audit", query=query)
            self._take(connection, page["items"])
            connection.audit_cursor = page["next"]
            if not page["more"]:
                return

    @api.model
    def _take(self, connection, items):
        """Keep acts as the service tells them, each once in its newest state."""
        company = connection.company_id
        known = self.search([("identifier", "in", [item["id"] for item in items]), ("company_id", "=", company.id)])
        by_id = {act.identifier: act for act in known}
        lines = {line.identifier: line.id for line in connection.with_context(active_test=False).line_ids}
        conversations = self._conversations(connection, items)
        users = self._users(items)
        for item in items:
            values = {
                "at": _naive(item["last"]),
                "first_at": _naive(item["first"]),
                "act": item["act"],
                "user_id": users.get(item["agent"]) if item["actor"] == "agent" else False,
                "actor": item["name"] or (item["agent"] if item["actor"] == "cli" else item["actor"]),
                "count": item["count"],
                "conversation_id": conversations.get(item["conversation"]),
                "conversation": item["conversation"],
                "contact": item["contact"],
                "line_id": lines.get(item["line"]),
                "detail": item["what"],
            }
            if item["id"] in by_id:
                by_id[item["id"]].write(values)
            else:
                self.create(values | {"identifier": item["id"], "company_id": company.id})

    def _conversations(self, connection, items):
        named = [item["conversation"] for item in items if item["conversation"]]
        found = self.env["leadline.conversation"].search(
            [("identifier", "in", named), ("connection_id", "=", connection.id)]
        )
        return {conversation.identifier: conversation.id for conversation in found}

    def _users(self, items):
        ids = {int(item["agent"]) for item in items if item["actor"] == "agent" and item["agent"].isdecimal()}
        return {str(user.id): user.id for user in self.env["res.users"].browse(ids).exists()}

    @api.autovacuum
    def _gc_old(self):
        """Remove what is older than two years, as the service does by default."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), years=2)
        self.search([("at", "<", limit)], limit=10_000).unlink()


def _naive(text):
    """Return a time in ISO 8601 as Odoo keeps it."""
    return fields.Datetime.to_datetime(text.replace("T", " ")[:19])
