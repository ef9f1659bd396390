"""What each hot operation costs when a thousand messages are stored, a hundred thousand, a million.

    python -m bench.growth [--sizes 1000 100000 1000000] [--write]

The real functions run on embedded stores of each size, in turns, each time for another conversation; what is compared
is the median of an operation's CPU time, threads included, and of its time on the clock, which also waits for the disk.
Firestore's emulator looks through everything it has, so its time says nothing of Firestore's: there the documents that
are read are compared, by which Firestore's time and price go, up to a hundred thousand messages.
"""

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import httpx
import uvloop

from bench.cost import Bill, CountedStore
from bench.filled import Chat, customer, fill, sample
from bench.peers.home import FOLDER
from bench.table import Progress, aloud, run
from functions.core.firestore import FirestoreStore
from functions.core.outbox import send_task
from functions.core.store import Key, Store, Unavailable, create
from functions.core.tasks import Task
from functions.local.sqlite_store import SqliteStore
from tests.google.firestore_emulator import FirestoreEmulator, warmed_up
from tests.google.parts import MissingPart
from tests.payloads import inbound_text, status
from tests.rig import LINE, Rig, Tab

SIZES = (1_000, 100_000, 1_000_000)
_EMULATED = 100_000
"""The most messages that the emulator, which keeps everything in memory, is given."""

_ROUNDS = 40
_EMULATED_ROUNDS = 3
_PATIENCE = 120
"""Seconds that one call to the emulator may take."""

_COPIED_AT_ONCE = 200


@dataclass(slots=True)
class Cost:
    """The seconds of each round, and the documents that were read in it, as Firestore counts."""

    cpu: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)


class Shop:
    """A filled store with the functions on it, and what happens there again and again."""

    def __init__(self, rig: Rig, chats: Sequence[Chat], store: Store) -> None:
        self.bill: Bill = Counter()
        self._rig = rig
        self._chats = chats
        self._store = store
        rig.ports = replace(rig.ports, store=CountedStore(store, self.bill))
        rig.start()
        self._turn = 0
        self._said = 0

    def next(self) -> None:
        """Go on to another conversation, far from the last one."""
        self._turn = (self._turn + 7919) % len(self._chats)

    @property
    def _chat(self) -> Chat:
        return self._chats[self._turn]

    @property
    def _tab(self) -> Tab:
        return self._rig.tab(self._chat.id)

    async def message(self) -> None:
        self._said += 1
        await self._rig.deliver(inbound_text(customer(self._chat.number), wamid=f"wamid.new.{self._said}"))

    async def status(self) -> None:
        chat = self._chat
        await self._rig.deliver(status("played", chat.wamid, to=customer(chat.number), callback=chat.callback))

    async def to_crm(self) -> None:
        """Tell the CRM what the message and the status made."""
        task = next(task for task in self._rig.tasks.due() if task.function == "sync")
        self._rig.tasks.waiting.clear()
        await self._good(self._rig.run(task))

    async def first_page(self) -> None:
        await self._tab.head()
        await self._tab.page()

    async def older_page(self) -> None:
        await self._tab.page(before=self._older)

    async def look_up(self) -> None:
        """Find out, outside of what is measured, where the older page and the news begin."""
        page = await self._tab.page(limit=5)
        self._older, self._cursor = page["next"], page["cursor"]

    async def news(self) -> None:
        await self._tab.page(after=self._cursor)

    async def inbox(self) -> None:
        answer = await self._rig.call("GET", f"/v1/conversations?line={LINE}&limit=20")
        assert len(answer.json()["items"]) == 20

    async def send(self) -> None:
        await self._tab.say("We keep it for you.")

    async def sender(self) -> None:
        self._rig.tasks.waiting.clear()
        sent = len(self._rig.whatsapp.messages)
        await self._good(self._rig.run(send_task(LINE, self._chat.id, "bench")))
        assert len(self._rig.whatsapp.messages) == sent + 1

    async def sweep(self) -> None:
        await self._good(self._rig.run(Task("housekeeping", "sync", {"kind": "sweep"})))

    async def purge(self) -> None:
        """What Firestore does by itself."""
        assert isinstance(self._store, SqliteStore)
        await self._store.purge_expired(self._rig.clock())

    async def close(self) -> None:
        await self._store.close()
        await self._rig.store.close()

    async def _good(self, call: Awaitable[httpx.Response]) -> None:
        answer = await call
        assert answer.status_code == 200, answer.text


Operation = Callable[[Shop], Awaitable[None]]

_OPERATIONS: dict[str, Operation] = {
    "a customer's message accepted": Shop.message,
    "a status of ours accepted": Shop.status,
    "both told to the CRM": Shop.to_crm,
    "a tab's head and first page": Shop.first_page,
    "an older page": Shop.older_page,
    "a tab's question for news": Shop.news,
    "the list of conversations": Shop.inbox,
    "an agent's message taken": Shop.send,
    "it is sent": Shop.sender,
    "the sweep": Shop.sweep,
    "what expired is looked for": Shop.purge,
}
"""In the order in which they happen: some make what the next one needs."""


