"""How fast a backlog drains on one machine, against the rate that its lines' queues are given."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bench.one_machine import NUMBERS, OneMachine
from functions.core.queues import LIMITS

CUSTOMERS = 40
"""Who wrote to each line."""

_EACH = {1: 8, len(NUMBERS): 2}
"""How many messages wait for each customer, by how many lines drain."""

_PATIENCE = 30.0
"""Seconds after which a drain is given up."""

_MOST = 0.9
"""Of the messages: what comes last waits for its conversation, whose messages go one after another."""

_QUEUE = LIMITS["send-"]


class Unsent(Exception):
    """Not all was sent in time; the text says how much was."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Messages a second until most were sent, and until the last; seconds of CPU in each second."""

    most: float
    all: float
    cpu: float


async def rows(machine: OneMachine) -> list[tuple[str, str]]:
    """Return the rows. A full bucket lets a second's worth go at once, so the clock starts after that."""
    return [
        (
            f"drain rate, {each} messages to each of {CUSTOMERS} customers, lines: {lines}",
            await _figure(machine, NUMBERS[:lines], each),
        )
        for lines, each in _EACH.items()
    ]


async def _figure(machine: OneMachine, numbers: Sequence[str], each: int) -> str:
    try:
        return _compared(await _drained(machine, numbers, each), len(numbers) * _QUEUE.rate)
    except Unsent as late:
        return str(late)


def _compared(drain: Drain, configured: float) -> str:
    return (
        f"{drain.most / configured:.2f} × the queues' rate until {_MOST:.0%} are sent, {drain.all / configured:.2f} × "
        f"until all are ({drain.most:.0f} and {drain.all:.0f} against {configured:.0f}/s; the one process took "
        f"{drain.cpu:.2f} of a CPU)"
    )


async def _drained(machine: OneMachine, numbers: Sequence[str], each: int) -> Drain:
    await machine.pause()
    conversations = [one for number in numbers for one in machine.conversations[number]]
    # In turns, so that all wait from the beginning; a tab waits for each answer before it posts again.
    for _ in range(each):
        await asyncio.gather(*(machine.say(one) for one in conversations))
    before, count, burst = len(machine.graph.calls), each * len(conversations), int(len(numbers) * _QUEUE.rate)
    cpu = await machine.cpu()
    await machine.resume()
    try:
        await machine.graph.called(before + count, within=_PATIENCE)
    except TimeoutError:
        sent = len(machine.graph.calls) - before
        raise Unsent(f"only {sent} of {count} were sent in {_PATIENCE:g} s") from None
    calls = machine.graph.calls[before:]
    cpu = await machine.cpu() - cpu
    most = int(_MOST * count)
    return Drain(
        most=(most - burst) / (calls[most - 1] - calls[burst - 1]),
        all=(count - burst) / (calls[-1] - calls[burst - 1]),
        cpu=cpu / (calls[-1] - calls[0]),
    )
