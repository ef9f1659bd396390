"""What was put aside is tried again as if Meta had just delivered it, and goes away only when it was handled."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from functions.core.lines import line_key, number_key
from functions.core.parked import body_of, items
from functions.core.store import Unavailable, delete
from functions.core.whatsapp import Unreadable, envelope
from functions.local.cli import main
from functions.local.keys import Keys
from functions.local.replay import Filter, Replay, listed
from tests.payloads import ANA, LUCIA, customers, error, inbound_text, message, status, value, webhook
from tests.rig import LINE, Rig, rigged


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as rig:
        yield rig


async def put_aside(rig, **wanted):
    return [item async for item in listed(rig.ports, Filter(**wanted))]


async def replay(rig):
    """Try all again, as one run of the command does; return what is said of each."""
    replaying = Replay(rig.ports)
    said = [(await replaying.replay(item)).said for item in await put_aside(rig)]
    await rig.drain()
    return said


async def words(rig, line=LINE):
    """Return all that was said, by customer, as the CRM's server reads it."""
    answer = await rig.call("GET", f"/v1/conversations?line={line}&limit=200")
    assert answer.status_code == 200, answer.text
    return {
        item["contact"]["name"]: [said["text"]["body"] for said in await rig.tab(item["id"]).messages()]
        for item in answer.json()["items"]
    }


def cli(rig, *arguments):
    """Return what the command line answers on this rig's store, in a thread as it has a loop of its own."""
    folder = rig._folder
    Keys.of(folder)
    return asyncio.to_thread(CliRunner().invoke, main, [*arguments, "--folder", str(folder)])


async def test_a_message_to_an_unknown_number_is_taken_once_its_line_is_there(rig):
    await rig.deliver(inbound_text(ANA, "early bird", number="200"), inbound_text(LUCIA, "too", number="200"))
    assert {item.reason for item in await put_aside(rig)} == {"no line has this phone_number_id"}
    await rig.add_line("other", number="200")
    assert await replay(rig) == ["handled", "handled"]
    assert await words(rig, "other") == {"Ana": ["early bird"], "Lucia": ["too"]}
    assert await put_aside(rig) == []


