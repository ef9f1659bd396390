"""What the doctor says of each fault: `python -m tests.doctor_faults` switches them on in turn and prints the table.

Everything runs in this process: the functions on one machine's adapters, the simulated WhatsApp, a CRM that is played.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from functions.core.checkup.finding import Finding, State
from functions.core.health import begun
from functions.core.http import asgi
from functions.core.lines import Directory, line_key
from functions.core.media import MediaUnavailable
from functions.core.meta_errors import error_view
from functions.core.ports import Ports
from functions.core.secrets import Seal
from functions.core.signature import SignatureWrong
from functions.core.store import Key, Query, Unavailable, update
from functions.core.tasks import QueueUnavailable, Task
from functions.local.doctor import examination
from functions.local.simulator import Line as SimulatedLine
from functions.local.simulator import Simulator
from functions.local.simulator.administration import APP_ID
from functions.local.simulator.webhooks import FIELDS
from functions.webhook.app import create as create_webhook
from tests import payloads
from tests.payloads import ANA, NUMBER, WABA, inbound, inbound_text
from tests.rig import APP_SECRET, CONNECTION, DATA_KEY, LINE, LINE_NUMBER, TOKEN, VERIFY_TOKEN, Rig, new_secret, rigged

OURS = "https://leadline.test"
ELSEWHERE = "https://elsewhere.example/webhook"


@dataclass
class Surgery:
    """A healthy deployment, and the doctor who looks at it. `ports` are what the doctor and the webhook see."""

    rig: Rig
    whatsapp: Simulator
    ports: Ports
    seconds: float = 0
    away: set[str] = field(default_factory=set)
    """Hosts that can't be reached."""

    webhook_ports: Ports = field(init=False)
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.webhook_ports = self.ports
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self._meta = httpx.AsyncClient(transport=httpx.ASGITransport(self.whatsapp.app))

    async def findings(self) -> list[Finding]:
        return await examination.examine(self.ports, self.client, timer=lambda: self.seconds)

    async def pause(self, seconds: float) -> None:
        """Let time pass as the doctor's stopwatch sees it."""
        self.seconds += seconds

    async def close(self) -> None:
        await self.client.aclose()
        await self._meta.aclose()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host in self.away:
            raise httpx.ConnectError("away")
        if request.url.host == "graph.test":
            return await _passed(self._meta, request)
        if request.url.host == "leadline.test":
            transport = httpx.ASGITransport(asgi(create_webhook(self.webhook_ports)))
            async with httpx.AsyncClient(transport=transport) as ours:
                return await _passed(ours, request)
        if request.url.host == "crm.test":
            try:
                return await self.rig.crm(request)
            except SignatureWrong:
                return httpx.Response(401, json={"code": "signature_wrong"})
        raise httpx.ConnectError("no such host")


