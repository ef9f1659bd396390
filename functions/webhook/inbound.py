"""A customer's message becomes a message document, a conversation, an event for the CRM, and a media task."""

from datetime import datetime

from functions.core.conversation import conversation_key, received
from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import MEDIA_TYPES, inbound_fields, inbound_key, sort_key
from functions.core.store import create
from functions.core.tasks import Task
from functions.core.whatsapp import Inbound
from functions.webhook.people import Crowd
from functions.webhook.step import Step


def inbound_step(message: Inbound, line: Line, crowd: Crowd, now: datetime, index: int) -> Step:
    """Return what a message asks for. `index` is its place in the webhook. Raises `Nameless`."""
    contact, people_writes = crowd.contact_of(line.account, message.person)
    conversation = conversation_key(line.id, contact)
    key = inbound_key(line.id, message.wamid)
    fields = inbound_fields(
        message,
        account=line.account,
        line=line.id,
        conversation=conversation.id,
        contact=contact,
        sort=sort_key(message.at, now, index),
    )
    told = event(
        "message.received",
        account=line.account,
        connection=line.connection,
        conversation=conversation.id,
        message=key.id,
        now=now,
    )
    return Step(
        writes=[
            create(key, fields),
            received(
                conversation,
                account=line.account,
                line=line.id,
                connection=line.connection,
                contact=contact,
                at=message.at,
            ),
            told,
            *people_writes,
        ],
        tasks=[
            deliver_task(line.connection, key.id),
            *([_fetch(line.id, key.id)] if message.type in MEDIA_TYPES else []),
        ],
        message=key,
    )


def _fetch(line: str, message: str) -> Task:
    """Return the task that fetches a message's file: soon, because Meta keeps it for 7 days only."""
    return Task(
        queue="media",
        function="sender",
        payload={"kind": "fetch_media", "line": line, "message": message},
        name=key_of("fetch_media", message),
    )
