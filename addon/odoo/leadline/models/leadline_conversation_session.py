from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.asked import id_of, text_of

TARGETS = 10
"""People and lines that a transfer is offered to."""

PEOPLE = ("agent", "phone")
"""Authors who are somebody: what goes out by itself is no answer."""


class LeadlineConversation(models.Model):
    """The conversation's sessions: what opens them, and what agents do with them."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    session_id = fields.Many2one(
        "leadline.session",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The latest.",
    )
    session_ids = fields.One2many("leadline.session", "conversation_id", string="Sessions", readonly=True)
    handled_at = fields.Datetime(
        readonly=True, copy=False, help="What the customer said until then needs no answer: the session was closed."
    )
    answered_at = fields.Datetime(readonly=True, copy=False, help="When somebody of ours last wrote.")

    @api.depends("session_id.state", "session_id.user_id", "session_id.follows_crm")
    def _compute_user_id(self):
        computed = super()._compute_user_id()
        for conversation in self:
            # While somebody has the chat, the lead's salesperson may be another.
            session = conversation.session_id
            if session.state == "assigned" and not session.follows_crm:
                conversation.user_id = session.user_id
        return computed

    @api.depends("handled_at")
    def _compute_state(self):
        computed = super()._compute_state()
        for conversation in self.filtered(lambda row: row.state == "waiting" and row.handled_at):
            if conversation.last_in <= conversation.handled_at:
                conversation.state = "answered"
        return computed

    def write(self, vals):
        result = super().write(vals)
        if "user_id" in vals and not self.env.context.get("leadline_routing"):
            self._give_by_hand(self.env["res.users"].browse(vals["user_id"]))
        return result

    def unlink(self):
        # By hand and in sudo, so that their ratings go as well: the database would only take the sessions.
        self.sudo().session_ids.unlink()
        return super().unlink()

    def _give_by_hand(self, user):
        """Let the open sessions follow an owner that somebody has set."""
        # sudo: who may change a conversation's owner may so change who has its session.
        for conversation in self.sudo():
            session = conversation._open_session()
            if session and user and session.user_id != user:
                session._assign(user, "by_hand", by=self.env.user)
            elif session.state == "assigned" and not user:
                session._release(by=self.env.user)

    # ------------------------------------------------------------
    # Events
    # ------------------------------------------------------------

    @api.model
    def _known(self, raw_events):
        known = super()._known(raw_events)
        self.env["leadline.session"].union(*(row.session_id for row in known.values()))._lock()
        return known

    def _take_message(self, event):
        super()._take_message(event)
        said = event.said
        if not event.message or self.merged_into or event.type not in ("message.received", "message.sent"):
            return
        is_answer = said.by in PEOPLE and said.kind != "note" and not said.automatic
        if event.type == "message.sent" and not is_answer:
            return
        if self.env["leadline.session.message"]._is_first(self, event.message):
            at = said.at or fields.Datetime.now()
            if event.type == "message.sent":
                self._take_answer(at, said.agent)
            else:
                self._take_words(at, said)

    def _take_words(self, at, said):
        """Count what the customer said; it opens a session unless one is open or it answers our question."""
        sessions = self.env["leadline.session"]
        if said.satisfaction and sessions._take_satisfaction(self, said.satisfaction):
            self.handled_at = max(self.handled_at or at, at)
            return
        session = self._open_session() or sessions._open(self, at)
        session._take_words(at)
        if self.answered_at and self.answered_at >= session.opened_at and not session.first_response_at:
            # The answer was told before the question.
            session._take_answer(self.answered_at, self.env["res.users"])

    def _take_answer(self, at, agent):
        self.answered_at = max(self.answered_at or at, at)
        session = self._open_session()
        if session and at >= session.opened_at:
            session._take_answer(at, self.env["res.users"].browse(agent or ()).exists())

    def _open_session(self):
        return self.session_id.filtered(lambda session: session.state != "closed")

    def _make_lead(self, contact):
        # Who gets the chat gets the lead: CRM's own assignment would name the team's leader first. What was there
        # before Odoo was connected opens no session, so that nobody would get it.
        line, opens = self.line_id, not self.env.context.get("leadline_existing")
        is_routed = opens and line.routing == "available" and line.lead_owner != "keep" and line._capacities()
        return super(LeadlineConversation, self.with_context(leadline_routed=bool(is_routed)))._make_lead(contact)

    def _meet(self, line, told):
        met = super()._meet(line, told)
        for younger in self.search([("merged_into", "=", told.id), ("connection_id", "=", line.connection_id.id)]):
            younger._hand_sessions_over(met)
        return met

    def _hand_over(self):
        handed = super()._hand_over()
        if elder := self._elder():
            self._hand_sessions_over(elder)
        return handed

    def _elder(self):
        """Return the conversation that this one turned out to be, if it is here already."""
        return self.merged_into and self.search(
            [("identifier", "=", self.merged_into), ("connection_id", "=", self.connection_id.id)]
        )

    def _hand_sessions_over(self, elder):
        """Give the sessions to the elder conversation. Of two that are open the elder's goes on."""
        if not self.session_ids:
            return
        session, other = self._open_session(), elder._open_session()
        if session and other:
            session._close("merged")
        moved = self.session_ids
        self.session_id = False
        moved.write({"conversation_id": elder.id})
        for one in moved:
            one._log("moved")
        elder.session_id = elder._open_session() or session.exists() or elder.session_ids[:1]

    # ------------------------------------------------------------
    # Owner
    # ------------------------------------------------------------

    def _cards(self):
        # Whoever has the session may open it, whosever the lead is.
        return *super()._cards(), self.session_id

    def _give_lead(self, user):
        """Let the lead go to who got the chat, where the line says so."""
        lead = self._lead().filtered(lambda lead: lead.active and lead.won_status == "pending")
        follows = {"keep": False, "empty": not lead.user_id, "always": lead.user_id != user}
        if lead and follows[self.line_id.lead_owner]:
            # They are told of the chat already.
            lead.with_context(mail_auto_subscribe_no_notify=True, leadline_routing=True).user_id = user

    # ------------------------------------------------------------
    # Chat on a card
    # ------------------------------------------------------------

    @api.model
    def chat_take(self, res_model, res_id, identifier):
        """Give one of the card's conversations to the user and return its summary.

        :raise AccessError: when the user may not write to the customer of this card, or it has no such conversation
        """
        conversation = self._answerable(res_model, res_id, identifier)
        user, session = self.env.user, conversation._open_session()
        if session and session.user_id == user and session.state == "assigned":
            return conversation._chat_summary()
        if session:
            former = session.state == "assigned" and session.user_id
            session._assign(user, "taken_from" if former else "taken", by=user)
        else:
            conversation.with_context(leadline_routing=True).user_id = user
            conversation._push_session()
        return conversation._chat_summary()

    @api.model
    def chat_close(self, res_model, res_id, identifier):
        """Close the open session of one of the card's conversations and return its summary. Again is harmless.

        :raise AccessError: when the user may not write to the customer of this card, or it has no such conversation
        """
        conversation = self._answerable(res_model, res_id, identifier)
        if session := conversation._open_session():
            session._close("hand", by=self.env.user)
            conversation._push_session()
        return conversation._chat_summary()

    @api.model
    def chat_reopen(self, res_model, res_id, identifier):
        """Go on with the last session of one of the card's conversations and return its summary. Again is harmless.

        :raise AccessError: when the user may not write to the customer of this card, or it has no such conversation
        :raise UserError: when the customer has never written
        """
        conversation = self._answerable(res_model, res_id, identifier)
        session = conversation.session_id
        if not session:
            raise UserError(self.env._("There is nothing to open again: a session begins when the customer writes."))
        if session.state == "closed":
            session._reopen(self.env.user)
        return conversation._chat_summary()

    @api.model
    def chat_transfer(self, res_model, res_id, identifier, kind, target_id):
        """Hand one of the card's conversations to a colleague, or to the agents of a line, and return its summary.

        :param kind: `user` or `line`
        :raise AccessError: when the user may not write to the customer of this card, or it has no such conversation
        :raise UserError: when there is nobody like that, or nothing to hand over
        """
        conversation = self._answerable(res_model, res_id, identifier)
        session = conversation._open_session()
        if kind == "line" and not session:
            raise UserError(self.env._("No session is open. Open it again first, then transfer it."))
        if kind == "line":
            session._transfer_to_line(self._line_of_company(conversation, target_id), by=self.env.user)
        elif kind == "user":
            user = self._agent_of_company(conversation, target_id)
            if session:
                session._assign(user, "transferred", by=self.env.user)
            else:
                conversation.with_context(leadline_routing=True).user_id = user
                conversation._push_session()
        else:
            raise UserError(self.env._("A chat goes to a colleague or to a line."))
        return conversation._chat_summary()

    @api.model
    @api.readonly
    def chat_transfer_targets(self, res_model, res_id, identifier, term=""):
        """Return to whom one of the card's conversations may be handed, those who are available first.

        :return: at most 10 of {"kind": "user" or "line", "id", "name", "available", "why"}
        :raise AccessError: when the user may not read the card, or it has no such conversation
        """
        conversation = self._answerable(res_model, res_id, identifier, lock=False)
        term = text_of(term).strip()
        company = conversation.company_id
        people = self._transfer_people(conversation, term)
        # sudo: agents read their lines anyway; the conversation is theirs to hand on.
        lines = (
            self.env["leadline.line"]
            .sudo()
            .search([("company_id", "=", company.id), ("name", "ilike", term)], limit=TARGETS)
            .filtered(lambda line: line._capacities())
        )
        offered = [
            {"kind": "line", "id": line.id, "name": line.name, "available": True, "why": self.env._("Agents of a line")}
            for line in lines
        ]
        found = sorted([*people, *offered], key=lambda target: not target["available"])
        return found[:TARGETS]

    def _transfer_people(self, conversation, term):
        company = conversation.company_id
        # sudo: names of colleagues and whether they are here; nothing else of them leaves this method.
        users = (
            self.env["res.users"]
            .sudo()
            .search(
                [
                    ("share", "=", False),
                    ("company_ids", "in", company.id),
                    ("name", "ilike", term),
                    ("id", "!=", conversation.user_id.id),
                ],
                order="name",
                limit=5 * TARGETS,
            )
            .filtered(lambda user: user._is_leadline_agent(company))
        )
        line = conversation.line_id
        agents = line._agents({user: line._capacity_of(user) for user in users}, but=conversation._open_session())
        return [
            {
                "kind": "user",
                "id": user.id,
                "name": user.name,
                "available": not agents[user.id].hindrance,
                "why": self._hindrance_words(agents[user.id]),
            }
            for user in users
        ]

    @api.model
    def _hindrance_words(self, agent):
        """Return what there is to know of somebody before a chat is handed to them."""
        return {
            "": self.env._("Open chats: %s", agent.chats),
            "leave": self.env._("On leave"),
            "hours": self.env._("Outside working hours"),
            "offline": self.env._("Not online"),
            "full": self.env._("As many chats as allowed"),
        }[agent.hindrance]

    @api.model
    def _answerable(self, res_model, res_id, identifier, *, lock=True):
        """Return, in sudo, one of a card's conversations that the user may answer in; of a merged one the elder.

        :raise AccessError: when they may not
        """
        _card, conversation = self._chat_of_card(res_model, res_id, identifier, writing=True)
        conversation = conversation._elder() or conversation
        if lock:
            conversation._lock()
            conversation.session_id._lock()
        return conversation.with_company(conversation.company_id)

    @api.model
    def _line_of_company(self, conversation, target_id):
        found = self.env["leadline.line"].sudo().browse(id_of(target_id)).exists()
        if found.company_id != conversation.company_id:
            raise UserError(self.env._("There is no such line to hand the chat to."))
        return found

    @api.model
    def _agent_of_company(self, conversation, target_id):
        found = self.env["res.users"].sudo().browse(id_of(target_id)).exists()
        if not found or not found._is_leadline_agent(conversation.company_id):
            raise UserError(self.env._("There is no such colleague to hand the chat to."))
        return found

    def _chat_summary(self):
        session = self.session_id
        return super()._chat_summary() | {"session": session._summary() if session else None}

    def _push_session(self):
        """Let open tabs know that the session has changed."""
        self.ensure_one()
        told = {
            "conversation": self.identifier,
            "message": None,
            "event": "session",
            "unread": self.unread_count,
            "version": self.version,
        }
        self._send_alerts([("leadline/conversation", told)])
