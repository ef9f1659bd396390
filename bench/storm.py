"""A storm of customers' messages, while agents answer and tabs read, on one machine.

    python -m bench.storm [--rate 1000] [--seconds 60] [--write]

Messages are posted when they are due, however late the answers are, by a Meta that delivers again what it got no 200
for. Afterwards store, CRM and phones are compared with what was offered. The floor is a bare ASGI app that checks the
signature, reads the JSON and keeps nothing, offered the same.
"""

import argparse
import asyncio
import itertools
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvloop
from msgspec import json

from bench.books import Books
from bench.one_machine import NUMBERS, OneMachine, one_machine
from bench.open_loop import Server, paced, request
from bench.peers.home import FOLDER
from bench.table import Progress, aloud, milliseconds, percentile, run
from bench.texts import SENTENCE
from bench.webhook_load import uvicorn
from functions.core.signature import sign_meta
from functions.core.status import RANK
from functions.local import demo
from tests.payloads import customers, inbound_text, webhook

_CONNECTIONS = 1000
"""Meta opens as many as it needs; this is what one function's instance is given at most in `infra/`."""

_FIRST_RETRY, _LONGEST_RETRY = 1.0, 30.0
_QUIET_SECONDS = 10.0
_FLOOR_SECONDS = 10.0
_DRAIN_SECONDS = 900.0
_STEP = 10
"""Seconds between two figures of the backlog."""

_AGENTS_RATE, _TABS_RATE = 5.0, 5.0
"""Sends and questions for news per second: ten busy agents, and 25 open tabs that poll."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    rate: int = 1000
    seconds: int = 60
    people: int = 2000

    @property
    def count(self) -> int:
        """How many messages come in."""
        return self.rate * self.seconds


@dataclass(slots=True)
class Deliveries:
    """What a Meta got for what it posted; the seconds count from when a message was due."""

    offered: int = 0
    at_once: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    @property
    def taken(self) -> int:
        """How many were answered 200, sooner or later."""
        return len(self.at_once) + len(self.later)


class Meta:
    """Posts webhooks, and posts again what got no 200, later and later."""

    def __init__(self, server: Server) -> None:
        self.got = Deliveries()
        self._server = server
        self._under_way: set[asyncio.Task[None]] = set()

    def post(self, webhook: bytes, due: float) -> None:
        """Deliver a webhook that is due at a moment."""
        self.got.offered += 1
        task = asyncio.create_task(self._deliver(webhook, due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settled(self, within: float) -> None:
        """Wait until all is taken, no longer than so many seconds."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)

    def give_up(self) -> None:
        """Deliver nothing any more."""
        for task in self._under_way:
            task.cancel()

    async def _deliver(self, webhook: bytes, due: float) -> None:
        answer, pause, got = await self._server.call(webhook, due), _FIRST_RETRY, self.got.at_once
        while not answer.ok:
            self.got.refused[answer.status] += 1
            await asyncio.sleep(pause)
            pause, got = min(2 * pause, _LONGEST_RETRY), self.got.later
            answer = await self._server.call(webhook, due)
        got.append(answer.seconds)


class Work:
    """The agents' sends and the tabs' questions for news. A send that is not taken is repeated, as the tab does."""

    def __init__(self, machine: OneMachine, server: Server, name: str, grant: str) -> None:
        self.sent: list[float] = []
        self.asked: list[float] = []
        self.refused: Counter[int] = Counter()
        self._server = server
        self._authorization = {"Authorization": grant}
        self._conversations = itertools.cycle(itertools.chain.from_iterable(machine.conversations.values()))
        self._name = name
        self._serial = itertools.count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    async def go_on(self, seconds: float) -> None:
        """Work for so long, at a steady rate, and wait for what is under way."""
        await asyncio.gather(
            paced(_AGENTS_RATE, seconds, lambda due: self._start(self._send(due))),
            paced(_TABS_RATE, seconds, lambda due: self._start(self._ask(due))),
        )
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, due: float) -> None:
        number = next(self._serial)
        text = {"body": f"The answer {self._name} {number}"}
        body = {"client_id": f"{self._name}-{number:06}", "type": "text", "text": text}
        headers = {**self._authorization, "Content-Type": "application/json"}
        path = f"/chat/v1/conversations/{next(self._conversations)}/messages"
        posted = request("POST", path, headers, json.encode(body))
        while not (answer := await self._server.call(posted, due)).ok:
            self.refused[answer.status] += 1
            await asyncio.sleep(2)
        self.sent.append(answer.seconds)

    async def _ask(self, due: float) -> None:
        path = f"/chat/v1/conversations/{next(self._conversations)}/messages"
        answer = await self._server.call(request("GET", path, self._authorization), due)
        if answer.ok:
            self.asked.append(answer.seconds)
        else:
            self.refused[answer.status] += 1


