"""200 open chat tabs on one machine, while customers write to them: asking from time to time, and told by the CRM.

    python -m bench.tabs [--tabs 200] [--seconds 40] [--write]

A tab does what the add-on's does: it opens with the conversation's head and newest page, and asks for what changed
since its cursor: every 5 s or, where its CRM's bus is healthy, every 60 s and as soon as the bus names its chat.
A new message makes it ask for the head again. The CRM is played and passes an event on at once: what Odoo takes is not
in it.
"""

import argparse
import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.books import Books
from bench.one_machine import NUMBERS, OneMachine, one_machine
from bench.open_loop import Server, paced, request
from bench.peers.home import FOLDER
from bench.table import Progress, aloud, milliseconds, percentile, run

_FAST, _SLOW = 5.0, 60.0
"""Seconds between two questions; see `live.js` of the add-on."""

_MESSAGES_RATE = 10.0
_CONNECTIONS = 64
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    tabs: int = 200
    seconds: int = 40


@dataclass(slots=True)
class Phase:
    """What was seen in a stretch of time."""

    asked: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    written: int = 0
    refused: int = 0
    cpu: float = 0.0
    reads: float = 0.0
    seconds: float = 0.0


class Tab:
    """One open tab. The seconds of its questions, and from a message's commit until it had it, go to a phase."""

    def __init__(self, conversation: str, server: Server, grant: str, phase: Phase, pause: float) -> None:
        self._url = f"/chat/v1/conversations/{conversation}"
        self._server = server
        self._headers = {"Authorization": grant}
        self._phase = phase
        self._pause = pause
        self._told = asyncio.Event()
        self._cursor = ""
        self._known: dict[str, int] = {}

    def tell(self) -> None:
        """Say that its conversation has news."""
        self._told.set()

    async def stay_open(self) -> None:
        """Open, and ask for news until cancelled."""
        began = time.perf_counter()
        _, page = await asyncio.gather(self._get(self._url), self._get(f"{self._url}/messages"))
        self._phase.opened.append(time.perf_counter() - began)
        self._known = {item["id"]: item["version"] for item in page["items"]}
        self._cursor = page["cursor"]
        # Tabs are opened at any time.
        pause = random.uniform(0, self._pause)
        while True:
            try:
                async with asyncio.timeout(pause):
                    await self._told.wait()
            except TimeoutError:
                pass
            self._told.clear()
            await self._ask()
            pause = self._pause

    async def _ask(self) -> None:
        after: str | None = self._cursor
        came = False
        while after:
            page = await self._get(f"{self._url}/messages?after={after}")
            now = time.time()
            for item in page["items"]:
                if item["id"] not in self._known and item["direction"] == "in":
                    came = True
                    # A version is the moment of the commit, in µs.
                    self._phase.seen.append(now - item["version"] / 1e6)
                self._known[item["id"]] = item["version"]
            self._cursor, after = page["cursor"], page["next"]
        if came:
            await self._get(self._url)

    async def _get(self, url: str) -> Any:
        while not (answer := await self._server.call(request("GET", url, self._headers))).ok:
            self._phase.refused += 1
            await asyncio.sleep(1)
        self._phase.asked.append(answer.seconds)
        return answer.json()


