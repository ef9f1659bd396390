"""Files, both ways: fetched soon after their message, sent by the id that Meta gives them."""

import asyncio
import hashlib
import itertools
import json
import re
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageCms

from functions.core.http import asgi
from functions.core.media import MediaUnavailable
from functions.sender.app import create as create_sender
from functions.sender.pictures import picture_of
from tests.payloads import ANA, LUCIA, MIA, inbound, inbound_image
from tests.pictures import bomb, encoded, moving, opened, photograph
from tests.rig import TOKEN, file_answer, rigged

PICTURE = photograph((1200, 900))


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


@pytest.mark.parametrize(
    "sha256", [hashlib.sha256(PICTURE).hexdigest(), hashlib.sha256(PICTURE).hexdigest().upper(), None]
)
async def test_a_hash_may_be_hexadecimal_or_missing(rig, sha256):
    tab = await rig.chatting(ANA)
    rig.whatsapp.files["media-1"] = PICTURE
    image = {"id": "media-1", "mime_type": "image/jpeg"} | ({"sha256": sha256} if sha256 else {})
    await rig.deliver(inbound(ANA, "image", image))
    await rig.drain()
    assert (await media_of(tab))["state"] == "stored"


async def test_a_file_that_was_spoiled_on_its_way_is_fetched_once_more(rig):
    tab = await received(rig)
    spoiled = httpx.Response(200, content=PICTURE[:-1])
    rig.whatsapp.answers_next(
        file_answer(httpx.Request("GET", "https://graph.test/media-1"), "media-1", PICTURE), spoiled
    )
    await rig.drain()
    media = await media_of(tab)
    assert media["state"] == "stored"
    assert (await rig.files.get(media["url"])).content == PICTURE


async def test_a_file_that_arrives_damaged_is_not_shown(rig):
    tab = await received(rig)
    rig.whatsapp.files["media-1"] = PICTURE + b"!"
    await rig.drain()
    media = await media_of(tab)
    assert (media["state"], media["reason"], media["url"]) == ("failed", "The file arrived damaged.", None)


async def test_an_empty_file_is_no_broken_picture_but_a_reason(rig):
    tab = await rig.chatting(ANA)
    rig.whatsapp.files["media-1"] = b""
    await rig.deliver(inbound_image(ANA, "media-1", b""))
    await rig.drain()
    media = await media_of(tab)
    assert (media["state"], media["reason"], media["url"]) == ("failed", "The file arrived empty.", None)


async def test_a_file_over_the_limit_is_given_up_on_the_way(rig, monkeypatch):
    monkeypatch.setattr("functions.sender.fetch_media.RECEIVED", 5)
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


NOT_NOW = [
    httpx.ConnectError("no way"),
    httpx.ReadTimeout("late"),
    httpx.Response(500),
    httpx.Response(429),
    httpx.Response(401, json={"error": {"code": 190, "message": "expired"}}),
    httpx.Response(400, json={"error": {"code": 4, "message": "too many calls"}}),
]


@pytest.mark.parametrize("answer", NOT_NOW, ids=str)
async def test_what_can_not_be_fetched_now_is_fetched_later_without_slowing_its_queue(rig, answer):
    tab = await received(rig)
    rig.whatsapp.answers_next(answer)
    await rig.drain()
    assert (await media_of(tab))["state"] == "waiting"
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert (await media_of(tab))["state"] == "stored"


async def test_a_download_that_is_refused_for_now_is_made_again_at_a_fresh_address(rig):
    tab = await received(rig)
    asked = []

    async def busy_once(request):
        asked.append(request.url.host)
        rig.whatsapp.plays(None if len(asked) > 1 else busy_once)
        if request.url.host == "lookaside.fbsbx.com":
            return httpx.Response(503)
        return rig.whatsapp.usual(request)

    rig.whatsapp.plays(busy_once)
    await rig.drain()
    assert asked == ["graph.test", "lookaside.fbsbx.com"]
    assert (await media_of(tab))["state"] == "waiting"
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert (await media_of(tab))["state"] == "stored"


async def test_the_pauses_grow_to_an_hour_and_after_a_week_the_file_is_given_up(rig):
    tab = await received(rig)
    rig.whatsapp.plays(httpx.ReadTimeout("late"))
    started, tries = rig.clock(), []
    while (await media_of(tab))["state"] == "waiting":
        await rig.drain()
        tries.append(rig.clock())
        for task in rig.tasks.of_kind("fetch_media"):
            rig.clock.forward(seconds=(task.at - rig.clock()).total_seconds() + 1)
    pauses = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(tries)]
    assert [round(pause / 5) for pause in pauses[:4]] == [1, 2, 4, 8]
    assert max(pauses) < 3610
    assert 6.9 < (tries[-1] - started).total_seconds() / 86400 <= 7.01
    assert len(tries) < 200
    media = await media_of(tab)
    assert (media["state"], media["url"]) == ("failed", None)
    assert "ask the customer" in media["reason"]


