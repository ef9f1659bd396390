"""All checks, one after the other, and what they found for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import httpx

from functions.core.graph import Graph
from functions.core.lines import Directory, Line
from functions.core.media import MediaMissing, MediaUnavailable
from functions.core.ports import Ports
from functions.core.store import Query, Refused, Unavailable
from functions.local.doctor import lines, places, waiting
from functions.local.doctor.finding import Check, Finding, Patient

CHECKS: Mapping[str, Check] = {
    "settings": places.settings,
    "public URL": places.public_url,
    "store": places.store,
    "queues": places.queues,
    "media store": places.media,
    "lines": lines.known,
    "WhatsApp": lines.access,
    "webhooks": lines.webhooks,
    "sending": lines.held,
    "last message in": lines.last_inbound,
    "events": waiting.events,
    "outbox": waiting.outbox,
    "files": waiting.files,
    "put aside": waiting.put_aside,
    "unknown types": waiting.unknown_types,
    "reviews": waiting.reviews,
}
"""Each looks at one thing, of each line or connection where there are several; it reads, or undoes what it wrote."""

_MARKS = {"ok": "ok", "warn": "WARN", "bad": "BAD", "unknown": "?"}


async def examine(ports: Ports, client: httpx.AsyncClient) -> list[Finding]:
    """Run every check. `client` is the way to the Graph API. What can't be reached is a finding, never an exception."""
    settings = ports.settings
    try:
        found = await _lines(ports)
    except Unavailable:
        found = []  # The check of the store says so.
    patient = Patient(ports, Graph(client, settings.graph_url, settings.graph_version), found, ports.now())
    return [finding for name, check in CHECKS.items() for finding in await _checked(name, check, patient)]


async def _checked(name: str, check: Check, patient: Patient) -> Sequence[Finding]:
    try:
        return await check(patient)
    except (Unavailable, Refused, MediaUnavailable, MediaMissing) as error:
        why = str(error) or type(error).__name__
        return [Finding(name, "bad", f"can't be reached: {why}", "Look at its setting, its rights and the network.")]


async def _lines(ports: Ports) -> list[Line]:
    """Return every line, by way of the business accounts at Meta."""
    directory, ids, after = Directory(ports.store), dict[str, None](), None
    while accounts := await ports.store.query(Query("wabas", {"polled": True}, order="templates_due", after=after)):
        for account in accounts:
            ids.update(dict.fromkeys([*account.fields.get("lines", {}).values(), account.fields["line"]]))
        after = (accounts[-1].fields["templates_due"], accounts[-1].key.id)
    found = [await directory.line(line) for line in sorted(ids)]
    return [line for line in found if line is not None]


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
