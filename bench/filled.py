"""A store as it is after years: many conversations, each with messages of both sides, all told and settled.

The documents are those that the real functions write for one conversation, multiplied: under other names and at other
times. That takes seconds where the functions would take hours, and leaves the same rows and the same indexes.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.texts import SENTENCE
from functions.core.conversation import conversation_key
from functions.core.identity import stated
from functions.core.ids import key_of
from functions.core.message import Callback, inbound_key, message_key, sort_key, wamid_key
from functions.core.whatsapp import Person
from functions.local.sqlite_store import SqliteStore
from tests.payloads import ANA, Customer, status
from tests.rig import ACCOUNT, LINE, Rig

EACH = 20
"""Messages of a conversation: half of them came in."""

_SECONDS_APART = 3600

Row = tuple[str, str, int, str]
"""Collection, id, version, fields."""


def customer(number: int) -> Customer:
    """Return the customer of a conversation."""
    return Customer(f"4915{number:09}", f"DE.{number:020}", "A customer")


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation's names. `callback` and `wamid` are those of its last message of ours."""

    number: int
    id: str
    contact: str
    callback: str
    wamid: str


def chat(number: int) -> Chat:
    """Return the names of a conversation."""
    contact = key_of("contact", ACCOUNT, "bsuid", f"DE.{number:020}")
    last = _client_id(EACH // 2 - 1)
    return Chat(
        number,
        conversation_key(LINE, contact).id,
        contact,
        Callback(LINE, contact, last).text(),
        _wamid(number, EACH // 2 - 1, "out"),
    )


async def fill(rig: Rig, folder: Path, messages: int) -> list[Chat]:
    """Let a rig's store, which is empty but for its line, hold so many messages. The rig must be started anew."""
    await rig.store.close()
    chats = [chat(number) for number in range(messages // EACH)]
    with closing(sqlite3.connect(folder / "store.db", isolation_level=None)) as database:
        sample = database.execute("SELECT collection, id, version, fields FROM documents").fetchall()
        multiplied = _Multiplied(sample, int(datetime.now(UTC).timestamp()))
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = MEMORY", "cache_size = -400000"):
            database.execute(f"PRAGMA {pragma}")
        indexes = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'"))
        # Built afterwards, at once instead of row by row.
        for index in indexes:
            database.execute(f"DROP INDEX {index}")
        database.execute("BEGIN")
        for one in chats:
            database.executemany("INSERT INTO documents VALUES (?, ?, ?, ?)", multiplied.rows(one))
        database.execute("COMMIT")
        for statement in indexes.values():
            database.execute(statement)
        database.execute("PRAGMA journal_mode = WAL")
    await SqliteStore(folder / "store.db").close()
    return chats


async def sample(rig: Rig) -> None:
    """Let one conversation happen, to its end."""
    tab = await rig.chatting(ANA)
    await tab.say("Yes, both sizes are here.", _client_id(0))
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    for state in ("sent", "delivered", "read"):
        await rig.deliver(status(state, "wamid.out.1", callback=callback))
    await rig.drain()


class _Multiplied:
    """The sample's documents under other names."""

    def __init__(self, sample: list[Row], now: int) -> None:
        self._now = now
        of_ana = {alias.kind: alias.key.id for alias in stated(ACCOUNT, Person(wa_id=ANA.wa_id, bsuid=ANA.bsuid))}
        contact = key_of("contact", ACCOUNT, "bsuid", ANA.bsuid or "")
        self._old = (
            conversation_key(LINE, contact).id,
            contact,
            of_ana["bsuid"],
            of_ana["wa_id"],
            ANA.bsuid or "",
            ANA.wa_id or "",
        )
        self._once = [row for row in sample if row[0] in ("conversations", "contacts", "aliases", "outboxes")]
        self._sides = {}
        for collection, _, _, fields in sample:
            if collection == "messages":
                said = json.loads(fields)
                self._sides[said["direction"]] = _marked(said)

    def rows(self, chat: Chat) -> Iterator[Row]:
        """Yield the documents of one conversation."""
        person = customer(chat.number)
        aliases = {one.kind: one.key.id for one in stated(ACCOUNT, Person(wa_id=person.wa_id, bsuid=person.bsuid))}
        new = (chat.id, chat.contact, aliases["bsuid"], aliases["wa_id"], person.bsuid or "", person.wa_id or "")
        pairs = list(zip(self._old, new, strict=True))
        last = self._now - chat.number % 80_000
        for collection, id_, version, fields in self._once:
            yield collection, _replaced(id_, pairs), version, _updated(_replaced(fields, pairs), last)
        sides = {side: _replaced(fields, pairs) for side, fields in self._sides.items()}
        for place in range(EACH):
            side = "in" if place % 2 == 0 else "out"
            at = last - (EACH - place) * _SECONDS_APART
            wamid = _wamid(chat.number, place // 2, side)
            if side == "in":
                key = inbound_key(LINE, wamid)
            else:
                key = message_key(Callback(LINE, chat.contact, _client_id(place // 2)).message)
            marks = {
                "@at": str(at),
                "@sort": sort_key(at, datetime.fromtimestamp(at, UTC)),
                "@changed": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
                "@wamid_key": wamid_key(wamid),
                "@wamid": wamid,
                "@client_id": _client_id(place // 2),
            }
            yield "messages", key.id, at * 1_000_000, _replaced(sides[side], list(marks.items()))


def _replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _marked(said: dict[str, Any]) -> str:
    """Return a message's fields with marks where each message has its own."""
    own = {name: f"@{name}" for name in ("sort", "wamid", "wamid_key", "client_id") if name in said}
    times = {name: "\x01@changed" for name in ("changed", "queued") if name in said}
    raw = {"raw": said["raw"].replace(said["wamid"], "@wamid")} if "raw" in said else {}
    marked = {**said, **own, **times, **raw, "at": "@at", "content": {**said["content"], "body": SENTENCE}}
    return json.dumps(marked, separators=(",", ":"), sort_keys=True).replace('"@at"', "@at")


def _updated(fields: str, at: int) -> str:
    """Return a document as it was last changed then."""
    said = json.loads(fields)
    if "updated" in said:
        said["updated"] = "\x01" + datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
    return json.dumps(said, separators=(",", ":"), sort_keys=True)


def _client_id(number: int) -> str:
    return f"client-{number:06}"


def _wamid(chat: int, number: int, side: str) -> str:
    return f"wamid.HBgN{side}{chat:09}{number:06}"
