"""What a message costs: what Google would bill for it, counted while the real functions handle it.

Each happening is handled alone and to its end, and nobody is remembered where the table says so. A busy line costs
less: one delivery then takes up to 100 events to the CRM. `python -m bench.cost` brings `docs/cost.md` up to date.
"""

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from functions.core.indexes import TTL_FIELD
from functions.core.store import Document, Key, Query, Store, Write
from functions.core.tasks import Task, TaskQueue
from tests.payloads import ANA, LUCIA, MIA, inbound_image, inbound_text, status
from tests.rig import Rig, Tab, rigged

DOCS = Path(__file__).parents[1] / "docs" / "cost.md"

Bill = Counter[str]
"""How many `reads`, `writes` and `deletes` of documents, operations of Cloud Tasks (`tasks`), requests by function.

`commits` counts also those that are refused; nothing is billed for them.
"""

FUNCTIONS = ("webhook", "sync", "sender", "chat")
OPERATIONS = ("reads", "writes", "deletes", "tasks", "requests")

_SWEEP = "sweep, nothing late"


class CountedStore:
    """A store that counts as Firestore bills: an empty query is a read, what expires is a delete."""

    def __init__(self, store: Store, bill: Bill) -> None:
        self._store = store
        self._bill = bill
        self._expiring: set[Key] = set()

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        self._bill["reads"] += len(keys)
        return await self._store.get(keys)

    async def query(self, query: Query) -> list[Document]:
        found = await self._store.query(query)
        self._bill["reads"] += max(1, len(found))
        return found

    async def commit(self, writes: Sequence[Write]) -> None:
        self._bill["commits"] += 1
        await self._store.commit(writes)
        for write in writes:
            self._bill["deletes" if write.kind == "delete" else "writes"] += 1
            if write.kind == "delete":
                self._expiring.discard(write.key)
            elif TTL_FIELD in write.fields:
                self._expiring.add(write.key)

    def expire(self) -> None:
        """Count what will be deleted by its time to live, from here on as done."""
        self._bill["deletes"] += len(self._expiring)
        self._expiring.clear()

    async def close(self) -> None:
        await self._store.close()


class CountedTasks:
    """A queue that counts each task twice: it is an operation to add it, known before or not, and one to deliver it."""

    def __init__(self, tasks: TaskQueue, bill: Bill) -> None:
        self._tasks = tasks
        self._bill = bill

    async def enqueue(self, task: Task) -> None:
        self._bill["tasks"] += 1
        await self._tasks.enqueue(task)

    async def make_queue(self, queue: str) -> None: ...

    async def remove_queue(self, queue: str) -> None: ...

    async def close(self) -> None:
        await self._tasks.close()


class Meter:
    """A rig whose operations are counted."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._bill: Bill = Counter()
        self._store = CountedStore(rig.store, self._bill)
        rig.ports = replace(rig.ports, store=self._store, tasks=CountedTasks(rig.tasks, self._bill))

    def restart(self) -> None:
        """Start the functions, which remember nothing."""
        self.rig.start()
        for name in FUNCTIONS:
            client: httpx.AsyncClient = getattr(self.rig, name)
            client.event_hooks["request"].append(self._counter(name))

    async def alone(self, happening: Awaitable[object]) -> Bill:
        """Let something happen and return what that took, without what it queues."""
        # What was written to get here, and will expire, is not part of it.
        self._store.expire()
        self._bill.clear()
        await happening
        return self._bill.copy()

    async def bill(self, happening: Awaitable[object]) -> Bill:
        """Let something happen, run what it queues, and return what that took."""
        await self.alone(happening)
        await self.rig.drain()
        self._store.expire()
        self._bill["tasks"] += self._bill["sender"] + self._bill["sync"]
        self._bill["requests"] = sum(self._bill[name] for name in FUNCTIONS)
        return self._bill.copy()

    def _counter(self, name: str) -> Callable[[httpx.Request], Awaitable[None]]:
        async def count(_: httpx.Request) -> None:
            self._bill[name] += 1

        return count


async def counted() -> dict[str, Bill]:
    """Return what each happening takes."""
    with tempfile.TemporaryDirectory() as folder:
        async with rigged(Path(folder)) as rig:
            meter = Meter(rig)
            meter.restart()
            return {name: bill async for name, bill in _happenings(meter)}


async def _happenings(meter: Meter) -> AsyncIterator[tuple[str, Bill]]:
    rig = meter.rig
    await warm(meter)
    yield "first message of a stranger", await meter.bill(rig.deliver(inbound_text(LUCIA)))
    yield "later message, seen within the minute", await meter.bill(rig.deliver(inbound_text(LUCIA)))
    tab = await warm(meter)
    yield "later message", await meter.bill(rig.deliver(inbound_text(LUCIA)))
    message = inbound_text(LUCIA)
    await meter.bill(rig.deliver(message))
    yield "redelivery of a message", await meter.bill(rig.deliver(message))
    rig.whatsapp.files["picture"] = b"a picture"
    yield "picture", await meter.bill(rig.deliver(inbound_image(LUCIA, "picture", b"a picture")))
    yield "agent's message", await meter.bill(tab.say("Hello!"))
    callback, wamid = rig.whatsapp.messages[-1]["biz_opaque_callback_data"], f"wamid.out.{len(rig.whatsapp.messages)}"
    yield "status of it", await meter.bill(rig.deliver(status("delivered", wamid, callback=callback)))
    await meter.bill(rig.deliver(*(inbound_text(ANA, str(number)) for number in range(50))))
    yield "opening a chat", await meter.bill(_opened(tab))
    yield "reading it", await meter.bill(tab.read((await tab.last())["id"]))
    quiet = await rig.chatting(MIA)
    cursor = (await quiet.page())["cursor"]
    yield "asking for news, none", await meter.bill(quiet.page(after=cursor))
    yield _SWEEP, await meter.bill(rig.sweep())


async def warm(meter: Meter) -> Tab:
    """Start anew; somebody else's chat lets every function know the line. Returns the tab of that chat."""
    meter.restart()
    tab = await meter.rig.chatting(ANA)
    await tab.say("Hello!")
    await meter.rig.drain()
    return tab


