"""A person's data in a form that people and programs can read: all that is held, each message with its file."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from functions.core import belongings
from functions.core.belongings import Person
from functions.core.consent import consent_view
from functions.core.conversation import attribution, contact_view, window_view
from functions.core.lines import Directory
from functions.core.message import file_name, iso, preview, view
from functions.core.ports import Ports
from functions.core.store import Document, Store


async def about(ports: Ports, person: Person) -> dict[str, Any]:
    """Return all that is held of a person besides their messages."""
    store, now = ports.store, ports.now()
    aliases = await belongings.aliases_of(store, person)
    directory = Directory(store)
    waiting = await belongings.waiting_for(store, person, [alias.key.id for alias in aliases])
    imports = await belongings.imports_of(store, person)
    traces = belongings.Traces.of(person)
    return {
        "contact": {
            **contact_view(person.contact),
            "numbers": person.numbers,
            "bsuids": person.bsuids,
            "identities": [_stated(alias, ("kind", "value", "created")) for alias in aliases],
            "consent": consent_view(person.contact.fields),
            "documents": [_plain(one.fields) for one in person.contacts],
        },
        "conversations": [
            {
                "id": one.key.id,
                "line": line.view() if (line := await directory.line(one.fields["line"])) else None,
                "window": window_view(one.fields, now),
                "attribution": attribution(one.fields),
                **_plain(one.fields),
            }
            for one in person.conversations
        ],
        "waiting": [_plain(one.fields) for one in waiting],
        "reviews": [_plain(one.fields) for one in await belongings.reviews_of(store, person)],
        "group_messages": [_raw(one) for one in await belongings.group_messages_of(store, person)],
        "put_aside": [
            {"reason": item.reason, "at": item.at.isoformat(), "body": body.decode(errors="replace")}
            async for item, body in belongings.put_aside(store, person, certainly=True)
        ],
        "handed_over": [part for one in imports for part in _naming(one.value, traces)],
    }


async def messages(store: Store, person: Person) -> AsyncIterator[Document]:
    """Yield the messages of all conversations, and what reacts to them, conversation by conversation."""
    for conversation in person.conversations:
        async for message in belongings.everything(store, belongings.messages_of(conversation.key.id)):
            yield message


def written(message: Document, url: str | None = None) -> dict[str, Any]:
    """Return a message as it is handed out: as a line of text, as the API shows it, and as it came."""
    fields = message.fields
    raw = fields.get("raw")
    return {
        "id": message.key.id,
        "conversation": fields["conversation"],
        "at": iso(fields["at"]),
        "text": line_of_text(fields),
        "file": file_of(message),
        "message": {**view(message, url=url), "sort": fields.get("sort")},
        "raw": json.loads(raw) if raw else None,
        "before": fields.get("before", []),
    }


def file_of(message: Document) -> str | None:
    """Return under which name a message's file stands in an archive; None where there is none."""
    media = message.fields.get("media") or {}
    return f"files/{message.key.id[:8]}-{file_name(message.fields)}" if media.get("state") == "stored" else None


def line_of_text(fields: Mapping[str, Any]) -> str:
    """Return a message as a line of a transcript."""
    author = fields["author"]
    who = author.get("name") or author["kind"]
    said = preview(fields, None) or ""
    return f"{iso(fields['at'])[:19].replace('T', ' ')}  {who}: [{fields['type']}] {said}".rstrip()


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's fields as JSON takes them."""
    plain: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    return plain


def _stated(document: Document, names: tuple[str, ...]) -> dict[str, Any]:
    return _plain({name: document.fields.get(name) for name in names})


def _raw(document: Document) -> Any:
    return json.loads(document.fields["raw"])


def _naming(value: Any, traces: belongings.Traces) -> list[Any]:
    """Return the innermost list items that name a person."""
    if isinstance(value, dict):
        return [one for each in value.values() for one in _naming(each, traces)]
    if not isinstance(value, list):
        return []
    named = [each for each in value if traces.in_json(each)]
    return [one for each in named for one in (_naming(each, traces) or [each])]
