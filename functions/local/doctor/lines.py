"""Each line: whether it may talk to WhatsApp, what Meta says of it, and when somebody last wrote."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.health import hold_key, hold_of
from functions.core.lines import Line
from functions.core.meta_errors import meaning
from functions.core.secrets import SealBroken
from functions.core.store import Query
from functions.local.doctor.finding import Finding, Patient, ago

_LATEST = 20
"""Conversations that are looked at for the last message that came in; the latest changed stand first."""

_QUIET = timedelta(days=7)


async def known(patient: Patient) -> Sequence[Finding]:
    """There is something to look after."""
    if not patient.lines:
        return [Finding("lines", "warn", "none", "Add a line: until then whatever Meta delivers is put aside.")]
    return [Finding("lines", "ok", ", ".join(line.id for line in patient.lines))]


async def access(patient: Patient) -> Sequence[Finding]:
    """Ask Meta about each number, with its own token."""
    return [await _access(patient, line) for line in patient.lines]


async def _access(patient: Patient, line: Line) -> Finding:
    name = f"line {line.id}: WhatsApp"
    seal = patient.ports.settings.token_keys
    if seal is None:
        return Finding(name, "unknown", "LEADLINE_TOKEN_KEYS is not set here", "Set it to look with the line's token.")
    try:
        number = await patient.graph.number(line.phone_number_id, seal.open(line.token))
    except SealBroken as error:
        return Finding(name, "bad", str(error), "Put the data key that sealed it into LEADLINE_TOKEN_KEYS.")
    except Refused as refusal:
        plain = meaning(refusal.code, refusal.transient).plain
        mend = "Give the line another token, or look at Meta's business settings."
        return Finding(name, "bad", f"Meta refuses (code {refusal.code}): {plain}", mend)
    except (NotSent, Uncertain) as error:
        return Finding(name, "bad", f"Meta can't be reached ({error})", "Look at WHATSAPP_GRAPH_URL and the network.")
    return _said(name, number)


def _said(name: str, number: dict[str, object]) -> Finding:
    quality, status = number.get("quality_rating"), number.get("status")
    health = number.get("health_status")
    sending = health.get("can_send_message") if isinstance(health, dict) else None
    seen = ", ".join(
        f"{word} {value}" for word, value in (("status", status), ("quality", quality), ("sending", sending)) if value
    )
    mend = "Open the number in WhatsApp Manager: Meta says there what it wants."
    if sending == "BLOCKED" or status in ("BANNED", "RESTRICTED", "DISCONNECTED"):
        return Finding(name, "bad", seen, mend)
    if sending == "LIMITED" or quality in ("RED", "YELLOW"):
        return Finding(name, "warn", seen, mend)
    return Finding(name, "ok", seen or "answers")


async def webhooks(patient: Patient) -> Sequence[Finding]:
    """Ask Meta whether it delivers anything for each business account."""
    return [await _webhooks(patient, line) for line in {line.waba: line for line in patient.lines}.values()]


async def _webhooks(patient: Patient, line: Line) -> Finding:
    name, seal = f"business account {line.waba}: webhooks", patient.ports.settings.token_keys
    if seal is None:
        return Finding(name, "unknown", "LEADLINE_TOKEN_KEYS is not set here", "Set it to look with the line's token.")
    try:
        subscribed = await patient.graph.subscribed(line.waba, seal.open(line.token))
    except (SealBroken, Refused, NotSent, Uncertain) as error:
        return Finding(name, "unknown", f"could not be asked ({error})", "Mend the line's access first.")
    if not subscribed:
        return Finding(name, "bad", "no app is subscribed", "Subscribe the app: nothing comes in until then.")
    return Finding(name, "ok", "an app is subscribed")


async def held(patient: Patient) -> Sequence[Finding]:
    """Lines whose sending is stopped until what stopped it is mended."""
    documents = await patient.ports.store.get([hold_key(line.id) for line in patient.lines]) if patient.lines else []
    found = []
    for line, document in zip(patient.lines, documents, strict=True):
        name, hold = f"line {line.id}: sending", hold_of(document)
        if hold is None:
            found.append(Finding(name, "ok", "not held"))
        else:
            since = ago(datetime.fromtimestamp(hold.since, UTC), patient.now)
            mend = "Mend what Meta says; the line tries by itself and then sends all that waits."
            found.append(Finding(name, "bad", f"held since {since}: {hold.error.get('plain')}", mend))
    return found


async def last_inbound(patient: Patient) -> Sequence[Finding]:
    """When a customer last wrote to each line."""
    return [await _last_inbound(patient, line) for line in patient.lines]


async def _last_inbound(patient: Patient, line: Line) -> Finding:
    found = await patient.ports.store.query(
        Query("conversations", {"line": line.id}, order="updated", descending=True, limit=_LATEST)
    )
    last = max((conversation.fields.get("last_in", 0) for conversation in found), default=0)
    name = f"line {line.id}: last message in"
    mend = "Write to the number yourself. If it does not arrive, look at the webhooks of the app in Meta's console."
    if not last:
        return Finding(name, "warn", "none yet", mend)
    at = datetime.fromtimestamp(last, UTC)
    quiet = patient.now - at > _QUIET
    return Finding(name, "warn" if quiet else "ok", ago(at, patient.now), mend if quiet else None)