async def _opened(tab: Tab) -> None:
    await tab.head()
    await tab.page()


# Prices in US dollars, of a region in the United States. They differ by region and change: check them.

DOCUMENT = {"reads": 0.03e-5, "writes": 0.09e-5, "deletes": 0.01e-5}
TASK = 0.40e-6
REQUEST = 0.40e-6
SECOND = 0.000024 + 0.5 * 0.0000025
"""Of an instance with one CPU and half a GiB, while it works on requests."""

SECONDS = {"webhook": 0.1, "sync": 0.5, "sender": 0.7, "chat": 0.1, _SWEEP: 0.1}
"""Assumed for a request that is alone on its instance; all other figures are counted."""

SCHEDULER = 0.10

FREE = {"reads": 50_000, "writes": 20_000, "deletes": 20_000}
"""Documents a day."""

FREE_TASKS, FREE_REQUESTS, FREE_SECONDS = 1_000_000, 2_000_000, 180_000
"""A month."""

DAYS = 30
SWEEPS = DAYS * 24 * 60

MIX: Mapping[str, int] = {
    "first message of a stranger": 50,
    "later message": 400,
    "picture": 50,
    "agent's message": 500,
    "status of it": 1500,
    "opening a chat": 200,
    "reading it": 200,
    "asking for news, none": 1000,
}
"""What 1,000 messages bring along: half of them come in, an answer is sent, delivered and read, and a chat is opened
for every five messages and stays open for five minutes."""


def month(bills: Mapping[str, Bill], messages: int) -> Bill:
    """Return what a month of so many messages takes, the sweep with it."""
    total: Bill = Counter()
    for name, often in MIX.items():
        total.update({unit: count * often * messages // 1000 for unit, count in bills[name].items()})
    sweep = bills[_SWEEP] - Counter(sync=1) + Counter({_SWEEP: 1})
    total.update({unit: count * SWEEPS for unit, count in sweep.items()})
    return total


def cost(bill: Bill, *, free: bool) -> dict[str, float]:
    """Return what a month's bill comes to in dollars, by service; `free`: after the free quotas."""

    def charged(amount: float, quota: float) -> float:
        return max(0.0, amount - quota * free)

    seconds = sum(each * bill[name] for name, each in SECONDS.items())
    return {
        "Firestore": sum(charged(bill[unit], DAYS * FREE[unit]) * price for unit, price in DOCUMENT.items()),
        "Cloud Tasks": charged(bill["tasks"], FREE_TASKS) * TASK,
        "Functions": charged(bill["requests"], FREE_REQUESTS) * REQUEST + charged(seconds, FREE_SECONDS) * SECOND,
        "Scheduler": SCHEDULER * (not free),
    }


def rows() -> list[tuple[str, str]]:
    """Return the rows of the benchmark table: what each happening takes."""
    bills = asyncio.run(counted())
    return [(name, ", ".join(f"{bill[unit]} {unit}" for unit in OPERATIONS)) for name, bill in bills.items()]


def tables(bills: Mapping[str, Bill]) -> tuple[str, str]:
    """Return the tables of `docs/cost.md`: what each happening takes, and what a month costs."""
    return "".join(_happening_rows(bills)), "".join(_month_rows(bills))


def _happening_rows(bills: Mapping[str, Bill]) -> Iterator[str]:
    yield _row("", *OPERATIONS, "of 1,000 messages")
    yield _row("---", *["--:"] * (len(OPERATIONS) + 1))
    for name, bill in bills.items():
        yield _row(name, *(str(bill[unit]) for unit in OPERATIONS), str(MIX.get(name, "")))


def _month_rows(bills: Mapping[str, Bill]) -> Iterator[str]:
    yield _row("messages a month", "per 1,000", *cost(Counter(), free=False), "list price", "after free quotas")
    yield _row(*["--:"] * 8)
    for messages in (1_000, 100_000, 10_000_000):
        bill = month(bills, messages)
        services = cost(bill, free=False)
        total, after = sum(services.values()), sum(cost(bill, free=True).values())
        figures = (f"${each:,.2f}" for each in (total / messages * 1000, *services.values(), total, after))
        yield _row(f"{messages:,}", *figures)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def documented(text: str, bills: Mapping[str, Bill]) -> str:
    """Return the text of `docs/cost.md` with its tables as they are counted now."""
    for table in tables(bills):
        header = table.partition("\n")[0]
        text = re.sub(rf"{re.escape(header)}\n(\|.*\n)+", table, text)
    return text


if __name__ == "__main__":
    DOCS.write_text(documented(DOCS.read_text(), asyncio.run(counted())))
    print(f"{DOCS} is up to date.")
