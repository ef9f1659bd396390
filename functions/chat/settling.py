"""A message whose end nobody knows, or that failed: an agent sends it again, or lets it be."""

from datetime import datetime

from functions.chat.audit import act
from functions.chat.bodies import LetBe, SendAgain, Settle
from functions.chat.callers import Caller
from functions.chat.desk import Desk, Open
from functions.chat.problems import Problem, not_found
from functions.chat.writing import check_allowed, enqueue, said_before, sent, told
from functions.core.message import Author, digest, message_key, outbound_key
from functions.core.outbox import NotToSettle, TooEarly, let_be, send_again, send_task
from functions.core.store import AlreadyExists, Document, NotFound, Stale, Write


async def settle(desk: Desk, caller: Caller, opened: Open, message: str, body: Settle) -> tuple[Document, bool]:
    """Settle a message; returns it, or the new one that says it again, and whether that is new.

    A repeated request is harmless. Raises `Problem` (`too_early`, `settled_already`, `client_id_reused`, …).
    """
    old = await _read(desk, opened, message)
    if isinstance(body, LetBe):
        return await _let_be(desk, caller, opened, old), False
    return await _send_again(desk, caller, opened, old, body)


async def _let_be(desk: Desk, caller: Caller, opened: Open, old: Document) -> Document:
    if old.fields.get("settled", {}).get("as") == "let_be":
        return old
    now = desk.ports.now()
    try:
        writes = let_be(old, _agent(caller), now)
    except (TooEarly, NotToSettle) as reason:
        raise _refusal(reason) from None
    await _commit(desk, [*writes, _changed(opened, old, "settled", now)])
    await enqueue(desk, opened, f"settled {old.key.id}")
    return await _read(desk, opened, old.key.id)


async def _send_again(
    desk: Desk, caller: Caller, opened: Open, old: Document, body: SendAgain
) -> tuple[Document, bool]:
    again = await said_before(desk, opened, body.client_id)
    fresh = again is None
    if again is None:
        again = await _write_again(desk, caller, opened, old, body.client_id)
    if again.fields["digest"] != digest({"again_of": old.key.id}):
        raise Problem(409, "client_id_reused", "This client_id was used for another message.")
    await enqueue(desk, opened, again.key.id, send_task(opened.line.id, opened.id, again.key.id))
    return again, fresh


async def _write_again(desk: Desk, caller: Caller, opened: Open, old: Document, client_id: str) -> Document:
    now = desk.ports.now()
    try:
        writes = send_again(old, client_id, _agent(caller), now, await desk.directory.policy(caller.account))
    except (TooEarly, NotToSettle) as reason:
        raise _refusal(reason) from None
    await check_allowed(desk, opened, old.fields, now)
    key = outbound_key(old.fields["conversation"], client_id)
    noted = await act(desk, caller, opened, "sent")
    await _commit(desk, [*writes, sent(opened, now), told(opened, "message.sent", key.id, now), noted])
    [again] = await desk.ports.store.get([key])
    if again is None:
        raise not_found()
    return again


async def _commit(desk: Desk, writes: list[Write]) -> None:
    try:
        await desk.ports.store.commit(writes)
    except (Stale, AlreadyExists):
        # Its status has come, or a colleague was quicker. A client id that met another message is seen by its digest.
        raise _refusal(NotToSettle()) from None
    except NotFound:
        # It was erased while it was open.
        raise not_found() from None


def _refusal(reason: TooEarly | NotToSettle) -> Problem:
    if isinstance(reason, TooEarly):
        return Problem(
            409,
            "too_early",
            f"Its status may still arrive. It can be settled from {reason.since:%Y-%m-%d %H:%M} UTC on.",
            since=reason.since.isoformat(),
        )
    return Problem(409, "settled_already", "What became of this message is known by now, or a colleague settled it.")


def _changed(opened: Open, old: Document, detail: str, now: datetime) -> Write:
    return told(opened, "message.changed", old.key.id, now, detail=detail)


def _agent(caller: Caller) -> Author:
    return Author("agent", caller.agent, caller.name)


async def _read(desk: Desk, opened: Open, message: str) -> Document:
    [found] = await desk.ports.store.get([message_key(message)])
    # A reaction is no message on a page, and reacting again is all that it needs.
    if found is None or found.fields.get("conversation") != opened.id or "sort" not in found.fields:
        raise not_found()
    return found