async def test_a_status_of_an_unknown_number_is_taken_once_its_line_is_there(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    [line] = await rig.store.get([line_key(LINE)])
    await rig.store.commit([delete(number_key(line.fields["phone_number_id"]))])
    rig.start()
    failed = status("failed", "wamid.out.1", callback=callback, errors=[error(131026)])
    await rig.deliver(failed)
    assert len(await put_aside(rig)) == 1
    await rig.add_line()
    assert await replay(rig) == ["handled"]
    said = await tab.last()
    assert (said["status"], said["error"]["code"]) == ("failed", 131026)


async def test_a_fact_of_an_unknown_account_is_taken_once_a_line_of_it_is_there(rig):
    said = {"display_phone_number": "15550100002", "event": "PIN_CHANGED"}
    entry = {"id": "299", "time": 1_780_000_000, "changes": [{"field": "security", "value": said}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    assert (await rig.post_body(body)).status_code == 200
    assert [item.reason for item in await put_aside(rig)] == ["no line has this business account"]
    await rig.add_line("other", number="200", waba="299")
    assert await replay(rig) == ["handled"]
    [fact] = rig.documents("line_facts")
    assert (fact["fact"], fact["value"], fact["at"]) == ("pin", "PIN_CHANGED", 1_780_000_000)


async def test_what_is_still_not_handled_stays_with_its_reason(rig):
    await rig.deliver(inbound_text(ANA, number="200"))
    [before] = await put_aside(rig)
    assert await replay(rig) == ["still put aside: no line has this phone_number_id"]
    assert [item.id for item in await put_aside(rig)] == [before.id]


async def test_what_fails_for_another_reason_now_is_kept_under_that_reason(rig):
    nobody = value(number="200", messages=[message(customers(1)[0], "text", {"body": "Hi"}) | {"from": None}])
    del nobody["messages"][0]["from_user_id"]
    await rig.deliver(nobody)
    await rig.add_line("other", number="200")
    assert await replay(rig) == ["put aside anew: neither BSUID nor number"]
    assert [(item.reason, item.line) for item in await put_aside(rig)] == [("neither BSUID nor number", "other")]


async def test_an_unreadable_item_is_taken_by_a_version_that_reads_it(rig, monkeypatch):
    def unreadable(*_):
        raise KeyError("new shape")

    with monkeypatch.context() as older:
        older.setitem(envelope._LISTS, "messages", unreadable)
        await rig.deliver(inbound_text(ANA, "of a new kind"))
    assert [item.reason for item in await put_aside(rig)] == ["messages item unreadable (KeyError)"]
    assert await replay(rig) == ["handled"]
    assert await words(rig) == {"Ana": ["of a new kind"]}


async def test_a_field_that_is_known_later_is_handled_later(rig, monkeypatch):
    body = webhook(inbound_text(ANA, "by a new field"), field="brand_new")
    assert (await rig.post_body(body)).status_code == 200
    assert [item.reason for item in await put_aside(rig)] == ["field brand_new"]
    monkeypatch.setattr("functions.core.whatsapp.envelope._FIELDS", ("messages", "brand_new"))
    assert await replay(rig) == ["handled"]
    assert await words(rig) == {"Ana": ["by a new field"]}


async def test_what_no_store_takes_is_taken_by_one_that_does(rig, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("functions.core.documents.MAX_BYTES", 8000)
        await rig.deliver(inbound_text(ANA, "x" * 9000), inbound_text(ANA, "short"))
    assert [(item.reason, item.line) for item in await put_aside(rig)] == [("no store takes it", LINE)]
    assert await replay(rig) == ["handled"]
    assert {name: set(said) for name, said in (await words(rig)).items()} == {"Ana": {"x" * 9000, "short"}}


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_a_quarantined_webhook_is_taken_by_a_version_that_reads_it(rig, monkeypatch, size):
    def unreadable(_):
        raise Unreadable

    odd = {"id": Random(1).randbytes(size).hex()}
    body = webhook(inbound_text(ANA, "kept"), value(messages=[odd]))
    with monkeypatch.context() as older:
        older.setattr("functions.webhook.accept.updates", unreadable)
        assert (await rig.post_body(body)).status_code == 200
    [item] = await put_aside(rig)
    assert (item.state, await body_of(rig.store, item)) == ("quarantined", body)
    assert (item.parts > 1) == (size > 700_000)
    assert await replay(rig) == ["handled, of which 1 put aside: messages item unreadable (KeyError)"]
    assert await words(rig) == {"Ana": ["kept"]}
    assert item.id not in [left.id for left in await put_aside(rig)]


async def test_what_is_no_webhook_stays_in_quarantine(rig):
    assert (await rig.post_body(b"[1, 2")).status_code == 200
    [said] = await replay(rig)
    assert said.startswith("still put aside")
    assert [item.state for item in await put_aside(rig)] == ["quarantined"]


async def test_replaying_does_nothing_to_what_is_already_right(rig):
    late = inbound_text(ANA, "once", number="200", wamid="wamid.once")
    await rig.deliver(late)
    [item] = await put_aside(rig)
    body = await body_of(rig.store, item)
    await rig.add_line("other", number="200")
    replaying = Replay(rig.ports)
    # Meta delivers the same again while it is replayed, and a second admin replays it too.
    await asyncio.gather(replaying.replay(item), rig.deliver(late), Replay(rig.ports).replay(item))
    assert (await rig.post_body(body)).status_code == 200
    await rig.drain()
    [conversation] = (await rig.call("GET", "/v1/conversations?line=other")).json()["items"]
    assert conversation["unread"] == 1
    assert await words(rig, "other") == {"Ana": ["once"]}
    assert await put_aside(rig) == []


async def test_of_a_batch_only_what_was_put_aside_is_tried_again(rig):
    batch = value(contacts=[ANA.contact()], messages=[message(ANA, "text", {"body": "good"}), {"id": "odd"}])
    await rig.deliver(batch)
    [item] = await put_aside(rig)
    kept = json.loads(await body_of(rig.store, item))
    assert kept["entry"][0]["changes"][0]["value"]["messages"] == [{"id": "odd"}]


async def test_a_task_that_was_hopeless_is_queued_again(rig):
    await rig.deliver(inbound_text(ANA))
    [task] = rig.tasks.of_kind("events")
    rig.tasks.waiting.clear()
    await rig.sync.post("/", json={"kind": "events", "connection": "gone"}, headers=queue_of(task))
    [item] = await put_aside(rig)
    assert (item.state, item.reason) == ("task", "the connection is gone")
    await rig.add_connection("gone")
    assert await replay(rig) == ["queued again"]
    assert await put_aside(rig) == []
    assert not rig.tasks.waiting


async def test_a_task_that_is_hopeless_once_more_is_put_aside_once_more(rig):
    hopeless = {"kind": "events", "connection": "gone"}
    await rig.sync.post("/", json=hopeless, headers={"X-CloudTasks-QueueName": "sync-gone"})
    assert await replay(rig) == ["queued again"]
    assert [item.reason for item in await put_aside(rig)] == ["the connection is gone"]


async def test_what_was_no_task_cant_be_queued_again(rig):
    await rig.sync.post("/", content=b"x" * 200_000, headers={"X-CloudTasks-QueueName": "media"})
    assert await replay(rig) == ["can't be queued again: there is no task in it"]
    assert [item.reason for item in await put_aside(rig)] == ["over 100000 bytes"]


async def test_an_event_that_the_crm_refused_is_told_again(rig):
    rig.crm.refuses["message.received"] = "Ana's contact is archived."
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    [refused] = rig.crm.batches[-1]
    rig.crm.refuses.clear()
    assert await replay(rig) == ["told again"]
    [again] = rig.crm.batches[-1]
    assert (again["id"], again["type"]) == (refused["id"], "message.received")
    assert len(rig.crm.batches) == 2
    assert await put_aside(rig) == []


async def test_a_store_that_is_away_loses_nothing(rig):
    await rig.deliver(inbound_text(ANA, number="200"))
    await rig.add_line("other", number="200")
    [item] = await put_aside(rig)
    for _ in range(2):
        rig.store.loses_next_answer("commit")
        with pytest.raises(Unavailable):
            await Replay(rig.ports).replay(item)
    await Replay(rig.ports).replay(item)
    assert await words(rig, "other") == {"Ana": ["Hello"]}
    assert await put_aside(rig) == []


async def test_many_items_are_listed_page_by_page_the_oldest_first(rig):
    await rig.deliver(*(inbound_text(customer, number="200") for customer in customers(60)))
    found = await put_aside(rig)
    assert len({item.id for item in found}) == 60
    assert [item.at for item in found] == sorted(item.at for item in found)


async def test_the_list_is_filtered_by_line_reason_and_time(rig):
    await rig.deliver(inbound_text(ANA, number="200"))
    await rig.deliver(value(messages=[{"id": "odd"}]))
    [unknown, odd] = await put_aside(rig)
    assert await put_aside(rig, line=LINE) == await put_aside(rig, line="100000000000001") == [odd]
    assert await put_aside(rig, reason="no line") == [unknown]
    assert await put_aside(rig, since=odd.at) == [odd]


async def test_the_list_holds_nothing_personal_and_show_has_all_of_it(rig):
    await rig.deliver(inbound_text(ANA, "a secret", number="200"))
    rig.crm.refuses["message.received"] = "Ana is unwanted."
    await rig.deliver(inbound_text(LUCIA))
    await rig.drain()
    answer = await cli(rig, "replay", "list")
    assert answer.exit_code == 0
    assert len(answer.stdout.splitlines()) == 2
    for personal in ("Ana", ANA.wa_id, ANA.bsuid, "a secret", "wamid"):
        assert personal not in answer.stdout
    item = re.match("[0-9a-f]{32}", answer.stdout)[0]
    raw = (await cli(rig, "replay", "show", item)).stdout
    assert "a secret" in raw
    assert ANA.bsuid in raw


async def test_the_command_says_what_became_of_each_and_exits_with_1_while_any_is_left(rig):
    await rig.deliver(inbound_text(ANA, number="200"), inbound_text(LUCIA, number="300"))
    await rig.add_line("other", number="200")
    answer = await cli(rig, "replay", "run")
    assert answer.exit_code == 1
    became = {line.rpartition(" → ")[2] for line in answer.stdout.splitlines()}
    assert became == {"handled", "still put aside: no line has this phone_number_id"}
    assert "[2/2]" in answer.stdout
    assert await words(rig, "other") == {"Ana": ["Hello"]}
    await rig.add_line("third", number="300")
    assert (await cli(rig, "replay", "run", "--line", "third")).exit_code == 0
    assert len(await put_aside(rig)) == 1
    [item] = await put_aside(rig)
    assert (await cli(rig, "replay", "run", item.id)).exit_code == 0
    assert (await cli(rig, "replay", "run", item.id)).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["replay", "show", "nothing"], 1),
        (["replay", "run", "nothing"], 1),
        (["replay", "run"], 0),
        (["replay", "list", "--since", "yesterday"], 2),
        (["replay", "run", "x", "--line", "y"], 2),
    ],
)
async def test_exit_codes(rig, arguments, code):
    assert (await cli(rig, *arguments)).exit_code == code


@pytest.mark.parametrize("command", ["list", "show", "run"])
def test_each_command_explains_itself(command):
    answer = CliRunner().invoke(main, ["replay", command, "--help"])
    assert answer.exit_code == 0
    assert "--folder" in answer.output


def test_without_data_the_command_says_what_to_do(tmp_path):
    answer = CliRunner().invoke(main, ["replay", "list", "--folder", str(tmp_path)], catch_exceptions=False)
    assert answer.exit_code == 1
    assert "make run" in answer.output


def queue_of(task):
    return {"X-CloudTasks-QueueName": task.queue}


async def test_what_has_run_out_is_not_listed(rig):
    await rig.deliver(inbound_text(ANA, number="200"))
    rig.clock.forward(days=9)
    assert await put_aside(rig) == []
    assert len([item async for item in items(rig.store)]) == 1
