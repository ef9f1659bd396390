"""All checks, one after the other, and what they found for people and for programs."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import httpx

from functions.core.checkup.finding import Finding
from functions.core.lines import every_connection, every_line
from functions.core.management import Management
from functions.core.media import MediaMissing, MediaUnavailable
from functions.core.ports import Ports
from functions.core.store import Refused, Unavailable
from functions.local.doctor import app, crms, lines, places, waiting
from functions.local.doctor.patient import Check, Patient

CHECKS: Mapping[str, Check] = {
    "settings": places.settings,
    "public URL": places.public_url,
    "store": places.store,
    "indexes": places.indexes,
    "queues": places.queues,
    "media store": places.media,
    "data keys": places.sealed,
    "clock against Meta's": places.meta_clock,
    "webhook": app.webhook,
    "app": app.subscription,
    "lines": lines.known,
    "each line": lines.each,
    "connections": crms.each,
    "events": waiting.events,
    "outbox": waiting.outbox,
    "files": waiting.files,
    "put aside": waiting.put_aside,
    "unknown types": waiting.unknown_types,
    "reviews": waiting.reviews,
}
"""Each looks at one thing, of each line or connection where there are several; it reads, or undoes what it wrote."""

_MARKS = {"ok": "ok", "warn": "WARN", "bad": "BAD", "unknown": "?"}


async def examine(
    ports: Ports, client: httpx.AsyncClient, *, timer: Callable[[], float] = time.monotonic
) -> list[Finding]:
    """Run every check. What can't be reached is a finding, never an exception.

    `client` is the way to Meta, to the CRMs and to our own webhook; `timer` measures Meta's answers.
    """
    settings = ports.settings
    try:
        found = await every_line(ports.store)
        linked = await every_connection(ports.store)
    except Unavailable:
        found, linked = [], []  # The check of the store says so.
    graph = Management(client, settings.graph_url, settings.graph_version)
    patient = Patient(ports, client, graph, found, linked, ports.now(), timer)
    return [finding for name, check in CHECKS.items() for finding in await _checked(name, check, patient)]


async def _checked(name: str, check: Check, patient: Patient) -> Sequence[Finding]:
    try:
        return await check(patient)
    except (Unavailable, Refused, MediaUnavailable, MediaMissing) as error:
        why = str(error) or type(error).__name__
        return [Finding(name, "bad", f"can't be reached: {why}", "Look at its setting, its rights and the network.")]


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 when anything is bad, else 0."""
    return int(any(finding.state == "bad" for finding in findings))


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings for programs."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def as_table(findings: Sequence[Finding]) -> str:
    """Return the findings for people: what was seen, and below it what to do."""
    width = max(len(finding.name) for finding in findings)
    rows = []
    for finding in findings:
        rows.append(f"{_MARKS[finding.state]:<5} {finding.name:<{width}}  {finding.seen}")
        if finding.mend:
            rows.append(f"{'':<5} {'':<{width}}  → {finding.mend}")
    return "\n".join(rows)
