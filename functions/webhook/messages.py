"""What is said becomes a message document, a conversation, an event for the CRM, and a media task.

A customer's message is written blind: nothing is read for it. One that was changed before it came (see
`functions.core.changes`) meets the document that says so, and is filled into it.
"""

from datetime import datetime
from typing import Any

from functions.core import consent, json_text
from functions.core.changes import completed, filled, is_early, last_reaction
from functions.core.conversation import (
    active,
    came_by,
    came_through,
    contact_key,
    conversation_key,
    grown,
    received,
    trim_task,
)
from functions.core.counts import counted
from functions.core.courtesies import goodbye_task, notice_task
from functions.core.events import Type, deliver_task, event
from functions.core.fetching import KEPT_AT_META, fetch_task
from functions.core.ids import key_of
from functions.core.imports import import_of, import_task, kept
from functions.core.lines import Line
from functions.core.links import Link, touch
from functions.core.message import key_of_message, message_fields, sort_key
from functions.core.people import Crowd
from functions.core.retention import Policy, expiry, keep
from functions.core.step import Step
from functions.core.store import NOW, REMOVE, Document, Key, Maximum, Write, create, merge, update
from functions.core.tasks import Task
from functions.core.whatsapp import MEDIA_TYPES, PHONE, GroupMessage, Import, Message, Preference


def message_step(
    message: Message,
    line: Line,
    crowd: Crowd,
    now: datetime,
    index: int,
    policy: Policy,
    *,
    there: Document | None = None,
    link: Link | None = None,
) -> Step:
    """Return what a message asks for. `index` is its place in the webhook. Raises `Nameless` and `Erased`.

    `there`: what changed it before it came, or what the history told of it. `link`: the one that it names.
    """
    contact, people_writes = crowd.contact_of(line.account, message.person, message.at)
    conversation = conversation_key(line.id, contact)
    key = key_of_message(message, line.id)
    said = message_fields(
        message,
        account=line.account,
        line=line.id,
        conversation=conversation.id,
        contact=contact,
        sort=sort_key(message.at, now, index),
    )
    fields = keep(said, policy)
    changes = _changes(message, there)
    if link is not None:
        fields["touch"] = touch(link)
        changes |= came_through(fields["touch"], message.at)
    told = event(
        _told_as(message),
        account=line.account,
        connection=line.connection,
        conversation=conversation.id,
        message=key.id,
        now=now,
    )
    return Step(
        writes=[
            _written(key, fields, there),
            grown(
                conversation,
                account=line.account,
                line=line.id,
                connection=line.connection,
                contact=contact,
                there=crowd.is_there(line.account, message.person),
                **changes,
            ),
            told,
            *people_writes,
            *_wishes(message, line, contact),
            *_counts(message, line, now),
        ],
        tasks=[
            deliver_task(line.connection, key.id),
            *([fetch_task(line.id, key.id, now + KEPT_AT_META)] if message.type in MEDIA_TYPES else []),
            *([trim_task(conversation.id, message.at)] if message.referral or link else []),
            *_courtesies(message, line, conversation.id, key.id, met=bool(people_writes)),
        ],
        message=key,
        awaited=message.wamid if message.by == PHONE else None,
        moved=message if message.becomes else None,
    )


def _written(key: Key, fields: dict[str, Any], there: Document | None) -> Write:
    if there is None:
        return create(key, fields)
    if is_early(there):
        return update(key, filled(fields, there.fields), version=there.version)
    live = {"history": REMOVE, "author": fields["author"], "changed": NOW}
    return update(key, {**completed(there.fields, fields), **live}, version=there.version)


def _changes(message: Message, there: Document | None) -> dict[str, Any]:
    """Return what a message changes in its conversation."""
    if message.by == PHONE:
        return {"last_out": Maximum(message.at)} if message.said else {}
    came = came_by(message.referral, message.at) if message.referral else {}
    if not message.said:
        return came
    changes = received(message.at)
    if there:
        changes |= active(max(message.at, last_reaction(there.fields)))
    return changes | came


def _told_as(message: Message) -> Type:
    if message.by == PHONE:
        return "message.sent"
    return "message.received" if message.said else "conversation.updated"


