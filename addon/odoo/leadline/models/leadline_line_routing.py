from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.fields import Domain


class LeadlineLine(models.Model):
    """Who answers those who write to the line, when, and how fast."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.line"  # pylint: disable=consider-merging-classes-inherited

    routing = fields.Selection(
        [("available", "To who is available"), ("crm", "To the lead's salesperson")],
        string="Chats Go",
        default="available",
        required=True,
        help="Available: online in Odoo, inside their working hours, not on leave, and with fewer chats than allowed. "
        "The customer's own salesperson comes first, then the agents below, then the sales team's members. Where "
        "there are neither agents nor members, CRM's own assignment decides.",
    )
    member_ids = fields.One2many("leadline.line.member", "line_id", string="Agents")
    distribution = fields.Selection(
        [("even", "To who has the fewest"), ("order", "In their order")],
        default="even",
        required=True,
        help="Among the available agents. Who has waited longest for a chat comes first among those with equally few.",
    )
    capacity = fields.Integer("Chats at Once", help="Open sessions that one agent may have. 0: no limit.")
    pass_on_after = fields.Integer(
        default=10, help="Minutes without a first answer, after which somebody else gets it. 0: never."
    )
    lead_owner = fields.Selection(
        [
            ("keep", "Stays as it is"),
            ("empty", "Becomes the agent when it is empty"),
            ("always", "Becomes the agent"),
        ],
        string="Lead's Salesperson",
        default="empty",
        required=True,
        help="What becomes of the lead when an agent gets its chat.",
    )
    close_after = fields.Integer(
        default=1440,
        help="Minutes after our last answer, without a message, after which a session is closed. When the customer had "
        "the last word it stays open, and whoever has it is told. 0: never.",
    )
    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Working Hours",
        check_company=True,
        help="Of the line. Empty: around the clock. They count for the service level, and for agents without working "
        "hours of their own.",
    )
    away_reply = fields.Text(
        "Automatic Reply",
        translate=True,
        help="What the customer is told, once a session, when nobody is available. Empty: nothing.",
    )
    answer_within = fields.Integer(
        "First Answer Within", help="Minutes inside the line's working hours. 0: there is no target."
    )
    warn_before = fields.Integer(
        "Remind Before",
        default=5,
        help="Minutes before the target is missed: then the agent is reminded, and the managers at half of it.",
    )
    asks_satisfaction = fields.Boolean("Ask at the End")
    satisfaction_question = fields.Text(
        "Question",
        translate=True,
        default=lambda self: self.env._("How satisfied are you with our help?"),
    )
    satisfaction_template_id = fields.Many2one(
        "leadline.template",
        string="Template",
        domain="[('line_id', '=', id), ('status', '=', 'APPROVED')]",
        ondelete="set null",
        help="Asks when the 24 hours are over. It needs three quick reply buttons: good, okay, bad. Empty: nobody is "
        "asked then.",
    )
    satisfaction_pause = fields.Integer(
        "Ask Again After", default=30, help="Days in which nobody is asked a second time."
    )

    _minutes_positive = models.Constraint(
        "CHECK (pass_on_after >= 0 AND close_after >= 0 AND answer_within >= 0 AND warn_before >= 0 "
        "AND satisfaction_pause >= 0 AND capacity >= 0)",
        "Minutes, days and chats can't be fewer than none.",
    )

    # ------------------------------------------------------------
    # Agents
    # ------------------------------------------------------------

    def _queue(self):
        """Return the agents of the line's queue, in their order."""
        return self.member_ids.user_id

    def _team_members(self):
        return self.team_id.member_ids

    def _capacities(self):
        """Return who may get the line's chats, with how many of them they may have at once (0: no limit)."""
        return {user: self._capacity_of(user) for user in self._queue() | self._team_members()}

    def _capacity_of(self, user):
        return self.member_ids.filtered(lambda member: member.user_id == user).capacity or self.capacity

    def _counts_chats(self):
        """Say whether any line of the company limits how many chats somebody may have."""
        limited = Domain("capacity", ">", 0) | Domain("member_ids.capacity", ">", 0)
        return bool(self.search_count(limited & Domain("company_id", "=", self.company_id.id), limit=1))

    # ------------------------------------------------------------
    # Hours
    # ------------------------------------------------------------

    def _time_zone(self):
        """Return the name of the time zone in which the line is."""
        return self.calendar_id.tz or self.company_id.partner_id.tz or "UTC"

    def _is_working(self, at):
        """Say whether a time is inside the line's working hours."""
        return not self.calendar_id or self._working_time(at, at + timedelta(seconds=1)) > 0

    def _working_time(self, start, end):
        """Return the hours between two times that are inside the line's working hours."""
        if self.calendar_id and start < end:
            utc = timezone.utc
            return self.calendar_id.get_work_hours_count(start.replace(tzinfo=utc), end.replace(tzinfo=utc))
        return max((end - start).total_seconds(), 0) / 3600

    def _plan_answer(self, start):
        """Return until when somebody who writes at `start` must have an answer; False where there is no target."""
        if not self.answer_within:
            return False
        if not self.calendar_id:
            return start + timedelta(minutes=self.answer_within)
        due = self.calendar_id.plan_hours(self.answer_within / 60, start, compute_leaves=True)
        return due and due.replace(tzinfo=None, microsecond=0)

    # ------------------------------------------------------------
    # Managers
    # ------------------------------------------------------------

    def _words_when_stranded(self, env, *, count):
        """Return subject and body of what managers are told when nobody is there for customers."""
        return (
            env._("WhatsApp customers wait: %s", self.name),
            env._(
                "Nobody is available on %(line)s. Chats that wait for an agent: %(count)s. Take them under "
                "WhatsApp in CRM, or see who is online.",
                line=self.name,
                count=count,
            ),
        )

    @api.model
    def _session_lines(self, setting):
        """Return the lines that have a setting."""
        return self.search([(setting, ">", 0)])
