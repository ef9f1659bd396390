"""What became of a message: one idempotent, commutative write on it, in whatever order statuses come.

Our callback text names the message, so that nothing is read. A status without one (sent by the phone app, or by
another system) is looked up by its wamid; one that finds no message waits for it as an orphan.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.core.changes import AWAITED, reaction_ended
from functions.core.consequences import consequences
from functions.core.conversation import contact_key, invitation
from functions.core.erased import Erased, erased_contact
from functions.core.events import deliver_task, status_event
from functions.core.health import begun, hold_key
from functions.core.ids import key_of
from functions.core.learning import Lesson, lesson
from functions.core.lines import Line
from functions.core.message import Callback, message_key, message_of_wamid, wamid_key
from functions.core.meta_errors import Decision, error_view
from functions.core.people import owner_fields, whose
from functions.core.status import status_fields
from functions.core.step import Step
from functions.core.store import Key, Store, Write, merge, update
from functions.core.whatsapp import Status

log = logging.getLogger(__name__)

_NEWS = timedelta(minutes=10)
"""An older status was delivered again, or late: the line's health is another matter by now."""


async def status_step(status: Status, line: Line, store: Store, now: datetime, *, certain: bool = False) -> Step:
    """Return what a status asks for. `certain`: a callback's message may not exist, so look before writing."""
    callback = Callback.of(status.callback, line.id)
    if callback and not (certain and (await store.get([message_key(callback.message)]))[0] is None):
        # An answer of Meta's may have been lost: then this is where its name for the message comes from.
        named = {"wamid": status.wamid, "wamid_key": wamid_key(status.wamid)}
        step = _known(status, line, callback.conversation, callback.message, now, named)
        if callback.invited:
            step.lesson = await _lesson(status, line, callback.contact, store)
        return await _with_consequences(step, status, line, callback.message, store, now)
    found = await message_of_wamid(store, line.id, status.wamid)
    if found:
        step = _known(status, line, found.fields["conversation"], found.key.id, now, {})
        return await _with_consequences(step, status, line, found.key.id, store, now)
    if callback and await erased_contact(store, callback.contact):
        raise Erased
    contact, erased = await whose(store, line.account, status.person)
    if status.at <= erased:
        raise Erased
    return _orphan(status, line, contact, now)


def _known(
    status: Status, line: Line, conversation: str, message: str, now: datetime, named: Mapping[str, str]
) -> Step:
    fields = status_fields(status.status, status.at, status.errors, status.participant)
    return Step(
        writes=[
            update(message_key(message), {**fields, **named}),
            status_event(line, conversation, message, status.status, now),
        ],
        tasks=[deliver_task(line.connection, key_of(message, status.status))],
    )


async def _lesson(status: Status, line: Line, contact: str, store: Store) -> Lesson | None:
    """Return what a status shows of an invited person: Meta's answer, which says the same, may have been lost."""
    [invited] = await store.get([contact_key(contact)])
    if invited is None or invited.fields["account"] != line.account or invitation(invited.fields) == (None, None):
        return None
    return lesson(line.account, status.person, invited)


async def _with_consequences(
    step: Step, status: Status, line: Line, message_id: str, store: Store, now: datetime
) -> Step:
    """Add what a refusal asks for that comes as a status; it is rare, so that it may read."""
    if status.status != "failed" or not status.errors or status.participant is not None:
        return step
    [message] = await store.get([message_key(message_id)])
    if message is None or message.fields["direction"] != "out":
        return step
    error = error_view(status.errors[0])
    conversation, *target = await store.get(
        [Key("conversations", message.fields["conversation"]), *_target(message.fields)]
    )
    contact = conversation.fields["contact"] if conversation else None
    about = consequences(error["code"], line, message, contact, at=status.at, now=now)
    shown = reaction_ended(message, target[0] if target else None, "failed", error)
    step.writes += [*about.writes, *shown, *await _held(status, line, error, store, now)]
    step.tasks += about.tasks
    return step


def _target(fields: Mapping[str, Any]) -> list[Key]:
    return [message_key(fields["target"])] if fields.get("target") else []


async def _held(status: Status, line: Line, error: Mapping[str, Any], store: Store, now: datetime) -> list[Write]:
    """Return the writes that stop a line's sending, when an error of the account is news."""
    if error["decision"] != Decision.ACCOUNT.value or status.at < (now - _NEWS).timestamp():
        return []
    [there] = await store.get([hold_key(line.id)])
    if there is not None:
        return []
    log.error("the line can't send", extra={"line": line.id, "code": error["code"]})
    return begun(line, error, now)


def _orphan(status: Status, line: Line, contact: str | None, now: datetime) -> Step:
    fields = {
        "account": line.account,
        "line": line.id,
        "wamid_key": wamid_key(status.wamid),
        "status": status.status,
        "at": status.at,
        "errors": status.errors,
        "participant": status.participant,
        "expires_at": now + AWAITED,
        **owner_fields(line.account, contact, status.person),
    }
    key = Key("orphan_statuses", key_of("orphan", line.id, status.wamid, status.status, status.participant or ""))
    return Step(writes=[merge(key, fields)], awaited=status.wamid)
