"""A conversation begins with a template; whoever answers is the one who was written to, however numbers are written."""

import httpx
import pytest

from functions.core.phone import digits
from tests.payloads import ANA, LUCIA, NUMBER, Customer, definition, inbound_text, status
from tests.pictures import PNG
from tests.rig import CONNECTION, LINE, accepted
from tests.simulated import simulated

BO = Customer("4915550000001", "DE.00000000000000000001", "Bo")
HELLO = {"type": "template", "template": {"name": "hello", "language": {"code": "en_US"}}}


@pytest.fixture
async def rig(rig):
    await rig.holds_templates(definition("hello", "Your order is ready."), definition("sale", category="MARKETING"))
    return rig


async def begin(rig, client_id="client-1", line=LINE, message=HELLO, **fields):
    body = {"line": line, "message": {"client_id": client_id, **message}, **fields}
    return await rig.call("POST", "/v1/conversations", body)


async def begun(rig, **fields):
    answer = await begin(rig, **fields)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def contacts(rig):
    return {item["contact"]["id"] for item in (await rig.call("GET", "/v1/conversations")).json()["items"]}


async def test_a_stranger_is_written_to_by_number(rig):
    author = {"kind": "agent", "id": "2", "name": "Marc"}
    said = await begun(rig, to={"phone": "+49 1555 0000001"}, name="Bo of the lead", author=author)
    head = said["conversation"]
    assert head["contact"]["name"] == "Bo of the lead"
    assert head["contact"]["phone"] == "+4915550000001"
    assert (head["contact"]["wa_id"], head["window"]["open"]) == (None, False)
    assert said["message"]["author"] == author
    assert said["message"]["template"]["body"] == "Your order is ready."
    await rig.drain()
    [sent] = rig.whatsapp.messages
    assert sent["to"] == "+4915550000001"
    [event] = rig.crm.of_type("message.sent")
    assert event["conversation"]["id"] == head["id"]
    assert event["conversation"]["contact"]["phone_variants"] == ["+4915550000001"]


async def test_the_typed_number_is_no_identity_and_whatsapps_answer_makes_one(rig):
    await begun(rig, to={"phone": "+4915550000001"})
    assert rig.documents("aliases") == []
    rig.whatsapp.answers_next(accepted("wamid.x", wa_id="4915550000001"))
    await rig.drain()
    assert [(alias["kind"], alias["value"]) for alias in rig.documents("aliases")] == [("wa_id", "4915550000001")]


async def test_the_reply_lands_in_the_same_conversation(rig):
    head = (await begun(rig, to={"phone": "+4915550000001"}, name="Typed"))["conversation"]
    rig.whatsapp.answers_next(accepted("wamid.x", wa_id="4915550000001"))
    await rig.drain()
    assert await rig.met(BO) == head["id"]
    tab = rig.tab(head["id"])
    assert [message["direction"] for message in await tab.messages()] == ["out", "in"]
    shown = (await tab.head())["contact"]
    assert (shown["name"], shown["wa_id"], shown["bsuid"]) == ("Bo", BO.wa_id, BO.bsuid)
    assert (await tab.send({"type": "text", "text": {"body": "Hi Bo"}})).status_code == 202


async def test_a_repeated_request_begins_nothing_again(rig):
    first = await begun(rig, to={"phone": "+4915550000001"})
    await rig.drain()
    again = await begin(rig, to={"phone": "+4915550000001"})
    assert again.status_code == 200
    assert again.json()["message"]["id"] == first["message"]["id"]
    await rig.drain()
    assert len(rig.whatsapp.messages) == 1


async def test_a_repeated_request_is_harmless_though_the_customer_wrote_before_whatsapp_answered(rig):
    first = await begun(rig, to={"phone": "+4915550000001"})
    await rig.deliver(inbound_text(BO))
    again = await begin(rig, to={"phone": "+4915550000001"})
    assert (again.status_code, again.json()["message"]["id"]) == (200, first["message"]["id"])


async def test_when_the_customer_wrote_before_whatsapp_answered_a_person_is_asked_whether_the_two_are_one(rig):
    first = await begun(rig, to={"phone": "+4915550000001"})
    await rig.deliver(inbound_text(BO))
    rig.whatsapp.answers_next(accepted("wamid.x", wa_id="4915550000001"))
    await rig.drain()
    assert (await rig.tab(first["conversation"]["id"]).last())["status"] == "sent"
    [review] = (await rig.call("GET", "/v1/reviews")).json()["items"]
    assert {contact["id"] for contact in review["contacts"]} == await contacts(rig)


