"""Meta's app: its secret, where its webhooks go, which fields it gets, and whether our own webhook answers."""

from collections.abc import Mapping, Sequence

import httpx

from functions.core.checkup.finding import Finding
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.lines import Line
from functions.core.management import NEEDED_FIELD, USEFUL_FIELDS
from functions.core.secrets import SealBroken
from functions.core.signature import sign_meta
from functions.local.doctor.patient import Patient

_CHALLENGE = "20261128"
_NOTHING = b'{"object":"whatsapp_business_account","entry":[]}'
"""A webhook in which nothing has happened."""

_TIMEOUT = 10


async def webhook(patient: Patient) -> Sequence[Finding]:
    """Ask our own webhook what Meta would: whether it knows the verify token and the app's secret."""
    settings, name = patient.ports.settings, "webhook"
    if not settings.verify_token or not settings.app_secrets:
        seen = "WHATSAPP_VERIFY_TOKEN and WHATSAPP_APP_SECRET are not both set here"
        return [Finding(name, "unknown", seen, "Set them to ask the webhook as Meta does.")]
    url = settings.webhook_url
    query = {"hub.mode": "subscribe", "hub.challenge": _CHALLENGE, "hub.verify_token": settings.verify_token}
    headers = {"X-Hub-Signature-256": sign_meta(_NOTHING, settings.app_secrets[0])}
    try:
        shaken = await patient.client.get(url, params=query, timeout=_TIMEOUT)
        signed = await patient.client.post(url, content=_NOTHING, headers=headers, timeout=_TIMEOUT)
    except httpx.HTTPError as error:
        seen = f"{url} can't be reached ({type(error).__name__})"
        return [Finding(name, "bad", seen, "Look at LEADLINE_WEBHOOK_URL, and whether the function runs.")]
    if shaken.status_code == httpx.codes.FORBIDDEN:
        mend = "Give both the same WHATSAPP_VERIFY_TOKEN, then save the callback again in Meta's console."
        return [Finding(name, "bad", "it does not know the verify token that is set here", mend)]
    if signed.status_code == httpx.codes.UNAUTHORIZED:
        mend = "Give both the same WHATSAPP_APP_SECRET: with another one every message of Meta's is refused."
        return [Finding(name, "bad", "it does not know the app secret that is set here", mend)]
    if shaken.text != _CHALLENGE or signed.status_code != httpx.codes.OK:
        seen = f"{url} answers {shaken.status_code} and {signed.status_code}, not as our webhook does"
        return [Finding(name, "bad", seen, "Look at LEADLINE_WEBHOOK_URL and the function's log.")]
    return [Finding(name, "ok", "knows the verify token and the app secret")]


async def subscription(patient: Patient) -> Sequence[Finding]:
    """Ask Meta what the app of each line is subscribed to."""
    settings, name = patient.ports.settings, "app"
    if not settings.app_secrets:
        return [Finding(name, "unknown", "WHATSAPP_APP_SECRET is not set here", "Set it to ask Meta about the app.")]
    return [await _app(patient, app) for app in await _apps(patient)]


async def _apps(patient: Patient) -> Mapping[str, Line]:
    """Return the apps by the lines' tokens; what is wrong with a token, the line's own check says."""
    found: dict[str, Line] = {}
    seal = patient.ports.settings.token_keys
    for line in patient.lines if seal else ():
        try:
            facts = await patient.graph.token_facts(seal.open(line.token))  # type: ignore[union-attr]
        except (SealBroken, Refused, NotSent, Uncertain):
            continue
        if facts.app:
            found.setdefault(facts.app, line)
    return found


async def _app(patient: Patient, app: str) -> Finding:
    name, settings = f"app {app}", patient.ports.settings
    try:
        told = await patient.graph.app_webhook(app, settings.app_secrets[0])
    except Refused as refusal:
        seen = f"Meta does not take the app secret (code {refusal.code})"
        return Finding(name, "bad", seen, "Copy it anew from App settings → Basic, and add it to WHATSAPP_APP_SECRET.")
    except (NotSent, Uncertain) as error:
        return Finding(name, "unknown", f"Meta can't be reached ({error})", "Mend the line's access first.")
    mend = "leadline line add subscribes it; or do it in Meta's console under WhatsApp → Configuration."
    if told is None or not told.active:
        return Finding(name, "bad", "it has no WhatsApp webhook", mend)
    if NEEDED_FIELD not in told.fields:
        return Finding(name, "bad", f"it is not subscribed to the field {NEEDED_FIELD}: nothing comes in", mend)
    if missing := [field for field in USEFUL_FIELDS if field not in told.fields]:
        return Finding(name, "warn", f"it is not subscribed to {', '.join(missing)}", mend)
    if told.callback != settings.webhook_url:
        seen = f"its own callback is {told.callback}; only what follows an override comes here"
        return Finding(name, "warn", seen, "Facts of accounts and templates go there: the poll finds them hours later.")
    return Finding(name, "ok", "its webhooks come here, with all fields")
