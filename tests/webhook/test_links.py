"""A first message that names a link: the agent sees through what the customer came, and so does the CRM."""

from tests.payloads import Customer, inbound_text
from tests.rig import LINE, Rig

ANA = Customer("15550000001", "Ana")
SPRING = {"label": "Spring poster", "source": "Poster", "medium": "Print", "campaign": "Spring", "team": "Sales"}


async def link(rig: Rig, **stated: str) -> dict[str, str]:
    made = await rig.call("POST", "/v1/links", {"line": LINE, "text": "Hello!", **stated})
    assert made.status_code == 201, made.text
    body: dict[str, str] = made.json()
    return body


async def test_the_agent_sees_the_link_in_place_of_its_reference(rig: Rig) -> None:
    spring = await link(rig, **SPRING)

    tab = rig.tab(await rig.met(ANA, spring["prefilled"]))

    message = await tab.last()
    assert message["text"]["body"] == "Hello!"
    assert message["link"]["label"] == "Spring poster"
    assert message["link"]["reference"] == spring["reference"]


async def test_the_crm_is_told_through_what_a_customer_came_first_and_last(rig: Rig) -> None:
    spring, summer = await link(rig, **SPRING), await link(rig, label="Summer", source="Newsletter")
    now = int(rig.clock.wall())

    await rig.met(ANA, spring["prefilled"], at=now - 20)
    await rig.met(ANA, "Are you open today?", at=now - 10)
    await rig.met(ANA, f"And this? {summer['reference'].lower()}", at=now)

    told = rig.crm.of_type("message.received")[-1]["conversation"]["attribution"]
    assert {name: told["first"]["link"][name] for name in SPRING} == SPRING
    assert (told["last"]["link"]["label"], told["last"]["link"]["source"]) == ("Summer", "Newsletter")


async def test_a_reference_of_another_line_or_of_nobody_is_only_text(rig: Rig) -> None:
    await rig.add_line("second", number="200000000000002", waba="2")
    theirs = (await rig.call("POST", "/v1/links", {"line": "second", "text": "Hi"})).json()

    tab = rig.tab(await rig.met(ANA, f"Hello ({theirs['reference']})"))

    message = await tab.last()
    assert (message["link"], message["text"]["body"]) == (None, f"Hello ({theirs['reference']})")
    assert rig.crm.of_type("message.received")[-1]["conversation"]["attribution"] is None


async def test_a_message_without_a_code_costs_no_read(rig: Rig) -> None:
    await rig.met(ANA)
    rig.store.calls.clear()

    await rig.deliver(inbound_text(ANA, "2 of the blue ones, please, size M"))

    assert (rig.store.calls["get"], rig.store.calls["query"]) == (0, 0)


async def test_a_redelivered_first_message_came_through_its_link_once(rig: Rig) -> None:
    spring = await link(rig, **SPRING)
    first = inbound_text(ANA, spring["prefilled"])

    for _ in range(3):
        await rig.deliver(first)

    [conversation] = rig.documents("conversations")
    assert len(conversation["touches"]) == 1
