"""What every function needs: settings, store, queues, files."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from functions.core.checkup.finding import Finding, span
from functions.core.events import deliver_task
from functions.core.health import hold_key
from functions.core.ids import key_of
from functions.core.indexes import INDEXES
from functions.core.outbox import send_task
from functions.core.signature import TOLERANCE
from functions.core.store import NOW, Key, Query, Unavailable, create, delete
from functions.core.tasks import QueueUnavailable, Task
from functions.local.doctor.patient import Patient

_PROBE = b"leadline doctor"
_NOBODYS = "leadline doctor"
_TIMEOUT = 10
_SAME, _UNNOTICED = 2, 60
"""Seconds by which clocks may differ that nobody notices."""


async def settings(patient: Patient) -> Sequence[Finding]:
    """They were read, or nothing could be looked at; here is what they leave out."""
    settings = patient.ports.settings
    missing = [
        name
        for name, value in (
            ("WHATSAPP_APP_SECRET", settings.app_secrets),
            ("WHATSAPP_VERIFY_TOKEN", settings.verify_token),
            ("LEADLINE_TOKEN_KEYS", settings.token_keys),
            ("LEADLINE_CONNECTION_KEYS", settings.connection_keys),
        )
        if not value
    ]
    if missing:
        seen = f"valid; not set here: {', '.join(missing)}"
        return [Finding("settings", "warn", seen, "Make sure that the functions that need them have them.")]
    return [Finding("settings", "ok", "valid and complete")]


async def public_url(patient: Patient) -> Sequence[Finding]:
    """A browser on a page with https calls nothing without it."""
    url = patient.ports.settings.public_url
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost"):
        return [Finding("public URL", "ok", url)]
    mend = "Put an address with https in LEADLINE_PUBLIC_URL: a CRM that has it itself can't call another one."
    return [Finding("public URL", "warn", f"{url} has no https", mend)]


async def store(patient: Patient) -> Sequence[Finding]:
    """Write a document, read it, and take it away."""
    key = Key("nonces", key_of("doctor", uuid.uuid4().hex))
    documents = patient.ports.store
    before = patient.ports.now()
    await documents.commit([create(key, {"expires_at": patient.now + timedelta(minutes=10), "at": NOW})])
    [written] = await documents.get([key])
    await documents.commit([delete(key)])
    if written is None:
        return [Finding("store", "bad", "what was written could not be read", "Look at the store's own health.")]
    skew = (written.fields["at"] - before).total_seconds()
    return [Finding("store", "ok", "writes and reads"), _clock("clock against the store's", skew)]


async def meta_clock(patient: Patient) -> Sequence[Finding]:
    """Compare with what Meta's answers say the time is."""
    name, settings = "clock against Meta's", patient.ports.settings
    before = patient.ports.now()
    try:
        answer = await patient.client.get(f"{settings.graph_url}/{settings.graph_version}/app", timeout=_TIMEOUT)
        # The last one: a server before it may have added its own.
        told = parsedate_to_datetime(answer.headers.get_list("date")[-1]).replace(tzinfo=UTC)
    except (httpx.HTTPError, LookupError, ValueError) as error:
        mend = "Look at WHATSAPP_GRAPH_URL and the network."
        return [Finding(name, "unknown", f"Meta does not say ({type(error).__name__})", mend)]
    return [_clock(name, (told - before).total_seconds())]


def _clock(name: str, skew: float) -> Finding:
    """Return what a difference of clocks means; Meta's is told in whole seconds."""
    off = abs(skew)
    if off < _UNNOTICED:
        return Finding(name, "ok", "the same" if off < _SAME else f"{span(off)} apart")
    seen = f"this clock is {span(off)} {'behind' if skew > 0 else 'ahead'}"
    mend = "Let this machine's clock be set by NTP: signed calls are refused that are 5 minutes off."
    return Finding(name, "bad" if off >= TOLERANCE else "warn", seen, mend)


async def indexes(patient: Patient) -> Sequence[Finding]:
    """Ask every query that the code asks, in a form that finds nothing; a store without its index refuses."""
    missing = []
    for index in INDEXES:
        where = dict.fromkeys(index.equal, _NOBODYS)
        query = Query(index.collection, where, order=index.order, descending=index.descending, limit=1)
        try:
            await patient.ports.store.query(query)
        except Unavailable as error:
            missing.append(f"{index.collection} by {', '.join([*index.equal, index.order])} ({error})")
    if missing:
        mend = "terraform apply makes them; a new one takes Google some minutes."
        return [Finding("indexes", "bad", f"refused: {'; '.join(missing)}", mend)]
    return [Finding("indexes", "ok", f"all {len(INDEXES)} queries are answered")]


async def sealed(patient: Patient) -> Sequence[Finding]:
    """What lies sealed in the store, and whether the newest data key sealed it."""
    settings, old = patient.ports.settings, []
    for seal, texts in (
        (settings.token_keys, [line.token for line in patient.lines]),
        (settings.connection_keys, [secret for connection in patient.connections for secret in connection.secrets]),
    ):
        old += [text for text in texts if seal and not seal.is_newest(text)]
    if old:
        seen = f"{len(old)} of what lies in the store is not sealed with the newest key"
        return [Finding("data keys", "warn", seen, "leadline keys rotate: until then the older key is needed.")]
    return [Finding("data keys", "ok", "everything is sealed with the newest key")]


async def queues(patient: Patient) -> Sequence[Finding]:
    """Queue what finds nothing to do: a sweep, and for each line and connection a look at its own queue.

    One a minute, however often the doctor comes.
    """
    minute = f"doctor {int(patient.now.timestamp()) // 60}"
    holds = await patient.ports.store.get([hold_key(line.id) for line in patient.lines])
    tasks = [
        Task("housekeeping", "sync", {"kind": "sweep"}, key_of("sweep", minute)),
        *(deliver_task(connection.id, minute) for connection in patient.connections),
        # A line that is held would keep the task for a conversation that there is not.
        *(
            send_task(line.id, key_of("doctor", line.id), minute, bulk=bulk)
            for line, hold in zip(patient.lines, holds, strict=True)
            for bulk in (False, True)
            if hold is None
        ),
    ]
    return [await _queue(patient, task) for task in tasks]


async def _queue(patient: Patient, task: Task) -> Finding:
    name = f"queue {task.queue}"
    try:
        await patient.ports.tasks.enqueue(task)
    except QueueUnavailable as error:
        return Finding(
            name,
            "bad",
            str(error) or "out of reach",
            "leadline line add or leadline connect makes it; else its rights.",
        )
    return Finding(name, "ok", "takes tasks")


async def media(patient: Patient) -> Sequence[Finding]:
    """Store a file, read it, and take it away."""
    name = f"doctor/{key_of('doctor', uuid.uuid4().hex)}"
    files = patient.ports.media
    await files.save(name, _probe(), "text/plain")
    read = b"".join([chunk async for chunk in files.read(name)])
    await files.delete(name)
    if read != _PROBE:
        return [Finding("media store", "bad", "a file came back changed", "Look at the media store's own health.")]
    return [Finding("media store", "ok", "stores and reads files")]


async def _probe() -> AsyncIterator[bytes]:
    yield _PROBE
