"""Definitions are kept in step with Meta: by the clock, by webhook, on request; CRMs hear what agents would notice."""

import httpx
import pytest

from functions.core.tasks import Task
from functions.core.templates import resync_task
from tests.payloads import WABA, definition
from tests.rig import LINE
from tests.webhook.test_facts import account_says

ALL = Task("housekeeping", "sender", {"kind": "templates", "line": LINE})


async def listed(rig):
    answer = await rig.call("GET", f"/v1/templates?line={LINE}")
    assert answer.status_code == 200, answer.text
    return {(one["name"], one["language"]): one for one in answer.json()["items"]}


async def test_all_pages_are_copied(rig):
    await rig.holds_templates(*(definition(f"template_{n}") for n in range(5)))
    assert len(await listed(rig)) == 5


async def test_a_name_in_two_languages_is_two_templates_and_both_spellings_are_one(rig):
    await rig.holds_templates(definition(language="en-US"), definition(language="pt_BR"))
    await rig.holds_templates(definition(language="en_US"), definition(language="pt_BR"))
    assert set(await listed(rig)) == {("order_update", "en_US"), ("order_update", "pt_BR")}


async def test_what_meta_no_longer_has_is_in_no_list_and_told(rig):
    await rig.holds_templates(definition("a"), definition("b"))
    await rig.holds_templates(definition("b"))
    await rig.drain()
    assert [name for name, _ in await listed(rig)] == ["b"]
    [event] = rig.crm.of_type("template.updated")
    assert event["template"]["name"] == "a"
    assert event["template"]["status"] == "DELETED"


async def test_what_was_deleted_and_is_there_again_is_listed(rig):
    for held in ([definition("a")], [], [definition("a")]):
        await rig.holds_templates(*held)
    assert [name for name, _ in await listed(rig)] == ["a"]


async def test_the_first_copy_tells_nobody_and_a_change_tells_once(rig):
    await rig.holds_templates(definition("a"), definition("b"))
    await rig.drain()
    assert rig.crm.of_type("template.updated") == []
    for _ in range(2):
        await rig.holds_templates(definition("a", quality_score={"score": "RED"}), definition("b"))
        await rig.drain()
    [event] = rig.crm.of_type("template.updated")
    assert event["template"] == {
        "name": "a",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "quality": "RED",
        "reason": None,
    }
    assert event["line"]["id"] == LINE
    assert (event["conversation"], event["message"]) == (None, None)


async def test_every_line_of_the_account_is_told_and_no_other(rig):
    await rig.add_line("second", number="100000000000002", connection="other-crm")
    await rig.add_line("third", number="100000000000003", waba="999", connection="other-crm")
    await rig.holds_templates(definition("a"))
    await rig.holds_templates(definition("a", status="PAUSED"))
    told = {event["line"] for event in rig.documents("events") if event["type"] == "template.updated"}
    assert told == {LINE, "second"}


async def test_the_clock_asks_at_once_and_then_every_six_hours(rig):
    await rig.add_line()
    rig.whatsapp.templates = [definition()]
    await rig.sweep()
    assert len(await listed(rig)) == 1
    rig.clock.forward(hours=5)
    await rig.sweep()
    assert rig.whatsapp.template_asks == 1
    rig.clock.forward(hours=2)
    await rig.sweep()
    assert rig.whatsapp.template_asks == 2


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("message_template_status_update", {"event": "PAUSED"}),
        ("message_template_quality_update", {"new_quality_score": "RED"}),
        ("message_template_components_update", {"message_template_element": "Other words"}),
        ("template_category_update", {"new_category": "MARKETING"}),
    ],
)
async def test_a_webhook_brings_its_template_into_step_and_no_other(rig, field, said):
    await rig.holds_templates(definition("a"), definition("b"))
    asked = rig.whatsapp.template_asks
    rig.whatsapp.templates = [
        definition("a", "Other words", status="PAUSED", category="MARKETING"),
        definition("b", status="PAUSED"),
    ]
    template = {"message_template_id": 7, "message_template_name": "a", "message_template_language": "en-US"}
    await account_says(rig, field, template | said)
    await rig.drain()
    shown = await listed(rig)
    assert shown[("a", "en_US")]["status"] == "PAUSED"
    assert shown[("a", "en_US")]["body"] == "Other words"
    assert shown[("b", "en_US")]["status"] == "APPROVED"
    assert rig.whatsapp.template_asks == asked + 1
    assert [event["template"]["name"] for event in rig.crm.of_type("template.updated")] == ["a"]


