"""What waits, what was put aside, and what a person should look at."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.core.checkup.finding import Finding, State, ago
from functions.core.events import waiting
from functions.core.parked import items
from functions.core.reach import reach_key
from functions.core.store import Query
from functions.local.doctor.patient import Patient

_MANY = 100
_MOST = 1000
_DAYS = 7
_LATE, _TOO_LATE = timedelta(minutes=2), timedelta(hours=1)
"""After which something that waits is worth a look, and after which somebody must look."""


async def events(patient: Patient) -> Sequence[Finding]:
    """Events that each CRM has not taken yet."""
    return [await _events(patient, connection.id) for connection in patient.connections]


async def _events(patient: Patient, connection: str) -> Finding:
    store = patient.ports.store
    [resting] = await store.get([reach_key(connection)])
    return _backlog(
        f"connection {connection}: events",
        [event.fields["seq"] for event in await store.query(waiting(connection, _MANY))],
        patient.now,
        why=resting.fields.get("reason") if resting else None,
        mend="Look whether the CRM is up and takes our key. Events wait for 8 days and are delivered in their order.",
    )


async def outbox(patient: Patient) -> Sequence[Finding]:
    """The message that has waited longest for being sent."""
    found = await patient.ports.store.query(Query("messages", {"waiting": True}, order="queued", limit=_MANY))
    return [
        _backlog(
            "outbox",
            [message.fields["queued"] for message in found],
            patient.now,
            why=f"line {found[0].fields['line']}" if found else None,
            mend="Look at the line's sending, and whether the sender's queue runs.",
        )
    ]


async def files(patient: Patient) -> Sequence[Finding]:
    """The received file that has waited longest for being fetched."""
    found = await patient.ports.store.query(Query("messages", {"media.state": "waiting"}, order="changed", limit=_MANY))
    return [
        _backlog(
            "files",
            [message.fields["changed"] for message in found],
            patient.now,
            mend="Look at the line's WhatsApp access and the media store: Meta keeps a file for 7 days.",
        )
    ]


def _backlog(name: str, since: Sequence[datetime], now: datetime, *, mend: str, why: str | None = None) -> Finding:
    """Return what is to be said of things that have waited since then, the oldest first."""
    if not since:
        return Finding(name, "ok", "nothing waits")
    waited = now - since[0]
    state: State = "bad" if waited > _TOO_LATE else "warn" if waited > _LATE else "ok"
    seen = f"{_count(len(since), _MANY)} waiting, the oldest since {ago(since[0], now)}{f' ({why})' if why else ''}"
    return Finding(name, state, seen, None if state == "ok" else mend)


async def put_aside(patient: Patient) -> Sequence[Finding]:
    """What could not be handled, by kind and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    async for item in items(patient.ports.store):
        counts[item.state, item.reason] += 1
        if counts.total() == _MOST:
            break
    if not counts:
        return [Finding("put aside", "ok", "nothing")]
    return [
        Finding(
            f"put aside: {reason}",
            "warn",
            f"{_count(count, _MOST)} of kind {state}",
            f'Mend the cause, then: leadline replay run --reason "{reason}"',
        )
        for (state, reason), count in counts.most_common()
    ]


async def unknown_types(patient: Patient) -> Sequence[Finding]:
    """What came that this version does not know, by type, in the last days."""
    found = [finding for account in patient.accounts for finding in await _unknown_types(patient, account)]
    return found or [Finding("unknown types", "ok", f"none in {_DAYS} days")]


async def _unknown_types(patient: Patient, account: str) -> list[Finding]:
    since = (patient.now - timedelta(days=_DAYS)).date().isoformat()
    found = await patient.ports.store.query(
        Query("counts", {"account": account}, order="day", descending=True, limit=_MOST)
    )
    days: dict[str, list[str]] = {}
    for document in found:
        fields = document.fields
        if fields["day"] >= since:
            days.setdefault(fields["what"], []).append(f"{fields['count']} on {fields['day']}")
    mend = "They are kept raw, shown as unsupported or put aside; a newer version may read them."
    return [Finding(f"unknown: {what}", "warn", ", ".join(seen), mend) for what, seen in sorted(days.items())]


async def reviews(patient: Patient) -> Sequence[Finding]:
    """Contacts that may be the same person; nobody is joined by a guess."""
    count = 0
    for account in patient.accounts:
        query = Query("reviews", {"account": account}, order="at", descending=True, limit=_MANY)
        count += len(await patient.ports.store.query(query))
    if not count:
        return [Finding("reviews", "ok", "no contacts to compare")]
    mend = "Compare them in the CRM: GET /chat/v1/reviews lists both sides of each."
    return [Finding("reviews", "warn", f"{_count(count, _MANY)} to compare: the two may be one person", mend)]


def _count(count: int, most: int) -> str:
    return f"{count} or more" if count >= most else str(count)
