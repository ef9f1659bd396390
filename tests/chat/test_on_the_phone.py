"""What is sent passes a WhatsApp that is as strict as Meta, and shows on the customer's phone."""

import pytest

from tests.chat.test_kinds import BUTTONS, CARD, LINK, LIST, PLACE, PNG, interactive, react
from tests.chat.test_templates import body, button, header, template, text
from tests.simulated import simulated

WA_ID = "4915550000001"


@pytest.fixture
async def line(tmp_path):
    async with simulated(tmp_path) as (rig, simulator):
        simulator.customers.meet(WA_ID, "Bo")
        simulator.write(WA_ID, "Hello")
        await simulator.settled()
        await rig.drain()
        yield Line(rig, simulator, rig.tab(rig.crm.events[-1]["conversation"]["id"]))


class Line:
    def __init__(self, rig, simulator, tab):
        self.rig, self.simulator, self.tab = rig, simulator, tab

    async def sent(self, said):
        """Send something, and return it once all webhooks are through."""
        answer = await self.tab.send(said)
        assert answer.status_code == 202, answer.text
        await self.rig.drain()
        await self.simulator.settled()
        await self.rig.drain()
        return answer.json()

    def shows(self):
        """Return what the phone got last."""
        return self.simulator.customers.messages(WA_ID)[-1]


@pytest.mark.parametrize("said", [BUTTONS, LIST, LINK, PLACE], ids=lambda said: said["type"])
async def test_buttons_of_every_kind(line, said):
    await line.sent(interactive(said))
    assert line.shows().content["interactive"] == said
    assert (await line.tab.last())["status"] == "delivered"


async def test_the_longest_buttons_that_we_let_pass(line):
    longest = {
        "header": {"type": "text", "text": "h" * 60},
        "body": {"text": "b" * 1024},
        "footer": {"text": "f" * 60},
    }
    await line.sent(interactive(BUTTONS, **longest))
    assert (await line.tab.last())["status"] == "delivered"


async def test_a_picture_above_buttons_and_a_shared_contact(line):
    picture = {"type": "image", "image": {"id": await line.tab.upload(PNG, "image/png")}}
    await line.sent(interactive(BUTTONS, header=picture))
    assert (await line.tab.last())["status"] == "delivered"
    await line.sent({"type": "contacts", "contacts": [CARD]})
    assert line.shows().content["contacts"][0]["name"]["formatted_name"] == "Jo Doe"
    assert (await line.tab.last())["status"] == "delivered"


async def test_a_reaction_comes_and_goes(line):
    target = await line.tab.last()
    await line.sent(react(target, "🎉"))
    assert line.shows().content["reaction"]["emoji"] == "🎉"
    [mark] = (await line.tab.last())["reactions"]
    assert (mark["emoji"], mark["error"]) == ("🎉", None)
    await line.sent(react(target, ""))
    assert line.shows().content["reaction"]["emoji"] == ""
    assert (await line.tab.last())["reactions"] == []


async def test_every_template_that_can_be_sent_reads_as_the_preview_said(line):
    await line.rig.records(line.tab.conversation, "resume")
    picture = {"type": "image", "image": {"id": await line.tab.upload(PNG, "image/png")}}
    parts = {
        "hello_world": [],
        "order_update": [body(text("Ana"), text("#42")), button(0, "url", text("42"))],
        "appointment_reminder": [
            header(text("Ana", parameter_name="first_name")),
            body(text("Friday", parameter_name="day"), text("10:00", parameter_name="time")),
        ],
        "spring_offer": [
            header(picture),
            body(text("Ana")),
            button(0, "copy_code", {"type": "coupon_code", "coupon_code": "LEAF10"}),
        ],
    }
    items = (await line.tab.get("/v1/templates")).json()["items"]
    listed = [item for item in items if item["sendable"]]
    assert {item["name"] for item in listed} == set(parts)
    for item in listed:
        said = await line.sent(template(item["name"], *parts[item["name"]], language=item["language"]))
        shown = line.shows().content["shown"]
        assert said["template"]["body"] == shown["body"]
        assert (said["template"]["footer"], len(said["template"]["buttons"])) == (
            shown.get("footer"),
            len(shown["buttons"]),
        )
        assert [one.get("url") for one in said["template"]["buttons"]] == [one.get("url") for one in shown["buttons"]]
        assert (await line.tab.last())["status"] == "delivered"


async def test_a_template_that_changed_at_meta_is_copied_again_when_a_send_stumbles_over_it(line):
    definition = {
        "name": "hello_world",
        "language": "en_US",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hi {{1}}, welcome."}],
    }
    line.simulator.templates.put("100000000000000", definition)
    await line.sent(template("hello_world"))
    failed = await line.tab.last()
    assert (failed["status"], failed["error"]["decision"]) == ("failed", "template")
    await line.sent(template("hello_world", body(text("Ana"))))
    assert (await line.tab.last())["template"]["body"] == "Hi Ana, welcome."
