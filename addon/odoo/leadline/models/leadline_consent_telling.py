import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools.asked import line_of
from ..tools.edge import apart
from .leadline_connection import ServiceRefused

AT_ONCE = 100

_logger = logging.getLogger(__name__)


class LeadlineConsentTelling(models.Model):
    """What the service is still to be told of a customer's consent: a row waits until the service has taken it."""

    _name = "leadline.consent.telling"
    _description = "WhatsApp Consent to Tell"
    _order = "id"
    _rec_name = "conversation_id"

    conversation_id = fields.Many2one("leadline.conversation", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="conversation_id.company_id", store=True, index=True)
    value = fields.Selection([("stop", "Stop"), ("resume", "Resume")], required=True, readonly=True)
    source = fields.Selection(
        [("crm", "Recorded Consent"), ("blacklist", "Phone Blacklist")], required=True, readonly=True
    )
    at = fields.Datetime(required=True, readonly=True)

    @api.model
    def _queue(self, conversations, value, source, at):
        """Have the service told of these conversations' customers, each once, and return what is to be told."""
        # sudo: nobody writes these rows by hand; whoever may record consent or blacklist a number causes them.
        persons = conversations.sudo().grouped("contact").values()
        rows = self.sudo().create(
            [{"conversation_id": rows[0].id, "value": value, "source": source, "at": at} for rows in persons]
        )
        if rows:
            self._wake()
        return rows

    @api.model
    def _wake(self):
        """Have what waits told soon."""
        # Somebody may have deleted it: what waits is no reason to lose what causes it.
        if cron := self.env.ref("leadline.ir_cron_tell", raise_if_not_found=False):
            cron.sudo()._trigger()

    def _tell(self):
        """Tell the service now. What it can't be told stays, and is told later.

        :return: whether the service is there
        """
        for row in self:
            conversation = row.conversation_id
            said = {"value": row.value, "source": row.source, "at": f"{row.at.isoformat()}Z"}
            path = f"/v1/conversations/{conversation.identifier}/consent"
            try:
                conversation.connection_id._call("PUT", path, payload=said)
            except ServiceRefused as refusal:
                # The customer was erased there, or the service is older than this module.
                _logger.info("Consent %s was refused by the service: %s", row.id, line_of(refusal.problem.get("code")))
                if refusal.problem.get("code") != "not_found":
                    continue
            except UserError as failure:
                _logger.info("Consent %s waits for the service: %s", row.id, failure)
                return False
            row.unlink()
        return True

    @api.model
    def _cron_tell(self):
        """Tell each service what waits for it: consent, and lines' rules. One that is away costs the others nothing."""
        for connection in self.env["leadline.connection"].search([("secret", "!=", False)]):
            with apart(self.env, f"Connection {connection.id}"):
                self._tell_all(connection)

    @api.model
    def _tell_all(self, connection):
        """Tell a service all that waits for it, each once: what it refused before keeps nothing else waiting."""
        ours, last = Domain("conversation_id.connection_id", "=", connection.id), 0
        while rows := self.search(ours & Domain("id", ">", last), limit=AT_ONCE, order="id"):
            last = rows[-1].id
            if not rows._tell():
                return
        connection.line_ids._tell_rules_waiting()
