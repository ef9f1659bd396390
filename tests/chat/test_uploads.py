import pytest

from functions.core.limits import FILES
from tests.payloads import ANA, LUCIA
from tests.pictures import JPEG, MP4, PNG, moving, picture, voice_note

KB, MB = 1024, 1024 * 1024


@pytest.fixture
async def tab(rig):
    return await rig.chatting(ANA)


async def announce(tab, **changed):
    file = {"conversation": tab.conversation, "filename": "a.png", "mime": "image/png", "size": len(PNG)} | changed
    return await tab.post("/v1/media", file)


async def send(tab, type_, file):
    return await tab.send({"type": type_, type_: {"id": file}})


async def test_an_announced_file_may_be_put_where_the_answer_says(rig, tab):
    answer = await announce(tab)
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "upload"}
    assert answer.json()["upload"]["method"] == "PUT"
    file = await tab.upload(PNG, "image/png")
    assert (await send(tab, "image", file)).status_code == 202


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 0},
        {"size": -1},
        {"size": "big"},
        {"mime": "image"},
        {"mime": ""},
        {"mime": "image/png\r\nX-Evil: 1"},
        {"filename": ""},
        {"filename": "x" * 241},
        {"conversation": "../x"},
        {"odd": 1},
    ],
    ids=str,
)
async def test_an_announcement_of_another_shape_is_refused(tab, changed):
    answer = await announce(tab, **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_a_hundred_megabytes_may_be_announced(tab):
    assert (await announce(tab, size=100 * MB, mime="application/pdf")).status_code == 201


REFUSED = [
    ("image", "image/gif", 3, "file_type", "JPEG or PNG", 5 * MB, None),
    ("image", "application/pdf", 3, "file_type", "JPEG or PNG", 5 * MB, "document"),
    ("image", "image/png", 5 * MB + 1, "file_too_large", "5 MB", 5 * MB, "document"),
    ("video", "video/quicktime", 3, "file_type", "MP4", 16 * MB, None),
    ("audio", "image/png", 3, "file_type", "MP3", 16 * MB, "document"),
    ("audio", "audio/ogg; codecs=opus", 17 * MB, "file_too_large", "16 MB", 16 * MB, "document"),
    ("sticker", "image/png", 3, "file_type", "WebP", 500 * KB, "document"),
    ("sticker", "image/webp", 501 * KB, "file_too_large", "500 KB", 500 * KB, "document"),
    ("document", "application/pdf", 100 * MB + 1, "file_too_large", "100 MB", 100 * MB, None),
    ("document", "application/zip", 3, "file_type", "PDF", 100 * MB, None),
]


@pytest.mark.parametrize(("type_", "mime", "size", "code", "names", "limit", "offer"), REFUSED)
async def test_a_file_that_whatsapp_would_not_take_is_refused_before_it_is_uploaded(
    tab, type_, mime, size, code, names, limit, offer
):
    answer = await announce(tab, type=type_, mime=mime, size=size)
    refusal = answer.json()
    assert (answer.status_code, refusal["code"]) == (422, code)
    assert (refusal["limit"], refusal["offer"]) == (limit, offer)
    assert names in refusal["detail"]
    assert ("as a document" in refusal["detail"]) == (offer == "document")


async def test_what_was_announced_as_a_document_is_not_taken_as_a_picture_beyond_the_picture_s_limit(rig, tab):
    file = await tab.upload(PNG.ljust(5 * MB + 1, b"\0"), "image/png")
    answer = await send(tab, "image", file)
    assert (answer.status_code, answer.json()["code"], answer.json()["offer"]) == (422, "file_too_large", "document")
    await rig.drain()
    assert rig.whatsapp.uploads == []
    assert (await send(tab, "document", file)).status_code == 202


LIES = [
    ("image", "image/png", JPEG),
    ("image", "image/jpeg", b"<html>"),
    ("video", "video/mp4", b"RIFF    AVI "),
    ("audio", "audio/mpeg", b"#!AMR"),
    ("audio", "audio/ogg", b"OggS" + bytes(60)),
    ("audio", "audio/ogg; codecs=opus", voice_note(channels=2)),
    ("sticker", "image/webp", PNG),
    ("document", "image/png", JPEG),
]


@pytest.mark.parametrize(("type_", "mime", "file"), LIES)
async def test_a_file_that_is_not_what_it_says_is_refused_before_meta_does(rig, tab, type_, mime, file):
    answer = await send(tab, type_, await tab.upload(file, mime))
    assert (answer.status_code, answer.json()["code"]) == (422, "file_type")
    await rig.drain()
    assert rig.whatsapp.uploads == []


TRUE = [
    ("image", "image/png", PNG),
    ("image", "image/jpeg", JPEG),
    ("video", "video/mp4", MP4),
    ("audio", "audio/mpeg", b"ID3\4"),
    ("audio", "audio/mpeg", b"\xff\xfb\x90"),
    ("audio", "audio/aac", b"\xff\xf1\x50"),
    ("audio", "audio/amr", b"#!AMR\n"),
    ("audio", "audio/mp4", MP4),
    ("audio", "audio/ogg; codecs=opus", voice_note()),
    ("sticker", "image/webp", picture("WEBP")),
    ("document", "application/pdf", b"%PDF"),
    ("document", "text/plain", b"Hello"),
]


@pytest.mark.parametrize(("type_", "mime", "file"), TRUE)
async def test_a_file_that_is_what_it_says_is_sent_with_its_exact_type(rig, tab, type_, mime, file):
    assert (await send(tab, type_, await tab.upload(file, mime))).status_code == 202
    await rig.drain()
    assert f"Content-Type: {mime}\r\n".encode() in rig.whatsapp.uploads[0]


async def test_a_voice_note_must_be_opus(rig, tab):
    async def say(file):
        return await tab.send({"type": "audio", "audio": {"id": file, "voice": True}})

    music = await say(await tab.upload(b"ID3\4", "audio/mpeg"))
    assert (music.status_code, music.json()["code"]) == (422, "file_type")
    assert "voice note" in music.json()["detail"]
    spoken = await say(await tab.upload(voice_note(), "audio/ogg"))
    assert (spoken.status_code, spoken.json()["media"]["voice"]) == (202, True)


async def test_sound_in_ogg_goes_with_its_codec_named(rig, tab):
    await send(tab, "audio", await tab.upload(voice_note(), "audio/ogg"))
    await rig.drain()
    assert b"Content-Type: audio/ogg; codecs=opus\r\n" in rig.whatsapp.uploads[0]


async def test_a_voice_note_is_shown_as_one(rig, tab):
    voice = await tab.upload(voice_note(), "audio/ogg; codecs=opus")
    await tab.send({"type": "audio", "audio": {"id": voice, "voice": True}})
    assert (await tab.last())["media"]["voice"] is True
    await send(tab, "audio", await tab.upload(voice_note(), "audio/ogg; codecs=opus"))
    assert (await tab.last())["media"]["voice"] is False


async def test_a_file_that_the_browser_has_no_type_for_gets_it_from_its_name(rig, tab):
    file = await tab.upload(b"%PDF", "application/octet-stream", "offer.pdf")
    assert (await send(tab, "document", file)).status_code == 202
    await rig.drain()
    assert b"Content-Type: application/pdf\r\n" in rig.whatsapp.uploads[0]


@pytest.mark.parametrize(("sticker", "taken"), [(picture("WEBP"), False), (moving(), True)])
async def test_a_sticker_that_does_not_move_must_be_smaller(tab, sticker, taken):
    file = await tab.upload(sticker.ljust(101 * KB, b"\0"), "image/webp")
    answer = await send(tab, "sticker", file)
    assert answer.is_success == taken
    if not taken:
        assert (answer.json()["code"], answer.json()["limit"]) == ("file_too_large", 100 * KB)


async def test_fewer_bytes_than_announced_are_not_sent(rig, tab):
    file = await tab.upload(PNG, "image/png", size=len(PNG) + 1)
    answer = await send(tab, "image", file)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_incomplete")


async def test_the_limits_can_be_read(tab):
    limits = (await tab.get("/v1/limits")).json()
    assert (limits["text"], limits["caption"]) == (4096, 1024)
    assert limits["files"]["image"] == {"mimes": ["image/jpeg", "image/png"], "size": 5 * MB}
    assert limits["files"]["sticker"] == {"mimes": ["image/webp"], "size": 500 * KB, "still_size": 100 * KB}
    assert set(limits["files"]) == set(FILES)


async def test_an_upload_that_is_never_sent_is_gone_a_day_later(rig, tab):
    sent, forgotten = await tab.upload(PNG, "image/png"), await tab.upload(JPEG, "image/jpeg")
    await send(tab, "image", sent)
    rig.clock.forward(hours=25)
    rig.media.clear_abandoned()
    assert (await send(tab, "image", forgotten)).json()["code"] in ("media_not_uploaded", "window_closed")
    await rig.drain()
    assert PNG in rig.whatsapp.uploads[0]
    assert rig.stored_files("_arriving") == []


async def test_a_file_that_was_not_put_yet_is_refused(tab):
    file = (await announce(tab)).json()["id"]
    answer = await send(tab, "image", file)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_not_uploaded")


async def test_a_file_that_was_never_announced_is_refused(tab):
    answer = await send(tab, "image", "nothing")
    assert (answer.status_code, answer.json()["code"]) == (422, "media_unknown")


async def test_a_file_of_another_conversation_is_refused_like_a_missing_one(rig, tab):
    other = await rig.chatting(LUCIA)
    file = await other.upload(PNG, "image/png")
    theirs, missing = await send(tab, "image", file), await send(tab, "image", "nothing")
    assert theirs.json() == missing.json()


async def test_a_file_can_not_be_announced_for_another_conversation(rig, tab):
    other = await rig.chatting(LUCIA)
    assert (await announce(tab, conversation=other.conversation)).status_code == 403


async def test_more_bytes_than_announced_or_another_type_are_not_taken(rig, tab):
    target = (await announce(tab)).json()["upload"]
    too_many = await rig.files.put(target["url"], content=PNG + b"d", headers=target["headers"])
    other = await rig.files.put(target["url"], content=PNG, headers={"Content-Type": "text/html"})
    assert (too_many.status_code, other.status_code) == (413, 403)


async def test_the_same_file_may_be_sent_twice(rig, tab):
    file = await tab.upload(PNG, "image/png")
    for _ in range(2):
        assert (await send(tab, "image", file)).status_code == 202
    await rig.drain()
    assert len(rig.whatsapp.messages) == 2


async def test_a_repeated_send_of_a_file_is_the_same_message(rig, tab):
    file = await tab.upload(PNG, "image/png")
    message = {"type": "image", "image": {"id": file}}
    first, again = await tab.send(message, "client-1"), await tab.send(message, "client-1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
