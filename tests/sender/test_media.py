"""Files, both ways: fetched soon after their message, sent by the id that Meta gives them."""

import hashlib

import httpx
import pytest

from functions.core.media import MediaUnavailable
from tests.payloads import ANA, MIA, inbound, inbound_image
from tests.rig import TOKEN

PICTURE = b"\xff\xd8\xff a picture"


async def received(rig, **changed):
    """Let a customer send a picture that Meta holds; returns the tab before anything was fetched."""
    tab = await rig.chatting(ANA)
    rig.whatsapp.files["media-1"] = PICTURE
    await rig.deliver(inbound_image(ANA, "media-1", PICTURE, **changed))
    return tab


async def media_of(tab):
    return (await tab.last())["media"]


def fetch_task(rig):
    [task] = rig.tasks.of_kind("fetch_media")
    return task


async def test_a_picture_is_shown_as_waiting_before_it_is_there(rig):
    tab = await received(rig, caption="look")
    message = await tab.last()
    assert message["image"] == {"caption": "look"}
    assert (message["media"]["state"], message["media"]["url"]) == ("waiting", None)


async def test_a_picture_can_be_seen_soon_after(rig):
    tab = await received(rig)
    await rig.drain()
    media = await media_of(tab)
    assert (media["state"], media["mime"], media["size"]) == ("stored", "image/jpeg", len(PICTURE))
    seen = await rig.files.get(media["url"])
    assert (seen.status_code, seen.content, seen.headers["content-type"]) == (200, PICTURE, "image/jpeg")
    assert rig.whatsapp.tokens == {TOKEN}


async def test_its_address_works_for_five_minutes(rig):
    tab = await received(rig)
    await rig.drain()
    url = (await media_of(tab))["url"]
    rig.clock.forward(minutes=6)
    assert (await rig.files.get(url)).status_code == 403
    assert (await rig.files.get((await media_of(tab))["url"])).status_code == 200


async def test_the_crm_and_the_tab_hear_of_it(rig):
    tab = await received(rig)
    cursor = (await tab.page())["cursor"]
    before = await tab.last()
    await rig.drain()
    assert rig.crm.of_type("message.changed")[-1]["message"]["id"] == before["id"]
    [changed] = [item for item in (await tab.page(after=cursor))["items"] if item["id"] == before["id"]]
    assert changed["media"]["state"] == "stored"
    assert changed["version"] > before["version"]


async def test_a_task_that_comes_twice_fetches_once(rig):
    tab = await received(rig)
    task = fetch_task(rig)
    await rig.run(task)
    rig.whatsapp.files.clear()
    assert (await rig.run(task)).status_code == 200
    assert (await media_of(tab))["state"] == "stored"


@pytest.mark.parametrize("sha256", [hashlib.sha256(PICTURE).hexdigest(), None])
async def test_a_hash_may_be_hexadecimal_or_missing(rig, sha256):
    tab = await rig.chatting(ANA)
    rig.whatsapp.files["media-1"] = PICTURE
    image = {"id": "media-1", "mime_type": "image/jpeg"} | ({"sha256": sha256} if sha256 else {})
    await rig.deliver(inbound(ANA, "image", image))
    await rig.drain()
    assert (await media_of(tab))["state"] == "stored"


async def test_a_file_that_arrives_damaged_is_not_shown(rig):
    tab = await received(rig)
    rig.whatsapp.files["media-1"] = PICTURE + b"!"
    await rig.drain()
    media = await media_of(tab)
    assert (media["state"], media["reason"], media["url"]) == ("failed", "The file arrived damaged.", None)


async def test_a_file_over_the_limit_is_given_up_on_the_way(rig, monkeypatch):
    monkeypatch.setattr("functions.sender.fetch_media.MAX_SIZE", 5)
    tab = await received(rig)
    await rig.drain()
    assert (await media_of(tab))["reason"] == "The file is over 100 MB."


async def test_a_file_that_meta_no_longer_has_is_given_up_with_a_reason(rig):
    tab = await received(rig)
    rig.whatsapp.files.clear()
    await rig.drain()
    media = await media_of(tab)
    assert media["state"] == "failed"
    assert media["reason"].endswith(".")


async def test_a_message_without_a_file_id_is_given_up_with_a_reason(rig):
    tab = await rig.chatting(ANA)
    await rig.deliver(inbound(ANA, "image", {"mime_type": "image/jpeg"}))
    await rig.drain()
    assert (await media_of(tab))["state"] == "failed"


