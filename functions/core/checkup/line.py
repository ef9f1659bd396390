"""Each line: its token, what Meta says of its number, where its webhooks go, and how it fares."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from functions.core.checkup.finding import Finding, ago, span
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.health import GRAPH, SLOW, fact_key, hold_key, hold_of
from functions.core.lines import Line, waba_key
from functions.core.management import Management, TokenFacts, callback_of
from functions.core.meta_errors import meaning
from functions.core.pace import IN_A_ROW, LONGEST_ANSWER
from functions.core.ports import Ports
from functions.core.secrets import Seal, SealBroken
from functions.core.store import Query
from functions.core.templates import in_state

Answer = TypeVar("Answer")

OUT_OF_REACH = "Meta can't be reached"
"""How a finding begins that says nothing of the line itself."""

_LATEST = 20
"""Conversations that are looked at for the last message that came in; the latest changed stand first."""

_QUIET = timedelta(days=7)
_TROUBLED = ("REJECTED", "PAUSED", "DISABLED")
_NAMED = 5
_NOT_COPIED = timedelta(days=1)
_ENDS_SOON, _ENDS_NOW = timedelta(days=14), timedelta(days=2)

_TOKEN_REFUSED = 190

_MANAGER = "Open the number in WhatsApp Manager: Meta says there what it wants."


class _Unusable(Exception):
    """The token is refused, and so would be whatever else is asked with it."""


@dataclass(slots=True)
class _Calls:
    """What was asked of Meta, and how long each answer took."""

    graph: Management
    timer: Callable[[], float]
    seconds: list[float] = field(default_factory=list)

    async def timed(self, call: Awaitable[Answer]) -> Answer:
        began = self.timer()
        try:
            return await call
        finally:
            self.seconds.append(self.timer() - began)


async def examine_line(
    ports: Ports,
    graph: Management,
    line: Line,
    *,
    timer: Callable[[], float] = time.monotonic,
    seconds: list[float] | None = None,
) -> list[Finding]:
    """Look at all of a line. What can't be reached at Meta is a finding; `Unavailable` is the store's.

    `timer` measures Meta's answers, and `seconds` gets what each took.
    """
    seal = ports.settings.token_keys
    if seal is None:
        mend = "Set it to look with the line's token."
        asked = [Finding(_name(line, "token"), "unknown", "LEADLINE_TOKEN_KEYS is not set here", mend)]
    else:
        asked = await _at_meta(ports, _Calls(graph, timer, [] if seconds is None else seconds), line, seal)
    return [
        *asked,
        await _sending(ports, line),
        await _templates(ports, line),
        await _last_inbound(ports, line),
    ]


def _name(line: Line, what: str) -> str:
    return f"line {line.id}: {what}"


async def _at_meta(ports: Ports, calls: _Calls, line: Line, seal: Seal) -> list[Finding]:
    try:
        token = seal.open(line.token)
    except SealBroken as error:
        mend = f"Put its data key into LEADLINE_TOKEN_KEYS, or enter it again: leadline line token {line.id}"
        return [Finding(_name(line, "token"), "bad", str(error), mend)]
    found: list[Finding] = []
    try:
        facts = await _asked(found, line, "token", calls.timed(calls.graph.token_facts(token)))
        if facts is not None:
            found.append(_token(line, facts, ports.now()))
        asked = calls.timed(calls.graph.number_facts(line.phone_number_id, token))
        number = await _asked(found, line, "WhatsApp", asked)
        if number is not None:
            found += [_number(line, number), _callback(line, number, ports.settings.webhook_url)]
        apps = await _asked(found, line, "webhooks", calls.timed(calls.graph.subscribed_apps(line.waba, token)))
        if apps is not None:
            found.append(_subscribed(line, apps, facts.app if facts else ""))
    except _Unusable:
        return found
    except (NotSent, Uncertain) as error:
        mend = "Look at WHATSAPP_GRAPH_URL and the network."
        found.append(Finding(_name(line, "WhatsApp"), "bad", f"{OUT_OF_REACH} ({error})", mend))
        return found
    return [*found, await _speed(ports, line, calls.seconds)]


async def _asked(found: list[Finding], line: Line, what: str, call: Awaitable[Answer]) -> Answer | None:
    try:
        return await call
    except Refused as refusal:
        plain = meaning(refusal.code, refusal.transient).plain
        mend = f"Give the line another token (leadline line token {line.id}), or look at Meta's business settings."
        found.append(Finding(_name(line, what), "bad", f"Meta refuses (code {refusal.code}): {plain}", mend))
        if refusal.code == _TOKEN_REFUSED:
            raise _Unusable from None
        return None


def _token(line: Line, facts: TokenFacts, now: datetime) -> Finding:
    name, again = _name(line, "token"), f"leadline line token {line.id}"
    if not facts.valid:
        return Finding(name, "bad", "Meta says that it is not valid", f"Make another one and enter it: {again}")
    if facts.missing:
        seen = f"it lacks {' and '.join(facts.missing)}"
        return Finding(name, "bad", seen, f"Make one with these permissions, then: {again}")
    if facts.expires is None:
        return Finding(name, "ok", "valid, never runs out, has the permissions")
    left = datetime.fromtimestamp(facts.expires, UTC) - now
    seen = f"runs out in {span(left.total_seconds())}"
    if left > _ENDS_SOON:
        return Finding(name, "ok", f"valid, {seen}, has the permissions")
    mend = f"Make one for a system user that never runs out, then: {again}"
    return Finding(name, "bad" if left < _ENDS_NOW else "warn", seen, mend)


def _number(line: Line, facts: dict[str, Any]) -> Finding:
    name, status, quality = _name(line, "WhatsApp"), facts.get("status"), facts.get("quality_rating")
    health = facts.get("health_status")
    sending = health.get("can_send_message") if isinstance(health, dict) else None
    words = (
        ("status", status),
        ("quality", quality),
        ("limit", facts.get("whatsapp_business_manager_messaging_limit")),
        ("sending", sending),
    )
    seen = ", ".join([*(f"{word} {value}" for word, value in words if value), *_reasons(health)])
    if facts.get("platform_type") == "NOT_APPLICABLE" or status == "PENDING":
        return Finding(name, "bad", f"not registered: {seen}", f"leadline line add {line.id}")
    if sending == "BLOCKED" or status in ("BANNED", "RESTRICTED", "DISCONNECTED", "DELETED"):
        return Finding(name, "bad", seen, _MANAGER)
    if sending == "LIMITED" or quality in ("RED", "YELLOW") or facts.get("name_status") == "DECLINED":
        return Finding(name, "warn", seen, _MANAGER)
    return Finding(name, "ok", seen or "answers")


def _reasons(health: object) -> list[str]:
    """Return what Meta says of whatever limits the number: the account, the business, the app."""
    entities = health.get("entities") if isinstance(health, dict) else None
    found = []
    for entity in entities if isinstance(entities, list) else ():
        errors = entity.get("errors") or ()
        sentences = [error.get("error_description") for error in errors] + list(entity.get("additional_info") or ())
        if sentences and entity.get("can_send_message") != "AVAILABLE":
            found.append(f"{str(entity.get('entity_type', '')).lower()}: {' '.join(map(str, sentences))}")
    return found


def _callback(line: Line, facts: dict[str, Any], expected: str) -> Finding:
    name, actual = _name(line, "callback"), callback_of(facts)
    if actual is None:
        return Finding(name, "bad", "Meta has no callback for it", f"leadline line add {line.id}")
    if actual == expected:
        return Finding(name, "ok", actual)
    overridden = any(facts["webhook_configuration"].get(one) for one in ("phone_number", "whatsapp_business_account"))
    seen = f"{'an override' if overridden else 'the app'} sends its messages to {actual}, not to {expected}"
    mend = f"leadline line add {line.id} sets it; or set LEADLINE_WEBHOOK_URL if this is ours."
    return Finding(name, "bad", seen, mend)


def _subscribed(line: Line, apps: Sequence[str], own: str) -> Finding:
    name, mend = _name(line, "webhooks"), f"leadline line add {line.id} subscribes it: nothing comes in until then."
    if not apps:
        return Finding(name, "bad", "no app is subscribed to the business account", mend)
    if own and own not in apps:
        return Finding(name, "bad", "only other apps are subscribed to the business account", mend)
    others = len(apps) - 1
    return Finding(name, "ok", "the app is subscribed" + (f", and {others} more" if others else ""))


async def _speed(ports: Ports, line: Line, seconds: Sequence[float]) -> Finding:
    name = _name(line, "Graph")
    [fact] = await ports.store.get([fact_key(line.id, GRAPH)])
    mend = "Meta is slow, or the way to it is: look at Meta's status page, and at the region of the functions."
    if len(seconds) >= IN_A_ROW and min(seconds) > LONGEST_ANSWER:
        return Finding(name, "warn", f"slow: {len(seconds)} answers took {min(seconds):.1f} s and more each", mend)
    if fact and fact.fields["value"] == SLOW:
        since = ago(datetime.fromtimestamp(fact.fields["at"], UTC), ports.now())
        return Finding(name, "warn", f"was slow three times running for the sender, {since}", mend)
    return Finding(name, "ok", f"answers within {max(seconds, default=0):.1f} s")


async def _sending(ports: Ports, line: Line) -> Finding:
    name = _name(line, "sending")
    [document] = await ports.store.get([hold_key(line.id)])
    hold = hold_of(document)
    if hold is None:
        return Finding(name, "ok", "not held")
    since = ago(datetime.fromtimestamp(hold.since, UTC), ports.now())
    mend = "Mend what Meta says; the line tries by itself and then sends all that waits."
    return Finding(name, "bad", f"held since {since}: {hold.error.get('plain')}", mend)


async def _templates(ports: Ports, line: Line) -> Finding:
    name = _name(line, "templates")
    seen, mend = [], "Look at them in WhatsApp Manager: agents can't send them."
    for state in _TROUBLED:
        names = [one.fields["name"] for one in await ports.store.query(in_state(line.waba, state, _NAMED + 1))]
        if names:
            seen.append(f"{state.lower()}: {', '.join(names[:_NAMED])}{' and more' if len(names) > _NAMED else ''}")
    [account] = await ports.store.get([waba_key(line.waba)])
    synced = account.fields.get("templates_synced") if account else None
    if synced is None or ports.now() - datetime.fromtimestamp(synced, UTC) > _NOT_COPIED:
        copied = "never" if synced is None else ago(datetime.fromtimestamp(synced, UTC), ports.now())
        seen.append(f"last copied from Meta: {copied}")
        mend = "Look at the token's permissions, and whether the queue housekeeping runs."
    if seen:
        return Finding(name, "warn", "; ".join(seen), mend)
    return Finding(name, "ok", "copied, none rejected or paused")


async def _last_inbound(ports: Ports, line: Line) -> Finding:
    found = await ports.store.query(
        Query("conversations", {"line": line.id}, order="updated", descending=True, limit=_LATEST)
    )
    last = max((conversation.fields.get("last_in", 0) for conversation in found), default=0)
    name = _name(line, "last message in")
    mend = "Write to the number yourself. If it does not arrive, look at the webhooks of the app in Meta's console."
    if not last:
        return Finding(name, "warn", "none yet", mend)
    at = datetime.fromtimestamp(last, UTC)
    quiet = ports.now() - at > _QUIET
    return Finding(name, "warn" if quiet else "ok", ago(at, ports.now()), mend if quiet else None)
