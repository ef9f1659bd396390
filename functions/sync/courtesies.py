"""Say what is owed to a customer: the answer to a STOP, once, and the notice about their data, once.

Each goes through the outbox like an agent's message, inside of the window alone, and in the commit that notes on the
contact that it was said. However often a task comes, and whoever else is at it, the customer reads it once.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from functions.core.consent import language_of, marketing, opted_out, resumed, stopped
from functions.core.conversation import contact_key
from functions.core.courtesies import GOODBYES, NOTICE
from functions.core.events import deliver_task, event
from functions.core.joining import carry, carry_person
from functions.core.lines import Directory, Line
from functions.core.message import Author, message_key, outbound_fields, outbound_key
from functions.core.outbox import send_task
from functions.core.ports import Ports
from functions.core.retention import keep
from functions.core.status import shown
from functions.core.store import NOW, Document, Key, Refused, Unavailable, create, update
from functions.core.window import is_open

log = logging.getLogger(__name__)

_RACES = 5
_REDIRECTS = 5

_APART = timedelta(hours=24)
"""However often STOP and START take turns, a machine on the other side gets one answer in this time."""

_FROM_CUSTOMER = ("keyword", "whatsapp")
_COMMON = "en"


@dataclass(frozen=True, slots=True)
class _Chat:
    conversation: Document
    contact: Document
    line: Line


class Courtesies:
    """One per instance."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._directory = Directory(ports.store)

    async def goodbye(self, conversation: str, message: str | None = None) -> None:
        """Confirm that a customer gets no more; `message` is the one that said so. Raises `Unavailable`."""
        for _ in range(_RACES):
            chat = await self._chat(conversation)
            if chat is None or not await self._owes_goodbye(chat):
                return
            if await self._said(chat, "goodbye", await self._farewell(chat.line, message)):
                return
        raise Unavailable("lost every race")

    async def notice(self, conversation: str) -> None:
        """Tell a customer what the business must tell about their data. Raises `Unavailable`."""
        for _ in range(_RACES):
            chat = await self._chat(conversation)
            if chat is None or not await self._owes_notice(chat):
                return
            if await self._said(chat, NOTICE, chat.line.rules.notice):
                return
        raise Unavailable("lost every race")

    async def _owes_goodbye(self, chat: _Chat) -> bool:
        fields = chat.contact.fields
        said, last = marketing(fields), fields.get("goodbye")
        if not chat.line.rules.stop_replied or said is None or said["source"] not in _FROM_CUSTOMER:
            return False
        if last is not None and not (
            last["at"] < resumed(fields) and self._ports.now().timestamp() - last["at"] >= _APART.total_seconds()
        ):
            # The queue may have lost what was stored.
            await self._enqueue(chat, last["message"])
            return False
        return opted_out(fields) and self._is_open(chat)

    async def _owes_notice(self, chat: _Chat) -> bool:
        fields = chat.contact.fields
        given = fields.get("notice", {})
        if not chat.line.rules.notice or stopped(fields) or "sent" in given or not self._is_open(chat):
            return False
        if "message" in given:
            [before] = await self._ports.store.get([message_key(given["message"])])
            if before is not None and shown(before.fields) != "failed":
                await self._enqueue(chat, before.key.id)
                return False
        return True

    def _is_open(self, chat: _Chat) -> bool:
        fields = chat.conversation.fields
        return is_open(fields.get("last_in"), self._ports.now(), fields.get("window_closed"))

    async def _farewell(self, line: Line, message: str | None) -> str:
        """Return the business's words, else ours in the language of the word that was written, or the line's."""
        if line.rules.stop_reply:
            return line.rules.stop_reply
        language = line.rules.language.replace("-", "_").partition("_")[0].lower()
        [told] = await self._ports.store.get([message_key(message)]) if message else [None]
        ours = told is not None and told.fields["line"] == line.id
        spoken = language_of(told.fields["content"].get("body"), language) if told and ours else language
        return GOODBYES.get(spoken, GOODBYES[_COMMON])

    async def _said(self, chat: _Chat, courtesy: str, words: str) -> bool:
        """Put it into the outbox; returns False if the contact has changed since it was read: look again."""
        now = self._ports.now()
        at = int(now.timestamp())
        conversation, line = chat.conversation, chat.line
        client_id = f"{courtesy}-{at}"
        key = outbound_key(conversation.key.id, client_id)
        fields: dict[str, Any] = outbound_fields(
            account=line.account,
            line=line.id,
            conversation=conversation.key.id,
            author=Author("system", line.id, None),
            client_id=client_id,
            body={"type": "text", "text": {"body": words, "preview_url": False}},
            now=now,
        )
        # A STOP that comes while it waits stops the notice, and never its own answer.
        fields |= {"courtesy": courtesy, **({"automatic": True} if courtesy == NOTICE else {})}
        keep(fields, await self._directory.policy(line.account))
        told = event(
            "message.sent",
            account=line.account,
            connection=line.connection,
            conversation=conversation.key.id,
            message=key.id,
            now=now,
        )
        kept = {courtesy: {"message": key.id, "at": at}, "updated": NOW}
        try:
            # Nothing is said of when we spoke last: the customer still waits for a person.
            await self._ports.store.commit(
                [
                    create(key, fields),
                    update(conversation.key, {"updated": NOW}),
                    told,
                    update(chat.contact.key, kept, version=chat.contact.version),
                ]
            )
        except Refused:
            return False
        await self._enqueue(chat, key.id)
        log.info("a courtesy is on its way", extra={"courtesy": courtesy, "message_id": key.id, "line": line.id})
        return True

    async def _enqueue(self, chat: _Chat, message: str) -> None:
        await self._ports.tasks.enqueue(send_task(chat.line.id, chat.conversation.key.id, message))
        await self._ports.tasks.enqueue(deliver_task(chat.line.connection, message))

    async def _chat(self, conversation: str) -> _Chat | None:
        """Return a conversation with its contact and line, where it leads to by now; None if it is gone."""
        store = self._ports.store
        [found] = await store.get([Key("conversations", conversation)])
        for _ in range(_REDIRECTS):
            if found is None or not (older := found.fields.get("merged_into")):
                break
            # The word that asks for this may have come to the younger since they were joined.
            await carry_person(self._ports, found.fields["contact"])
            await carry(self._ports, found.key.id)
            [found] = await store.get([Key("conversations", older)])
        if found is None:
            return None
        [contact] = await store.get([contact_key(found.fields["contact"])])
        line = await self._directory.line(found.fields["line"])
        return _Chat(found, contact, line) if contact is not None and line is not None else None
