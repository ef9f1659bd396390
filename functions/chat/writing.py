"""What a tab writes: messages into the outbox, notes, and how far it has read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.chat.audit import act
from functions.chat.bodies import Author as StatedAuthor
from functions.chat.bodies import Message, Note
from functions.chat.callers import Caller
from functions.chat.desk import Desk, Open
from functions.chat.problems import Problem, not_found
from functions.chat.reactions import mark, target_of, without_place
from functions.chat.templates import fill_in
from functions.chat.uploads import uploaded
from functions.core.consent import agreed, opted_out, stopped
from functions.core.conversation import contact_key, unread
from functions.core.events import Type, deliver_task, event
from functions.core.fetching import thumbnail_task
from functions.core.marks import read_task, typing_task
from functions.core.message import Author, digest, message_key, outbound_fields, outbound_key
from functions.core.outbox import is_bulk, send_task
from functions.core.retention import keep
from functions.core.store import NOW, AlreadyExists, Document, Maximum, NotFound, Query, Write, create, merge, update
from functions.core.tasks import Task
from functions.core.templates import MARKETING
from functions.core.whatsapp import MEDIA_TYPES
from functions.core.window import closes_at, is_open

_FIRST_LOOK, _FURTHER = 3, 50
"""How many messages `mark_read` looks at first, and then at a time."""


async def send(
    desk: Desk, caller: Caller, opened: Open, message: Message, begun: Sequence[Write] = ()
) -> tuple[Document, bool]:
    """Put a message into the outbox; returns it, and whether it is new.

    `begun`: what makes the conversation, in the same commit. A repeated request meets the first one's message.
    Raises `Problem` (`window_closed`, `client_id_reused`, …).
    """
    body = message.graph()
    key = outbound_key(opened.id, message.client_id)
    now = desk.ports.now()
    if earlier := await said_before(desk, opened, message.client_id):
        await enqueue(desk, opened, earlier.key.id, _send_task(opened, earlier.key.id, earlier.fields))
        return _same(earlier, body), False
    author = _author(caller, message.author, automatic=message.automatic)
    fields = _fields(caller, opened, author, message.client_id, body, now)
    if message.automatic:
        await _check_not_stopped(desk, opened)
        fields["automatic"] = True
    fields |= await _prepared(desk, opened, fields, now)
    await _check_marketing(desk, opened, fields)
    if message.type == "reaction":
        target = await target_of(desk, opened, message.reaction.message_id, now)
        fields = without_place(fields, target)
        # Nothing is said: the message that it is meant for has changed.
        changed = told(opened, "message.changed", target.key.id, now, detail=f"reaction {key.id}", what="reaction")
        writes = [create(key, fields), mark(target, key.id, fields), changed]
    else:
        writes = [create(key, fields), sent(opened, now), told(opened, "message.sent", key.id, now)]
    writes.append(await act(desk, caller, opened, "sent"))
    keep(fields, await desk.directory.policy(caller.account))
    stored, fresh = await _create(desk, [*begun, *writes], key.id, body)
    picture = fields.get("media", {}).get("mime", "").startswith("image/")
    pictures = [thumbnail_task(opened.line.id, key.id)] if picture else []
    await enqueue(desk, opened, key.id, _send_task(opened, key.id, fields), *pictures)
    return stored, fresh


def _send_task(opened: Open, message: str, fields: Mapping[str, Any]) -> Task:
    return send_task(opened.line.id, opened.id, message, bulk=is_bulk(fields))


async def said_before(desk: Desk, opened: Open, client_id: str) -> Document | None:
    """Return what a client id was used for before, also in a conversation that was joined to this one since."""
    found = await desk.ports.store.get([outbound_key(one, client_id) for one in opened.ids])
    return next((document for document in found if document is not None), None)


async def note(desk: Desk, caller: Caller, opened: Open, body: Note) -> tuple[Document, bool]:
    """Keep a note that colleagues see and the customer never does; returns it, and whether it is new."""
    key = outbound_key(opened.id, body.client_id)
    now = desk.ports.now()
    said = {"type": "note", "note": {"body": body.body}}
    if earlier := await said_before(desk, opened, body.client_id):
        await enqueue(desk, opened, earlier.key.id)
        return _same(earlier, said), False
    fields = _fields(caller, opened, _author(caller), body.client_id, said, now)
    for name in ("waiting", "queued", "rank"):
        del fields[name]
    keep(fields, await desk.directory.policy(caller.account))
    there = update(opened.conversation.key, {"account": caller.account})
    noted = await act(desk, caller, opened, "noted")
    writes = [create(key, fields), there, told(opened, "message.sent", key.id, now), noted]
    stored, fresh = await _create(desk, writes, key.id, said)
    await enqueue(desk, opened, key.id)
    return stored, fresh


async def mark_read(desk: Desk, opened: Open, message_id: str) -> dict[str, int]:
    """Mark a conversation as read up to a message, for colleagues and, with blue ticks, for the customer."""
    newer, last = await _received_after(desk, opened, message_id)
    fields = opened.conversation.fields
    read = max(fields.get("received", 0) - newer, fields.get("read", 0))
    now = desk.ports.now()
    if read > fields.get("read", 0):
        event_ = told(opened, "conversation.updated", None, now, detail=f"read {read}")
        if last is not None:
            # Before the commit: who is asked again after it sees nothing to do, and no sweep looks for blue ticks.
            await desk.ports.tasks.enqueue(read_task(opened.line.id, last))
        await desk.ports.store.commit(
            [update(opened.conversation.key, {"read": Maximum(read), "updated": NOW}), event_]
        )
        await desk.ports.tasks.enqueue(deliver_task(opened.line.connection, f"read {opened.id} {read}"))
    return {"read": read, "unread": unread({**fields, "read": read})}


async def show_typing(desk: Desk, opened: Open) -> None:
    """Show the customer that somebody writes; asking again within 20 s changes nothing."""
    await desk.ports.tasks.enqueue(typing_task(opened.line.id, opened.id, desk.ports.now()))


def _author(caller: Caller, stated: StatedAuthor | None = None, *, automatic: bool = False) -> Author:
    """Return who says it: whom a CRM server names, else who asks. Raises `Problem` where a browser names anyone."""
    if stated is None and not automatic:
        return Author("agent", caller.agent, caller.name)
    if caller.conversation is not None:
        raise Problem(403, "forbidden", "Only a CRM server may say who speaks, or that nobody does.")
    return Author(stated.kind, stated.id, stated.name) if stated else Author("system", caller.agent, caller.name)


async def _prepared(desk: Desk, opened: Open, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what a message needs besides its body, once it is known that WhatsApp takes it. Raises `Problem`."""
    type_, content = fields["type"], fields["content"]
    if type_ == "template":
        return await _template(desk, opened, content)
    _check_window(opened, now)
    if type_ in MEDIA_TYPES:
        kind = "voice" if content.get("voice") else type_
        return {"content": _without_id(content), "media": await uploaded(desk, opened, kind, content["id"])}
    header = content.get("header", {})
    if type_ == "interactive" and (kind := header.get("type")) in MEDIA_TYPES:
        file = await _header_file(desk, opened, kind, header[kind]["id"], "interactive.header")
        return {"content": {**content, "header": {**header, kind: _without_id(header[kind])}}, "media": file}
    return {}