async def test_a_media_store_that_is_away_makes_the_file_wait(rig, monkeypatch):
    tab = await received(rig)

    async def full(*arguments):
        raise MediaUnavailable("the disk is full")

    with monkeypatch.context() as away:
        away.setattr(rig.media, "save", full)
        await rig.drain()
    assert (await media_of(tab))["state"] == "waiting"
    rig.clock.forward(seconds=6)
    await rig.drain()
    assert (await media_of(tab))["state"] == "stored"


# Once more, because a person asks


async def fetch_again(tab, message):
    return await tab.post(f"{tab.url}/messages/{message['id']}/fetch", {})


async def failed(rig):
    tab = await received(rig)
    rig.whatsapp.files.clear()
    await rig.drain()
    return tab, await tab.last()


async def test_a_file_that_failed_can_be_fetched_again(rig):
    tab, message = await failed(rig)
    rig.whatsapp.files["media-1"] = PICTURE
    answer = await fetch_again(tab, message)
    assert answer.status_code == 202
    assert (answer.json()["media"]["state"], answer.json()["media"]["reason"]) == ("waiting", None)
    await rig.drain()
    media = await media_of(tab)
    assert (media["state"], media["reason"]) == ("stored", None)


async def test_the_crm_hears_of_each_end_of_a_file(rig):
    tab, message = await failed(rig)
    rig.whatsapp.files["media-1"] = PICTURE
    await fetch_again(tab, message)
    await rig.drain()
    told = [event for event in rig.crm.of_type("message.changed") if event["message"]["id"] == message["id"]]
    assert len({event["id"] for event in told}) == 2
    assert told[0]["message"]["version"] < told[1]["message"]["version"]


