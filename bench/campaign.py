"""A campaign: a template to each of 10,000 customers at once, while agents answer others from the same lines.

    python -m bench.campaign [--messages 10000] [--lines 2] [--write]

Everything goes through the chat API, the outbox, the queue and the sender to a simulated WhatsApp that keeps Meta's
limits, refuses some, and loses a few answers. Afterwards phones and store are compared, message by message.
"""

import argparse
import asyncio
import itertools
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from msgspec import json

from bench.one_machine import NUMBERS, OneMachine, one_machine, take_events
from bench.open_loop import Server, paced, request
from bench.peers.home import FOLDER
from bench.table import Progress, aloud, milliseconds, percentile, run
from functions.core.queues import LIMITS
from functions.core.status import shown

_POSTERS = 12
"""A CRM server that begins the campaign calls so many times at once."""

_GRANT_LASTS = 200.0
_AGENTS_RATE = 5.0
_QUIET_SECONDS = 12.0
_STRETCH = 10.0
_FIRST_SYNC_SECONDS = 60.0
_LONGEST = 900.0
_TEMPLATE = {"name": "hello_world", "language": {"code": "en_US"}}

_FAULTS: Mapping[str, tuple[int, dict[str, Any]]] = {
    "not_on_whatsapp": (100, {}),
    "refused": (500, {"code": 132015}),
    "error_before": (500, {"times": 1}),
    "error_after": (500, {"times": 1}),
    "rate_limited": (1000, {"times": 1}),
}
"""What WhatsApp does to one customer in so many: takes the message and fails it later, refuses its template, breaks
down before it took it, takes it without saying so, finds the line's rate exceeded."""

_ARRIVE = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    messages: int = 10_000
    lines: int = 2

    @property
    def numbers(self) -> Sequence[str]:
        """The lines' numbers at Meta."""
        return NUMBERS[: self.lines]


@dataclass(slots=True)
class Outcome:
    """What came of a campaign."""

    plan: Plan
    taken: list[float] = field(default_factory=list)
    taken_in: float = 0.0
    sent_in: float = 0.0
    rate: float = 0.0
    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    shown: Counter[str] = field(default_factory=Counter)
    arrived: int = 0
    doubled: int = 0
    wrong: int = 0
    cpu: float = 0.0


class Agents:
    """Agents who answer in conversations of the lines; the seconds from each press until WhatsApp was called."""

    def __init__(self, machine: OneMachine, server: Server, plan: Plan) -> None:
        self._machine = machine
        self._server = server
        self._conversations = itertools.cycle(
            itertools.chain.from_iterable(machine.conversations[number] for number in plan.numbers)
        )
        self._serial = itertools.count(1)
        self._pressed: dict[str, float] = {}
        self._posts: set[asyncio.Task[None]] = set()

    async def answer(self, seconds: float) -> list[float]:
        """Answer at a steady rate for so long; returns the delays."""
        pressed: dict[str, float] = {}
        grant = await self._machine.grant()
        await paced(_AGENTS_RATE, seconds, lambda due: self._start(due, grant, pressed))
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST):
                while any(text not in self._machine.graph.heard for text in pressed):
                    await asyncio.sleep(0.1)
        heard = self._machine.graph.heard
        return [heard[text] - due for text, due in pressed.items() if text in heard]

    def _start(self, due: float, grant: str, pressed: dict[str, float]) -> None:
        number = next(self._serial)
        text = f"The agent's answer {number}"
        pressed[text] = due
        body = {"client_id": f"agent-{number:06}", "type": "text", "text": {"body": text}}
        path = f"/chat/v1/conversations/{next(self._conversations)}/messages"
        post = asyncio.create_task(self._post(request("POST", path, _headers(grant), json.encode(body)), due))
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)

    async def _post(self, posted: bytes, due: float) -> None:
        while not (await self._server.call(posted, due)).ok:
            await asyncio.sleep(2)