async def _passed(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    kept = ("authorization", "content-type", "x-hub-signature-256")
    headers = {name: request.headers[name] for name in kept if name in request.headers}
    return await client.request(request.method, request.url, content=request.content, headers=headers)


@asynccontextmanager
async def surgery(folder: Path) -> AsyncIterator[Surgery]:
    """Set up a deployment of which nothing is wrong: a customer has written, the CRM was told, templates are copied."""
    addresses = {"LEADLINE_PUBLIC_URL": OURS, "WHATSAPP_GRAPH_URL": "https://graph.test/graph"}
    async with rigged(folder, **addresses) as rig:
        patient: list[Surgery] = []

        async def pause(seconds: float) -> None:
            await patient[0].pause(seconds)

        async def to_business(request: httpx.Request) -> httpx.Response:
            return await patient[0].client.send(request)

        whatsapp = Simulator(
            path=folder / "simulator.db",
            webhook=f"{OURS}/webhook",
            app_secret=APP_SECRET,
            verify_token=VERIFY_TOKEN,
            public_url="https://graph.test",
            lines=[SimulatedLine(NUMBER, WABA, LINE_NUMBER, "Shop", TOKEN)],
            client=httpx.AsyncClient(transport=httpx.MockTransport(to_business)),
            clock=lambda: rig.clock().timestamp(),
            pause=pause,
        )
        patient.append(Surgery(rig, whatsapp, rig.ports))
        rig.whatsapp.plays(patient[0].client.send)
        await rig.met(ANA)
        whatsapp.templates.remove(WABA, "autumn_offer")  # It is paused.
        await copy_templates(patient[0])
        yield patient[0]
        await whatsapp.stop()
        await patient[0].close()


async def copy_templates(patient: Surgery) -> None:
    await patient.rig.run(Task("housekeeping", "sender", {"kind": "templates", "line": LINE}))


# The faults


async def _wrong_token(patient: Surgery) -> None:
    await patient.rig.add_line(token="another-token")


async def _expired_token(patient: Surgery) -> None:
    patient.whatsapp.scenario("token_expired")


async def _token_ends_soon(patient: Surgery) -> None:
    patient.whatsapp.scenario("token_expiring", seconds=5 * 86400)


async def _missing_permission(patient: Surgery) -> None:
    patient.whatsapp.scenario("permission_missing")


async def _unknown_data_key(patient: Surgery) -> None:
    sealed = Seal([Fernet.generate_key().decode()]).close(TOKEN)
    await patient.rig.store.commit([update(line_key(LINE), {"token": sealed})])


async def _old_data_key(patient: Surgery) -> None:
    keys = Seal([Fernet.generate_key().decode(), DATA_KEY])
    patient.ports = replace(patient.ports, settings=replace(patient.ports.settings, token_keys=keys))


async def _not_subscribed(patient: Surgery) -> None:
    patient.whatsapp.webhooks.subscribe(WABA, on=False)


async def _field_missing(patient: Surgery) -> None:
    patient.whatsapp.webhooks.configure(f"{OURS}/webhook", set(FIELDS) - {"messages"})


async def _template_fields_missing(patient: Surgery) -> None:
    patient.whatsapp.webhooks.configure(f"{OURS}/webhook", set(FIELDS) - {"message_template_status_update"})


async def _wrong_callback(patient: Surgery) -> None:
    patient.whatsapp.webhooks.configure(ELSEWHERE, FIELDS)


async def _override_elsewhere(patient: Surgery) -> None:
    patient.whatsapp.numbers.set_override(NUMBER, ELSEWHERE)


async def _disconnected(patient: Surgery) -> None:
    patient.whatsapp.scenario("number_disconnected")


async def _not_registered(patient: Surgery) -> None:
    patient.whatsapp.numbers.deregister(patient.whatsapp.lines[NUMBER])


async def _low_quality(patient: Surgery) -> None:
    patient.whatsapp.scenario("quality_low")


async def _limit_reached(patient: Surgery) -> None:
    patient.whatsapp.scenario("limit_reached")


async def _account_locked(patient: Surgery) -> None:
    patient.whatsapp.scenario("account_locked")


async def _held(patient: Surgery) -> None:
    line = await Directory(patient.rig.store).line(LINE)
    assert line
    await patient.rig.store.commit(begun(line, error_view(payloads.error(131042)), patient.rig.clock()))


async def _template_rejected(patient: Surgery) -> None:
    await _template(patient, "REJECTED")


async def _template_paused(patient: Surgery) -> None:
    await _template(patient, "PAUSED")


async def _template(patient: Surgery, status: str) -> None:
    definition = {"name": "spring_sale", "language": "en_US", "category": "MARKETING", "status": status}
    patient.whatsapp.templates.put(WABA, {**definition, "components": [{"type": "BODY", "text": "Spring is here."}]})
    await copy_templates(patient)


async def _quiet(patient: Surgery) -> None:
    [conversation] = patient.rig.names("conversations")
    long_ago = int(patient.rig.clock().timestamp()) - 9 * 86400
    await patient.rig.store.commit([update(Key("conversations", conversation), {"last_in": long_ago})])


async def _backlog(patient: Surgery) -> None:
    patient.rig.crm.down = True
    await patient.rig.deliver(inbound_text(ANA))
    await patient.rig.drain()
    earlier = patient.rig.clock() - timedelta(hours=3)
    names = patient.rig.names("events")
    await patient.rig.store.commit([update(Key("events", name), {"seq": earlier}) for name in names])


async def _unsent(patient: Surgery) -> None:
    [conversation] = patient.rig.names("conversations")
    sent = await patient.rig.tab(conversation).say("Hi!")
    earlier = patient.rig.clock() - timedelta(hours=3)
    await patient.rig.store.commit([update(Key("messages", sent["id"]), {"queued": earlier})])


async def _parked(patient: Surgery) -> None:
    await patient.rig.deliver(inbound_text(ANA, number="200"))


async def _unknown_type(patient: Surgery) -> None:
    await patient.rig.deliver(inbound(ANA, "hologram", {"depth": 3}))


async def _crm_down(patient: Surgery) -> None:
    patient.rig.crm.down = True


async def _crm_gone(patient: Surgery) -> None:
    patient.away.add("crm.test")


async def _crm_other_secret(patient: Surgery) -> None:
    patient.rig.crm.secret = new_secret()


async def _clock_skew(patient: Surgery) -> None:
    patient.whatsapp.advance(1000)


async def _queue_missing(patient: Surgery) -> None:
    class Without:
        def __init__(self, missing: str) -> None:
            self.missing = missing

        async def enqueue(self, task: Task) -> None:
            if task.queue == self.missing:
                raise QueueUnavailable(f"Cloud Tasks did not take a task for {task.queue}: 404 Queue does not exist")
            await patient.rig.tasks.enqueue(task)

        async def make_queue(self, queue: str) -> None: ...
        async def remove_queue(self, queue: str) -> None: ...
        async def close(self) -> None: ...

    patient.ports = replace(patient.ports, tasks=Without(f"send-{LINE}"))


async def _media_unwritable(patient: Surgery) -> None:
    async def refused(*_: object) -> None:
        raise MediaUnavailable("403 storage.objects.create is not allowed")

    patient.rig.media.save = refused  # type: ignore[method-assign, assignment]


async def _index_missing(patient: Surgery) -> None:
    class Without:
        def __init__(self) -> None:
            self.get, self.commit, self.close = patient.rig.store.get, patient.rig.store.commit, patient.rig.store.close

        async def query(self, query: Query) -> object:
            if query.collection == "clicks":
                raise Unavailable("Firestore refused to read: 400 The query requires an index")
            return await patient.rig.store.query(query)

    patient.ports = replace(patient.ports, store=Without())  # type: ignore[arg-type]


async def _store_away(patient: Surgery) -> None:
    patient.rig.store.out_of_reach = True


async def _wrong_verify_token(patient: Surgery) -> None:
    settings = replace(patient.ports.settings, verify_token="another")
    patient.webhook_ports = replace(patient.ports, settings=settings)


async def _other_app_secret(patient: Surgery) -> None:
    settings = replace(patient.ports.settings, app_secrets=("another",))
    patient.webhook_ports = replace(patient.ports, settings=settings)


async def _secret_reset_at_meta(patient: Surgery) -> None:
    patient.whatsapp.app_secret = "reset-in-the-console"


async def _webhook_away(patient: Surgery) -> None:
    patient.away.add("leadline.test")


async def _slow(patient: Surgery) -> None:
    patient.whatsapp.scenario("slow", seconds=2.5)


async def _meta_away(patient: Surgery) -> None:
    patient.away.add("graph.test")


@dataclass(frozen=True)
class Fault:
    """What is wrong, how it is switched on, and what the doctor must say of it: of which check, how bad, in words."""

    what: str
    switch_on: Callable[[Surgery], Awaitable[None]]
    check: str
    state: State
    says: str


_OF_LINE, _APP = f"line {LINE}: ", f"app {APP_ID}"

FAULTS = (
    Fault("the token is another one", _wrong_token, f"{_OF_LINE}token", "bad", "code 190"),
    Fault("the token has expired", _expired_token, f"{_OF_LINE}token", "bad", "code 190"),
    Fault("the token ends soon", _token_ends_soon, f"{_OF_LINE}token", "warn", "runs out in 4 d"),
    Fault("the token lacks a permission", _missing_permission, f"{_OF_LINE}token", "bad", "business_messaging"),
    Fault("no data key opens the token", _unknown_data_key, f"{_OF_LINE}token", "bad", "no data key"),
    Fault("the data key was changed", _old_data_key, "data keys", "warn", "not sealed with the newest key"),
    Fault("the app is not subscribed", _not_subscribed, f"{_OF_LINE}webhooks", "bad", "no app is subscribed"),
    Fault("the field messages is missing", _field_missing, _APP, "bad", "field messages"),
    Fault("a field of templates is missing", _template_fields_missing, _APP, "warn", "template_status"),
    Fault("the callback is another one", _wrong_callback, f"{_OF_LINE}callback", "bad", "the app sends"),
    Fault("an override leads elsewhere", _override_elsewhere, f"{_OF_LINE}callback", "bad", "an override sends"),
    Fault("the number is disconnected", _disconnected, f"{_OF_LINE}WhatsApp", "bad", "DISCONNECTED"),
    Fault("the number is not registered", _not_registered, f"{_OF_LINE}WhatsApp", "bad", "not registered"),
    Fault("the number's quality is low", _low_quality, f"{_OF_LINE}WhatsApp", "warn", "quality RED"),
    Fault("the messaging limit is reached", _limit_reached, f"{_OF_LINE}WhatsApp", "warn", "limit of 2000"),
    Fault("the account is locked", _account_locked, f"{_OF_LINE}WhatsApp", "bad", "BLOCKED"),
    Fault("the line is held", _held, f"{_OF_LINE}sending", "bad", "payment"),
    Fault("a template was rejected", _template_rejected, f"{_OF_LINE}templates", "warn", "rejected: spring_sale"),
    Fault("a template is paused", _template_paused, f"{_OF_LINE}templates", "warn", "paused: spring_sale"),
    Fault("nobody has written for long", _quiet, f"{_OF_LINE}last message in", "warn", "9 d ago"),
    Fault("events pile up", _backlog, f"connection {CONNECTION}: events", "bad", "the oldest since 3 h ago"),
    Fault("messages wait to be sent", _unsent, "outbox", "bad", "the oldest since 3 h ago"),
    Fault("something was put aside", _parked, "put aside: no line has this phone_number_id", "warn", "1 of kind"),
    Fault("an unknown type came", _unknown_type, "unknown: type hologram", "warn", "1 on"),
    Fault("the CRM is down", _crm_down, f"connection {CONNECTION}", "bad", "status 502"),
    Fault("the CRM is out of reach from here", _crm_gone, f"connection {CONNECTION}", "warn", "from here"),
    Fault("the CRM has another secret", _crm_other_secret, f"connection {CONNECTION}", "bad", "our signature"),
    Fault("the clocks differ", _clock_skew, "clock against Meta's", "bad", "behind"),
    Fault("a queue is missing", _queue_missing, f"queue send-{LINE}", "bad", "Queue does not exist"),
    Fault("files can't be written", _media_unwritable, "media store", "bad", "not allowed"),
    Fault("an index is missing", _index_missing, "indexes", "bad", "clicks by link, day"),
    Fault("the store is out of reach", _store_away, "store", "bad", "away"),
    Fault("the webhook has another verify token", _wrong_verify_token, "webhook", "bad", "verify token"),
    Fault("the webhook has another app secret", _other_app_secret, "webhook", "bad", "app secret"),
    Fault("the app secret was reset at Meta", _secret_reset_at_meta, _APP, "bad", "app secret"),
    Fault("the webhook is out of reach", _webhook_away, "webhook", "bad", "can't be reached"),
    Fault("Meta answers slowly", _slow, f"{_OF_LINE}Graph", "warn", "slow: 3 answers took 2.5 s"),
    Fault("Meta is out of reach", _meta_away, f"{_OF_LINE}WhatsApp", "bad", "can't be reached"),
)


def complaints(found: list[Finding]) -> Mapping[str, Finding]:
    """Return what is not well, by name."""
    return {finding.name: finding for finding in found if finding.state != "ok"}


async def _said(fault: Fault, folder: Path) -> list[str]:
    async with surgery(folder) as patient:
        await fault.switch_on(patient)
        said = complaints(await patient.findings())
    shown = [finding for finding in said.values() if finding.name == fault.check] or [*said.values()]
    others = len(said) - len(shown)
    rows = [f"{fault.what}", f"    {shown[0].state.upper():<4} {shown[0].name}: {shown[0].seen}"]
    rows.append(f"         → {shown[0].mend}" + (f" (and {others} more of its consequences)" if others else ""))
    return rows


async def _table() -> None:
    logging.getLogger("functions").addHandler(logging.NullHandler())
    for number, fault in enumerate(FAULTS, 1):
        with tempfile.TemporaryDirectory() as folder:
            rows = await _said(fault, Path(folder))
        print(f"{number:>2}. " + "\n".join(rows), flush=True)


if __name__ == "__main__":
    asyncio.run(_table())
