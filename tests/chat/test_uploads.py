import pytest

from tests.payloads import ANA, LUCIA

MB = 1024 * 1024


@pytest.fixture
async def tab(rig):
    return await rig.chatting(ANA)


async def announce(tab, **changed):
    file = {"conversation": tab.conversation, "filename": "a.png", "mime": "image/png", "size": 3} | changed
    return await tab.post("/v1/media", file)


async def send(tab, type_, file):
    return await tab.send({"type": type_, type_: {"id": file}})


async def test_an_announced_file_may_be_put_where_the_answer_says(rig, tab):
    answer = await announce(tab)
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "upload"}
    assert answer.json()["upload"]["method"] == "PUT"
    file = await tab.upload(b"abc", "image/png")
    assert (await send(tab, "image", file)).status_code == 202


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 0},
        {"size": -1},
        {"size": 100 * MB + 1},
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


@pytest.mark.parametrize(
    ("type_", "mime", "size", "names"),
    [
        ("image", "image/gif", 3, "image/jpeg, image/png"),
        ("image", "image/png", 5 * MB + 1, "5 MB"),
        ("sticker", "image/png", 3, "image/webp"),
        ("video", "video/quicktime", 3, "video/mp4"),
        ("audio", "image/png", 3, "audio/"),
    ],
)
async def test_a_file_that_whatsapp_would_not_take_is_refused_with_its_limit(rig, tab, type_, mime, size, names):
    file = await tab.upload(b"x" * size, mime)
    answer = await send(tab, type_, file)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_refused")
    assert names in answer.json()["detail"]
    await rig.drain()
    assert rig.whatsapp.uploads == []


async def test_what_is_too_much_as_a_picture_may_go_as_a_document(rig, tab):
    file = await tab.upload(b"x" * (5 * MB + 1), "image/png", "large.png")
    assert (await send(tab, "document", file)).status_code == 202


async def test_a_file_that_was_not_put_yet_is_refused(tab):
    file = (await announce(tab)).json()["id"]
    answer = await send(tab, "image", file)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_not_uploaded")


async def test_a_file_that_was_never_announced_is_refused(tab):
    answer = await send(tab, "image", "nothing")
    assert (answer.status_code, answer.json()["code"]) == (422, "media_unknown")


async def test_a_file_of_another_conversation_is_refused_like_a_missing_one(rig, tab):
    other = await rig.chatting(LUCIA)
    file = await other.upload(b"abc", "image/png")
    theirs, missing = await send(tab, "image", file), await send(tab, "image", "nothing")
    assert theirs.json() == missing.json()


async def test_a_file_can_not_be_announced_for_another_conversation(rig, tab):
    other = await rig.chatting(LUCIA)
    assert (await announce(tab, conversation=other.conversation)).status_code == 403


async def test_more_bytes_than_announced_or_another_type_are_not_taken(rig, tab):
    target = (await announce(tab)).json()["upload"]
    too_many = await rig.files.put(target["url"], content=b"abcd", headers=target["headers"])
    other = await rig.files.put(target["url"], content=b"abc", headers={"Content-Type": "text/html"})
    assert (too_many.status_code, other.status_code) == (413, 403)


async def test_the_same_file_may_be_sent_twice(rig, tab):
    file = await tab.upload(b"abc", "image/png")
    for _ in range(2):
        assert (await send(tab, "image", file)).status_code == 202
    await rig.drain()
    assert len(rig.whatsapp.messages) == 2


async def test_a_repeated_send_of_a_file_is_the_same_message(rig, tab):
    file = await tab.upload(b"abc", "image/png")
    message = {"type": "image", "image": {"id": file}}
    first, again = await tab.send(message, "client-1"), await tab.send(message, "client-1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