async def test_a_template_that_is_told_of_before_it_was_copied_is_copied(rig):
    rig.whatsapp.templates = [definition("other_a"), definition("a_too"), definition("a")]
    said = {"message_template_id": 7, "message_template_name": "a", "message_template_language": "en_US"}
    await account_says(rig, "message_template_status_update", said | {"event": "APPROVED"})
    await rig.drain()
    assert [name for name, _ in await listed(rig)] == ["a"]


async def test_a_template_that_is_told_to_be_deleted_is_marked(rig):
    await rig.holds_templates(definition("a"))
    rig.whatsapp.templates = []
    said = {"message_template_id": 7, "message_template_name": "a", "message_template_language": "en_US"}
    await account_says(rig, "message_template_status_update", said | {"event": "DELETED"})
    await rig.drain()
    assert await listed(rig) == {}


async def test_a_crm_server_may_ask_for_a_copy(rig):
    rig.whatsapp.templates = [definition("new_one")]
    answer = await rig.call("POST", f"/v1/templates/sync?line={LINE}")
    assert answer.status_code == 202
    await rig.drain()
    assert [name for name, _ in await listed(rig)] == ["new_one"]


@pytest.mark.parametrize("trouble", [httpx.ConnectError("away"), httpx.ReadTimeout("late")])
async def test_while_meta_is_out_of_reach_the_copies_stay_and_it_is_asked_again_soon(rig, trouble):
    await rig.holds_templates(definition("a"))
    rig.whatsapp.templates = [definition("a"), definition("b")]
    rig.whatsapp.answers_next(trouble)
    assert (await rig.run(ALL)).status_code == 200
    assert [name for name, _ in await listed(rig)] == ["a"]
    rig.clock.forward(minutes=6)
    await rig.sweep()
    assert [name for name, _ in await listed(rig)] == ["a", "b"]


async def test_one_definition_is_asked_for_again_too_when_meta_can_be_reached(rig):
    await rig.holds_templates(definition("a", "Before"))
    rig.whatsapp.templates = [definition("a", "After")]
    rig.whatsapp.answers_next(httpx.ConnectError("away"))
    await rig.ports.tasks.enqueue(resync_task(LINE, "a", "en_US", "test"))
    await rig.drain()
    rig.clock.forward(minutes=6)
    await rig.drain()
    assert [template["body"] for _, template in (await listed(rig)).items()] == ["After"]


async def test_a_refusal_costs_no_copy_and_the_task_is_done(rig):
    await rig.holds_templates(definition("a"), definition("b"), definition("c"))
    rig.whatsapp.refuses_next(190, 401)
    assert (await rig.run(ALL)).status_code == 200
    assert len(await listed(rig)) == 3


async def test_examples_of_any_shape_can_be_stored(rig):
    body = {"type": "BODY", "text": "Hi {{1}}, {{2}}", "example": {"body_text": [["Ana", "42"], ["Bo", "43"]]}}
    odd = [{"type": "CAROUSEL", "cards": [[{"components": [[1]]}]]}, "nonsense", None]
    await rig.holds_templates(definition("a", components=[body]), definition("b", components=odd), {"name": "x"})
    shown = await listed(rig)
    assert [parameter["example"] for parameter in shown[("a", "en_US")]["parameters"]] == ["Ana", "42"]
    assert shown[("b", "en_US")]["sendable"] is False
    assert {one["waba"] for one in rig.documents("templates")} == {WABA}