async def test_a_file_elsewhere_than_at_metas_is_never_asked_for(rig):
    tab = await received(rig)
    elsewhere = {"url": "https://evil.test/file", "mime_type": "image/jpeg", "id": "media-1"}
    rig.whatsapp.answers_next(httpx.Response(200, json=elsewhere))
    await rig.drain()
    assert (await media_of(tab))["state"] == "failed"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("no way"),
        httpx.ReadTimeout("late"),
        httpx.Response(500),
        httpx.Response(401, json={"error": {"code": 190, "message": "expired"}}),
        httpx.Response(400, json={"error": {"code": 4, "message": "too many calls"}}),
    ],
    ids=str,
)
async def test_what_can_not_be_fetched_now_is_fetched_later(rig, answer):
    tab = await received(rig)
    task = fetch_task(rig)
    rig.whatsapp.answers_next(answer)
    assert (await rig.run(task)).status_code == 503
    assert (await media_of(tab))["state"] == "waiting"
    assert (await rig.run(task)).status_code == 200
    assert (await media_of(tab))["state"] == "stored"


async def test_a_media_store_that_is_away_makes_the_task_come_again(rig, monkeypatch):
    tab = await received(rig)
    task = fetch_task(rig)

    async def full(*arguments):
        raise MediaUnavailable("the disk is full")

    with monkeypatch.context() as away:
        away.setattr(rig.media, "save", full)
        assert (await rig.run(task)).status_code == 503
    assert (await rig.run(task)).status_code == 200
    assert (await media_of(tab))["state"] == "stored"


async def attached(rig, customer=ANA, mime="image/png", **content):
    """Let an agent send a picture; returns the tab."""
    tab = await rig.chatting(customer)
    file = await tab.upload(PICTURE, mime, "a.png")
    answer = await tab.send({"type": "image", "image": {"id": file, **content}})
    assert answer.status_code == 202, answer.text
    return tab


async def test_a_picture_is_uploaded_first_and_sent_by_its_id(rig):
    tab = await attached(rig, caption="look")
    await rig.drain()
    [upload] = rig.whatsapp.uploads
    assert PICTURE in upload
    assert b"image/png" in upload
    [message] = rig.whatsapp.messages
    assert (message["type"], message["image"]) == ("image", {"id": "uploaded-1", "caption": "look"})
    shown = await tab.last()
    assert (shown["status"], shown["image"], shown["media"]["state"]) == ("sent", {"caption": "look"}, "stored")
    assert (await rig.files.get(shown["media"]["url"])).content == PICTURE


async def test_a_document_keeps_its_name(rig):
    tab = await rig.chatting(MIA)
    file = await tab.upload(b"%PDF", "application/pdf", "offer.pdf")
    await tab.send({"type": "document", "document": {"id": file, "filename": "Offer.pdf"}})
    await rig.drain()
    assert rig.whatsapp.messages[0]["document"] == {"id": "uploaded-1", "filename": "Offer.pdf"}


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("late"), httpx.ConnectError("no way"), httpx.Response(500)])
async def test_an_upload_whose_end_is_not_known_is_repeated_because_nobody_sees_it(rig, answer):
    tab = await attached(rig)
    rig.whatsapp.answers_next(answer)
    await rig.drain()
    assert rig.whatsapp.messages == []
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert (await tab.last())["status"] == "sent"
    assert len(rig.whatsapp.messages) == 1


async def test_a_send_after_its_upload_that_gets_lost_is_unknown_and_not_repeated(rig):
    tab = await attached(rig)

    rig.whatsapp.answers_next(httpx.Response(200, json={"id": "uploaded"}), httpx.ReadTimeout("late"))
    for _ in range(3):
        await rig.drain()
        rig.clock.forward(minutes=1)
    assert (await tab.last())["status"] == "unknown"
    assert len(rig.whatsapp.messages) == 1


async def test_a_file_that_meta_does_not_take_fails_with_its_reason(rig):
    tab = await attached(rig)
    rig.whatsapp.refuses_next(131053)
    await rig.drain()
    shown = await tab.last()
    assert (shown["status"], shown["error"]["code"]) == ("failed", 131053)


async def test_a_file_that_is_no_longer_there_fails_with_a_sentence(rig):
    tab = await attached(rig)
    [upload] = rig.names("uploads")
    await rig.media.delete(f"acme/{upload}")
    await rig.drain()
    shown = await tab.last()
    assert (shown["status"], shown["error"]["plain"][:8]) == ("failed", "The file")


async def test_a_media_store_that_is_away_delays_the_message_only(rig, monkeypatch):
    tab = await attached(rig)

    async def away(name):
        raise MediaUnavailable("away")
        yield b""

    with monkeypatch.context() as gone:
        gone.setattr(rig.media, "read", away)
        await rig.drain()
    assert rig.whatsapp.messages == []
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert (await tab.last())["status"] == "sent"


async def test_a_message_behind_a_picture_waits_for_it(rig):
    tab = await attached(rig)
    await tab.say("that is it")
    rig.whatsapp.answers_next(httpx.ConnectError("no way"))
    await rig.drain()
    assert rig.whatsapp.messages == []
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert [message["type"] for message in rig.whatsapp.messages] == ["image", "text"]
    assert [item["status"] for item in await tab.messages()][-2:] == ["sent", "sent"]