def call_step(call: Message, there: Document, line: Line, now: datetime) -> Step:
    """Return what further news of a call ask for."""
    if there.fields.get("call", 0) >= (call.call or 0):
        return Step()
    changed = event(
        "message.changed",
        account=line.account,
        connection=line.connection,
        conversation=there.fields["conversation"],
        message=there.key.id,
        detail=call.content["kind"],
        now=now,
    )
    fields = {"call": call.call, "content": call.content, "raw": json_text.write(call.raw), "changed": NOW}
    tasks = [deliver_task(line.connection, key_of(there.key.id, call.content["kind"]))]
    return Step([update(there.key, fields, version=there.version), changed], tasks)


def preference_step(preference: Preference, line: Line, crowd: Crowd, now: datetime) -> Step:
    """Return what WhatsApp's own switch for marketing asks for. Raises `Nameless` and `Erased`."""
    contact, people_writes = crowd.contact_of(line.account, preference.person, preference.at)
    said = consent.stated(preference.value, "whatsapp", preference.at)
    cause = f"{preference.value} {preference.at}"
    conversation = conversation_key(line.id, contact).id
    # Where there is no conversation yet, there is nobody to tell.
    changed = event(
        "contact.updated",
        account=line.account,
        connection=line.connection,
        conversation=conversation,
        detail=cause,
        now=now,
    )
    # Nobody who was erased meanwhile is made again.
    write = update if crowd.is_there(line.account, preference.person) else merge
    writes = [write(contact_key(contact), {"consent": said}), *people_writes, changed]
    goodbye = [goodbye_task(conversation, cause)] if preference.value == "stop" else []
    return Step(writes, [deliver_task(line.connection, key_of(conversation, cause)), *goodbye])


def import_step(given: Import, line: Line, now: datetime) -> Step:
    """Return what chats of the past, or the address book, ask for: they are kept, and worked off later."""
    key, writes = kept(given, line, now)
    return Step(writes, [import_task(import_of(key))], message=key)


def group_step(message: GroupMessage, line: Line, now: datetime, policy: Policy) -> Step:
    """Return what something of a group asks for: it is kept apart, raw, and counted."""
    key = Key("group_messages", key_of("group_message", line.id, message.name))
    fields = {
        "account": line.account,
        "line": line.id,
        "group": key_of("group", message.group),
        "at": message.at,
        "raw": json_text.write(message.raw),
        "changed": NOW,
        "expires_at": expiry(now.timestamp(), policy.messages),
    }
    return Step(writes=[create(key, fields), counted(line.account, f"group {message.what}", now)], message=key)


def _wishes(message: Message, line: Line, contact: str) -> list[Write]:
    """A customer who writes nothing but STOP wants no marketing, in the commit that takes the message."""
    value = _asks_for(message, line)
    return [merge(contact_key(contact), {"consent": consent.stated(value, "keyword", message.at)})] if value else []


def _asks_for(message: Message, line: Line) -> str | None:
    """Return whether a customer asks to stop or to resume by a word of this line's."""
    words = None if message.by == PHONE else _words(message)
    if consent.is_stop(words, line.rules.stop_words):
        return "stop"
    return "resume" if consent.is_resume(words, line.rules.resume_words) else None


def _courtesies(message: Message, line: Line, conversation: str, key: str, *, met: bool) -> list[Task]:
    """Return what asks for the answer to a STOP, and for the data notice of who was not met here in the last hour."""
    if _asks_for(message, line) == "stop":
        return [goodbye_task(conversation, key, key)]
    is_due = met and line.rules.notice and message.said and message.by != PHONE
    return [notice_task(conversation, key)] if is_due else []


def _words(message: Message) -> Any:
    """Return what a customer wrote, or what stands on the button that they pressed."""
    match message.type, message.content:
        case "text", {"body": words}:
            return words
        case "button", {"text": words}:
            return words
        case "interactive", {"button_reply": {"title": words}}:
            return words
    return None


def _counts(message: Message, line: Line, now: datetime) -> list[Write]:
    if message.type != "unsupported":
        return []
    return [counted(line.account, f"type {message.content['type']}", now)]
