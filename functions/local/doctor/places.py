"""What every function needs: settings, store, queues, files."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from functions.core.events import deliver_task
from functions.core.health import hold_key
from functions.core.ids import key_of
from functions.core.outbox import send_task
from functions.core.store import Key, create, delete
from functions.core.tasks import QueueUnavailable, Task
from functions.local.doctor.finding import Finding, Patient

_PROBE = b"leadline doctor"


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
    await documents.commit([create(key, {"expires_at": patient.now + timedelta(minutes=10)})])
    [written] = await documents.get([key])
    await documents.commit([delete(key)])
    if written is None:
        return [Finding("store", "bad", "what was written could not be read", "Look at the store's own health.")]
    return [Finding("store", "ok", "writes and reads")]


async def queues(patient: Patient) -> Sequence[Finding]:
    """Queue what finds nothing to do: a sweep, and for each line and connection a look at its own queue.

    One a minute, however often the doctor comes.
    """
    minute = f"doctor {int(patient.now.timestamp()) // 60}"
    holds = await patient.ports.store.get([hold_key(line.id) for line in patient.lines])
    tasks = [
        Task("housekeeping", "sync", {"kind": "sweep"}, key_of("sweep", minute)),
        *(deliver_task(connection, minute) for connection in patient.connections),
        # A line that is held would keep the task for a conversation that there is not.
        *(
            send_task(line.id, key_of("doctor", line.id), minute)
            for line, hold in zip(patient.lines, holds, strict=True)
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
            name, "bad", str(error) or "out of reach", "Make the queue if it is missing, and look at its rights."
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
