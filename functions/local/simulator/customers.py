"""The people who use WhatsApp, their chats with the lines, and the messages in them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from functions.core.phone import variants
from functions.local.simulator.database import Database
from functions.local.simulator.identifiers import bsuid, international
from functions.local.simulator.limits import WINDOW

SEEDS = (("5511912345678", "Ana Souza"), ("12025550123", "John Carter"), ("5215512345678", "Lucía Gómez"))
"""Who is there from the first start: `wa_id` and name. Lucía's has Mexico's 1, as real ones do."""

_RANK = ("sent", "delivered", "read", "played")


@dataclass(frozen=True, slots=True)
class Line:
    """A business number, as Meta knows it. `number` is written for people: +1 555 010 0001."""

    phone_number_id: str
    waba: str
    number: str
    name: str
    token: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A WhatsApp user and how their phone behaves."""

    wa_id: str
    name: str
    bsuid: str
    username: str | None
    online: bool
    auto_read: bool
    receipts: bool
    shares_phone: bool
    marketing: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `content` holds Graph's objects (`text`, `image`, `context` …) beside the type."""

    id: str
    line: str
    wa_id: str
    author: str
    type: str
    content: dict[str, Any]
    status: str
    at: float
    callback: str | None = None
    category: str | None = None
    by_bsuid: bool = False
    version: int = 0


