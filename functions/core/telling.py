"""What an event says: its subjects as they are in the store when it is sent, without any text of a message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.consent import consent_view
from functions.core.conversation import attribution, contact_key, contact_view, referral
from functions.core.events import deliver_task, event
from functions.core.health import checked, health
from functions.core.ids import key_of
from functions.core.lines import Directory
from functions.core.message import iso, message_key
from functions.core.satisfaction import satisfaction
from functions.core.status import shown
from functions.core.store import Document, Key, Query, Store, Write
from functions.core.tasks import Task
from functions.core.templates import of_document, summary
from functions.core.window import closes_at


@dataclass(frozen=True, slots=True)
class Telling:
    """An event with its conversation and what it says; `body` is None when its subject is gone (erased)."""

    event: Document
    conversation: Document | None = None
    body: dict[str, Any] | None = None


async def contact_told(store: Store, contact: str, cause: str, now: datetime) -> tuple[list[Write], list[Task]]:
    """Return what tells the CRMs that a contact changed: an event in each of its conversations."""
    found = await store.query(Query("conversations", {"contact": contact}, order="updated", limit=100))
    return (
        [
            event(
                "contact.updated",
                account=one.fields["account"],
                connection=one.fields["connection"],
                conversation=one.key.id,
                detail=cause,
                now=now,
            )
            for one in found
        ],
        [deliver_task(one.fields["connection"], key_of(one.key.id, cause)) for one in found],
    )


async def tellings(store: Store, directory: Directory, events: Sequence[Document], account: str) -> list[Telling]:
    """Return what each event says to a connection of this account.

    An event of another account says nothing: a connection's name may have been another's before.
    """
    own = [event for event in events if event.fields["account"] == account]
    told = {telling.event.key: telling for telling in await _tellings(store, directory, own)}
    return [told.get(event.key) or Telling(event) for event in events]


async def _tellings(store: Store, directory: Directory, events: Sequence[Document]) -> list[Telling]:
    conversations = await _read(
        store, {_conversation_key(event) for event in events if event.fields["conversation"] is not None}
    )
    subjects = await _read(
        store,
        {contact_key(conversation.fields["contact"]) for conversation in conversations.values()}
        | {message_key(event.fields["message"]) for event in events if event.fields["message"]}
        | {_template_key(event) for event in events if "template" in event.fields},
    )
    return [
        await _telling(event, conversations.get(_conversation_key(event)), subjects, directory)
        if event.fields["conversation"] is not None
        else await _of_line(event, store, subjects, directory)
        for event in events
    ]


def _conversation_key(event: Document) -> Key:
    return Key("conversations", event.fields["conversation"])


def _template_key(event: Document) -> Key:
    return Key("templates", event.fields["template"])


async def _of_line(event: Document, store: Store, subjects: Mapping[Key, Document], directory: Directory) -> Telling:
    """Return what an event says that has no conversation: of a line, of a template, or of somebody who was erased."""
    if event.fields["type"] == "contact.erased":
        erased = {name: event.fields[name] for name in ("contacts", "conversations")}
        return Telling(event, None, _head(event) | {"conversation": None, "message": None, "erased": erased})
    line = await directory.line(event.fields["line"])
    if line is None:
        return Telling(event)
    said: dict[str, Any] = {"line": line.view(), "conversation": None, "message": None}
    if event.fields["type"] == "line.health":
        said["health"] = {**await health(store, line), **await checked(store, line)}
    elif template := subjects.get(_template_key(event)):
        said["template"] = summary(of_document(template))
    else:
        return Telling(event)
    return Telling(event, None, _head(event) | said)


def _head(event: Document) -> dict[str, Any]:
    return {"id": event.key.id, "type": event.fields["type"], "at": event.fields["seq"].isoformat()}


async def _telling(
    event: Document, conversation: Document | None, subjects: Mapping[Key, Document], directory: Directory
) -> Telling:
    contact = subjects.get(contact_key(conversation.fields["contact"])) if conversation else None
    line = await directory.line(conversation.fields["line"]) if conversation else None
    if conversation is None or contact is None or line is None:
        return Telling(event)
    message = subjects.get(message_key(event.fields["message"] or ""))
    body = {
        **_head(event),
        "conversation": _conversation(conversation, contact, line.view()),
        "message": _message(message, event.fields.get("what")) if message else None,
    }
    return Telling(event, conversation, body)


async def _read(store: Store, keys: set[Key]) -> dict[Key, Document]:
    documents = await store.get(list(keys)) if keys else []
    return {document.key: document for document in documents if document is not None}


def _conversation(conversation: Document, contact: Document, line: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": conversation.key.id,
        "line": line,
        "contact": contact_view(contact),
        "consent": consent_view(contact.fields),
        **standing(conversation),
    }


def standing(conversation: Document) -> dict[str, Any]:
    """Return how a conversation stands, as far as its own document says it."""
    fields = conversation.fields
    window_until = closes_at(fields.get("last_in"), fields.get("window_closed"))
    return {
        "version": conversation.version,
        "received": fields.get("received", 0),
        "read": fields.get("read", 0),
        "last_in": iso(fields["last_in"]) if "last_in" in fields else None,
        "last_out": iso(fields["last_out"]) if "last_out" in fields else None,
        "window_until": window_until.isoformat() if window_until else None,
        "referral": referral(fields),
        "attribution": attribution(fields),
        "merged_into": fields.get("merged_into"),
    }


def _message(message: Document, what: str | None) -> dict[str, Any]:
    fields = message.fields
    changed = {"what": what} if what else {}
    answer = satisfaction(fields)
    answered = {"satisfaction": answer} if answer else {}
    return {
        "id": message.key.id,
        "version": message.version,
        "direction": fields["direction"],
        "type": fields["type"],
        "at": iso(fields["at"]),
        "author": fields["author"],
        "automatic": bool(fields.get("automatic")),
        "status": shown(fields) if fields["direction"] == "out" else "received",
        **changed,
        **answered,
    }
