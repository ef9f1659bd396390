from odoo import fields, models

from ..tools import routing


class LeadlineSession(models.Model):
    """Who gets a session: the facts about the agents are gathered here, and decided on in `tools.routing`."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.session"  # pylint: disable=consider-merging-classes-inherited

    stranded_at = fields.Datetime("Nobody Available Since", readonly=True)
    follows_crm = fields.Boolean(readonly=True, help="It is the conversation's owner's, as CRM decides.")

    # ------------------------------------------------------------
    # Finding somebody
    # ------------------------------------------------------------

    def _route(self, tried=None):
        """Give the session to whoever is next, or leave it in the queue.

        :param tried: users who had it and did not answer
        """
        self.ensure_one()
        line = self.queue_line_id
        is_transferred = line != self.line_id
        capacities = line._capacities()
        if not capacities or (line.routing == "crm" and not is_transferred):
            self._follow_crm()
            return
        tried = tried or self.env["res.users"]
        responsible = self.env["res.users"] if is_transferred else self._responsible()
        agents = line._agents(capacities | {user: line._capacity_of(user) for user in responsible}, but=self)
        decision = routing.decide(
            agents.get(responsible.id),
            [agents[user.id] for user in line._queue() if user.id in agents],
            [agents[user.id] for user in line._team_members() if user.id in agents],
            in_order=line.distribution == "order",
            tried=tried.ids,
        )
        if decision.agent:
            user = self.env["res.users"].browse(decision.agent.id)
            self._assign(user, decision.why, chats=decision.agent.chats, passed=decision.passed)
        else:
            self._strand(decision)

    def _responsible(self):
        """Return who looks after the customer, if anybody does."""
        conversation = self.conversation_id
        lead = conversation._lead()
        is_stranger = lead and lead.create_date >= conversation.create_date and len(conversation.session_ids) == 1
        if is_stranger:
            # CRM has given the lead to somebody just now, who knows the customer no better than others do.
            return self.line_id.user_id
        return lead.user_id or conversation.partner_id.user_id or conversation.user_id

    # ------------------------------------------------------------
    # Giving it to somebody
    # ------------------------------------------------------------

    def _follow_crm(self):
        """Leave it to CRM whose it is."""
        self.follows_crm = True
        if owner := self.conversation_id.user_id:
            if self.state != "assigned" or self.user_id != owner:
                self._assign(owner, "owner")
        elif not self.step_ids:
            self._log("unmanned")

    def _assign(self, user, what, *, by=None, chats=0, passed=()):
        """Give the session, and with it the conversation, to a user.

        :param what: why, as the log has it
        """
        self.ensure_one()
        if self.queue_line_id._counts_chats():
            # Of two who give the same agent a chat at the same moment one must count again.
            self.env["leadline.claim"]._take(f"agent/{user.id}")
        former = self.user_id if self.state == "assigned" else self.env["res.users"]
        owner = self.conversation_id.user_id
        now = fields.Datetime.now()
        is_opening = not self.step_ids
        self.write(
            {
                "state": "assigned",
                "user_id": user.id,
                "assigned_at": now,
                "first_assigned_at": self.first_assigned_at or now,
                "stranded_at": False,
                "follows_crm": what == "owner",
            }
        )
        self._log(what, user=user, former=former, by=by, figure=chats, passed=passed)
        conversation = self.conversation_id.with_context(leadline_routing=True)
        conversation._give_lead(user)
        if conversation.user_id != user:
            conversation.user_id = user
        else:
            # It followed the session, which nobody has noted.
            conversation._note_owner(owner)
        # A customer's first words are told with the message.
        if not is_opening and user != self.env.user and what != "answered":
            self._tell_agent(user)
        conversation._push_session()

    def _strand(self, decision):
        """Leave it in the queue, since nobody is there."""
        if self.state == "assigned":
            if not self.stranded_at:
                self.stranded_at = fields.Datetime.now()
                self._log("nobody_else", former=self.user_id, passed=decision.passed)
            return
        if self.stranded_at:
            return
        self.stranded_at = fields.Datetime.now()
        self._log("nobody", line=self.queue_line_id, passed=decision.passed)
        self._wish_away_reply()
        self._wake_cron()

    def _pass_on(self):
        """Give it to somebody else, since whom it was given to did not answer."""
        self.ensure_one()
        tried = self.step_ids.filtered(lambda step: step.what == "late").former_id | self.user_id
        if not self.stranded_at:
            self._log("late", former=self.user_id, figure=self.queue_line_id.pass_on_after)
        self._route(tried=tried)

    def _release(self, *, by):
        """Take it from its agent and put it back into the queue."""
        self.ensure_one()
        former = self.user_id
        self._put_back()
        self._log("released", former=former, by=by, line=self.queue_line_id)
        self._wake_cron()

    def _put_back(self, **values):
        self.write({"state": "queued", "user_id": False, "stranded_at": False, "follows_crm": False} | values)

    def _transfer_to_line(self, line, *, by):
        """Hand it to the agents of another line. It stays a session of the number that the customer wrote to."""
        self.ensure_one()
        self._put_back(queue_line_id=line.id)
        self._log("to_line", by=by, line=line)
        self._route()
        self.conversation_id._push_session()

    def _tell_agent(self, user):
        """Notify somebody who was given a chat that is going on."""
        env = self.with_context(lang=user.lang).env
        conversation = self.conversation_id
        conversation.alerted_count = conversation.received_count
        card = conversation._card_for(user)
        if not card:
            return
        card.message_notify(
            partner_ids=user.partner_id.ids,
            subject=env._("A WhatsApp chat is yours now"),
            body=env._("You have got the WhatsApp chat with %s.", conversation.name),
        )

    def _free(self):
        """Let those who wait in the queue know that somebody is free."""
        if self.search_count([("state", "=", "queued"), ("company_id", "=", self.company_id.id)], limit=1):
            self._wake_cron()

    def _wake_cron(self):
        # sudo: agents may not touch crons, and this one runs every minute anyway.
        if cron := self.env.ref("leadline.ir_cron_tend_sessions", raise_if_not_found=False):
            cron.sudo()._trigger()