class Changes:
    """Tells open phone pages that something changed, so that they ask again."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()

    def publish(self, wa_id: str) -> None:
        for queue in self._listeners:
            if not queue.full():  # a page that lags behind needs one more notice, not all of them
                queue.put_nowait(wa_id)

    def close(self) -> None:
        """End every open page's stream."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def stream(self, heartbeat: float) -> AsyncIterator[str | None]:
        """Yield the `wa_id` of each customer who has news, None after each quiet `heartbeat` seconds."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=64)
        self._listeners.add(queue)
        try:
            while True:
                try:
                    changed = await asyncio.wait_for(queue.get(), heartbeat)
                except TimeoutError:
                    yield None
                    continue
                if changed is None:
                    return
                yield changed
        finally:
            self._listeners.discard(queue)


class Customers:
    """Customers, chats and messages as Meta and the phones hold them."""

    def __init__(self, database: Database, clock: Callable[[], float], changes: Changes, *, auto_read: bool) -> None:
        self._database, self._clock, self._changes, self._auto_read = database, clock, changes, auto_read
        self._version = int(database.number("SELECT max(version) FROM messages"))
        if not database.number("SELECT count(*) FROM customers"):
            for wa_id, name in SEEDS:
                self.meet(wa_id, name)

    def meet(self, wa_id: str, name: str | None = None) -> Customer:
        """Return the customer of exactly this `wa_id`, made if need be, renamed if a name is given."""
        known = self.get(wa_id)
        if known is None:
            self._database.run(
                "INSERT INTO customers (wa_id, name, bsuid, auto_read) VALUES (?, ?, ?, ?)",
                *(wa_id, name or international(wa_id), bsuid(wa_id), self._auto_read),
            )
        elif name and name != known.name:
            self.update(wa_id, name=name)
        else:
            return known
        self._changes.publish(wa_id)
        return self._existing(wa_id)

    def get(self, wa_id: str) -> Customer | None:
        """Return the customer of exactly this `wa_id`."""
        row = self._database.one("SELECT * FROM customers WHERE wa_id = ?", wa_id)
        return _customer(row) if row else None

    def reached(self, number: str) -> Customer:
        """Return whom a dialled number reaches: a known customer in either living form, else somebody new."""
        for form in variants(number):
            if known := self.get(form):
                return known
        return self.meet(number)

    def of_bsuid(self, user_id: str) -> Customer | None:
        """Return the customer of a BSUID."""
        row = self._database.one("SELECT * FROM customers WHERE bsuid = ?", user_id)
        return _customer(row) if row else None

    def all(self) -> list[Customer]:
        """Return every customer, the first met first."""
        return [_customer(row) for row in self._database.all("SELECT * FROM customers ORDER BY rowid")]

    def update(self, wa_id: str, **fields: Any) -> Customer:
        """Set some of a customer's columns."""
        columns = ", ".join(f"{name} = ?" for name in fields)
        # The names are this module's and its callers' own, never a request's.
        self._database.run(f"UPDATE customers SET {columns} WHERE wa_id = ?", *fields.values(), wa_id)  # noqa: S608 - our own names
        self._changes.publish(wa_id)
        return self._existing(wa_id)

    def window_until(self, line: str, wa_id: str) -> float:
        """Return when the window closes. The first contact opens it: whoever is new may be written to."""
        now = self._clock()
        self._database.run("INSERT OR IGNORE INTO chats (line, wa_id, opened) VALUES (?, ?, ?)", line, wa_id, now)
        opened = self._database.number("SELECT opened FROM chats WHERE line = ? AND wa_id = ?", line, wa_id)
        return opened + WINDOW

    def open_window(self, line: str, wa_id: str, at: float) -> None:
        """Count the window from a message that the customer wrote at this time."""
        self._database.run(
            "INSERT INTO chats (line, wa_id, opened, wrote) VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO UPDATE"
            " SET opened = CASE wrote WHEN 0 THEN ?3 ELSE max(opened, ?3) END, wrote = max(wrote, ?3)",
            *(line, wa_id, at),
        )

    def wrote_at(self, line: str, wa_id: str) -> float:
        """Return when the customer last wrote to the line, 0 for never."""
        return self._database.number("SELECT wrote FROM chats WHERE line = ? AND wa_id = ?", line, wa_id)

    def typing(self, line: str, wa_id: str, until: float) -> None:
        """Show the business as typing until then."""
        self.window_until(line, wa_id)
        self._database.run("UPDATE chats SET typing_until = ? WHERE line = ? AND wa_id = ?", until, line, wa_id)
        self._changes.publish(wa_id)

    def typing_until(self, line: str, wa_id: str) -> float:
        return self._database.number("SELECT typing_until FROM chats WHERE line = ? AND wa_id = ?", line, wa_id)

    def unread(self, line: str, wa_id: str) -> int:
        """Return how many messages arrived that the customer has not seen."""
        return int(
            self._database.number(
                "SELECT count(*) FROM messages WHERE wa_id = ? AND line = ? AND author = 'business'"
                " AND status = 'delivered' AND type != 'reaction'",
                *(wa_id, line),
            )
        )

    def last(self, line: str, wa_id: str) -> Message | None:
        """Return the newest message that the customer's phone shows in this chat."""
        row = self._database.one(
            "SELECT * FROM messages WHERE wa_id = ? AND line = ? AND type != 'reaction'"
            " AND (author = 'customer' OR status IN ('delivered', 'read', 'played')) ORDER BY seq DESC LIMIT 1",
            *(wa_id, line),
        )
        return _message(row) if row else None

    def add(self, message: Message) -> None:
        """Keep a new message."""
        self._version += 1
        self._database.run(
            "INSERT INTO messages (id, seq, version, line, wa_id, author, type, content, status, at, callback,"
            " category, by_bsuid) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            *(message.id, self._version, message.line, message.wa_id, message.author, message.type),
            *(json.dumps(message.content), message.status, message.at, message.callback, message.category),
            message.by_bsuid,
        )
        self._changes.publish(message.wa_id)

    def message(self, message_id: str) -> Message | None:
        row = self._database.one("SELECT * FROM messages WHERE id = ?", message_id)
        return _message(row) if row else None

    def messages(self, wa_id: str, line: str | None = None, after: int = 0) -> list[Message]:
        """Return what the customer's phone shows, oldest first; with `after`, what changed since that version."""
        rows = self._database.all(
            "SELECT * FROM messages WHERE wa_id = ?1 AND version > ?2 AND (?3 IS NULL OR line = ?3)"
            " AND (author = 'customer' OR status IN ('delivered', 'read', 'played')) ORDER BY seq",
            *(wa_id, after, line),
        )
        return [_message(row) for row in rows]

    def unseen(self, wa_id: str, line: str | None, below: str) -> list[Message]:
        """Return the business's messages whose status is still below the given one, oldest first."""
        rows = self._database.all(
            "SELECT * FROM messages WHERE wa_id = ?1 AND author = 'business' AND (?2 IS NULL OR line = ?2)"
            " AND status IN ('sent', 'delivered', 'read') ORDER BY seq",
            *(wa_id, line),
        )
        return [one for one in map(_message, rows) if _RANK.index(one.status) < _RANK.index(below)]

    def raise_status(self, message: Message, status: str) -> bool:
        """Lift a message's status; say whether that changed it. A status never sinks."""
        if message.status not in _RANK or _RANK.index(status) <= _RANK.index(message.status):
            return False
        self._version += 1
        self._database.run(
            "UPDATE messages SET status = ?, version = ? WHERE id = ?", status, self._version, message.id
        )
        self._changes.publish(message.wa_id)
        return True

    def read_by_business(self, message: Message) -> None:
        """Show blue ticks on a customer's message and those before it."""
        rows = self._database.all(
            "SELECT * FROM messages WHERE wa_id = ? AND line = ? AND author = 'customer' AND status != 'read'"
            " AND seq <= (SELECT seq FROM messages WHERE id = ?)",
            *(message.wa_id, message.line, message.id),
        )
        for row in rows:
            self.raise_status(_message(row), "read")

    def _existing(self, wa_id: str) -> Customer:
        customer = self.get(wa_id)
        if customer is None:
            raise KeyError(wa_id)
        return customer


def _customer(row: Any) -> Customer:
    switches = ("online", "auto_read", "receipts", "shares_phone", "marketing")
    return Customer(**{**row, **{name: bool(row[name]) for name in switches}})


def _message(row: Any) -> Message:
    fields = {**row, "content": json.loads(row["content"]), "by_bsuid": bool(row["by_bsuid"])}
    del fields["seq"]
    return Message(**fields)