async def tabs(folder: Path, plan: Plan, progress: Progress) -> dict[str, Phase]:
    """Return what was seen with tabs that ask from time to time, with tabs that are told, and with none."""
    listening: dict[str, Tab] = {}

    def pass_on(event: dict[str, Any]) -> None:
        conversation = event["conversation"]
        if conversation and (tab := listening.get(conversation["id"])):
            tab.tell()

    async with one_machine(folder, Books(pass_on).take) as machine:
        await machine.meet(-(-plan.tabs // len(NUMBERS)))
        server = Server(machine.port, connections=_CONNECTIONS, patience=_PATIENCE)
        conversations = list(itertools.chain.from_iterable(machine.conversations.values()))[: plan.tabs]
        customers = _turns(machine, plan.tabs)
        phases = {}
        for name, count, pause in (("none", 0, _FAST), ("polling", plan.tabs, _FAST), ("pushed", plan.tabs, _SLOW)):
            progress(f"{name}, {plan.seconds} s")
            phases[name] = phase = Phase()
            grant = await machine.grant()
            opened = {one: Tab(one, server, grant, phase, pause) for one in conversations[:count]}
            listening.clear()
            if name == "pushed":
                listening.update(opened)
            await _watched(machine, phase, list(opened.values()), customers, plan.seconds)
        server.close()
        return phases


async def _watched(
    machine: OneMachine, phase: Phase, opened: list[Tab], customers: Iterator[tuple[str, str]], seconds: float
) -> None:
    open_ = [asyncio.create_task(tab.stay_open()) for tab in opened]
    while len(phase.opened) < len(opened):
        await asyncio.sleep(0.1)
    phase.asked.clear()
    began, cpu, reads = time.perf_counter(), await machine.cpu(), await machine.reads()

    def write(_: float) -> None:
        number, wa_id = next(customers)
        machine.graph.simulator.write(wa_id, "And in green?", number)
        phase.written += 1

    await paced(_MESSAGES_RATE, seconds, write)
    # The last ones are seen too, and none in the next phase.
    await machine.graph.simulator.settled()
    await asyncio.sleep(_FAST + 1)
    phase.seconds = time.perf_counter() - began
    phase.cpu = (await machine.cpu() - cpu) / phase.seconds
    phase.reads = await machine.reads() - reads
    for task in open_:
        task.cancel()
    await asyncio.gather(*open_, return_exceptions=True)


def _turns(machine: OneMachine, count: int) -> Iterator[tuple[str, str]]:
    """Yield a line and one of its customers, in turns, without end."""
    simulator = machine.graph.simulator
    each = -(-count // len(NUMBERS))
    met = [(number, f"49155{number[-2:]}{place:05}") for number in NUMBERS for place in range(each)]
    assert all(simulator.customers.get(wa_id) for _, wa_id in met)
    return itertools.cycle(met[:count])


def rows(plan: Plan = Plan(), progress: Progress = aloud) -> list[tuple[str, str]]:
    """Return the rows of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        phases = uvloop.run(tabs(Path(folder), plan, progress))
    none = phases.pop("none")
    return [row for name, phase in phases.items() for row in _shown(name, phase, none, plan)]


def _shown(name: str, phase: Phase, none: Phase, plan: Plan) -> list[tuple[str, str]]:
    minutes = plan.tabs * phase.seconds / 60
    reads = (phase.reads - none.reads * phase.seconds / none.seconds) / minutes
    return [
        (
            f"{plan.tabs} tabs, {name}: requests, CPU",
            f"{len(phase.asked) / phase.seconds:.1f}/s with {_MESSAGES_RATE:g} messages/s coming in; "
            f"{phase.cpu:.2f} of a CPU, {phase.cpu / none.cpu:.1f} × without tabs ({none.cpu:.2f})",
        ),
        (
            f"{plan.tabs} tabs, {name}: an answer",
            f"p50 {milliseconds(phase.asked, 50)}, p99 {milliseconds(phase.asked, 99)}; {phase.refused} refused",
        ),
        (
            f"{plan.tabs} tabs, {name}: message stored → in the tab",
            f"p50 {percentile(phase.seen, 50):.2f} s, p99 {percentile(phase.seen, 99):.2f} s; "
            f"{len(phase.seen)} seen of {phase.written}",
        ),
        (f"{plan.tabs} tabs, {name}: store reads", f"{reads:.1f} per tab and minute"),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Keep many chat tabs open while customers write.")
    parser.add_argument("--tabs", type=int, default=Plan().tabs)
    parser.add_argument("--seconds", type=int, default=Plan().seconds)
    run(parser, "tabs", lambda given: rows(Plan(given.tabs, given.seconds)))


if __name__ == "__main__":
    main()
