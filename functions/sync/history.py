"""Chats of the past become messages of their conversations, in their place by time.

They open no window, are never unread and alert nobody. A message may come live too, before or after: whichever is
second finds the first and adds what that one lacks.
"""

import logging
from collections.abc import Sequence
from typing import Any

from functions.core.changes import change_step, completed, filled, is_early
from functions.core.conversation import conversation_key, grown
from functions.core.erased import Erased
from functions.core.events import deliver_task, event
from functions.core.fetching import KEPT_AT_META, fetch_task
from functions.core.identity import Nameless
from functions.core.ids import key_of
from functions.core.imports import put_aside
from functions.core.late import bring_together
from functions.core.lines import Directory, Line
from functions.core.message import key_of_message, message_fields, message_of_wamid, sort_key
from functions.core.people import People
from functions.core.ports import Ports
from functions.core.retention import keep
from functions.core.status import RANK
from functions.core.store import NOW, Document, Maximum, Refused, Unavailable, Unstorable, Write, create, update
from functions.core.whatsapp import HISTORY, MEDIA_TYPES, PHONE, Message, Past

log = logging.getLogger(__name__)

_RACES = 5


class History:
    """Takes what was said on a line before we knew of it."""

    def __init__(self, ports: Ports, line: Line) -> None:
        self._ports = ports
        self._line = line
        self._directory = Directory(ports.store)

    async def take(self, items: Sequence[Past]) -> None:
        """Store what one customer and the business said. Raises `Unavailable`."""
        messages = {item.said.wamid: (item, item.said) for item in items if isinstance(item.said, Message)}
        if messages:
            await self._take_messages([*messages.values()])
        for item in items:
            if not isinstance(item.said, Message):
                await self._change(item)

    async def _take_messages(self, items: Sequence[tuple[Past, Message]]) -> None:
        for _ in range(_RACES):
            try:
                writes, fresh = await self._writes(items)
                await self._ports.store.commit(writes)
            except (Unstorable, Nameless) as error:
                await self._apart(items, error)
                return
            except Refused:
                continue  # The same message came live meanwhile, or the customer was met: look again.
            await self._follow(fresh)
            for _, message in items:
                if message.by == PHONE:
                    # Also of those that are stored already: whoever stored them may have died before this.
                    await bring_together(self._ports, self._line, message.wamid)
            return
        raise Unavailable("lost every race")

    async def _apart(self, items: Sequence[tuple[Past, Message]], error: Exception) -> None:
        """Find the one among several that can't be stored, and park it."""
        if len(items) > 1:
            for one in items:
                await self._take_messages([one])
            return
        [(item, _)] = items
        await self._park(item, str(error) if isinstance(error, Nameless) else "no store takes it")

    async def _park(self, item: Past, reason: str) -> None:
        log.warning("update parked", extra={"reason": reason, "line": self._line.id})
        await self._ports.store.commit(put_aside(reason, HISTORY, item.raw, self._line, self._ports.now()))

    async def _writes(self, items: Sequence[tuple[Past, Message]]) -> tuple[list[Write], list[tuple[Message, str]]]:
        """Return what is to be written, and the messages that are stored then, with the ids of their documents."""
        line, now = self._line, self._ports.now()
        person, at = items[0][1].person, max(message.at for _, message in items)
        crowd = await People(self._ports.store).crowd([(line.account, person)], now, certain=True)
        erased, policy = crowd.erased_at(line.account, person), await self._directory.policy(line.account)
        items = [(item, message) for item, message in items if message.at > erased]
        if not items:
            return [], []
        contact, writes = crowd.contact_of(line.account, person, at)
        conversation = conversation_key(line.id, contact)
        there = await self._stored([message for _, message in items])
        messages: list[Write] = []
        fresh = []
        for index, (item, message) in enumerate(items):
            told_of = message_fields(
                message,
                account=line.account,
                line=line.id,
                conversation=conversation.id,
                contact=contact,
                sort=sort_key(message.at, now, index),
            )
            fields = keep(told_of, policy) | _past_fields(item)
            write = _write(message, fields, there[message.wamid], line)
            if write is not None:
                messages.append(write)
                fresh.append((message, write.key.id))
        if not messages:
            return [], []
        known = grown(conversation, account=line.account, line=line.id, connection=line.connection, contact=contact)
        told = event(
            "conversation.updated",
            account=line.account,
            connection=line.connection,
            conversation=conversation.id,
            detail="history",
            now=now,
        )
        return [*messages, known, told, *writes], fresh

    async def _stored(self, messages: Sequence[Message]) -> dict[str, Document | None]:
        """Return the documents that are there of these messages, by wamid."""
        keys = [key_of_message(message, self._line.id) for message in messages]
        found = await self._ports.store.get(keys)
        return {
            message.wamid: document or await message_of_wamid(self._ports.store, self._line.id, message.wamid)
            for message, document in zip(messages, found, strict=True)
        }

    async def _follow(self, fresh: Sequence[tuple[Message, str]]) -> None:
        tasks = self._ports.tasks
        for message, key in fresh:
            if message.type in MEDIA_TYPES:
                await tasks.enqueue(fetch_task(self._line.id, key, self._ports.now() + KEPT_AT_META))
        if fresh:
            await tasks.enqueue(deliver_task(self._line.connection, key_of("history", fresh[-1][1])))

    async def _change(self, item: Past) -> None:
        assert not isinstance(item.said, Message)  # noqa: S101 - for the type checker
        for _ in range(_RACES):
            try:
                step = await change_step(item.said, self._line, self._ports.store, self._ports.now(), told=False)
                await self._ports.store.commit(step.writes)
            except Erased:
                return
            except Unstorable:
                await self._park(item, "no store takes it")
                return
            except Refused:
                continue
            if step.awaited:
                await bring_together(self._ports, self._line, step.awaited)
            return
        raise Unavailable("lost every race")


def _past_fields(item: Past) -> dict[str, Any]:
    """Return what a message of the past has besides; only that it was read is known, not when."""
    status = {"rank": RANK[item.status]} if item.status else {}
    return {"history": True, **status, **({"statuses": {}} if item.status == "failed" else {})}


def _write(message: Message, fields: dict[str, Any], there: Document | None, line: Line) -> Write | None:
    """Return the write for a message, seen what is stored of it; None where nothing is missing."""
    if there is None:
        return create(key_of_message(message, line.id), fields)
    if is_early(there):
        return update(there.key, filled(fields, there.fields), version=there.version)
    missing = completed(there.fields, fields)
    if fields.get("rank", 0) > there.fields.get("rank", 0):
        missing |= {"rank": Maximum(fields["rank"]), "changed": NOW}
    return update(there.key, missing, version=there.version) if missing else None
