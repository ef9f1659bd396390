"""What became of a message: one idempotent, commutative write on it, in whatever order statuses come.

Our callback text names the message, so that nothing is read. A status without one (sent by the phone app, or by
another system) is looked up by its wamid; one that finds no message waits for it as an orphan.
"""

from datetime import datetime, timedelta
from typing import Any

from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import Callback, message_key, wamid_key
from functions.core.meta_errors import error_view
from functions.core.status import reached
from functions.core.store import NOW, Key, Query, Store, merge, update
from functions.core.whatsapp import Status
from functions.webhook.step import Step

ORPHANS_KEPT = timedelta(days=30)
"""As long as Meta may still deliver a message (Meta, "Send messages": time to live)."""


async def status_step(status: Status, line: Line, store: Store, now: datetime, *, certain: bool = False) -> Step:
    """Return what a status asks for. `certain`: a callback's message may not exist, so look before writing."""
    callback = Callback.of(status.callback, line.id)
    if callback and not (certain and (await store.get([message_key(callback.message)]))[0] is None):
        return _known(status, line, callback.conversation, callback.message, now)
    found = await store.query(
        Query("messages", {"line": line.id, "wamid_key": wamid_key(status.wamid)}, order="sort", limit=1)
    )
    if found:
        return _known(status, line, found[0].fields["conversation"], found[0].key.id, now)
    return _orphan(status, line, now)


def status_fields(status: str, at: int, errors: list[dict[str, Any]], participant: str | None = None) -> dict[str, Any]:
    """Return the fields that a status writes on its message; Meta's error is kept whatever the rank.

    `participant`: the member of a group of whom alone it speaks.
    """
    if participant is not None:
        member = {**reached(status, at), **({"errors": errors} if errors else {})}
        return {"participants": {key_of("participant", participant): member}, "changed": NOW}
    error = {"error": error_view(errors[0]), "errors_raw": errors} if errors else {}
    return {**reached(status, at), **error, "changed": NOW}


def _known(status: Status, line: Line, conversation: str, message: str, now: datetime) -> Step:
    told = event(
        "message.status",
        account=line.account,
        connection=line.connection,
        conversation=conversation,
        message=message,
        detail=status.status,
        now=now,
    )
    return Step(
        writes=[
            update(message_key(message), status_fields(status.status, status.at, status.errors, status.participant)),
            told,
        ],
        tasks=[deliver_task(line.connection, key_of(message, status.status))],
    )


def _orphan(status: Status, line: Line, now: datetime) -> Step:
    person = status.person
    fields = {
        "account": line.account,
        "line": line.id,
        "wamid_key": wamid_key(status.wamid),
        "status": status.status,
        "at": status.at,
        "errors": status.errors,
        "participant": status.participant,
        "recipient": {"wa_id": person.wa_id, "bsuid": person.bsuid},
        "expires_at": now + ORPHANS_KEPT,
    }
    key = Key("orphan_statuses", key_of("orphan", line.id, status.wamid, status.status, status.participant or ""))
    return Step(writes=[merge(key, fields)], awaited=status.wamid)