@pytest.mark.parametrize("redelivered", [1, 3])
async def test_an_invited_customer_is_known_by_a_status_where_the_answer_was_lost(rig, redelivered):
    conversation = (await begun(rig, to={"phone": "+5511987654321"}))["conversation"]["id"]
    rig.whatsapp.answers_next(httpx.ReadTimeout("the answer is lost"))
    await rig.drain()
    [sent] = rig.whatsapp.messages
    assert (await rig.tab(conversation).last())["status"] == "unknown"

    for _ in range(redelivered):
        await rig.deliver(status("delivered", "wamid.lost", callback=sent["biz_opaque_callback_data"]))

    assert await rig.met(ANA) == conversation
    assert len(await contacts(rig)) == 1


async def test_two_invitations_of_one_person_are_one_conversation(rig):
    first = await begun(rig, to={"phone": "+5511987654321"})
    second = await begun(rig, client_id="client-2", to={"phone": "+551187654321"})
    assert first["conversation"]["id"] == second["conversation"]["id"]
    assert len(await contacts(rig)) == 1


@pytest.mark.parametrize("phone", ["+5511987654321", "+551187654321", "+55 (11) 98765-4321"])
async def test_someone_who_wrote_before_is_found_in_every_form_of_the_number(rig, phone):
    there = await rig.met(ANA)
    assert (await begun(rig, to={"phone": phone}))["conversation"]["id"] == there


async def test_a_user_id_and_a_conversation_of_another_line_name_someone_too(rig):
    there = await rig.met(ANA)
    assert (await begun(rig, to={"bsuid": ANA.bsuid}))["conversation"]["id"] == there
    await rig.add_line("second", number="100000000000002")
    await begun(rig, client_id="client-2", line="second", to={"conversation": there})
    assert len(await contacts(rig)) == 1
    await rig.drain()
    assert [sent["to"] for sent in rig.whatsapp.messages] == ["+" + ANA.wa_id] * 2


async def test_an_unknown_user_id_is_written_to_by_it(rig):
    await begun(rig, to={"bsuid": "DE.42"})
    await rig.drain()
    assert rig.whatsapp.messages[0]["recipient"] == "DE.42"
    assert "to" not in rig.whatsapp.messages[0]


@pytest.mark.parametrize(
    ("to", "field"),
    [
        ({}, "to"),
        ({"phone": "0155 1234"}, "to.phone"),
        ({"phone": "+49"}, "to.phone"),
        ({"phone": "+4915550000001", "bsuid": "DE.1"}, "to"),
    ],
)
async def test_one_addressee_must_be_named_rightly(rig, to, field):
    answer = await begin(rig, to=to)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


