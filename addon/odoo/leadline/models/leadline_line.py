from odoo import api, fields, models

from ..tools.event import EventRefused


class LeadlineLine(models.Model):
    """One WhatsApp number of the business, and what becomes of those who write to it."""

    _name = "leadline.line"
    _description = "WhatsApp Line"
    _inherit = "mail.thread"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    identifier = fields.Char(required=True, readonly=True, copy=False, help="The line's id in the Leadline service.")
    phone_number_id = fields.Char("Phone Number ID", readonly=True, copy=False, help="The line's id at Meta.")
    number = fields.Char(readonly=True, copy=False)
    connection_id = fields.Many2one("leadline.connection", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", check_company=True, help="The team that new leads of this line go to."
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        check_company=True,
        domain="[('share', '=', False)]",
        help="Who gets new leads of this line. When empty, CRM's own assignment decides.",
    )
    unknown_customer = fields.Selection(
        [
            ("lead", "Create a contact and a lead"),
            ("contact", "Create a contact"),
            ("nothing", "Only show the conversation"),
        ],
        string="Unknown Customers",
        default="lead",
        required=True,
        help="What becomes of somebody who writes for the first time and is neither a contact nor a lead.",
    )
    lost_customer = fields.Selection(
        [("lead", "Create a new lead"), ("nothing", "Only show the conversation")],
        string="Customers Who Come Back",
        default="lead",
        required=True,
        help="What becomes of somebody who writes again and has lost or archived leads only.",
    )
    closing_notice = fields.Integer(
        "Warn Before the Window Closes",
        default=2,
        help="Hours before WhatsApp's window closes on a customer who waits, at which whoever looks after them gets an "
        "activity. 0: never.",
    )
    sending = fields.Selection(
        [("ok", "Working"), ("held", "Stopped")],
        default="ok",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        help="While it is stopped what is sent waits, and goes by itself when it works again. Customers' messages "
        "come in all the same.",
    )
    held_reason = fields.Char("Reason, as the Service Says", readonly=True, copy=False, tracking=True)
    held_since = fields.Datetime("Stopped Since", readonly=True, copy=False)
    quality = fields.Char("Quality Rating", readonly=True, copy=False, help="In WhatsApp's own words.")
    messaging_limit = fields.Char(readonly=True, copy=False, help="In WhatsApp's own words.")
    health_at = fields.Datetime(readonly=True, copy=False, help="When the service last spoke of the line's health.")

    _identifier_unique = models.Constraint("UNIQUE (identifier)", "There is a line with this id already.")

    @api.model
    def _of_event(self, connection, line, guess=None):
        """Return the line that an event names, created or brought up to date.

        :param line: `tools.event.Line`
        :param guess: the line that it most likely is, which saves looking
        :raise EventRefused: when the line belongs to another connection
        """
        likely = guess is not None and guess.identifier == line.id
        found = guess if likely else self.with_context(active_test=False).search([("identifier", "=", line.id)])
        if not found:
            self.env["leadline.claim"]._take(f"line/{line.id}")
            return self.create(self._prepare_line(connection, line))
        if found.connection_id != connection:
            raise EventRefused("The line belongs to another connection.")
        # The name is not among them: it is the business's own.
        told = {"phone_number_id": line.phone_number_id, "number": line.number}
        if changed := {key: value for key, value in told.items() if (found[key] or "") != value}:
            found.write(changed)
        return found

    @api.model
    def _prepare_line(self, connection, line):
        """Return the values of a line that an event names for the first time."""
        company = connection.company_id
        team = self.env["crm.team"].search([("company_id", "in", (False, company.id))], limit=1)
        return {
            "name": line.name or line.number or line.id,
            "identifier": line.id,
            "phone_number_id": line.phone_number_id,
            "number": line.number,
            "connection_id": connection.id,
            "company_id": company.id,
            "team_id": team.id,
        }

    # ------------------------------------------------------------
    # Events
    # ------------------------------------------------------------

    @api.model
    def _apply_event(self, connection, event):
        """Bring the line, or the mirror of one of its templates, up to what the event tells. Return the line.

        :param event: `tools.event.LineEvent`
        """
        line = self._of_event(connection, event.line)
        line = line.with_company(line.company_id).with_context(lang=line.company_id.partner_id.lang)
        if event.health:
            line._take_health(event.health, event.at)
        if event.template:
            self.env["leadline.template"]._take(line, event.template, event.at)
        return line

    def _take_health(self, health, at):
        """Take over how the sending fares, unless something newer is known, and tell the managers when it stops."""
        self.ensure_one()
        if self.health_at and self.health_at > at:
            return
        stops = health.held and self.sending != "held"
        self.write(
            {
                "sending": "held" if health.held else "ok",
                "held_reason": health.held and health.reason,
                "held_since": health.held and (health.since or at),
                "quality": health.quality,
                "messaging_limit": health.limit,
                "health_at": at,
            }
        )
        if stops:
            self._notify_managers(self._words_when_held)

    def _words_when_held(self, env):
        """Return subject and body of what managers are told when sending stops."""
        return (
            env._("WhatsApp sending is stopped: %s", self.name),
            env._(
                "Nothing can be sent from %(line)s: %(reason)s What is sent waits and goes by itself when this is "
                "solved. Customers' messages still come in.",
                line=self.name,
                reason=self._held_words(env) or env._("WhatsApp gave no reason."),
            ),
        )

    def _notify_managers(self, words):
        """Notify the managers of the line's company, each in their language.

        :param words: function that returns subject and body, given an environment with the language
        """
        self.ensure_one()
        managers = self.env.ref("leadline.group_manager").all_user_ids.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids
        )
        for language, readers in managers.grouped("lang").items():
            subject, body = words(self.with_context(lang=language).env)
            self.message_notify(partner_ids=readers.partner_id.ids, subject=subject, body=body)

    def _event_result(self):
        """Return the part of an event's result that says which cards show it: a line has none."""
        return {"ok": True, "records": [], "owner": None}

    def _prepare_alert(self, event):
        """Return what open tabs are told of an event, as the bus has it: its type and what it says."""
        self.ensure_one()
        return "leadline/line", {"line": self.identifier, "event": event.type}

    # ------------------------------------------------------------
    # Chat
    # ------------------------------------------------------------

    def _service(self):
        """Return the line's connection, in sudo."""
        # sudo: agents may not read connections; what is asked of the service was checked by who asks.
        return self.sudo().connection_id

    def _chat_summary(self):
        """Return the line as the chat tab shows it."""
        self.ensure_one()
        return {"id": self.identifier, "name": self.name, "number": self.number or ""}
