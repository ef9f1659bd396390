"""The checkup of all lines: a task for each, which the sender does, since it alone can open the tokens."""

from functions.core.ids import key_of
from functions.core.lines import every_line
from functions.core.ports import Ports
from functions.core.tasks import Task

_EVERY = 60
"""Seconds in which a line is looked at once, however often it is asked for."""


async def check_lines(ports: Ports) -> None:
    """Queue a checkup of each line."""
    turn = str(int(ports.now().timestamp()) // _EVERY)
    for line in await every_line(ports.store):
        payload = {"kind": "checkup", "line": line.id}
        await ports.tasks.enqueue(Task("housekeeping", "sender", payload, key_of("checkup", line.id, turn)))
