"""`leadline line`: a number is connected step by step, moved and taken off; stopping anywhere is harmless."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from functions.core.accounts import Account, account_write
from functions.core.lines import line_key, line_of
from functions.core.management import Management
from functions.local import lines
from functions.local.failure import SetUpFailed
from functions.local.lines import StepFailed, Wanted
from functions.local.simulator import Line as SimulatedLine
from tests.doctor_faults import OURS, Surgery, surgery
from tests.payloads import ANA, NUMBER, WABA, inbound_text
from tests.rig import ACCOUNT, CONNECTION, LINE, LINE_NUMBER, TOKEN

NEW, NEW_WABA, NEW_TOKEN = "200000000000001", "200000000000000", "a-new-token"
WANTED = Wanted("branch", ACCOUNT, CONNECTION, NEW, NEW_WABA)


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Surgery]:
    """A deployment with one line, and at Meta another number that nobody has registered yet."""
    async with surgery(tmp_path) as patient:
        patient.whatsapp.add_line(SimulatedLine(NEW, NEW_WABA, "+1 555 010 0009", "Branch", NEW_TOKEN))
        patient.whatsapp.webhooks.subscribe(NEW_WABA, on=False)
        await patient.rig.store.commit([account_write(Account(ACCOUNT, "Acme"))])
        yield patient


def graph(patient: Surgery, client: httpx.AsyncClient | None = None) -> Management:
    settings = patient.ports.settings
    return Management(client or patient.client, settings.graph_url, settings.graph_version)


async def add(patient: Surgery, wanted: Wanted = WANTED, token: str | None = NEW_TOKEN, **more) -> list[str]:
    """Run the command and return what it said."""
    said: list[str] = []
    known = await lines.begun(patient.ports, wanted)
    setup = lines.opened(patient.ports, graph(patient, more.pop("client", None)), known, token, **more)
    await lines.add(setup, said.append)
    return said


async def stored(patient: Surgery, line: str = "branch"):
    [document] = await patient.rig.store.get([line_key(line)])
    return document


async def test_a_number_is_connected_step_by_step(patient: Surgery) -> None:
    said = await add(patient)
    assert all(sentence.startswith("✓") for sentence in said), said
    steps = ["token", "number", "queues", "stored", "registered", "subscribed", "fields", "callback", "templates"]
    assert [sentence.removeprefix("✓ ").partition(":")[0] for sentence in said] == [*steps, "read back"]
    assert patient.rig.tasks.made == ["send-branch", "bulk-branch", f"sync-{CONNECTION}"]
    line = line_of(await stored(patient))
    assert (line.number, line.name, line.account) == ("+1 555 010 0009", "Branch", ACCOUNT)
    assert NEW_TOKEN not in str(patient.rig.documents("lines"))


async def test_what_comes_and_goes_on_the_new_line_is_right(patient: Surgery) -> None:
    await add(patient)
    await patient.rig.drain()
    await patient.rig.deliver(inbound_text(ANA, "Is it open?", number=NEW))
    await patient.rig.drain()
    told = patient.rig.crm.of_type("message.received")[-1]
    assert told["conversation"]["line"]["id"] == "branch"
    await patient.rig.tab(told["conversation"]["id"]).say("Until six.")
    await patient.rig.drain()
    assert patient.whatsapp.customers.messages(ANA.wa_id)[-1].line == NEW


async def test_repeating_it_asks_for_nothing_and_changes_nothing(patient: Surgery) -> None:
    await add(patient)
    before = (await stored(patient)).fields
    said = await add(patient, Wanted("branch"), None)
    assert all(sentence.startswith("✓") for sentence in said)
    assert "✓ registered: it is already" in said
    assert (await stored(patient)).fields == before


class Cable:
    """A way to Meta that breaks at its n-th call."""

    def __init__(self, patient: Surgery, breaks_at: int) -> None:
        self.left = breaks_at
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._call))
        self._patient = patient

    async def _call(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left < 0:
            raise httpx.ConnectError("broken")
        return await self._patient.client.send(request)


@pytest.mark.parametrize("calls", range(8))
async def test_stopped_anywhere_it_goes_on_there(patient: Surgery, calls: int) -> None:
    with pytest.raises(StepFailed, match="repeat the command"):
        await add(patient, client=Cable(patient, calls).client)
    has_token = (await stored(patient)) is not None
    said = await add(patient, WANTED if not has_token else Wanted("branch"), None if has_token else NEW_TOKEN)
    assert all(sentence.startswith("✓") for sentence in said), said
    assert patient.whatsapp.numbers.registered(patient.whatsapp.lines[NEW])
    assert patient.whatsapp.webhooks.subscribed(NEW_WABA)


@pytest.mark.parametrize(
    ("fault", "said"), [("permission_missing", "lacks whatsapp_business_messaging"), ("token_expired", "code 190")]
)
async def test_a_token_that_will_not_do_is_refused_before_anything_is_stored(
    patient: Surgery, fault: str, said: str
) -> None:
    patient.whatsapp.scenario(fault)
    heard: list[str] = []
    setup = lines.opened(patient.ports, graph(patient), await lines.begun(patient.ports, WANTED), NEW_TOKEN)
    with pytest.raises(StepFailed):
        await lines.add(setup, heard.append)
    assert said in heard[-1]
    assert await stored(patient) is None


async def test_a_number_with_a_pin_of_its_own_asks_for_it(patient: Surgery) -> None:
    patient.whatsapp.numbers.set_pin(patient.whatsapp.lines[NEW], "135790")
    with pytest.raises(StepFailed):
        await add(patient)
    await add(patient, Wanted("branch"), None, pin="135790")
    assert lines.pin_of(patient.ports, await stored(patient)) == "135790"


async def test_where_the_app_has_another_callback_the_number_gets_its_own(patient: Surgery) -> None:
    elsewhere = "https://elsewhere.example/webhook"
    patient.whatsapp.webhooks.configure(elsewhere, ["messages"])
    said = await add(patient)
    assert patient.whatsapp.numbers.override(NEW) == f"{OURS}/webhook"
    assert patient.whatsapp.webhooks.url == elsewhere
    assert any("account_update" in sentence and "console" in sentence for sentence in said)


async def test_missing_fields_are_subscribed_where_the_app_is_ours_alone(patient: Surgery) -> None:
    patient.whatsapp.webhooks.configure(f"{OURS}/webhook", ["messages"])
    await add(patient)
    assert "message_template_status_update" in patient.whatsapp.webhooks.fields


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted("Branch!", ACCOUNT, None, NEW, NEW_WABA), "can't be a line's name"),
        (Wanted("branch", "nobody", None, NEW, NEW_WABA), "no account nobody"),
        (Wanted("branch", ACCOUNT, None, None, NEW_WABA), "phone number id is needed"),
        (Wanted("branch", ACCOUNT, None, "+1 555", NEW_WABA), "can't be a phone number id"),
        (Wanted("branch", ACCOUNT, None, NUMBER, WABA), "belongs to the line"),
        (Wanted(LINE, ACCOUNT, None, NEW, NEW_WABA), "can't be a phone number id|line move"),
    ],
)
async def test_what_is_asked_wrongly_is_said_before_anything_happens(patient: Surgery, wanted, why) -> None:
    with pytest.raises(SetUpFailed, match=why):
        await lines.begun(patient.ports, wanted)


async def test_a_test_message_is_on_the_phone(patient: Surgery) -> None:
    await add(patient)
    setup = lines.opened(patient.ports, graph(patient), line_of(await stored(patient)), None)
    await lines.send_test(setup, f"+{ANA.wa_id}", "hello_world", "en_US")
    assert patient.whatsapp.customers.messages(ANA.wa_id)[-1].type == "template"


# Off


async def remove(patient: Surgery, *, deregister: bool = False) -> list[str]:
    said: list[str] = []
    setup = lines.opened(patient.ports, graph(patient), line_of(await stored(patient)), None)
    await lines.remove(setup, said.append, deregister=deregister)
    return said


async def test_a_line_that_is_taken_off_takes_nothing_and_keeps_what_was_said(patient: Surgery) -> None:
    await add(patient)
    await patient.rig.deliver(inbound_text(ANA, "Hello", number=NEW))
    await patient.rig.drain()
    conversation = patient.rig.crm.of_type("message.received")[-1]["conversation"]["id"]
    await remove(patient, deregister=True)
    patient.rig.start()
    assert not patient.whatsapp.webhooks.subscribed(NEW_WABA)
    assert not patient.whatsapp.numbers.registered(patient.whatsapp.lines[NEW])
    await patient.rig.deliver(inbound_text(ANA, "Still there?", number=NEW))
    assert [message["text"]["body"] for message in await patient.rig.tab(conversation).messages()] == ["Hello"]
    assert patient.rig.documents("parked")


async def test_adding_it_again_brings_it_back(patient: Surgery) -> None:
    await add(patient)
    await remove(patient)
    await add(patient)
    patient.rig.start()
    await patient.rig.deliver(inbound_text(ANA, "Hello again", number=NEW))
    await patient.rig.drain()
    assert patient.rig.crm.of_type("message.received")[-1]["conversation"]["line"]["id"] == "branch"


# Moved


async def moved(patient: Surgery) -> tuple[str, list[str]]:
    """Let the first line's number move to another account, where it has another id; returns its conversation."""
    patient.whatsapp.add_line(SimulatedLine("300000000000001", "300000000000000", LINE_NUMBER, "Shop", TOKEN))
    patient.whatsapp.templates.put(
        "300000000000000",
        {"name": "only_there", "language": "en_US", "components": [{"type": "BODY", "text": "Hello there."}]},
    )
    [conversation] = patient.rig.names("conversations")
    said: list[str] = []
    to = replace(line_of(await stored(patient, LINE)), **_PLACE)
    await lines.move(lines.opened(patient.ports, graph(patient), to, None), said.append)
    return conversation, said