PHOTO = definition(components=[{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look."}], name="photo")


async def announced(rig, **place):
    """Announce a picture for a line as a CRM server does, and put it where the answer says."""
    file = {"type": "image", "filename": "sofa.png", "mime": "image/png", "size": len(PNG)}
    answer = (await rig.call("POST", "/v1/media", file | place)).json()
    target = answer["upload"]
    put = await rig.files.request(
        target["method"], target["url"], content=PNG, headers={"Content-Type": "image/png"} | target["headers"]
    )
    assert put.is_success
    return answer["id"]


def photo(upload):
    parts = [{"type": "header", "parameters": [{"type": "image", "image": {"id": upload}}]}]
    return {"type": "template", "template": {"name": "photo", "language": {"code": "en_US"}, "components": parts}}


async def test_the_first_message_carries_a_file_that_was_announced_for_the_line(rig):
    await rig.holds_templates(PHOTO)
    upload = await announced(rig, line=LINE)
    said = await begun(rig, to={"phone": "+4915550000001"}, message=photo(upload))
    assert said["message"]["media"]["state"] == "stored"
    await rig.drain()
    [sent] = rig.whatsapp.messages
    assert sent["template"]["components"][0]["parameters"][0]["image"]["id"]
    assert PNG in rig.whatsapp.uploads[0]


async def test_a_file_is_announced_for_a_line_by_its_crm_server_alone(rig):
    file = {"filename": "sofa.png", "mime": "image/png", "size": len(PNG)}
    tab = await rig.chatting(ANA)
    assert (await tab.post("/v1/media", file | {"line": LINE})).status_code == 403
    assert (await rig.call("POST", "/v1/media", file | {"line": "line-elsewhere"})).status_code == 404
    both = file | {"line": LINE, "conversation": tab.conversation}
    for wrong in (file, both):
        assert (await rig.call("POST", "/v1/media", wrong)).json()["code"] == "invalid"


async def test_a_refused_template_leaves_no_trace(rig):
    refused = {"type": "template", "template": {"name": "nothing", "language": {"code": "en_US"}}}
    answer = await begin(rig, to={"phone": "+4915550000001"}, message=refused)
    assert answer.json()["code"] == "template_unknown"
    assert (rig.documents("contacts"), rig.documents("conversations")) == ([], [])


async def test_who_opted_out_is_not_begun_with_by_marketing(rig):
    await rig.deliver(inbound_text(ANA, "STOP"))
    sale = {"type": "template", "template": {"name": "sale", "language": {"code": "en_US"}}}
    sale["template"]["components"] = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    answer = await begin(rig, to={"phone": "+" + ANA.wa_id}, message=sale)
    assert (answer.status_code, answer.json()["code"]) == (422, "opted_out")


async def test_only_a_crm_server_begins_and_only_on_its_own_line(rig):
    tab = await rig.chatting(LUCIA)
    body = {"line": LINE, "to": {"phone": "+4915550000001"}, "message": {"client_id": "client-1", **HELLO}}
    assert (await tab.post("/v1/conversations", body)).status_code == 403
    await rig.add_line("foreign", number="100000000000009", connection="other")
    assert (await begin(rig, line="foreign", to={"phone": "+4915550000001"})).status_code == 404
    assert (await begin(rig, line=NUMBER, to={"phone": "+4915550000001"})).status_code == 202


@pytest.mark.parametrize(
    ("typed", "wa_id"),
    [
        ("+49 1555 0000001", "4915550000001"),
        ("+55 11 98765-4321", "551187654321"),
        ("+55 11 8765-4321", "5511987654321"),
        ("+52 55 1234 5678", "5215512345678"),
        ("+52 1 55 1234 5678", "525512345678"),
        ("+54 11 2345 6789", "5491123456789"),
        ("+54 9 11 2345 6789", "541123456789"),
    ],
)
async def test_who_answers_an_invitation_is_the_invited_in_every_country(tmp_path, typed, wa_id):
    async with simulated(tmp_path) as (rig, simulator):
        simulator.customers.meet(wa_id, "Somebody")
        head = (await begun(rig, to={"phone": typed}, message=HELLO_WORLD))["conversation"]
        assert digits(head["contact"]["phone"]) == digits(typed)
        await rig.drain()
        await simulator.settled()
        simulator.write(wa_id, "Yes, please")
        await simulator.settled()
        await rig.drain()
        [only] = (await rig.call("GET", "/v1/conversations")).json()["items"]
        assert (only["id"], only["unread"], only["contact"]["wa_id"]) == (head["id"], 1, wa_id)
        shown = await rig.tab(head["id"]).messages()
        assert [message["type"] for message in shown] == ["template", "text"]
        assert shown[0]["status"] in ("delivered", "read")


HELLO_WORLD = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}


# What a CRM says of a conversation


async def test_a_crm_sets_owner_records_and_tags_and_leaves_what_it_does_not_name(rig):
    tab = await rig.chatting(ANA)
    url = f"/v1/conversations/{tab.conversation}"
    before = await tab.head()
    owner, record = {"id": 3, "name": "Jo"}, {"model": "crm.lead", "id": 9, "name": "Another"}
    assert (await rig.call("PUT", url, {"owner": owner, "tags": ["vip"]})).status_code == 200
    head = await tab.head()
    assert (head["owner"], head["tags"], head["records"]) == (owner, ["vip"], before["records"])
    assert (await rig.call("PUT", url, {"records": [record], "owner": None})).json()["records"] == [record]
    head = await tab.head()
    assert (head["owner"], head["tags"], head["records"]) == (None, ["vip"], [record])


async def test_a_browser_sets_nothing_and_no_crm_anothers(rig):
    tab = await rig.chatting(ANA)
    url = f"/v1/conversations/{tab.conversation}"
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation)}"}
    assert (await rig.chat.put(url, json={"tags": ["x"]}, headers=headers)).status_code == 403
    await rig.add_connection("other")
    answer = await rig.call("PUT", url, {"tags": ["x"]}, connection="other")
    assert answer.status_code == 404
    assert (await rig.call("PUT", url, {"tags": [""]})).json()["errors"][0]["field"] == "tags.0"
    assert (await rig.call("PUT", url, {"tags": ["x"]}, connection=CONNECTION)).status_code == 200
