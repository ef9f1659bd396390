"""Every type that WhatsApp knows reads well, and what it does not know is never dropped."""

import pytest

from tests.payloads import ANA, error, inbound, inbound_text, status


async def shown(rig, *args, **more):
    """Let Ana send something, and return how the tab shows it."""
    await rig.met(ANA)
    await rig.deliver(inbound(ANA, *args, **more))
    return await (rig.tab((await conversation(rig))["id"])).last()


async def conversation(rig):
    answer = await rig.call("GET", "/v1/conversations")
    [found] = answer.json()["items"]
    return found


ORDER = {"catalog_id": "7", "text": "Please", "product_items": [{"product_retailer_id": "a", "quantity": "2"}]}


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("location", {"latitude": -23.5, "longitude": "-46.6", "name": "Office"}),
        ("contacts", [{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "+1 555"}]}]),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "[1]"}}),
        ("button", {"payload": "STOP_ALL", "text": "No more"}),
        ("order", ORDER),
    ],
)
async def test_a_types_own_object_is_shown_as_whatsapp_gives_it(rig, type_, content):
    assert (await shown(rig, type_, content))[type_] == content


async def test_a_voice_note_and_a_moving_sticker_say_so(rig):
    voice = await shown(rig, "audio", {"id": "1", "mime_type": "audio/ogg; codecs=opus", "voice": True})
    assert (voice["media"]["voice"], voice["media"]["mime"]) == (True, "audio/ogg; codecs=opus")
    sticker = await shown(rig, "sticker", {"id": "2", "mime_type": "image/webp", "animated": True})
    assert (sticker["media"]["animated"], sticker["media"]["voice"]) == (True, False)


async def test_a_question_about_a_product_names_it(rig):
    product = {"catalog_id": "7", "product_retailer_id": "sku"}
    said = await shown(rig, "text", {"body": "Still there?"}, context={"referred_product": product})
    assert said["product"] == product


@pytest.mark.parametrize(("mark", "often"), [("forwarded", False), ("frequently_forwarded", True)])
async def test_a_forwarded_message_is_marked(rig, mark, often):
    said = await shown(rig, "text", {"body": "Look"}, context={mark: True})
    assert (said["forwarded"], said["frequently_forwarded"], said["reply_to"]) == (True, often, None)


async def test_the_advertisement_that_brought_a_customer_is_shown_and_told(rig):
    came_by = {"source_type": "ad", "source_id": "1", "ctwa_clid": "click"}
    said = await shown(rig, "text", {"body": "Hi"}, referral=came_by | {"foreign": 1})
    assert said["referral"] == came_by
    await rig.drain()
    assert rig.crm.of_type("message.received")[-1]["conversation"]["referral"] == came_by


async def test_of_two_advertisements_the_last_counts_however_they_come(rig):
    for source, at in (("late", 1_780_000_900), ("early", 1_780_000_000)):
        await rig.met(ANA, referral={"source_id": source}, at=at)
    assert rig.crm.events[-1]["conversation"]["referral"] == {"source_id": "late"}


async def test_a_type_of_tomorrow_is_shown_as_unsupported_and_counted(rig):
    said = await shown(rig, "hologram", {"depth": 3})
    assert (said["type"], said["unsupported"]) == (
        "unsupported",
        {"type": "hologram", "code": None, "details": None},
    )
    [count] = rig.documents("counts")
    assert (count["what"], count["count"]) == ("type hologram", 1)


async def test_what_is_delivered_again_is_not_counted_again(rig):
    for _ in range(3):
        await rig.deliver(inbound(ANA, "hologram", {"depth": 3}, wamid="wamid.h"))
    assert [count["count"] for count in rig.documents("counts")] == [1]


async def test_a_message_that_meta_could_not_hand_over_says_why(rig):
    said = await shown(rig, "unsupported", {"type": "poll_creation"}, errors=[error(131051, "Unknown type")])
    assert said["unsupported"] == {"type": "poll_creation", "code": 131051, "details": "Some details"}
    assert (said["error"]["code"], said["error"]["title"]) == (131051, "Unknown type")


async def test_what_can_not_be_shown_is_still_unread(rig):
    await shown(rig, "hologram", {})
    assert (await conversation(rig))["unread"] == 2


async def test_a_customer_who_only_opened_the_chat_has_a_conversation_without_a_window(rig):
    await rig.deliver(inbound(ANA, "request_welcome", None))
    found = await conversation(rig)
    head = await rig.tab(found["id"]).head()
    assert (head["unread"], head["window"]["open"], head["contact"]["name"]) == (0, False, "Ana")
    assert (await rig.tab(found["id"]).last())["request_welcome"] == {}


async def test_the_advertisement_of_a_customer_who_only_opened_the_chat_is_kept(rig):
    came_by = {"source_type": "ad", "source_id": "7"}
    await rig.deliver(inbound(ANA, "request_welcome", None, referral=came_by))
    await rig.drain()
    assert rig.crm.events[-1]["conversation"]["referral"] == came_by
    assert not (await rig.tab((await conversation(rig))["id"]).head())["window"]["open"]


async def test_a_notice_stands_in_the_chat_and_opens_nothing(rig):
    await rig.deliver(inbound_text(ANA, at=1_780_000_000))
    await rig.deliver(inbound(ANA, "system", {"type": "customer_identity_changed", "body": "New phone"}))
    found = await conversation(rig)
    head = await rig.tab(found["id"]).head()
    assert (head["unread"], head["window"]["open"]) == (1, False)
    notice = await rig.tab(found["id"]).last()
    assert notice["system"] == {"kind": "identity_changed", "body": "New phone"}
    assert (notice["direction"], notice["author"]["kind"]) == ("in", "system")


async def test_a_status_of_tomorrow_is_kept_once_and_counted_once(rig):
    for _ in range(3):
        await rig.deliver(status("deleted", "wamid.x", at=1_780_000_000))
    assert [(count["what"], count["count"]) for count in rig.documents("counts")] == [("status deleted", 1)]
    assert len(rig.documents("parked")) == 1