_PLACE = {"phone_number_id": "300000000000001", "waba": "300000000000000"}


async def test_a_moved_number_keeps_its_line_its_conversations_and_what_waits(patient: Surgery) -> None:
    [conversation] = patient.rig.names("conversations")
    tab = patient.rig.tab(conversation)
    await tab.say("queued before the move")
    _, said = await moved(patient)
    assert all(sentence.startswith("✓") for sentence in said), said
    patient.rig.start()
    await patient.rig.drain()
    assert (await tab.last())["status"] == "sent"
    assert patient.whatsapp.customers.messages(ANA.wa_id)[-1].line == _PLACE["phone_number_id"]
    names = {template["name"] for template in patient.rig.documents("templates") if template["waba"] == _PLACE["waba"]}
    assert "only_there" in names


async def test_during_and_after_a_move_both_ids_lead_to_the_line(patient: Surgery) -> None:
    conversation, _ = await moved(patient)
    for fresh in (False, True):
        if fresh:
            patient.rig.start()
        for number in (NUMBER, _PLACE["phone_number_id"]):
            await patient.rig.deliver(inbound_text(ANA, f"to {number}, {fresh}", number=number))
    assert patient.rig.names("conversations") == [conversation]
    assert len(await patient.rig.tab(conversation).messages()) == 5
    assert not patient.rig.documents("parked")


