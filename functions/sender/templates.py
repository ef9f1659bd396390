"""Template definitions: copied from Meta when the clock, a webhook or a CRM asks; told on when an agent would notice.

A copy that a lost race leaves behind is mended by the next poll.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from functions.core.events import deliver_task, template_event
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.ids import key_of
from functions.core.lines import Line, waba_key
from functions.core.store import Document, Key, Write, merge, update
from functions.core.templates import (
    DELETED,
    Definition,
    definition_fields,
    definition_key,
    deleted_fields,
    listed,
    of_graph,
    resync_task,
)
from functions.sender.desk import Access, Desk

log = logging.getLogger(__name__)

_POLLED_EVERY = timedelta(hours=6)
"""Webhooks tell of changes as they happen; the poll finds what they missed, well within 200 calls an hour."""

_OUT_OF_REACH = timedelta(minutes=5)
"""When Meta is asked again that could not be reached."""

_AT_ONCE = 100
_NEVER_SHOWN = frozenset({"changed", "place", "template"})

Wanted = Mapping[Key, Mapping[str, Any]]
"""Documents as they should be."""


async def sync_templates(desk: Desk, line_id: str) -> None:
    """Bring all definitions of a line's account into step with Meta; those that are gone there are marked deleted."""
    access = await desk.access(line_id)
    waba = access.line.waba
    [account] = await desk.ports.store.get([waba_key(waba)])
    first = account is None or "templates_synced" not in account.fields
    try:
        seen = await _copy_pages(desk, access, told=not first)
    except Refused as refusal:
        log.warning("Meta did not show the templates", extra={"code": refusal.code, "line": line_id})
        await _postpone(desk, waba, _POLLED_EVERY)
        return
    except (NotSent, Uncertain):
        # The next poll comes sooner; an error would only slow the queue.
        await _postpone(desk, waba, _OUT_OF_REACH)
        return
    await _mark_gone(desk, access.line, seen)
    await _postpone(desk, waba, _POLLED_EVERY, templates_synced=int(desk.ports.now().timestamp()))


async def sync_template(desk: Desk, line_id: str, name: str, language: str) -> None:
    """Bring one definition into step with Meta."""
    access = await desk.access(line_id)
    key, after, found = definition_key(access.line.waba, name, language), None, None
    try:
        while found is None:
            items, after = await desk.graph.templates(access.line.waba, access.token, after=after, name=name)
            found = next((one for one in _definitions(items) if _key(access.line, one) == key), None)
            if after is None:
                break
    except Refused as refusal:
        log.warning("Meta did not show a template", extra={"code": refusal.code, "line": line_id})
        return
    except (NotSent, Uncertain):
        at = desk.ports.now() + _OUT_OF_REACH
        await desk.ports.tasks.enqueue(resync_task(line_id, name, language, f"out of reach until {at}", at))
        return
    wanted = deleted_fields() if found is None else _fields(access.line, found)
    await _write(desk, access.line, {key: wanted}, told=True)


async def _copy_pages(desk: Desk, access: Access, *, told: bool) -> set[Key]:
    """Copy every definition page by page; return the keys of all."""
    seen: set[Key] = set()
    after = None
    while True:
        items, after = await desk.graph.templates(access.line.waba, access.token, after=after)
        wanted = {_key(access.line, one): _fields(access.line, one) for one in _definitions(items)}
        await _write(desk, access.line, wanted, told=told)
        seen |= wanted.keys()
        if after is None:
            return seen


async def _mark_gone(desk: Desk, line: Line, seen: set[Key]) -> None:
    place = None
    while found := await desk.ports.store.query(listed(line.waba, place, _AT_ONCE)):
        gone = {document.key: deleted_fields() for document in found if document.key not in seen}
        await _write(desk, line, gone, told=True)
        place = (found[-1].fields["place"], found[-1].key.id)


def _definitions(items: Sequence[Mapping[str, Any]]) -> list[Definition]:
    found = []
    for item in items:
        try:
            found.append(of_graph(item))
        except ValueError:
            log.error("Meta describes a template in an unknown way")
    return found


def _key(line: Line, definition: Definition) -> Key:
    return definition_key(line.waba, definition.name, definition.language)


def _fields(line: Line, definition: Definition) -> dict[str, Any]:
    return definition_fields(definition, account=line.account, waba=line.waba)


async def _write(desk: Desk, line: Line, wanted: Wanted, *, told: bool) -> None:
    """Write the documents that differ from what is stored, and tell the CRMs of what an agent would notice."""
    if not wanted:
        return
    stored = await desk.ports.store.get(list(wanted))
    there = {document.key: document for document in stored if document is not None}
    changed = {key: fields for key, fields in wanted.items() if _differs(there.get(key), fields)}
    if not changed:
        return
    writes = [merge(key, fields) for key, fields in changed.items()]
    lines = await _lines_of(desk, line) if told else []
    for one in lines:
        writes += [_told(desk, one, key) for key, fields in changed.items() if _noticed(there.get(key), fields)]
    await desk.ports.store.commit(writes)
    for connection in {one.connection for one in lines}:
        cause = key_of("templates", *(key.id for key in changed), str(desk.ports.now().timestamp()))
        await desk.ports.tasks.enqueue(deliver_task(connection, cause))


def _differs(there: Document | None, fields: Mapping[str, Any]) -> bool:
    if there is None:
        return bool(fields["status"] != DELETED)
    return any(there.fields.get(name) != value for name, value in fields.items() if isinstance(value, str | None))


def _noticed(there: Document | None, fields: Mapping[str, Any]) -> bool:
    shown = {name: value for name, value in fields.items() if name not in _NEVER_SHOWN}
    return there is None or any(there.fields.get(name) != value for name, value in shown.items())


async def _lines_of(desk: Desk, line: Line) -> list[Line]:
    """Return all lines that share an account's templates."""
    [account] = await desk.ports.store.get([waba_key(line.waba)])
    ids = dict.fromkeys([line.id, *((account.fields.get("lines") or {}).values() if account else ())])
    found = [await desk.line(one) for one in ids]
    return [one for one in found if one is not None and one.waba == line.waba]


def _told(desk: Desk, line: Line, key: Key) -> Write:
    return template_event(line.id, key.id, account=line.account, connection=line.connection, now=desk.ports.now())


async def _postpone(desk: Desk, waba: str, pause: timedelta, **fields: int) -> None:
    due = int((desk.ports.now() + pause).timestamp())
    await desk.ports.store.commit([update(waba_key(waba), {**fields, "templates_due": due})])
