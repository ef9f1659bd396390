"""What `leadline line` does: a number is connected step by step, moved, given another token, or taken off.

Each step looks first whether it is done, so that a run that was stopped anywhere is simply repeated. What a step needs
is in the store as soon as it is known, the token and the PIN sealed.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from functions.core.accounts import account_key, every_account
from functions.core.checkup.finding import Finding
from functions.core.checkup.line import examine_line
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.lines import Line, connection_key, line_key, line_of, line_writes, number_key, waba_key
from functions.core.management import NEEDED_FIELD, USEFUL_FIELDS, Management, TokenFacts, callback_of
from functions.core.meta_errors import meaning
from functions.core.moving import FORMER, alone_in, arriving, moved, removed
from functions.core.phone import digits
from functions.core.ports import Ports
from functions.core.secrets import Seal, SealBroken
from functions.core.store import REMOVE, Document, merge, update
from functions.core.tasks import QueueUnavailable
from functions.core.templates import sync_task
from functions.local.connecting import usual_connection
from functions.local.failure import SetUpFailed

Progress = Callable[[str], None]

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_META_ID = re.compile(r"[0-9]{5,25}")
_PIN = re.compile(r"[0-9]{6}")
_WRONG_PIN = 133005


class StepFailed(SetUpFailed):
    """A step could not be done. What was done before stays, and the same command goes on from there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for. What is None is known from an earlier run, or found."""

    line: str
    account: str | None = None
    connection: str | None = None
    phone_number_id: str | None = None
    waba: str | None = None
    pin: str | None = None


@dataclass(slots=True)
class Setup:
    """One number on its way. `line` is what it is to be; its token is in the clear here alone."""

    ports: Ports
    graph: Management
    seal: Seal
    line: Line
    token: str
    pin: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    token_facts: TokenFacts | None = None


Step = tuple[str, Callable[[Setup], Awaitable[str]]]


async def known(ports: Ports, line_id: str) -> Document:
    """Return a line's document. Raises `SetUpFailed`."""
    [document] = await ports.store.get([line_key(line_id)])
    if document is None:
        raise SetUpFailed(f"There is no line {line_id}. `leadline line list` shows them.")
    return document


async def begun(ports: Ports, wanted: Wanted) -> Line:
    """Return the line as far as it is known, with an empty token if none is stored. Raises `SetUpFailed`."""
    if not _ID.fullmatch(wanted.line):
        raise SetUpFailed(f"{wanted.line} can't be a line's name: small letters, digits and dashes, up to 40.")
    [document] = await ports.store.get([line_key(wanted.line)])
    there = line_of(document) if document else None
    account = wanted.account or (there.account if there else await _only_account(ports))
    if there and there.account != account:
        raise SetUpFailed(f"The line {wanted.line} belongs to the account {there.account}. Choose another name.")
    [known_account] = await ports.store.get([account_key(account)])
    if there is None and known_account is None:
        raise SetUpFailed(f"There is no account {account}. Add it first: leadline account add {account}")
    number = _meta_id(wanted.phone_number_id or (there.phone_number_id if there else None), "phone number id")
    waba = _meta_id(wanted.waba or (there.waba if there else None), "WhatsApp Business Account id")
    if there and there.token and (there.phone_number_id, there.waba) != (number, waba):
        raise SetUpFailed(f"The line {there.id} has another number id or account: leadline line move {there.id}")
    [taken] = await ports.store.get([number_key(number)])
    if taken and taken.fields["line"] != wanted.line:
        raise SetUpFailed(f"This phone number id belongs to the line {taken.fields['line']}.")
    if wanted.connection:
        [leads_to] = await ports.store.get([connection_key(wanted.connection)])
        if leads_to and leads_to.fields["account"] != account:
            raise SetUpFailed(f"The connection {wanted.connection} belongs to another account.")
    connection = wanted.connection or (there.connection if there else await usual_connection(ports.store, account))
    if there:
        return replace(there, connection=connection, phone_number_id=number, waba=waba)
    return Line(wanted.line, account, connection, number, "", wanted.line, waba, "")