async def test_an_instance_that_still_sends_with_the_old_id_makes_the_message_wait_and_not_fail(
    patient: Surgery,
) -> None:
    [conversation] = patient.rig.names("conversations")
    tab = patient.rig.tab(conversation)
    await tab.say("an instance learns the line")
    await patient.rig.drain()
    await moved(patient)
    del patient.whatsapp.lines[NUMBER]
    await tab.say("sent with what it remembers")
    await patient.rig.drain()
    assert (await tab.last())["status"] in ("queued", "sending")
    patient.rig.start()
    patient.rig.clock.forward(minutes=2)
    await patient.rig.drain()
    assert (await tab.last())["status"] == "sent"


async def test_a_number_of_somebody_else_is_no_move(patient: Surgery) -> None:
    to = replace(line_of(await stored(patient, LINE)), phone_number_id=NEW, waba=NEW_WABA)
    heard: list[str] = []
    with pytest.raises(StepFailed):
        await lines.move(lines.opened(patient.ports, graph(patient), to, NEW_TOKEN), heard.append)
    assert "add it as another line" in heard[-1]


async def test_a_line_never_leads_to_another_accounts_connection(patient: Surgery) -> None:
    await patient.rig.add_connection("theirs", account="theirs")
    with pytest.raises(SetUpFailed, match="another account"):
        await lines.begun(patient.ports, replace(WANTED, connection="theirs"))
