"""What a tab reads: the conversation's head, and its messages page by page or since a cursor."""

import asyncio
from collections.abc import Sequence
from typing import Any

from functions.chat.cursors import Reading, micros, place, sort_place
from functions.chat.desk import Desk, Open
from functions.core.consent import consent_view
from functions.core.conversation import contact_view, unread, window_view
from functions.core.health import health
from functions.core.message import file_name, inbound_key, message_key, view, wamid_key
from functions.core.store import Document, Query


async def head(desk: Desk, opened: Open) -> dict[str, Any]:
    """Return who is talked to, until when free text is allowed, and who looks after it."""
    fields = opened.conversation.fields
    return {
        "id": opened.id,
        "line": {
            **opened.line.view(),
            "opt_in": opened.line.rules.opt_in,
            "health": await health(desk.ports.store, opened.line),
        },
        "contact": contact_head(await desk.contact(opened.conversation)),
        "window": window_view(fields, desk.ports.now()),
        "unread": unread(fields),
        "received": fields.get("received", 0),
        "read": fields.get("read", 0),
        "owner": fields.get("owner"),
        "records": fields.get("records", []),
        "tags": fields.get("tags", []),
        "merged_into": fields.get("merged_into"),
        "version": opened.conversation.version,
    }


def contact_head(contact: Document) -> dict[str, Any]:
    """Return a contact as it stands at the head of a conversation."""
    shown = {**contact_view(contact), "consent": consent_view(contact.fields)}
    del shown["phone_variants"]
    return shown


async def page(desk: Desk, opened: Open, *, before: str | None, limit: int) -> dict[str, Any]:
    """Return the newest messages, or those before a cursor, oldest first."""
    found = await desk.ports.store.query(
        Query(
            "messages",
            {"conversation": opened.id},
            order="sort",
            descending=True,
            after=sort_place(before) if before else None,
            # One more tells whether there are older ones.
            limit=limit + 1,
        )
    )
    shown = found[:limit][::-1]
    return {
        "items": await _views(desk, opened, shown),
        "next": place(shown[0].fields["sort"], shown[0].key.id) if len(found) > limit else None,
        "cursor": str(_latest(shown, 0)),
    }


async def changes(desk: Desk, opened: Open, *, after: str, limit: int) -> dict[str, Any]:
    """Return what is new or changed since a cursor; the last 15 s come again, and the reader knows them by version.

    `next` goes on within one reading, `cursor` is where the next one begins.
    """
    since = Reading.of(after)
    found = await desk.ports.store.query(
        Query(
            "messages",
            {"conversation": opened.id},
            order="changed",
            since=since.since,
            after=since.last_seen,
            limit=limit,
        )
    )
    latest = _latest(found, since.micros)
    return {
        # A reaction has no place of its own: it shows on the message that it is meant for.
        "items": await _views(desk, opened, [one for one in found if "sort" in one.fields]),
        "next": place(latest, found[-1].key.id) if len(found) == limit else None,
        "cursor": str(latest),
    }


async def one(desk: Desk, opened: Open, message: Document) -> dict[str, Any]:
    """Return a single message as the lists show it."""
    return (await _views(desk, opened, [message]))[0]


async def _views(desk: Desk, opened: Open, messages: Sequence[Document]) -> list[dict[str, Any]]:
    quoted = await _quoted(desk, opened, messages)
    urls = await asyncio.gather(*(file_urls(desk, message) for message in messages))
    return [
        view(message, **addresses, quoted=quoted.get(_quotes(message) or ""))
        for message, addresses in zip(messages, urls, strict=True)
    ]


def _quotes(message: Document) -> str | None:
    """Return what a message names as quoted: a wamid in a received one, our own id in one of ours."""
    context = message.fields.get("context") or {}
    quoted = context.get("id") or context.get("message_id")
    return str(quoted) if quoted else None


async def _quoted(desk: Desk, opened: Open, messages: Sequence[Document]) -> dict[str, Document]:
    """Return the quoted messages by the name under which they are quoted; most stand on the same page."""
    near = {name: message for message in messages for name in (message.key.id, message.fields.get("wamid")) if name}
    wanted = {name for message in messages if (name := _quotes(message))}
    found = {name: near[name] for name in wanted if name in near}
    far = [name for name in wanted if name not in near]
    keys = [key for name in far for key in (message_key(name), inbound_key(opened.line.id, name))]
    documents = await desk.ports.store.get(keys) if keys else []
    for index, name in enumerate(far):
        document = documents[2 * index] or documents[2 * index + 1] or await _of_wamid(desk, opened, name)
        if document is not None and document.fields.get("conversation") == opened.id:
            found[name] = document
    return found


async def _of_wamid(desk: Desk, opened: Open, wamid: str) -> Document | None:
    where = {"line": opened.line.id, "wamid_key": wamid_key(wamid)}
    found = await desk.ports.store.query(Query("messages", where, order="sort", limit=1))
    return found[0] if found else None


async def file_urls(desk: Desk, message: Document, *, even_revoked: bool = False) -> dict[str, str | None]:
    """Return where the file of a message (`url`) and its `thumbnail` can be had for some minutes."""
    media = message.fields.get("media") or {}
    revoked = message.fields.get("revoked") is not None and not even_revoked
    if media.get("state") != "stored" or revoked:
        return {"url": None, "thumbnail": None}
    store, small = desk.ports.media, media.get("thumbnail")
    url = await store.download_url(media["file"], media["mime"], filename=file_name(message.fields))
    return {"url": url, "thumbnail": await store.download_url(small, "image/webp") if small else None}


def _latest(messages: Sequence[Document], otherwise: int) -> int:
    """Return the time of the latest change among messages, in µs."""
    return max((micros(message.fields["changed"]) for message in messages), default=otherwise)