def opened(ports: Ports, graph: Management, line: Line, token: str | None, pin: str | None = None) -> Setup:
    """Return what the steps work with: `token` is the one that was just handed over. Raises `SetUpFailed`."""
    seal = ports.settings.token_keys
    if seal is None:
        raise SetUpFailed("LEADLINE_TOKEN_KEYS is not set here: the line's token is sealed with it.")
    if pin is not None and not _PIN.fullmatch(pin):
        raise SetUpFailed("A PIN has six digits.")
    try:
        plain = token or seal.open(line.token)
    except SealBroken as error:
        raise SetUpFailed(f"The stored token can't be read: {error}. Hand it over again with --token-from.") from None
    return Setup(ports, graph, seal, replace(line, token=seal.close(plain)) if token else line, plain, pin)


async def add(setup: Setup, progress: Progress) -> list[Finding]:
    """Connect a number, and return what is wrong with it still. Raises `StepFailed`."""
    await _run(_ADD, setup, progress)
    return await _read_back(setup, progress)


async def move(setup: Setup, progress: Progress) -> list[Finding]:
    """Let a line have another number id or account: `setup.line` says which. Raises `StepFailed`."""
    await _run(_MOVE, setup, progress)
    return await _read_back(setup, progress)


async def give_token(setup: Setup, progress: Progress) -> None:
    """Give a line another token, after looking at what it may. What waits goes out with it. Raises `StepFailed`."""
    await _run((("token", _check_token), ("number", _check_number), ("stored", _store_token)), setup, progress)


async def remove(setup: Setup, progress: Progress, *, deregister: bool) -> None:
    """Take a line off: nothing comes in or goes out, and what was said stays. Raises `StepFailed`."""
    ports, line = setup.ports, setup.line
    [document, account] = await ports.store.get([line_key(line.id), waba_key(line.waba)])
    assert document  # noqa: S101 - for the type checker
    steps: list[Step] = [("override", _end_override)]
    if alone_in(line, account):
        steps.append(("subscription", _unsubscribe))
    if deregister:
        steps.append(("registration", _deregister))
    for name, step in steps:
        try:
            progress(f"✓ {name}: {await _at_meta(step, setup)}")
        except StepFailed as failure:
            # A token that is refused must not keep a line from being taken off.
            progress(f"– {name}: {failure}")
    await ports.store.commit(removed(line, document, account))
    queues = f"send-{line.id} and bulk-{line.id}"
    progress(f"✓ line: off. Its conversations stay; its queues {queues} stay too, empty, and cost nothing.")


async def send_test(setup: Setup, to: str, template: str, language: str) -> str:
    """Send a template right away and return its wamid. Raises `StepFailed`."""
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "template": {"name": template, "language": {"code": language}},
    }

    async def send(setup: Setup) -> str:
        return (await setup.graph.send(setup.line.phone_number_id, setup.token, body)).wamid

    return await _at_meta(send, setup)


# The steps. Each returns what it found or did.


async def _check_token(setup: Setup) -> str:
    facts = setup.token_facts = await setup.graph.token_facts(setup.token)
    if not facts.valid:
        raise StepFailed("Meta says that the token is not valid. Make another one for the system user.")
    if facts.missing:
        missing = " and ".join(facts.missing)
        raise StepFailed(f"The token lacks {missing}. Make one with both permissions for the system user.")
    ends = "" if facts.expires is None else ", but it runs out: better make one that never does"
    return f"valid, with both permissions{ends}"


async def _check_number(setup: Setup) -> str:
    line = setup.line
    if line.phone_number_id not in await setup.graph.numbers_of(line.waba, setup.token):
        raise StepFailed(
            f"The account {line.waba} has no number {line.phone_number_id}, or the token may not see it. Copy both ids "
            "from WhatsApp → API setup, and give the system user the account with full control."
        )
    setup.facts = await setup.graph.number_facts(line.phone_number_id, setup.token)
    number = str(setup.facts.get("display_phone_number", ""))
    if line.number and digits(line.number) != digits(number):
        raise StepFailed(f"The id is of {number}, but the line {line.id} is {line.number}: add it as another line.")
    setup.line = replace(line, number=number, name=str(setup.facts.get("verified_name") or line.name))
    return f"{number}, {setup.line.name}"


async def _make_queues(setup: Setup) -> str:
    names = (f"send-{setup.line.id}", f"bulk-{setup.line.id}", f"sync-{setup.line.connection}")
    try:
        for name in names:
            await setup.ports.tasks.make_queue(name)
    except QueueUnavailable as error:
        raise StepFailed(f"{error}. Choose another name for the line, or look at your rights.") from None
    return ", ".join(names)


async def _store(setup: Setup) -> str:
    back = {"removed": REMOVE}
    await setup.ports.store.commit([*line_writes(setup.line), merge(line_key(setup.line.id), back)])
    return f"line {setup.line.id} of {setup.line.account}, its token sealed"


