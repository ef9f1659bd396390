"""Thirty situations: who gets the chat, and why, as the session's log tells it."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta

from ..tools.routing import Agent, decide
from .common import LINE
from .common_sessions import SessionCase

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Facts:
    """An agent as a situation has them. `last`: how many minutes ago they got a chat."""

    online: bool = True
    working: bool = True
    leave: bool = False
    capacity: int = 0
    chats: int = 0
    last: int | None = None


HERE = Facts()
AWAY = Facts(online=False)
OFF_DUTY = Facts(working=False)
ON_LEAVE = Facts(leave=True)


@dataclass(frozen=True)
class Situation:
    """What there is when a customer writes, what happens then, and who has the chat at the end (None: the queue)."""

    title: str
    ends: str | None
    why: str
    queue: dict = field(default_factory=dict)
    team: dict = field(default_factory=dict)
    responsible: dict = field(default_factory=dict)
    line: dict = field(default_factory=dict)
    then: tuple = ()


def busy(chats, last=60, **more):
    return Facts(chats=chats, last=last, **more)


SITUATIONS = [
    Situation("the responsible is there", "rob", "responsible", responsible={"rob": HERE}, queue={"ann": HERE}),
    Situation(
        "the responsible is there, and has more chats than the others",
        "rob",
        "responsible",
        responsible={"rob": busy(3)},
        queue={"ann": HERE},
    ),
    Situation("the responsible is offline", "ann", "queue_only", responsible={"rob": AWAY}, queue={"ann": HERE}),
    Situation(
        "the responsible is outside their hours",
        "ann",
        "queue_only",
        responsible={"rob": OFF_DUTY},
        queue={"ann": HERE},
    ),
    Situation("the responsible is on leave", "ann", "queue_only", responsible={"rob": ON_LEAVE}, queue={"ann": HERE}),
    Situation(
        "the responsible has as many chats as allowed",
        "ann",
        "queue_only",
        responsible={"rob": busy(2)},
        queue={"ann": HERE},
        line={"capacity": 2},
    ),
    Situation("a stranger, and one agent", "ann", "queue_only", queue={"ann": HERE}),
    Situation("one of two is offline", "ben", "queue_only", queue={"ann": AWAY, "ben": HERE}),
    Situation("one of two is outside their hours", "ben", "queue_only", queue={"ann": OFF_DUTY, "ben": HERE}),
    Situation("one of two is on leave", "ben", "queue_only", queue={"ann": ON_LEAVE, "ben": HERE}),
    Situation(
        "one of two has as many as the line allows",
        "ben",
        "queue_only",
        queue={"ann": busy(2), "ben": busy(1)},
        line={"capacity": 2},
    ),
    Situation(
        "one of two has as many as they are allowed",
        "ben",
        "queue_only",
        queue={"ann": busy(1, capacity=1), "ben": busy(4)},
    ),
    Situation("the fewest open chats", "cat", "queue_fewest", queue={"ann": busy(2), "ben": busy(3), "cat": busy(1)}),
    Situation(
        "equally few: longest without a new one",
        "ben",
        "queue_longest",
        queue={"ann": busy(1, last=20), "ben": busy(1, last=90), "cat": busy(1, last=40)},
    ),
    Situation(
        "equally few: who never had one",
        "cat",
        "queue_longest",
        queue={"ann": busy(0), "ben": busy(1), "cat": busy(0)},
        then=(("had_one", "ann"), ("again",)),
    ),
    Situation(
        "nothing between them: the queue's order", "ann", "queue_longest", queue={"ann": HERE, "ben": HERE, "cat": HERE}
    ),
    Situation(
        "strictly in order, however much they have to do",
        "ann",
        "queue_order",
        queue={"ann": busy(5), "ben": HERE},
        line={"distribution": "order"},
    ),
    Situation(
        "strictly in order, and the first is offline",
        "ben",
        "queue_order",
        queue={"ann": AWAY, "ben": busy(1), "cat": HERE},
        line={"distribution": "order"},
    ),
    Situation("no queue: the team", "dan", "team_only", team={"dan": HERE}),
    Situation(
        "nobody of the queue: the team", "dan", "team_only", queue={"ann": AWAY, "ben": ON_LEAVE}, team={"dan": HERE}
    ),
    Situation("the team's fewest", "cat", "team_fewest", team={"dan": busy(2), "cat": busy(1)}),
    Situation("nobody is there", None, "nobody", queue={"ann": AWAY}, team={"dan": OFF_DUTY}),
    Situation(
        "nobody is there, then somebody comes",
        "ann",
        "queue_only",
        queue={"ann": AWAY},
        then=(("comes", "ann"), ("minutes", 1)),
    ),
    Situation(
        "everybody has as many as allowed, then one is free",
        "ann",
        "queue_only",
        queue={"ann": busy(1)},
        line={"capacity": 1},
        then=(("frees", "ann"), ("minutes", 1)),
    ),
    Situation("neither agents nor members", None, "unmanned"),
    Situation(
        "no answer in time: the next",
        "ben",
        "queue_only",
        queue={"ann": HERE, "ben": busy(1)},
        then=(("minutes", 11),),
    ),
    Situation(
        "no answer in time, and nobody else: it stays",
        "ann",
        "nobody_else",
        queue={"ann": HERE, "ben": AWAY},
        then=(("minutes", 11),),
    ),
    Situation(
        "no answer of two: to the third, not back to the first",
        "cat",
        "queue_only",
        queue={"ann": HERE, "ben": busy(1), "cat": busy(2)},
        then=(("minutes", 11), ("minutes", 11)),
    ),
    Situation(
        "answered in time: it stays",
        "ann",
        "queue_fewest",
        queue={"ann": HERE, "ben": busy(1)},
        then=(("minutes", 5), ("answers", "ann"), ("minutes", 30)),
    ),
    Situation(
        "transferred to a colleague, though they are full",
        "ben",
        "transferred",
        queue={"ann": HERE, "ben": busy(1, capacity=1)},
        then=(("transfers", "ann", "ben"),),
    ),
    Situation(
        "transferred to another line's agents",
        "cat",
        "queue_only",
        queue={"ann": HERE},
        then=(("transfers_to_line", "ann", "cat"),),
    ),
    Situation(
        "taken by a colleague", "cat", "taken_from", queue={"ann": HERE}, then=(("takes", "cat"), ("minutes", 5))
    ),
    Situation(
        "nobody was there, and somebody answers",
        "rob",
        "answered",
        queue={"ann": AWAY},
        then=(("answers", "rob"),),
    ),
    Situation(
        "the lead is handed over while its salesperson has the chat",
        "ben",
        "lead",
        queue={"ann": HERE},
        then=(("hands_lead", "ben"),),
    ),
    Situation(
        "closed, and the customer writes again: back to who knows them",
        "ann",
        "responsible",
        queue={"ann": HERE, "ben": HERE},
        then=(("closes", "ann"), ("minutes", 60), ("writes",)),
    ),
]


class TestRouting(SessionCase):
    def build(self, situation):
        """Bring a situation about in Odoo."""
        team = self.env["crm.team"].create({"name": situation.title, "use_leads": True})
        team.member_ids = self.env["res.users"].union(*(self.people[name] for name in situation.team))
        self.line.write({"team_id": team.id, "member_ids": [(5,)]} | situation.line)
        for name, facts in (situation.queue | situation.team | situation.responsible).items():
            self.place(self.people[name], facts)
        for sequence, (name, facts) in enumerate(situation.queue.items()):
            values = {"user_id": self.people[name].id, "sequence": sequence, "capacity": facts.capacity}
            self.line.member_ids = [(0, 0, values)]
        for name in situation.responsible:
            self.known(self.people[name])

    def place(self, user, facts):
        self.online(user)
        if not facts.online:
            self.offline(user)
        if not facts.working:
            self.hours(user, 18, 22)
        if facts.leave:
            self.leave(self.hours(user, 0, 24))
        self.busy(user, facts.chats, last=facts.last)

    def act(self, what, *named):
        getattr(self, f"_{what}")(*(self.people.get(one, one) for one in named))

    def _minutes(self, minutes):
        self.forward(minutes=minutes)

    def _comes(self, user):
        self.online(user)

    def _frees(self, user):
        self.sessions.search([("user_id", "=", user.id), ("state", "=", "assigned")])._close("hand", by=user)

    def _had_one(self, user):
        self.assertEqual(self.row().session_id.user_id, user)
        self.row().session_id._close("hand", by=user)
        self.row().lead_ids.user_id = False
        self.row().lead_ids.unlink()

    def _again(self):
        self.write_in("conv-2")

    def _answers(self, user):
        self.answer(user)

    def _transfers(self, user, to):
        self.as_agent(user, "chat_transfer", "user", to.id)

    def _transfers_to_line(self, user, agent):
        line = self.env["leadline.line"].create(
            {
                "name": "Workshop",
                "identifier": f"{LINE}-workshop",
                "connection_id": self.connection.id,
                "member_ids": [(0, 0, {"user_id": agent.id})],
            }
        )
        self.online(agent)
        self.as_agent(user, "chat_transfer", "line", line.id)

    def _takes(self, user):
        self.as_agent(user, "chat_take")

    def _closes(self, user):
        self.as_agent(user, "chat_close")

    def _writes(self):
        self.write_in()

    def _hands_lead(self, user):
        self.row()._lead().user_id = user

    def outcome(self, situation):
        """Bring a situation about, and return the session at its end."""
        self.build(situation)
        self.write_in()
        for what, *named in situation.then:
            self.act(what, *named)
        return (self.row("conv-2") or self.row()).session_id

    def test_each_situation_ends_with_who_is_expected_and_says_why(self):
        rows = []
        for number, situation in enumerate(SITUATIONS, 1):
            with self.subTest(situation.title), self.env.cr.savepoint() as savepoint:
                session = self.outcome(situation)
                expected = self.people[situation.ends] if situation.ends else self.env["res.users"]
                holder = session.user_id if session.state == "assigned" else self.env["res.users"]
                log = self.log(session)
                rows.append((number, situation.title, holder.name or "the queue", " ".join(log)))
                self.assertEqual(holder, expected, log)
                self.assertIn(situation.why, session.step_ids.mapped("what"), log)
                self.assertEqual(session.conversation_id.user_id or holder, holder)
                savepoint.rollback()
                self.env.invalidate_all()
                self.frozen.move_to("2026-11-24 10:00:00")
        table = "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
        _logger.info("%s situations:\n| # | situation | who | why |\n|---|---|---|---|\n%s", len(rows), table)
        self.assertGreaterEqual(len(rows), 30)

    def test_the_decision_alone_says_the_same(self):
        for situation in SITUATIONS:
            if situation.then:
                continue
            with self.subTest(situation.title):
                decision = decide(
                    next(iter(self.agents(situation.responsible, situation.line)), None),
                    self.agents(situation.queue, situation.line),
                    self.agents(situation.team, situation.line),
                    in_order=situation.line.get("distribution") == "order",
                )
                expected = self.people[situation.ends].id if situation.ends else None
                self.assertEqual(decision.agent.id if decision.agent else None, expected)
                self.assertEqual(decision.why, situation.why)

    def agents(self, facts, line):
        return [
            Agent(
                id=self.people[name].id,
                online=one.online,
                working=one.working,
                leave=one.leave,
                capacity=one.capacity or line.get("capacity", 0),
                chats=one.chats,
                last=None if one.last is None else self.now - timedelta(minutes=one.last),
            )
            for name, one in facts.items()
        ]

    def test_the_new_lead_of_who_comes_back_is_whose_the_chat_is(self):
        self.queue(self.ann)
        self.online(self.ann)
        self.write_in()
        self.answer(self.ann)
        self.row().lead_ids.action_set_lost()
        self.forward(days=3)
        self.online(self.ann)
        # CRM's own assignment would name them.
        self.team.user_id = self.ben
        row = self.write_in()
        self.assertEqual((row.session_id.user_id, row.lead_ids.user_id), (self.ann, self.ann))

    def test_what_was_there_before_pairing_is_left_to_crm_since_nobody_gets_its_chat(self):
        self.queue(self.ann)
        self.online(self.ann)
        self.team.user_id = self.ben
        told = self.told("message.received", version=1, received=1) | {"type": "conversation.updated", "message": None}
        self.conversations.with_context(leadline_existing=True)._apply_events(self.connection, [told])
        self.assertFalse(self.row().session_ids)
        self.assertEqual(self.row().lead_ids.user_id, self.ben)
