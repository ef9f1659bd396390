"""What a phone app handed over is worked off some at a time: chats of the past, and the address book."""

import itertools
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from functions.core.imports import Kept, done_writes, import_task, put_aside, reached, waiting_import
from functions.core.lines import Directory, Line
from functions.core.ports import Ports
from functions.core.whatsapp import HISTORY, Entry, Past, Unhandled, address_book, past
from functions.core.work import Hopeless
from functions.sync.address_book import AddressBook
from functions.sync.history import History

log = logging.getLogger(__name__)

_AT_ONCE = 40
"""Messages of one customer, or entries of the address book, that stand in one commit."""

_PORTIONS = 10
"""How many of them a task takes."""

_Item = Past | Entry | Unhandled


async def work_off(ports: Ports, item: str, start: int) -> None:
    """Take some of an import, and queue what is left. Repeating it is harmless. Raises `Hopeless`, `Unavailable`."""
    kept = await waiting_import(ports.store, item)
    if kept is None:
        return
    line = await Directory(ports.store).line(kept.line)
    if line is None:
        raise Hopeless("the line is gone")
    portions = _portions(kept, line)
    for portion in portions[start : start + _PORTIONS]:
        await _take(ports, line, kept.kind, portion)
    end = start + _PORTIONS
    if end < len(portions):
        await ports.store.commit([reached(item, end)])
        await ports.tasks.enqueue(import_task(item, end))
        return
    await ports.store.commit(done_writes(kept))
    log.info("import worked off", extra={"line": line.id, "count": sum(len(portion) for portion in portions)})


def _portions(kept: Kept, line: Line) -> list[Sequence[_Item]]:
    read: Iterable[_Item] = (past if kept.kind == HISTORY else address_book)(line.phone_number_id, kept.value)
    alike = [[*items] for _, items in itertools.groupby(read, key=_whose)]
    return [items[start : start + _AT_ONCE] for items in alike for start in range(0, len(items), _AT_ONCE)]


def _whose(item: _Item) -> Any:
    """Return what the items of one portion have in common."""
    return item.said.person if isinstance(item, Past) else type(item)


async def _take(ports: Ports, line: Line, kind: str, portion: Sequence[_Item]) -> None:
    if chats := [item for item in portion if isinstance(item, Past)]:
        await History(ports, line).take(chats)
    elif entries := [item for item in portion if isinstance(item, Entry)]:
        await AddressBook(ports, line).take(entries)
    for item in portion:
        if isinstance(item, Unhandled):
            log.warning("update parked", extra={"reason": item.reason, "line": line.id})
            await ports.store.commit(put_aside(item.reason, kind, item.raw, line, ports.now()))