async def _store_token(setup: Setup) -> str:
    await setup.ports.store.commit([update(line_key(setup.line.id), {"token": setup.line.token})])
    return "sealed; every function works with it within a minute"


async def _arrive(setup: Setup) -> str:
    await setup.ports.store.commit([arriving(setup.line, setup.line.phone_number_id)])
    return f"what comes to {setup.line.phone_number_id} is the line's from now on"


async def _switch(setup: Setup) -> str:
    there = line_of(await known(setup.ports, setup.line.id))
    [old] = await setup.ports.store.get([waba_key(there.waba)])
    await setup.ports.store.commit(moved(there, setup.line, old))
    return "the line sends with it within a minute; what comes to the old id is still the line's"


async def _register(setup: Setup) -> str:
    if setup.facts.get("is_on_biz_app"):
        return "used in the WhatsApp Business app too: nothing to register"
    if setup.facts.get("platform_type") == "CLOUD_API" and setup.facts.get("status") == "CONNECTED":
        return "it is already"
    pin, made = await _pin(setup)
    try:
        await setup.graph.register(setup.line.phone_number_id, setup.token, pin)
    except Refused as refusal:
        if refusal.code == _WRONG_PIN:
            raise StepFailed(
                "The number has another two-step PIN. Hand it over with --pin-from, or reset it in WhatsApp Manager."
            ) from None
        raise
    return "done" + (f", with a new PIN, which lies sealed: leadline line pin {setup.line.id}" if made else "")


async def _pin(setup: Setup) -> tuple[str, bool]:
    """Return the PIN to register with, and whether it was made just now; it is stored before it is used."""
    document = await _stored(setup)
    if setup.pin is None and document and document.fields.get("pin"):
        return setup.seal.open(document.fields["pin"]), False
    pin = setup.pin or f"{secrets.randbelow(10**6):06}"
    if document:
        await setup.ports.store.commit([update(document.key, {"pin": setup.seal.close(pin)})])
    return pin, setup.pin is None


async def _stored(setup: Setup) -> Document | None:
    return (await setup.ports.store.get([line_key(setup.line.id)]))[0]


async def _subscribe(setup: Setup) -> str:
    app = setup.token_facts.app if setup.token_facts else ""
    if app in await setup.graph.subscribed_apps(setup.line.waba, setup.token):
        return "the app gets the account's webhooks already"
    await setup.graph.subscribe(setup.line.waba, setup.token)
    return "the app gets the account's webhooks"


async def _set_fields(setup: Setup) -> str:
    settings, app = setup.ports.settings, setup.token_facts.app if setup.token_facts else ""
    wanted = {NEEDED_FIELD, *USEFUL_FIELDS}
    by_hand = "Meta's console, under WhatsApp → Configuration → Webhook fields"
    if not settings.app_secrets or not settings.verify_token:
        return f"not looked at, since WHATSAPP_APP_SECRET and WHATSAPP_VERIFY_TOKEN are not set here; see {by_hand}"
    told = await setup.graph.app_webhook(app, settings.app_secrets[0])
    if told and told.active and wanted <= told.fields:
        return "all are subscribed already"
    if told and told.active and told.callback != settings.webhook_url:
        missing = ", ".join(sorted(wanted - told.fields))
        return f"the app has another callback ({told.callback}), so that {missing} are to be chosen in {by_hand}"
    every = [*wanted, *(told.fields if told else ())]
    await setup.graph.set_app_webhook(app, settings.app_secrets[0], settings.webhook_url, settings.verify_token, every)
    return "subscribed"


async def _set_callback(setup: Setup) -> str:
    ours, line = setup.ports.settings.webhook_url, setup.line
    setup.facts = await setup.graph.number_facts(line.phone_number_id, setup.token)
    actual = callback_of(setup.facts)
    if actual == ours:
        return f"{ours} already"
    if not setup.ports.settings.verify_token:
        raise StepFailed(
            f"Its messages go to {actual or 'nowhere'}, not to {ours}. Set WHATSAPP_VERIFY_TOKEN here, so that this "
            "can be mended, or enter the callback in Meta's console."
        )
    await setup.graph.override(line.phone_number_id, setup.token, ours, setup.ports.settings.verify_token)
    return f"{ours}, for this number alone" + (f"; the others' go to {actual}" if actual else "")


