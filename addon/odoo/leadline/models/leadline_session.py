from datetime import timezone
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.tools import SQL

WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]


class LeadlineSession(models.Model):
    """One handling cycle inside a conversation: opened by the customer, closed by an agent or by time. Measured.

    Times that nothing is known of stay empty in the database, so that averages leave them out.
    """

    _name = "leadline.session"
    _description = "WhatsApp Session"
    _inherit = "rating.mixin"
    _order = "opened_at desc, id desc"
    _rec_name = "conversation_id"
    _check_company_auto = True

    conversation_id = fields.Many2one(
        "leadline.conversation", required=True, readonly=True, index=True, ondelete="cascade"
    )
    line_id = fields.Many2one(related="conversation_id.line_id", store=True, index=True)
    company_id = fields.Many2one(related="conversation_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="conversation_id.partner_id", string="Contact")
    queue_line_id = fields.Many2one(
        "leadline.line",
        string="Queue of",
        required=True,
        readonly=True,
        ondelete="cascade",
        help="The line whose agents it goes to: its own, unless it was transferred.",
    )
    state = fields.Selection(
        [("queued", "Waiting for an Agent"), ("assigned", "With an Agent"), ("closed", "Closed")],
        default="queued",
        required=True,
        readonly=True,
        index=True,
    )
    user_id = fields.Many2one("res.users", string="Agent", readonly=True, index=True)
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, index="btree_not_null", ondelete="set null", help="The lead it was mainly about."
    )
    won_lead_id = fields.Many2one(
        "crm.lead", compute="_compute_won_lead_id", compute_sudo=True, store=True
    )
    source_id = fields.Many2one("utm.source", readonly=True, ondelete="set null")

    opened_at = fields.Datetime("Opened", required=True, readonly=True, index=True)
    opened_hour = fields.Integer("Hour", readonly=True, aggregator=None, help="Of opening, where the line is.")
    opened_weekday = fields.Selection(WEEKDAYS, "Weekday", readonly=True)
    assigned_at = fields.Datetime("With the Agent Since", readonly=True)
    first_assigned_at = fields.Datetime("First With an Agent", readonly=True)
    waiting_since = fields.Datetime("Customer Waits Since", readonly=True)
    first_response_at = fields.Datetime("First Answered", readonly=True)
    answered_by_id = fields.Many2one(
        "res.users", string="First Answered By", readonly=True, help="Empty when it was the business's phone."
    )
    last_at = fields.Datetime("Last Message", required=True, readonly=True)
    closed_at = fields.Datetime("Closed", readonly=True)
    closed_by_id = fields.Many2one("res.users", readonly=True)
    ending = fields.Selection(
        [("hand", "By an Agent"), ("time", "By Time"), ("merged", "Joined to Another")], readonly=True
    )

    in_count = fields.Integer("Messages In", readonly=True)
    out_count = fields.Integer("Messages Out", readonly=True, help="Automatic ones are not counted.")
    response_time = fields.Float("First Answer After", readonly=True, aggregator="avg", help="In hours.")
    response_working = fields.Float(
        "First Answer, Inside Hours",
        readonly=True,
        aggregator="avg",
        help="The part of it inside the line's working hours.",
    )
    response_outside = fields.Float(
        "First Answer, Outside Hours",
        readonly=True,
        aggregator="avg",
        help="The part of it outside the line's working hours.",
    )
    handling_time = fields.Float(
        readonly=True, aggregator="avg", help="In hours: from when an agent first had it until its end."
    )
    missed = fields.Integer(
        readonly=True, help="1 when the first answer came later than the line's target, or not at all."
    )
    step_ids = fields.One2many("leadline.session.step", "session_id", string="Log", readonly=True)

    _one_open = models.UniqueIndex(
        "(conversation_id) WHERE state != 'closed'", "A conversation has one open session at most."
    )
    _recent = models.Index("(user_id, assigned_at)")

    @api.depends("lead_id.won_status")
    def _compute_won_lead_id(self):
        for session in self:
            session.won_lead_id = session.lead_id.won_status == "won" and session.lead_id

    # ------------------------------------------------------------
    # Life
    # ------------------------------------------------------------

    @api.model
    def _open(self, conversation, at):
        """Open a session with what a customer said at a time, and find out who gets it."""
        line = conversation.line_id
        # A message that was held up on its way belongs to no cycle that is over.
        opened_at = max(at, conversation.session_id.closed_at or at)
        local = opened_at.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(line._time_zone()))
        lead = conversation._lead()
        session = self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True).create(
            {
                "conversation_id": conversation.id,
                "queue_line_id": line.id,
                "lead_id": lead.id,
                "source_id": (lead.source_id or conversation.source_id).id,
                "opened_at": opened_at,
                "opened_hour": local.hour,
                "opened_weekday": str(local.weekday()),
                "last_at": opened_at,
                "waiting_since": opened_at,
                "answer_due": line._plan_answer(opened_at),
            }
        )
        session = self.browse(session.id)
        conversation.session_id = session
        session._route()
        return session

    def _take_words(self, at):
        """Count a message of the customer's."""
        self.ensure_one()
        values = {"in_count": self.in_count + 1, "last_at": max(self.last_at, at)}
        answered_at = self.conversation_id.answered_at
        if not self.waiting_since and not (answered_at and answered_at > at):
            values["waiting_since"] = at
        self.write(values)

    def _take_answer(self, at, agent):
        """Count what somebody of ours said.

        :param agent: the user; none when it came from the business's phone
        """
        self.ensure_one()
        values = {"out_count": self.out_count + 1, "last_at": max(self.last_at, at)}
        if self.waiting_since and self.waiting_since <= at:
            values |= {"waiting_since": False, "wait_told_at": False}
        if not self.first_response_at:
            values |= self._prepare_response(at, agent)
        self.write(values)
        if self.state == "queued" and agent:
            self._assign(agent, "answered")

    def _prepare_response(self, at, agent):
        """Return what is kept of the first answer."""
        at = max(at, self.opened_at)
        total = (at - self.opened_at).total_seconds() / 3600
        working = self.line_id._working_time(self.opened_at, at)
        return {
            "first_response_at": at,
            "answered_by_id": agent.id,
            "response_time": total,
            "response_working": working,
            "response_outside": max(total - working, 0),
            "missed": self.missed or int(bool(self.answer_due) and at > self.answer_due),
        }

    def _close(self, ending, *, by=None):
        """End it. Whoever it was with is free for another."""
        self.ensure_one()
        now = fields.Datetime.now()
        # Nobody was at it while it only waited for its time to run out.
        end = self.last_at if ending == "time" else now
        values = {
            "state": "closed",
            "closed_at": now,
            "closed_by_id": by.id if by else False,
            "ending": ending,
            "waiting_since": False,
            "wait_told_at": False,
            "lead_id": (self.conversation_id._lead() or self.lead_id).id,
        }
        if self.first_assigned_at:
            values["handling_time"] = max((end - self.first_assigned_at).total_seconds(), 0) / 3600
        if not self.first_response_at and self.answer_due and now > self.answer_due:
            values["missed"] = 1
        self.write(values)
        if ending == "time":
            self._log("closed_time", figure=self.line_id.close_after)
        else:
            self._log("closed" if ending == "hand" else "closed_merged", by=by)
        self.conversation_id.handled_at = now
        self.conversation_id._settle_activity()
        self._wish_satisfaction()
        self._free()

    def _reopen(self, by):
        """Go on with it where it ended."""
        self.ensure_one()
        # From now on nothing is said in it: else it would be closed for its silence at once.
        silent_since = fields.Datetime.now()
        self.write(
            {"state": "queued", "closed_at": False, "closed_by_id": False, "ending": False, "last_at": silent_since}
        )
        self._log("reopened", by=by)
        self._unwish_satisfaction()
        self._assign(by, "taken", by=by)

    def _log(self, what, **said):
        """Write down what happened and why (see `leadline.session.step`)."""
        return self.env["leadline.session.step"]._write_down(self, what, **said)

    def _lock(self):
        """Keep others from changing the rows until this transaction ends, as `leadline.conversation` does it.

        Messages that come late change the session alone, which its conversation's lock does not tell.
        """
        if self:
            self.env.cr.execute(
                SQL("SELECT FROM leadline_session WHERE id IN %s ORDER BY id FOR NO KEY UPDATE", tuple(self.ids)),
                log_exceptions=False,
            )

    def _summary(self):
        """Return the session as the chat tab shows it."""
        self.ensure_one()
        agent = self.conversation_id.user_id if self.follows_crm else self.user_id
        return {
            "id": self.id,
            "state": "closed" if self.state == "closed" else "open",
            "agent": {"id": agent.id, "name": agent.name} if agent else None,
            "opened_at": f"{self.opened_at.isoformat()}Z",
            "closed_at": f"{self.closed_at.isoformat()}Z" if self.closed_at else None,
        }

    def action_open_chat(self):
        """Open the conversation."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "leadline.conversation",
            "res_id": self.conversation_id.id,
            "views": [(False, "form")],
        }