@dataclass(slots=True)
class Outcome:
    """What came of a storm."""

    plan: Plan
    floor: Deliveries
    got: Deliveries
    quiet: Work
    work: Work
    cpu: float = 0.0
    in_time: int = 0
    backlog: dict[int, tuple[int, int]] = field(default_factory=dict)
    taken_after: float = 0.0
    told_after: float = 0.0
    stored: int = 0
    counted: int = 0
    told: int = 0
    doubled_texts: int = 0
    lost_texts: int = 0
    unknown_texts: int = 0

    @property
    def lost(self) -> int:
        """Messages that were offered and are not in the store, or not told to the CRM."""
        return max(self.plan.count - self.stored, self.plan.count - self.told)

    @property
    def doubled(self) -> int:
        """Messages that were counted more than once."""
        return self.counted - self.stored


async def storm(folder: Path, plan: Plan, progress: Progress) -> Outcome:
    """Let a storm pass over one machine and compare everything afterwards."""
    progress(f"signing {plan.count:,} messages")
    webhooks = list(_webhooks(plan))
    progress(f"the floor, {plan.rate}/s for {_FLOOR_SECONDS:g} s")
    floor = await _floor(folder, webhooks, plan)
    books = Books()
    async with one_machine(folder, books.take) as machine:
        await machine.meet(4)
        server, tabs = Server(machine.port, connections=_CONNECTIONS), Server(machine.port, connections=32)
        quiet = Work(machine, tabs, "quiet", await machine.grant())
        progress("agents and tabs alone")
        await quiet.go_on(min(_QUIET_SECONDS, plan.seconds))
        known = books.received()
        meta, work = Meta(server), Work(machine, tabs, "storm", await machine.grant())
        outcome = Outcome(plan, floor, meta.got, quiet, work)
        cpu, began = await machine.cpu(), time.perf_counter()
        posts = iter(webhooks)
        watching = asyncio.create_task(_watch(outcome, books, known, progress))

        async def offer() -> None:
            await paced(plan.rate, plan.seconds, lambda due: meta.post(next(posts), due))
            outcome.in_time = meta.got.taken

        await asyncio.gather(offer(), work.go_on(plan.seconds))
        await meta.settled(_DRAIN_SECONDS)
        outcome.taken_after = time.perf_counter() - began
        await books.heard(known + plan.count, _DRAIN_SECONDS)
        outcome.told_after = time.perf_counter() - began
        outcome.cpu = (await machine.cpu() - cpu) / outcome.told_after
        watching.cancel()
        meta.give_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while _count(machine.folder, _WAITING):
                    await asyncio.sleep(1)
        await machine.graph.simulator.settled()
        _compare(outcome, machine, books.received() - known, known)
        server.close()
        tabs.close()
    return outcome


def _webhooks(plan: Plan) -> Iterator[bytes]:
    """Yield the POSTs of the storm: the customers take turns, each writes to one of the lines."""
    people = customers(plan.people)
    for number in range(plan.count):
        person = number % plan.people
        wamid = f"wamid.HBgNNTUxMTk4NzY1NDMyMRUCABIYFj{number:020}AA=="
        body = webhook(inbound_text(people[person], SENTENCE, wamid=wamid, number=NUMBERS[person % len(NUMBERS)]))
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign_meta(body, demo.APP_SECRET)}
        yield request("POST", "/webhook", headers, body)


async def _floor(folder: Path, webhooks: list[bytes], plan: Plan) -> Deliveries:
    app, log = "bench.peers.bare_server:app", folder / "bare.log"
    with uvicorn(Path(sys.executable), app, log, WHATSAPP_APP_SECRET=demo.APP_SECRET) as url:
        server = Server(int(httpx.URL(url).port or 0), connections=_CONNECTIONS)
        meta, posts = Meta(server), itertools.cycle(webhooks)
        await paced(plan.rate, min(_FLOOR_SECONDS, plan.seconds), lambda due: meta.post(next(posts), due))
        await meta.settled(_DRAIN_SECONDS)
        server.close()
        return meta.got


async def _watch(outcome: Outcome, books: Books, known: int, progress: Progress) -> None:
    """Note the backlog each second: what is not taken yet, and what is taken and not told to the CRM."""
    for second in itertools.count(1):
        await asyncio.sleep(1)
        got, told = outcome.got, books.received() - known
        outcome.backlog[second] = (got.offered - got.taken, got.taken - told)
        if second % _STEP == 0:
            waiting, untold = outcome.backlog[second]
            progress(f"{second} s: {got.offered:,} offered, {waiting:,} not taken yet, {untold:,} not told yet")