async def _copy_templates(setup: Setup) -> str:
    task = sync_task(setup.line.id, setup.line.waba, setup.ports.now())
    try:
        await setup.ports.tasks.enqueue(task)
    except QueueUnavailable as error:
        raise StepFailed(f"{error}") from None
    return "on their way; agents see them in a minute"


async def _end_override(setup: Setup) -> str:
    facts = await setup.graph.number_facts(setup.line.phone_number_id, setup.token)
    configured = facts.get("webhook_configuration") or {}
    if configured.get("phone_number") != setup.ports.settings.webhook_url:
        return "there was none"
    await setup.graph.override(setup.line.phone_number_id, setup.token, "", "")
    return "taken away"


async def _unsubscribe(setup: Setup) -> str:
    await setup.graph.unsubscribe(setup.line.waba, setup.token)
    return "ended; it was the account's last line here"


async def _deregister(setup: Setup) -> str:
    await setup.graph.deregister(setup.line.phone_number_id, setup.token)
    return "ended: the number can be used elsewhere"


_ADD: Sequence[Step] = (
    ("token", _check_token),
    ("number", _check_number),
    ("queues", _make_queues),
    ("stored", _store),
    ("registered", _register),
    ("subscribed", _subscribe),
    ("fields", _set_fields),
    ("callback", _set_callback),
    ("templates", _copy_templates),
)

_MOVE: Sequence[Step] = (
    ("token", _check_token),
    ("number", _check_number),
    # Before Meta delivers anything for it, and before the line sends with it.
    ("arrival", _arrive),
    ("registered", _register),
    ("subscribed", _subscribe),
    ("fields", _set_fields),
    ("callback", _set_callback),
    ("line", _switch),
    ("templates", _copy_templates),
)


async def _run(steps: Sequence[Step], setup: Setup, progress: Progress) -> None:
    for name, step in steps:
        try:
            said = await _at_meta(step, setup)
        except StepFailed as failure:
            progress(f"✗ {name}: {failure}")
            raise StepFailed("What is marked ✓ stays; mend this and repeat the command: it goes on here.") from None
        progress(f"✓ {name}: {said}")


async def _at_meta(step: Callable[[Setup], Awaitable[str]], setup: Setup) -> str:
    """Do a step; what Meta says against it becomes a sentence."""
    try:
        return await step(setup)
    except Refused as refusal:
        told = refusal.error.get("error_data") or {}
        details = str(told.get("details") or refusal.error.get("message") or "")
        plain = meaning(refusal.code, refusal.transient).plain
        raise StepFailed(f"Meta refuses (code {refusal.code}): {plain} {details}".strip()) from None
    except (NotSent, Uncertain) as error:
        raise StepFailed(f"Meta can't be reached or does not answer clearly ({error}). Try again.") from None


async def _read_back(setup: Setup, progress: Progress) -> list[Finding]:
    """Look at the line as the doctor does; what only time brings is no fault of a line that is new."""
    found = await examine_line(setup.ports, setup.graph, line_of(await known(setup.ports, setup.line.id)))
    wrong = [finding for finding in found if finding.state == "bad"]
    for finding in wrong:
        progress(f"✗ {finding.name}: {finding.seen} → {finding.mend}")
    if not wrong:
        progress("✓ read back: Meta and the store say the same")
    return wrong


async def _only_account(ports: Ports) -> str:
    accounts = await every_account(ports.store)
    if len(accounts) != 1:
        raise SetUpFailed("Say whose line it is: --account NAME (`leadline account list` shows them).")
    return accounts[0].id


def _meta_id(given: str | None, what: str) -> str:
    if given is None:
        raise SetUpFailed(f"The {what} is needed: it stands in Meta's console under WhatsApp → API setup.")
    if not _META_ID.fullmatch(given):
        raise SetUpFailed(f"{given} can't be a {what}: it is a long number.")
    return given


def pin_of(ports: Ports, document: Document) -> str:
    """Return the PIN with which a line was registered. Raises `SetUpFailed`."""
    seal, sealed = ports.settings.token_keys, document.fields.get("pin")
    if seal is None or not sealed:
        raise SetUpFailed("No PIN is known of this line." if seal else "LEADLINE_TOKEN_KEYS is not set here.")
    try:
        return seal.open(sealed)
    except SealBroken as error:
        raise SetUpFailed(f"The PIN can't be read: {error}.") from None


def former_numbers(document: Document) -> list[str]:
    """Return the number ids that a line had before."""
    return [str(number) for number in document.fields.get(FORMER, [])]