Filled = Callable[[Path, int], Awaitable[Shop]]
"""What fills a store in a folder with so many messages."""


async def measured(
    folder: Path,
    sizes: Sequence[int],
    progress: Progress,
    filled: Filled,
    operations: Mapping[str, Operation],
    rounds: int = _ROUNDS,
) -> dict[str, dict[int, Cost]]:
    """Return each operation's cost by size."""
    costs = {name: {size: Cost() for size in sizes} for name in operations}
    async with AsyncExitStack() as open_:
        shops = {}
        for size in sizes:
            began = time.perf_counter()
            (folder / str(size)).mkdir(parents=True)
            shops[size] = await filled(folder / str(size), size)
            open_.push_async_callback(shops[size].close)
            progress(f"{size:,} messages stored, in {time.perf_counter() - began:.0f} s")
        for number in range(rounds + 1):
            for size in list(sizes)[:: -1 if number % 2 else 1]:
                shop = shops[size]
                shop.next()
                await shop.look_up()
                for name, operation in operations.items():
                    shop.bill.clear()
                    cpu, clock = time.process_time(), time.perf_counter()
                    await operation(shop)
                    # The first round warmed everything up.
                    if number:
                        costs[name][size].cpu.append(time.process_time() - cpu)
                        costs[name][size].clock.append(time.perf_counter() - clock)
                        costs[name][size].reads.append(shop.bill["reads"])
    return costs


async def _embedded(folder: Path, size: int) -> Shop:
    rig, chats = await _filled(folder, size)
    return Shop(rig, chats, SqliteStore(folder / "store.db"))


async def _emulated(folder: Path, size: int) -> Shop:
    """Copy an embedded store into a project of the emulator's."""
    rig, chats = await _filled(folder, size)
    embedded, store = SqliteStore(folder / "store.db"), FirestoreStore(f"growth-{size}")
    await warmed_up(store)
    with closing(sqlite3.connect(folder / "store.db")) as database:
        keys = [Key(*row) for row in database.execute("SELECT collection, id FROM documents")]
    for start in range(0, len(keys), _COPIED_AT_ONCE):
        found = await embedded.get(keys[start : start + _COPIED_AT_ONCE])
        await store.commit([create(one.key, one.fields) for one in found if one])
    await embedded.close()
    return Shop(rig, chats, store)


async def _filled(folder: Path, size: int) -> tuple[Rig, list[Chat]]:
    rig = Rig(folder)
    await rig.set_up()
    await sample(rig)
    chats = await fill(rig, folder, size)
    filled = Rig(folder)
    await filled.store.close()
    filled.secret = rig.secret
    filled.crm.secret = rig.secret
    return filled, chats


def rows(sizes: Sequence[int] = SIZES, progress: Progress = aloud) -> list[tuple[str, str]]:
    """Return the rows of the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        costs = uvloop.run(measured(Path(folder, "embedded"), sizes, progress, _embedded, _OPERATIONS))
        on_firestore = _on_firestore(Path(folder, "emulated"), [size for size in sizes if size <= _EMULATED], progress)
    return [*((name, _shown(by_size)) for name, by_size in costs.items()), *on_firestore]


def _on_firestore(folder: Path, sizes: Sequence[int], progress: Progress) -> list[tuple[str, str]]:
    operations = {name: one for name, one in _OPERATIONS.items() if one is not Shop.purge}
    try:
        with (
            FirestoreEmulator(heap="3g") as emulator,
            patch.dict(os.environ, emulator.environment),
            patch("functions.core.firestore.DEADLINE", _PATIENCE),
            patch("functions.core.google_calls.DEADLINE", _PATIENCE),
        ):
            costs = uvloop.run(measured(folder, sizes, progress, _emulated, operations, _EMULATED_ROUNDS))
    except (MissingPart, Unavailable) as missing:
        return [("on Firestore's emulator", f"not measured: {missing}")]
    at = " and ".join(f"{size:,}" for size in sizes)
    return [
        (f"on Firestore's emulator: {name}", f"documents read at {at}: {_reads(by_size)}")
        for name, by_size in costs.items()
    ]


def _shown(by_size: dict[int, Cost]) -> str:
    smallest, *others = by_size
    cpu = {size: statistics.median(cost.cpu) * 1e3 for size, cost in by_size.items()}
    clock = {size: statistics.median(cost.clock) * 1e3 for size, cost in by_size.items()}
    ratios = ", ".join(
        f"{cpu[size] / cpu[smallest]:.2f} × at {size:,} ({clock[size] / clock[smallest]:.2f} × on the clock)"
        for size in others
    )
    return f"{ratios}; at {smallest:,} it is {cpu[smallest]:.1f} ms of CPU; documents read: {_reads(by_size)}"


def _reads(by_size: dict[int, Cost]) -> str:
    return ", ".join(f"{statistics.median(cost.reads):g}" for cost in by_size.values())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare what operations cost with few messages stored and with many.")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    run(parser, "growth", lambda given: rows(given.sizes))


if __name__ == "__main__":
    main()