async def test_two_who_ask_at_once_make_one_try(rig):
    tab, message = await failed(rig)
    answers = await asyncio.gather(*(fetch_again(tab, message) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len(rig.tasks.of_kind("fetch_media")) == 1


async def test_who_asks_for_a_file_that_waits_gets_a_try_at_once(rig):
    tab = await received(rig)
    rig.whatsapp.plays(httpx.ReadTimeout("late"))
    for _ in range(8):
        await rig.drain()
        rig.clock.forward(minutes=10)
    await rig.drain()
    rig.whatsapp.plays(None)
    assert (await fetch_again(tab, await tab.last())).status_code == 202
    await rig.drain()
    assert (await media_of(tab))["state"] == "stored"


async def test_a_person_s_wish_is_given_up_after_an_hour(rig):
    tab, message = await failed(rig)
    rig.whatsapp.plays(httpx.ReadTimeout("late"))
    await fetch_again(tab, message)
    for _ in range(15):
        await rig.drain()
        rig.clock.forward(minutes=5)
    assert (await media_of(tab))["state"] == "failed"


async def test_only_a_received_file_can_be_fetched_again(rig):
    tab = await attached(rig)
    assert (await fetch_again(tab, await tab.last())).json()["code"] == "not_received"
    text = await rig.chatting(LUCIA)
    for message in (await text.last(), {"id": "nothing"}, await tab.last()):
        assert (await fetch_again(text, message)).status_code == 404


async def test_a_stored_file_is_not_fetched_again(rig):
    tab = await received(rig)
    await rig.drain()
    answer = await fetch_again(tab, await tab.last())
    assert (answer.status_code, answer.json()["media"]["state"]) == (202, "stored")
    assert rig.tasks.of_kind("fetch_media") == []


# 100 MB


MB = 1024 * 1024
BLOCK = bytes(range(256)) * 256


class Meta:
    """A server that holds one file of 100 MB and takes uploads, without ever having one of them in memory."""

    def __init__(self):
        self.taken = 0

    async def start(self):
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    def stop(self):
        self._server.close()

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST") and b"/media " in head:
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            while self.taken < length:
                self.taken += len(await reader.read(MB))
            await self._json(writer, {"id": "uploaded"})
        elif head.startswith(b"POST"):
            await self._json(writer, {"messages": [{"id": "wamid.large"}]})
        elif b"/file " in head:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (100 * MB))
            for _ in range(100 * MB // len(BLOCK)):
                writer.write(BLOCK)
                await writer.drain()
        else:
            size = str(100 * MB)
            await self._json(writer, {"url": f"{self.url}/file", "mime_type": "video/mp4", "file_size": size})
        writer.close()

    async def _json(self, writer, value):
        content = json.dumps(value).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
        await writer.drain()


@pytest.fixture
async def large(tmp_path):
    """A rig whose sender speaks to that server over a real connection."""
    meta = await Meta().start()
    async with rigged(tmp_path, WHATSAPP_GRAPH_URL=meta.url) as rig, httpx.AsyncClient(trust_env=False) as outward:
        rig.sender = httpx.AsyncClient(
            transport=httpx.ASGITransport(asgi(create_sender(rig.ports, outward))), base_url="http://leadline.test"
        )
        yield rig, meta
    meta.stop()


async def most_memory_of(work):
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_a_hundred_megabytes_come_in_through_little_memory(large):
    rig, _ = large
    tab = await rig.chatting(ANA)
    hasher = hashlib.sha256()
    for _ in range(100 * MB // len(BLOCK)):
        hasher.update(BLOCK)
    video = {"id": "media-1", "mime_type": "video/mp4", "sha256": hasher.hexdigest()}
    await rig.deliver(inbound(ANA, "video", video))
    assert await most_memory_of(rig.drain()) < 16 * MB
    media = await media_of(tab)
    assert (media["state"], media["size"]) == ("stored", 100 * MB)


async def test_a_hundred_megabytes_go_out_through_little_memory(large):
    rig, meta = large
    tab = await rig.chatting(ANA)

    async def content():
        for _ in range(100 * MB // len(BLOCK)):
            yield BLOCK

    announced = {"conversation": tab.conversation, "filename": "a.pdf", "mime": "application/pdf", "size": 100 * MB}
    target = (await tab.post("/v1/media", announced)).json()
    await rig.media.save(f"_arriving/{target['id']}", content(), "application/pdf")
    assert (await tab.send({"type": "document", "document": {"id": target["id"]}})).status_code == 202
    assert await most_memory_of(rig.drain()) < 16 * MB
    assert meta.taken > 100 * MB
    assert (await tab.last())["status"] == "sent"


# A fresh address


async def test_a_file_s_address_can_be_had_afresh(rig):
    tab = await received(rig)
    message = await tab.last()
    assert (await tab.get(f"/v1/media/{message['id']}")).json()["code"] == "file_not_stored"
    await rig.drain()
    rig.clock.forward(minutes=6)
    answer = await tab.get(f"/v1/media/{message['id']}")
    assert (await rig.files.get(answer.json()["url"])).content == PICTURE
    assert opened((await rig.files.get(answer.json()["thumbnail"])).content).format == "WEBP"
    server = await rig.call("GET", f"/v1/media/{message['id']}")
    assert (await rig.files.get(server.json()["url"])).content == PICTURE


async def test_a_file_of_another_conversation_has_no_address(rig):
    tab, other = await received(rig), await rig.chatting(LUCIA)
    await rig.drain()
    for message in ((await tab.last())["id"], "nothing"):
        assert (await other.get(f"/v1/media/{message}")).status_code == 404


async def test_a_file_without_a_name_is_saved_under_one_that_says_what_it_is(rig):
    tab = await received(rig)
    await rig.drain()
    message = await tab.last()
    answer = await rig.files.get(message["media"]["url"])
    name = f"whatsapp-image-{message['at'][:10]}.jpg"
    assert answer.headers["content-disposition"] == f"inline; filename*=UTF-8''{name}"


# Thumbnails


async def thumbnail_of(rig, tab, file, mime="image/jpeg", type_="image"):
    """Let a customer send a picture; returns its `media` and the thumbnail, opened."""
    rig.whatsapp.files["media-2"] = file
    content = {"id": "media-2", "mime_type": mime}
    await rig.deliver(inbound(ANA, type_, content))
    await rig.drain()
    media = await media_of(tab)
    assert media["state"] == "stored"
    if media["thumbnail"] is None:
        return media, None
    answer = await rig.files.get(media["thumbnail"])
    assert answer.headers["content-type"] == "image/webp"
    return media, opened(answer.content)


async def test_a_picture_has_a_small_one_beside_it_and_its_size(rig):
    media, small = await thumbnail_of(rig, await rig.chatting(ANA), photograph((1200, 900)))
    assert (media["width"], media["height"]) == (1200, 900)
    assert small.size == (480, 360)
    assert small.getpixel((10, 10))[0] > 200 > 100 > small.getpixel((10, 10))[1]


async def test_a_small_picture_is_not_made_larger(rig):
    media, small = await thumbnail_of(rig, await rig.chatting(ANA), photograph((80, 60)))
    assert small.size == (media["width"], media["height"]) == (80, 60)


# The red quarter is upper left in the file; where it is seen, by how the camera was held.
SEEN = {1: (0, 0), 3: (1, 1), 6: (1, 0), 8: (0, 1)}


@pytest.mark.parametrize(("orientation", "corner"), SEEN.items())
async def test_a_thumbnail_stands_upright(rig, orientation, corner):
    media, small = await thumbnail_of(rig, await rig.chatting(ANA), photograph((800, 600), orientation))
    assert (media["width"], media["height"]) == ((600, 800) if orientation in (6, 8) else (800, 600))
    assert small.size == ((360, 480) if orientation in (6, 8) else (480, 360))
    red, green, _ = small.getpixel((corner[0] * (small.width - 20) + 10, corner[1] * (small.height - 20) + 10))
    assert red > 200 > 100 > green


@pytest.mark.parametrize("profile", [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
async def test_a_thumbnail_tells_nothing_of_where_and_how_it_was_taken(rig, profile):
    file = encoded(opened(photograph((800, 600))), "JPEG", exif=opened(photograph()).info["exif"], icc_profile=profile)
    assert b"A camera maker" in file
    _, small = await thumbnail_of(rig, await rig.chatting(ANA), file)
    assert set(small.info) <= {"loop", "background", "timestamp", "duration"}
    assert dict(small.getexif()) == {}


MOVING = [("WEBP", "image/webp", "sticker"), ("GIF", "image/gif", "document")]


@pytest.mark.parametrize(("format_", "mime", "type_"), MOVING)
async def test_of_what_moves_the_first_frame_is_shown(rig, format_, mime, type_):
    _, small = await thumbnail_of(rig, await rig.chatting(ANA), moving(format_), mime, type_)
    assert getattr(small, "n_frames", 1) == 1
    red, _, blue = small.convert("RGB").getpixel((5, 5))
    assert red > 200 > 100 > blue


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1", "I;16"])
async def test_every_kind_of_pixel_has_a_thumbnail_and_what_shows_through_stays_so(rig, mode):
    image = Image.new("RGBA", (600, 600), (255, 0, 0, 0)).convert("L" if mode == "I;16" else mode).convert(mode)
    media, small = await thumbnail_of(rig, await rig.chatting(ANA), encoded(image, "PNG"), "image/png")
    assert (media["width"], small.size) == (600, (480, 480))
    if mode in ("RGBA", "LA"):
        assert small.getpixel((5, 5))[3] == 0


BROKEN = {
    "no picture": b"not a picture at all",
    "cut off": photograph((800, 600))[:2000],
    "another format": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "a bomb": bomb(),
}


@pytest.mark.parametrize("file", BROKEN.values(), ids=BROKEN)
async def test_a_picture_that_can_not_be_shrunk_costs_its_thumbnail_only(rig, file):
    tab = await rig.chatting(ANA)
    media, small = await thumbnail_of(rig, tab, file)
    assert (media["width"], small) == (None, None)
    assert (await rig.files.get(media["url"])).content == file


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_a_picture_of_too_many_pixels_is_not_opened():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert picture_of(bomb(side=7_000)) is None
    with pytest.raises(Image.DecompressionBombError):
        picture_of(bomb(side=50_000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


LARGE = """
import io, pathlib, re
from PIL import Image
from functions.sender.pictures import MAX_PIXELS, picture_of
file = io.BytesIO()
Image.new("RGBA", (8000, MAX_PIXELS // 8000), "red").save(file, "PNG", compress_level=1)
width = picture_of(file.getvalue()).width
print(width, int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""
# Not `getrusage`: its peak is inherited from whoever starts a process, and the whole suite has a larger one.


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own peak of memory")
def test_the_largest_picture_that_is_opened_fits_the_sender_s_memory():
    output = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, timeout=60, check=True)
    width, megabytes = map(int, output.stdout.split())
    assert width == 8000
    assert megabytes < 400


@pytest.mark.parametrize("function", ["webhook", "chat", "sync", "sender"])
def test_no_function_waits_for_pillow_when_it_starts(function):
    code = f"import sys, functions.{function}.app; assert 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


async def test_what_an_agent_sends_gets_its_size_and_thumbnail_too(rig):
    tab = await attached(rig)
    await rig.drain()
    media = await media_of(tab)
    assert (media["width"], media["height"]) == (1200, 900)
    assert opened((await rig.files.get(media["thumbnail"])).content).size == (480, 360)


async def attached(rig, customer=ANA, mime="image/jpeg", **content):
    """Let an agent send a picture; returns the tab."""
    tab = await rig.chatting(customer)
    file = await tab.upload(PICTURE, mime, "a.jpg")
    answer = await tab.send({"type": "image", "image": {"id": file, **content}})
    assert answer.status_code == 202, answer.text
    return tab


async def test_a_picture_is_uploaded_first_and_sent_by_its_id(rig):
    tab = await attached(rig, caption="look")
    await rig.drain()
    [upload] = rig.whatsapp.uploads
    assert PICTURE in upload
    assert b"image/jpeg" in upload
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
