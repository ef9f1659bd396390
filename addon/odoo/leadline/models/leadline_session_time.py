from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.edge import apart

BATCH = 200
"""Sessions that one run looks after, of each kind."""


class LeadlineSession(models.Model):
    """What time does to sessions, minute by minute."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.session"  # pylint: disable=consider-merging-classes-inherited

    answer_due = fields.Datetime(readonly=True, help="The line's target for the first answer.")
    target = fields.Selection(
        [("running", "Running"), ("kept", "Kept"), ("missed", "Missed")],
        string="Service Level",
        compute="_compute_target",
    )
    reminded = fields.Selection([("agent", "Agent"), ("managers", "Agent and Managers")], readonly=True)
    wait_told_at = fields.Datetime(readonly=True, help="When somebody was told that the customer still waits.")
    managers_told_at = fields.Datetime(readonly=True, help="When the managers were told that nobody was available.")

    @api.depends("answer_due", "missed", "first_response_at", "state")
    def _compute_target(self):
        for session in self:
            is_over = session.first_response_at or session.state == "closed"
            running = "kept" if is_over else "running"
            session.target = session.answer_due and ("missed" if session.missed else running)

    @api.model
    def _cron_tend(self):
        """Look after the sessions that time has done something to. Again is harmless."""
        now = fields.Datetime.now()
        self._tend(self._is_open() & Domain("follows_crm", "=", True), "_follow_crm", self._changed_hands())
        for [line] in self._read_group([("state", "=", "queued")], ["queue_line_id"]):
            if line._capacities():
                self._tend(Domain("queue_line_id", "=", line.id) & Domain("state", "=", "queued"), "_route")
        for line in self.env["leadline.line"]._session_lines("pass_on_after"):
            self._tend(self._late_on(line, now), "_pass_on")
        self._tend(self._overdue(now), "_miss")
        for line in self.env["leadline.line"]._session_lines("answer_within"):
            self._tend(self._soon_due_on(line, now), "_remind")
        for line in self.env["leadline.line"]._session_lines("close_after"):
            self._tend(self._silent_on(line, now), "_close_by_time")
            self._tend(self._left_waiting_on(line, now), "_tell_of_wait")
        self._tell_managers()
        # Each line by itself, since a service that is away must not keep another's customers waiting.
        for field, method in (("away_reply", "_send_away_reply"), ("satisfaction", "_ask_satisfaction")):
            for [line] in self._read_group([(field, "=", "due")], ["line_id"]):
                self._tend(Domain("line_id", "=", line.id) & Domain(field, "=", "due"), method)

    @api.model
    def _tend(self, domain, method, found=None):
        """Call a method on each session of a domain. One that somebody is at now has its turn in the next minute.

        A method that returns `later` says that the others are no use trying now.

        :param found: those that are looked at, where the domain alone would find too many
        """
        found = self.search(domain, order="opened_at, id", limit=BATCH) if found is None else found
        for session in found:
            outcome = None
            with apart(self.env, f"Session {session.id} in {method}"):
                session.conversation_id._lock()
                session._lock()
                if still := session.exists().filtered_domain(domain):
                    outcome = getattr(still._of_line(), method)()
            time_left = self.env["ir.cron"]._commit_progress(1)
            if not time_left:
                # Other scheduled actions have their turn first.
                self._wake_cron()
            if outcome == "later" or not time_left:
                return

    @api.model
    def _is_open(self):
        return Domain("state", "!=", "closed")

    @api.model
    def _changed_hands(self):
        """Return the sessions that CRM has given to somebody else than they are with."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT session.id FROM leadline_session AS session
                  JOIN leadline_conversation AS conversation ON conversation.id = session.conversation_id
                 WHERE session.follows_crm AND session.state != 'closed'
                   AND conversation.user_id IS DISTINCT FROM session.user_id
                 LIMIT %s
                """,
                BATCH,
            )
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def _of_line(self):
        """Return the session as somebody of its line's company sees it."""
        company = self.company_id
        return self.with_company(company).with_context(lang=company.partner_id.lang)

    # ------------------------------------------------------------
    # Late
    # ------------------------------------------------------------

    @api.model
    def _late_on(self, line, now):
        """Return the domain of those whose agent did not answer in time."""
        since = now - timedelta(minutes=line.pass_on_after)
        return (
            Domain("queue_line_id", "=", line.id)
            & Domain("queue_line_id.routing", "=", "available")
            & Domain("state", "=", "assigned")
            & Domain("first_response_at", "=", False)
            & Domain("assigned_at", "<=", since)
        )

    @api.model
    def _silent_on(self, line, now):
        """Return the domain of those in which nothing was said for long after our answer."""
        since = now - timedelta(minutes=line.close_after)
        return self._answered_on(line) & Domain("waiting_since", "=", False) & Domain("last_at", "<=", since)

    @api.model
    def _left_waiting_on(self, line, now):
        """Return the domain of those whose customer had the last word, for as long as would have closed them.

        Nobody who waits for us is done with by time: somebody answers, or closes the session.
        """
        since = now - timedelta(minutes=line.close_after)
        return self._answered_on(line) & Domain("waiting_since", "<=", since) & Domain("wait_told_at", "=", False)

    @api.model
    def _answered_on(self, line):
        return Domain("line_id", "=", line.id) & self._is_open() & Domain("first_response_at", "!=", False)

    def _close_by_time(self):
        self._close("time")

    def _tell_of_wait(self):
        """Tell the agent that the customer still waits, or the managers when there is no agent."""
        self.wait_told_at = fields.Datetime.now()
        if self.state == "assigned":
            self._notify_agent(self._words_when_left)
            self._log("waiting_told", user=self.user_id)
        else:
            self.line_id._notify_managers(self._words_when_left)
            self._log("waiting_managers")

    def _words_when_left(self, env):
        """Return subject and body of what people are told of a customer who waits, after a first answer."""
        name = self.conversation_id.name
        return (
            env._("WhatsApp customer still waits: %s", name),
            env._("The last message is from %s. Answer it, or close the session.", name),
        )

    # ------------------------------------------------------------
    # Service level
    # ------------------------------------------------------------

    @api.model
    def _unanswered(self):
        return self._is_open() & Domain("first_response_at", "=", False)

    @api.model
    def _overdue(self, now):
        return self._unanswered() & Domain("answer_due", "<", now) & Domain("missed", "=", 0)

    @api.model
    def _soon_due_on(self, line, now):
        """Return the domain of those whose first answer will be due soon, and of whom not everybody was reminded."""
        before = timedelta(minutes=line.warn_before)
        of_agent = Domain("reminded", "=", False) & Domain("answer_due", "<=", now + before)
        of_managers = Domain("reminded", "=", "agent") & Domain("answer_due", "<=", now + before / 2)
        return (
            self._unanswered()
            & Domain("line_id", "=", line.id)
            & Domain("answer_due", ">=", now)
            & (of_agent | of_managers)
        )

    def _miss(self):
        self.missed = 1
        self._log("missed")

    def _remind(self):
        """Remind the agent that an answer is due, and the managers afterwards, or at once when there is no agent."""
        self.ensure_one()
        if self.state == "assigned" and not self.reminded:
            self.reminded = "agent"
            self._notify_agent(self._words_when_due)
            self._log("warned", user=self.user_id)
        else:
            self.reminded = "managers"
            self.line_id._notify_managers(self._words_when_due)
            self._log("warned_managers")

    def _notify_agent(self, words):
        subject, body = words(self.with_context(lang=self.user_id.lang).env)
        if card := self.conversation_id._card_for(self.user_id):
            card.message_notify(partner_ids=self.user_id.partner_id.ids, subject=subject, body=body)

    def _words_when_due(self, env):
        """Return subject and body of what people are told before an answer is late."""
        left = max(int((self.answer_due - fields.Datetime.now()).total_seconds() // 60), 0)
        name = self.conversation_id.name
        return (
            env._("WhatsApp answer due: %s", name),
            env._("%(customer)s waits for a first answer. Minutes left: %(minutes)s.", customer=name, minutes=left),
        )

    # ------------------------------------------------------------
    # Nobody there
    # ------------------------------------------------------------

    @api.model
    def _tell_managers(self):
        """Tell the managers of customers for whom nobody is there: of each once, of all of a line together."""
        waiting = self.search(
            [("state", "!=", "closed"), ("stranded_at", "!=", False), ("managers_told_at", "=", False)], limit=BATCH
        )
        for line, sessions in waiting.grouped("queue_line_id").items():
            sessions.managers_told_at = fields.Datetime.now()
            for session in sessions:
                session._log("alerted")
            with apart(self.env, f"Line {line.id}"):
                line._notify_managers(partial(line._words_when_stranded, count=len(sessions)))
        self.env["ir.cron"]._commit_progress(len(waiting))