async def campaign(folder: Path, plan: Plan, progress: Progress) -> Outcome:
    """Run a campaign on one machine and compare everything afterwards."""
    outcome = Outcome(plan)
    async with one_machine(folder, take_events) as machine:
        await machine.meet(10)
        await _templates_are_there(machine)
        server = Server(machine.port, connections=_POSTERS + 32, patience=30)
        agents = Agents(machine, server, plan)
        progress(f"agents alone, {_QUIET_SECONDS:g} s")
        outcome.before = await agents.answer(_QUIET_SECONDS)
        struck = _strike(machine, plan)
        progress(f"{plan.messages:,} templates on {plan.lines} lines")
        cpu, began = await machine.cpu(), time.perf_counter()
        over = asyncio.Event()
        answering = asyncio.create_task(_answer_until(agents, outcome, over))
        await _post_all(machine, server, outcome)
        outcome.taken_in = time.perf_counter() - began
        progress(f"all taken by the chat API after {outcome.taken_in:.0f} s")
        await _sent(folder, progress)
        outcome.sent_in = time.perf_counter() - began
        outcome.cpu = (await machine.cpu() - cpu) / outcome.sent_in
        over.set()
        await answering
        await machine.graph.simulator.settled()
        await asyncio.sleep(1)
        outcome.rate = _rate(machine.graph.templates)
        _compare(outcome, machine, folder, struck)
        server.close()
    return outcome


async def _templates_are_there(machine: OneMachine) -> None:
    async with asyncio.timeout(_FIRST_SYNC_SECONDS):
        while not (await machine.client.get("/chat/v1/templates", params={"line": NUMBERS[0]})).json()["items"]:
            await asyncio.sleep(0.5)


async def _answer_until(agents: Agents, outcome: Outcome, over: asyncio.Event) -> None:
    while not over.is_set():
        outcome.during += await agents.answer(_STRETCH)


async def _post_all(machine: OneMachine, server: Server, outcome: Outcome) -> None:
    """Begin each conversation with the template, as a CRM server does that nobody waits for."""
    numbers = iter(range(outcome.plan.messages))
    grant, until = await machine.grant(), time.perf_counter() + _GRANT_LASTS

    async def post() -> None:
        nonlocal grant, until
        for number in numbers:
            if time.perf_counter() > until:
                until = time.perf_counter() + _GRANT_LASTS
                grant = await machine.grant()
            body = json.encode(_start(outcome.plan, number))
            due = time.perf_counter()
            while not (
                answer := await server.call(request("POST", "/chat/v1/conversations", _headers(grant), body), due)
            ).ok:
                if answer.status in (400, 401, 403, 404, 409, 422):
                    raise RuntimeError(f"the chat API answers {answer.status}: {answer.body.decode()}")
                await asyncio.sleep(1)
            outcome.taken.append(answer.seconds)

    await asyncio.gather(*(post() for _ in range(_POSTERS)))


def _start(plan: Plan, number: int) -> dict[str, object]:
    message = {
        "client_id": _client_id(number),
        "type": "template",
        "template": _TEMPLATE,
        "automatic": True,
    }
    return {"line": plan.numbers[number % plan.lines], "to": {"phone": _phone(number)}, "message": message}


def _client_id(number: int) -> str:
    return f"campaign-{number:06}"


def _phone(number: int) -> str:
    return f"+49156{number:08}"


def _headers(grant: str) -> dict[str, str]:
    return {"Authorization": grant, "Content-Type": "application/json"}


async def _sent(folder: Path, progress: Progress) -> None:
    """Wait until no message waits any more."""
    last = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST):
            while waiting := _count(folder, _WAITING):
                if time.perf_counter() - last > 10:
                    last = time.perf_counter()
                    progress(f"{waiting:,} wait")
                await asyncio.sleep(1)


_WAITING = """SELECT count(*) FROM documents WHERE collection = 'messages'
    AND json_extract(fields, '$.waiting') IS NOT NULL AND json_extract(fields, '$.type') = 'template'"""


def _count(folder: Path, sql: str) -> int:
    with closing(sqlite3.connect(folder / "store.db")) as store:
        return int(store.execute(sql).fetchone()[0])


