"""The task port: work that waits in a queue. Its adapters are Cloud Tasks and, on one machine, SQLite.

Queues are named `send-<line>`, `bulk-<line>`, `sync-<connection>`, `marks`, `media`, `history` and `housekeeping`. A
task is an HTTP POST of its payload as JSON to the function that it names; it is delivered at least once, in no promised
order, and again with growing pauses until it is answered 2xx.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from functions.core.ids import key_of


class Task(Struct, frozen=True):
    """A piece of work. `payload` holds its `kind` and ids, never content. `at`: not before (default: now).

    `name` makes it happen once: a name that is queued or was used in the last hour is not queued again.
    It is made with `core.ids.key_of`.
    """

    queue: str
    function: Literal["sender", "sync"]
    payload: Mapping[str, str]
    name: str | None = None
    at: datetime | None = None


def joined(tasks: Sequence[Task]) -> Sequence[Task]:
    """Return the tasks with one in place of several that ask for the same work: a CRM is asked once, not for each.

    Its name is made from all of theirs: under the name of one, it would be let be when only that one was done before.
    """
    if len(tasks) < 2:
        return tasks
    alike: dict[tuple[str, ...], list[Task]] = {}
    for task in tasks:
        alike.setdefault((task.queue, *task.payload.values()), []).append(task)
    return [_one_for_all(group) for group in alike.values()]


def _one_for_all(tasks: Sequence[Task]) -> Task:
    names = [task.name for task in tasks if task.name]
    return replace(tasks[0], name=key_of("all", *names)) if len(names) > 1 else tasks[0]


class QueueUnavailable(Exception):
    """The queue did not take the task in time. It may or may not have it."""


class TaskQueue(Protocol):
    """Where work waits."""

    async def enqueue(self, task: Task) -> None:
        """Queue a task; one whose name is already known is let be. Raises `QueueUnavailable` within 3 s."""
        ...

    async def make_queue(self, queue: str) -> None:
        """Make a line's or a connection's queue with its limits; one that is there is set to them again.

        Raises `QueueUnavailable` with a sentence, and ValueError for a name that `core.queues` does not know.
        """
        ...

    async def remove_queue(self, queue: str) -> None:
        """Remove a queue with what waits in it; one that is not there is fine. Raises `QueueUnavailable`."""
        ...

    async def close(self) -> None:
        """Give back connections and threads."""
        ...
