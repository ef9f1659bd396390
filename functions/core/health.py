"""A line's health for sending: what Meta says of it, and its hold.

While `holds/{line}` exists nothing is sent on the line, save one message after each pause: the probe. Once Meta takes
that, the line sends again. Nothing of what comes in looks at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.events import health_event
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.message import iso
from functions.core.meta_errors import meaning
from functions.core.store import NOW, Document, Key, Store, Write, create, delete, merge, update

QUALITY, LIMIT = "quality", "limit"
GRAPH, CHECKUP = "graph", "checkup"
SLOW = "slow"
HEALTH_FACTS = (QUALITY, LIMIT)
"""What Meta says of a line that is shown with its health."""

_PAUSE, _LONGEST_PAUSE = 60, 900
"""Seconds between two probes: at first, and at most."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A line's hold as it was read. `error`: what the agent reads; `probes`: how often it was tried in vain."""

    key: Key
    version: int
    error: dict[str, Any]
    since: int
    next_try: datetime
    probes: int
    access: str

    def may_probe(self, line: Line, now: datetime) -> bool:
        """Tell whether a message may be tried: after the pause, or at once with another token or number."""
        return self.next_try <= now or self.access != _access(line)


def hold_key(line: str) -> Key:
    return Key("holds", line)


def hold_of(document: Document | None) -> Hold | None:
    """Return the hold from its document; None while the line may send."""
    if document is None:
        return None
    fields = document.fields
    return Hold(
        document.key,
        document.version,
        fields["error"],
        fields["since"],
        datetime.fromtimestamp(fields["next_try"], UTC),
        fields["probes"],
        fields["access"],
    )


def begun(line: Line, error: Mapping[str, Any], now: datetime) -> list[Write]:
    """Return the writes that stop a line's sending and say so; refused as `AlreadyExists` when it is stopped."""
    fields = {
        "account": line.account,
        "line": line.id,
        "code": error["code"],
        "error": dict(error),
        "since": int(now.timestamp()),
        "next_try": (now + _pause(error, 0)).timestamp(),
        "probes": 0,
        "access": _access(line),
        "updated": NOW,
    }
    return [create(hold_key(line.id), fields), health_event(line, f"held {fields['since']}", now)]


def ended(hold: Hold, line: Line, now: datetime) -> list[Write]:
    """Return the writes that let a line send again and say so."""
    return [delete(hold.key), health_event(line, f"ok {int(now.timestamp())}", now)]


def probed(hold: Hold, line: Line, message: str, now: datetime) -> Write:
    """Return the write that lets one message through; of several who want to, one gets it."""
    return update(
        hold.key,
        {
            "next_try": (now + _pause(hold.error, hold.probes + 1)).timestamp(),
            "probes": hold.probes + 1,
            "access": _access(line),
            "prober": message,
            "updated": NOW,
        },
        version=hold.version,
    )


def still_held(hold: Hold, error: Mapping[str, Any]) -> Write:
    """Return the write that keeps why the last probe was refused."""
    return update(hold.key, {"code": error["code"], "error": dict(error), "updated": NOW})


def sooner(hold_key_: Key) -> Write:
    """Return the write that lets the next message be a probe: something has changed that may have mended the line."""
    return update(hold_key_, {"next_try": 0, "updated": NOW})


def _pause(error: Mapping[str, Any], probes: int) -> timedelta:
    least = meaning(error["code"]).pause if error["code"] is not None else 0
    return timedelta(seconds=max(least, min(_PAUSE * 2**probes, _LONGEST_PAUSE)))


def _access(line: Line) -> str:
    """Return a fingerprint of what a line sends with."""
    return key_of("access", line.phone_number_id, line.token)


async def health(store: Store, line: Line) -> dict[str, Any]:
    """Return a line's health as the chat API and the CRM see it.

    `quality` and `limit` are Meta's own words; a limit of the whole business account counts where it is the newer.
    """
    held, *facts = await store.get(
        [
            hold_key(line.id),
            fact_key(line.id, QUALITY),
            fact_key(line.id, LIMIT),
            fact_key(line.waba, LIMIT),
        ]
    )
    hold = hold_of(held)
    quality, *limits = ((fact.fields["at"], fact.fields["value"]) if fact else (0, None) for fact in facts)
    return {
        "sending": "held" if hold else "ok",
        "error": hold.error if hold else None,
        "since": iso(hold.since) if hold else None,
        "quality": quality[1],
        "limit": max(limits, key=lambda limit: limit[0])[1],
    }


async def checked(store: Store, line: Line) -> dict[str, Any]:
    """Return what the last checkup found wrong with a line, and how fast Meta answers, as the CRM sees it."""
    checkup, graph = await store.get([fact_key(line.id, CHECKUP), fact_key(line.id, GRAPH)])
    return {
        "checked": iso(checkup.fields["at"]) if checkup else None,
        "problems": checkup.fields["problems"] if checkup else [],
        "graph": graph.fields["value"] if graph else "ok",
    }


def paced(line: Line, pace: str, now: datetime) -> list[Write]:
    """Return the writes that keep how fast Meta answers a line (`slow` or `ok`), and tell its CRM."""
    at = int(now.timestamp())
    fields = {"account": line.account, "line": line.id, "waba": line.waba, "fact": GRAPH, "value": pace, "at": at}
    return [merge(fact_key(line.id, GRAPH), {**fields, "changed": NOW}), health_event(line, f"graph {pace} {at}", now)]


def fact_key(of: str, fact: str) -> Key:
    """Return the key of what Meta said last of a line or of a business account."""
    return Key("line_facts", key_of("fact", of, fact))
