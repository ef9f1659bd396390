"""The sweep: what waits in the store without a task gets one, and so does what is due. It runs every minute.

A process may die between its commit and its task. Names make a sweep harmless for what already has one.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from functions.core.events import deliver_task
from functions.core.outbox import send_task
from functions.core.ports import Ports
from functions.core.store import Query
from functions.core.templates import sync_task

log = logging.getLogger(__name__)

_LATE = timedelta(seconds=30)
_AT_ONCE = 200


async def sweep(ports: Ports) -> None:
    """Queue what has waited for longer than a task would have let it."""
    now = ports.now()
    minute = f"sweep {int(now.timestamp()) // 60}"
    late_events = await _late(ports, Query("events", {"pending": True}, order="seq", limit=_AT_ONCE), "seq", now)
    for connection in {event["connection"] for event in late_events}:
        await ports.tasks.enqueue(deliver_task(connection, minute))
    late_messages = await _late(
        ports, Query("messages", {"waiting": True}, order="queued", limit=_AT_ONCE), "queued", now
    )
    for line, conversation in {(message["line"], message["conversation"]) for message in late_messages}:
        await ports.tasks.enqueue(send_task(line, conversation, minute))
    await _poll_templates(ports, now)
    if late_events or late_messages:
        log.info("swept", extra={"count": len(late_events) + len(late_messages)})


async def _poll_templates(ports: Ports, now: datetime) -> None:
    """Queue the templates of the accounts whose turn it is; each names its next turn when it is done."""
    for account in await ports.store.query(Query("wabas", {"polled": True}, order="templates_due", limit=_AT_ONCE)):
        if account.fields["templates_due"] > now.timestamp():
            return
        await ports.tasks.enqueue(sync_task(account.fields["line"], account.fields["waba"], now))


async def _late(ports: Ports, query: Query, since: str, now: datetime) -> list[dict[str, Any]]:
    found = await ports.store.query(query)
    return [document.fields for document in found if document.fields[since] < now - _LATE]
