"""Secrets rotate while traffic flows: at each moment of it, nothing is refused and nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from functions.core.lines import connection_key, line_key, line_of
from functions.core.management import Management
from functions.core.secrets import Seal
from functions.local import lines, rotation
from functions.local.failure import SetUpFailed
from tests.doctor_faults import Surgery, surgery
from tests.payloads import ANA, inbound_text, webhook
from tests.rig import CONNECTION, DATA_KEY, LINE, TOKEN


@pytest.fixture
async def patient(tmp_path: Path):
    async with surgery(tmp_path) as patient:
        yield patient


async def flows(patient: Surgery, app_secret: str | None = None) -> None:
    """Let a message come in and be told, and an answer go out; each must pass."""
    rig = patient.rig
    told = len(rig.crm.of_type("message.received"))
    body = webhook(inbound_text(ANA, f"message {told}"))
    answer = await (rig.post_body(body, app_secret) if app_secret else rig.post_body(body))
    assert answer.status_code == 200
    await rig.drain()
    assert len(rig.crm.of_type("message.received")) == told + 1
    tab = rig.tab(rig.names("conversations")[0])
    await tab.say(f"answer {told}")
    rig.clock.forward(seconds=10)
    await rig.drain()
    assert (await tab.last())["status"] == "sent"


def deploy(patient: Surgery, **settings) -> None:
    """Start fresh instances of all functions with other settings, as a deployment does."""
    rig = patient.rig
    rig.ports = patient.ports = replace(rig.ports, settings=replace(rig.ports.settings, **settings))
    rig.start()


async def test_the_app_secret(patient: Surgery) -> None:
    deploy(patient, app_secrets=("old",))
    await flows(patient, "old")
    deploy(patient, app_secrets=("new", "old"))
    # Meta signs with the old one until it is reset in the console, and delivers again what it signed before.
    for secret in ("old", "new", "old"):
        await flows(patient, secret)
    deploy(patient, app_secrets=("new",))
    await flows(patient, "new")
    assert (await patient.rig.post_body(b"{}", "old")).status_code == 401


async def test_the_data_keys(patient: Surgery) -> None:
    new = Fernet.generate_key().decode()
    both, only = Seal([new, DATA_KEY]), Seal([new])
    await flows(patient)
    deploy(patient, token_keys=both, connection_keys=both)
    await flows(patient)
    assert await rotation.reseal(patient.ports) == rotation.Resealed(all=2, before=0)
    # Instances that remember what they read, and fresh ones.
    await flows(patient)
    deploy(patient, token_keys=both, connection_keys=both)
    await flows(patient)
    deploy(patient, token_keys=only, connection_keys=only)
    await flows(patient)
    assert await rotation.reseal(patient.ports) == rotation.Resealed(all=2, before=2)


async def test_sealing_again_stops_at_what_no_key_opens_and_leaves_it(patient: Surgery) -> None:
    new = Seal([Fernet.generate_key().decode()])
    deploy(patient, token_keys=new, connection_keys=new)
    before = patient.rig.documents("lines")
    with pytest.raises(SetUpFailed, match="Put the key that sealed it behind the newest one"):
        await rotation.reseal(patient.ports)
    assert patient.rig.documents("lines") == before


async def test_sealing_again_does_not_undo_a_token_that_is_given_at_the_same_moment(patient: Surgery) -> None:
    both = Seal([Fernet.generate_key().decode(), DATA_KEY])
    deploy(patient, token_keys=both, connection_keys=both)
    get, given = patient.rig.store.get, []

    async def get_and_be_overtaken(keys):
        found = await get(keys)
        if keys == [line_key(LINE)] and not given:
            given.append(True)
            await patient.rig.add_line(token="the-newest")
        return found

    patient.rig.store.get = get_and_be_overtaken
    await rotation.reseal(patient.ports)
    [document] = await get([line_key(LINE)])
    assert both.is_newest(document.fields["token"])
    assert both.open(document.fields["token"]) == "the-newest"


async def test_a_connections_secret(patient: Surgery) -> None:
    rig = patient.rig
    old = rig.secret
    new = await rotation.add_secret(patient.ports, CONNECTION)
    # The CRM has the old one still: it is told, and its own calls and grants pass.
    await flows(patient)
    rig.start()
    await flows(patient)
    rig.secret = rig.crm.secret = new
    await flows(patient)
    assert (await rig.call("GET", "/v1/events?limit=1")).status_code == 200
    assert await rotation.retire_secrets(patient.ports, CONNECTION)
    await flows(patient)
    rig.start()
    await flows(patient)
    rig.secret = old
    assert (await rig.call("GET", "/v1/events?limit=1")).status_code == 401


async def test_a_second_secret_takes_the_place_of_one_that_was_never_used(patient: Surgery) -> None:
    first = await rotation.add_secret(patient.ports, CONNECTION)
    second = await rotation.add_secret(patient.ports, CONNECTION)
    [document] = await patient.rig.store.get([connection_key(CONNECTION)])
    known = [Seal([DATA_KEY]).open(secret) for secret in document.fields["secrets"]]
    assert known == [second, patient.rig.secret]
    assert first not in known


async def test_a_lines_token(patient: Surgery) -> None:
    rig = patient.rig
    numbers = patient.whatsapp.lines
    [[number, line]] = numbers.items()
    await flows(patient)
    numbers[number] = replace(line, token="another")
    # The old one was withdrawn first: what is sent waits, and nothing that comes in.
    tab = rig.tab(rig.names("conversations")[0])
    await tab.say("waits")
    await rig.drain()
    assert (await tab.last())["status"] in ("queued", "sending")
    settings = patient.ports.settings
    management = Management(patient.client, settings.graph_url, settings.graph_version)
    [document] = await rig.store.get([line_key(LINE)])
    said: list[str] = []
    await lines.give_token(lines.opened(patient.ports, management, line_of(document), "another"), said.append)
    assert all(sentence.startswith("✓") for sentence in said)
    rig.start()
    rig.clock.forward(minutes=2)
    await rig.drain()
    assert (await tab.last())["status"] == "sent"
    await flows(patient)


async def test_a_token_that_is_wrong_leaves_the_old_one(patient: Surgery) -> None:
    settings = patient.ports.settings
    management = Management(patient.client, settings.graph_url, settings.graph_version)
    [document] = await patient.rig.store.get([line_key(LINE)])
    with pytest.raises(SetUpFailed):
        await lines.give_token(lines.opened(patient.ports, management, line_of(document), "nonsense"), lambda _: None)
    [document] = await patient.rig.store.get([line_key(LINE)])
    assert Seal([DATA_KEY]).open(document.fields["token"]) == TOKEN