def _without_id(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's object without our id: Meta gives it another one when it is sent."""
    return {name: value for name, value in content.items() if name != "id"}


async def _template(desk: Desk, opened: Open, content: Mapping[str, Any]) -> dict[str, Any]:
    template = await fill_in(desk, opened.line, content)
    fields = {"content": template.content, "template": template.view}
    if template.file:
        fields["media"] = await _header_file(desk, opened, *template.file, "header")
    return fields


async def _header_file(desk: Desk, opened: Open, kind: str, upload: str, field: str) -> dict[str, Any]:
    """Return the `media` of a message whose header is a file. Raises `Problem`, with the field named."""
    try:
        return await uploaded(desk, opened, kind, upload)
    except Problem as refusal:
        raise Problem(
            refusal.status,
            refusal.code,
            refusal.detail,
            **refusal.more,
            errors=[{"field": field, "message": refusal.detail}],
        ) from None


async def _check_not_stopped(desk: Desk, opened: Open) -> None:
    """Refuse what goes out by itself to somebody who said STOP, before anything else. Raises `Problem`."""
    if stopped(await _wishes(desk, opened)):
        raise Problem(422, "stopped", "The customer said STOP: nothing is sent automatically.")


async def _check_marketing(desk: Desk, opened: Open, fields: Mapping[str, Any]) -> None:
    """Refuse marketing to somebody who wants none, or by the line's rule never agreed to it. Raises `Problem`."""
    if fields.get("template", {}).get("category") != MARKETING:
        return
    wishes = await _wishes(desk, opened)
    if opted_out(wishes):
        raise Problem(422, "opted_out", "The customer wants no marketing: only other templates can be sent.")
    if opened.line.rules.opt_in and not agreed(wishes):
        why = "The customer has not agreed to marketing. Record their consent on the contact, then send it."
        raise Problem(422, "consent_missing", why)


async def _wishes(desk: Desk, opened: Open) -> Mapping[str, Any]:
    """Return what is known of the contact; nothing of one who is only being invited."""
    [found] = await desk.ports.store.get([contact_key(opened.conversation.fields["contact"])])
    return found.fields if found else {}


def _fields(
    caller: Caller, opened: Open, author: Author, client_id: str, body: dict[str, Any], now: datetime
) -> dict[str, Any]:
    return outbound_fields(
        account=caller.account,
        line=opened.line.id,
        conversation=opened.id,
        author=author,
        client_id=client_id,
        body=body,
        now=now,
    )


def _check_window(opened: Open, now: datetime) -> None:
    fields = opened.conversation.fields
    last_in, closed = fields.get("last_in"), fields.get("window_closed")
    if is_open(last_in, now, closed):
        return
    end = closes_at(last_in, closed)
    since = f"closed at {end:%Y-%m-%d %H:%M} UTC" if end else "is not open: the customer has not written yet"
    raise Problem(
        422,
        "window_closed",
        f"The 24-hour window {since}. Send a template instead.",
        until=end.isoformat() if end else None,
    )


def _same(earlier: Document, body: dict[str, Any]) -> Document:
    if earlier.fields["digest"] != digest(body):
        raise Problem(409, "client_id_reused", "This client_id was used for another message.")
    return earlier


async def _create(desk: Desk, writes: list[Write], message: str, body: dict[str, Any]) -> tuple[Document, bool]:
    fresh = True
    try:
        await desk.ports.store.commit(writes)
    except AlreadyExists:
        fresh = False
    except NotFound:
        # The conversation was erased while it was open.
        raise not_found() from None
    [stored] = await desk.ports.store.get([message_key(message)])
    if stored is None:
        raise not_found()
    return _same(stored, body), fresh


async def check_allowed(desk: Desk, opened: Open, fields: Mapping[str, Any], now: datetime) -> None:
    """Refuse to send a stored message once more where it would be refused as a new one. Raises `Problem`."""
    if fields["type"] != "template":
        _check_window(opened, now)
    await _check_marketing(desk, opened, fields)


def sent(opened: Open, now: datetime) -> Write:
    """Return the write that says on the conversation when we spoke last; it makes none that was erased meanwhile."""
    write = update if opened.conversation.version else merge
    return write(opened.conversation.key, {"last_out": Maximum(int(now.timestamp())), "updated": NOW})


def told(
    opened: Open, type_: Type, message: str | None, now: datetime, detail: str = "", what: str | None = None
) -> Write:
    """Return the write that tells the CRM of something in a conversation."""
    return event(
        type_,
        account=opened.line.account,
        connection=opened.line.connection,
        conversation=opened.id,
        message=message,
        detail=detail,
        what=what,
        now=now,
    )


async def enqueue(desk: Desk, opened: Open, message: str, *tasks: Task) -> None:
    """Queue tasks, and the one that tells the CRM; `message` names what made it needed."""
    for task in (*tasks, deliver_task(opened.line.connection, message)):
        await desk.ports.tasks.enqueue(task)


async def _received_after(desk: Desk, opened: Open, message_id: str) -> tuple[int, str | None]:
    """Return how many messages came in after this one, and the last that came in up to it."""
    [upto] = await desk.ports.store.get([message_key(message_id)])
    # A reaction has no place that one could have read up to.
    if upto is None or upto.fields.get("conversation") != opened.id or "sort" not in upto.fields:
        raise not_found()
    newer, after = 0, None
    # From there on it has been read already, however far back the message stands.
    while newer < unread(opened.conversation.fields):
        # The newest message is nearly always the one that was read, so the first look is a short one.
        limit = _FURTHER if after else _FIRST_LOOK
        messages = await desk.ports.store.query(
            Query("messages", {"conversation": opened.id}, order="sort", descending=True, after=after, limit=limit)
        )
        for message in messages:
            if message.fields["direction"] == "out":
                continue
            if message.fields["sort"] <= upto.fields["sort"]:
                return newer, message.key.id
            newer += 1
        if not messages:
            return newer, None
        after = (messages[-1].fields["sort"], messages[-1].key.id)
    return newer, None