def _rate(times: Sequence[float]) -> float:
    """Return the templates a second between the first tenth and the last: without the burst and the stragglers."""
    ordered = sorted(times)
    first, last = len(ordered) // 10, len(ordered) * 9 // 10
    return (last - first) / (ordered[last] - ordered[first]) if last > first else float("nan")


def _strike(machine: OneMachine, plan: Plan) -> dict[str, set[str]]:
    """Let WhatsApp fail for some customers, no two faults for one; returns their messages' client ids by fault."""
    struck: dict[str, set[str]] = {}
    for place, (fault, (of, figures)) in enumerate(_FAULTS.items()):
        numbers = range(place, plan.messages, of)
        struck[fault] = {_client_id(number) for number in numbers}
        for number in numbers:
            machine.graph.simulator.scenario(fault, customer=_phone(number), **figures)
    return struck


def _compare(outcome: Outcome, machine: OneMachine, folder: Path, struck: Mapping[str, set[str]]) -> None:
    """Compare what each customer's phone shows with what the store says, and both with what WhatsApp was told to do."""
    customers = machine.graph.simulator.customers
    arrived = {}
    for number in range(outcome.plan.messages):
        messages = customers.messages(_phone(number).removeprefix("+"))
        arrived[_client_id(number)] = sum(one.author == "business" for one in messages)
    outcome.arrived = sum(map(bool, arrived.values()))
    outcome.doubled = sum(count - 1 for count in arrived.values() if count > 1)
    failing, breaking = struck["not_on_whatsapp"] | struck["refused"], struck["error_before"]
    with closing(sqlite3.connect(folder / "store.db")) as store:
        for (text,) in store.execute(_TEMPLATES):
            fields = json.decode(text)
            status, name = shown(fields), fields["client_id"]
            outcome.shown[status] += 1
            expected = ("failed",) if name in failing else ("unknown",) if name in breaking else _ARRIVE
            outcome.wrong += status not in expected or bool(arrived[name]) != (expected == _ARRIVE)


_TEMPLATES = """SELECT fields FROM documents
    WHERE collection = 'messages' AND json_extract(fields, '$.type') = 'template'"""


def rows(plan: Plan = Plan(), progress: Progress = aloud) -> list[tuple[str, str]]:
    """Return the rows of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        return _shown(uvloop.run(campaign(Path(folder), plan, progress)))


def _shown(outcome: Outcome) -> list[tuple[str, str]]:
    plan, limit = outcome.plan, LIMITS["bulk-"].rate * outcome.plan.lines
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(outcome.shown.items()))
    return [
        (
            "queued",
            f"{plan.messages:,} templates to as many customers, {plan.lines} lines, within {outcome.taken_in:.0f} s",
        ),
        (
            "rate of the sends",
            f"{outcome.rate / limit:.2f} × the queues' ({outcome.rate:.0f} against {limit:.0f}/s; all had left after "
            f"{outcome.sent_in:.0f} s; the one process took {outcome.cpu:.2f} of a CPU)",
        ),
        ("shown", statuses),
        (
            "arrived; arrived twice; other than WhatsApp did",
            f"{outcome.arrived:,}; {outcome.doubled}; {outcome.wrong}",
        ),
        *(
            (
                f"agent presses send → WhatsApp called, {name}",
                f"{percentile(outcome.during, at) / percentile(outcome.before, at):.1f} × before "
                f"({milliseconds(outcome.during, at)} against {milliseconds(outcome.before, at)}; "
                f"{len(outcome.during)} answers meanwhile)",
            )
            for name, at in (("p50", 50), ("p99", 99), ("longest", 100))
        ),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Send a template to many customers while agents answer others.")
    parser.add_argument("--messages", type=int, default=Plan().messages)
    parser.add_argument("--lines", type=int, default=Plan().lines)
    run(parser, "campaign", lambda given: rows(Plan(given.messages, given.lines)))


if __name__ == "__main__":
    main()