def _compare(outcome: Outcome, machine: OneMachine, told: int, known: int) -> None:
    outcome.told = told
    outcome.stored = _count(machine.folder, _STORED) - known
    outcome.counted = _count(machine.folder, _COUNTED) - known
    outcome.unknown_texts = _count(machine.folder, _UNKNOWN)
    got = machine.graph.texts()
    outcome.doubled_texts = sum(count - 1 for count in got.values())
    # Of those whose end nobody knows, WhatsApp may have taken some.
    missing = len(outcome.quiet.sent) + len(outcome.work.sent) - len(got)
    outcome.lost_texts = max(0, missing - outcome.unknown_texts)


_STORED = """SELECT count(DISTINCT json_extract(fields, '$.wamid')) FROM documents
    WHERE collection = 'messages' AND json_extract(fields, '$.direction') = 'in'"""
_COUNTED = "SELECT sum(json_extract(fields, '$.received')) FROM documents WHERE collection = 'conversations'"


_WAITING = """SELECT count(*) FROM documents
    WHERE collection = 'messages' AND json_extract(fields, '$.waiting') IS NOT NULL"""
_UNKNOWN = f"""SELECT count(*) FROM documents
    WHERE collection = 'messages' AND json_extract(fields, '$.rank') = {RANK["unknown"]}"""


def _count(folder: Path, sql: str) -> int:
    with closing(sqlite3.connect(folder / "store.db")) as store:
        [number] = store.execute(sql).fetchone()
    return int(number or 0)


def rows(plan: Plan = Plan(), progress: Progress = aloud) -> list[tuple[str, str]]:
    """Return the rows of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Beside the project, on a disk as the real files have: a folder for temporary files may lie in memory.
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        return _shown(uvloop.run(storm(Path(folder), plan, progress)))


def _shown(outcome: Outcome) -> list[tuple[str, str]]:
    plan, got, floor = outcome.plan, outcome.got, outcome.floor.at_once
    refused = ", ".join(f"{count:,} × {status or 'no answer'}" for status, count in sorted(got.refused.items()))
    backlog = {second: both for second, both in outcome.backlog.items() if second % _STEP == 0}
    return [
        ("offered", f"{plan.count:,} messages of {plan.people:,} customers on {len(NUMBERS)} lines, {plan.rate:,}/s"),
        (
            "taken while they came",
            f"{outcome.in_time / plan.seconds:,.0f}/s; of all {len(got.at_once) / plan.count:.1%} at the first attempt "
            f"(the floor {len(floor) / outcome.floor.offered:.1%})",
        ),
        ("refused, and delivered again by Meta", refused or "0"),
        *(
            (
                f"offered → acknowledged, {name}",
                f"{percentile(got.at_once, at) / percentile(floor, at):.1f} × the floor "
                f"({milliseconds(got.at_once, at)} against {milliseconds(floor, at)})",
            )
            for name, at in (("p50", 50), ("p99", 99), ("longest", 100))
        ),
        (
            "waiting at Meta + taken and not yet told to the CRM",
            ", ".join(f"{second} s: {waiting:,} + {untold:,}" for second, (waiting, untold) in backlog.items()),
        ),
        (
            "all taken, all told, after",
            f"{outcome.taken_after:.0f} s, {outcome.told_after:.0f} s; the one process took {outcome.cpu:.2f} of a CPU",
        ),
        ("messages lost, doubled", f"{outcome.lost}, {outcome.doubled}"),
        _compared("agent's send → taken by the chat API", outcome.quiet.sent, outcome.work.sent),
        _compared("tab's question for a page → its answer", outcome.quiet.asked, outcome.work.asked),
        (
            "agents' texts sent, lost, doubled, unknown",
            f"{len(outcome.quiet.sent) + len(outcome.work.sent)}, {outcome.lost_texts}, {outcome.doubled_texts}, "
            f"{outcome.unknown_texts}; {sum(outcome.work.refused.values())} calls of agents and tabs refused at first",
        ),
    ]


def _compared(name: str, before: list[float], during: list[float]) -> tuple[str, str]:
    figures = ", ".join(
        f"{at_name} {percentile(during, at) / percentile(before, at):.1f} × before "
        f"({milliseconds(during, at)} against {milliseconds(before, at)})"
        for at_name, at in (("p50", 50), ("p99", 99))
    )
    return name, figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Let a storm of messages pass over one machine.")
    parser.add_argument("--rate", type=int, default=Plan().rate)
    parser.add_argument("--seconds", type=int, default=Plan().seconds)
    parser.add_argument("--people", type=int, default=Plan().people)
    run(parser, "storm", lambda given: rows(Plan(given.rate, given.seconds, given.people)))


if __name__ == "__main__":
    main()
