"""What both media stores promise (`functions.core.media`)."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest

from functions.core.media import ARRIVING, MediaMissing, MediaStore, StoredFile
from tests.contract.conftest import MediaRig

NAME = "acme/abcdefghijklmnopqrstuvwxyz"
OTHER = "acme/zyxwvutsrqponmlkjihgfedcba"
CONTENT = bytes(range(256)) * 40
CRM = "https://crm.example"


async def chunks(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def broken(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise ConnectionError("the sender went away")


async def content_of(media: MediaStore, name: str = NAME) -> bytes:
    return b"".join([chunk async for chunk in media.read(name)])


async def missing(media: MediaStore, name: str = NAME) -> bool:
    with pytest.raises(MediaMissing):
        await media.info(name)
    with pytest.raises(MediaMissing):
        await content_of(media, name)
    return True


def changed(url: str, name: str, value: str) -> str:
    """The URL with another value of one parameter."""
    parts = urlsplit(url)
    terms = dict(parse_qsl(parts.query, keep_blank_values=True))
    assert name in terms
    return parts._replace(query=urlencode(terms | {name: value})).geturl()


def parameters(url: str) -> list[str]:
    return [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]


# By the functions


@pytest.mark.parametrize("size", [0, 1, len(CONTENT), 3 << 20, 9 << 20])
async def test_what_is_saved_is_read_back_the_same(files: MediaRig, size: int) -> None:
    content = (CONTENT * (size // len(CONTENT) + 1))[:size]
    saved = await files.media.save(NAME, chunks(content), "audio/ogg; codecs=opus")
    assert saved == StoredFile(size, "audio/ogg; codecs=opus")
    assert await files.media.info(NAME) == saved
    assert hashlib.sha256(await content_of(files.media)).digest() == hashlib.sha256(content).digest()


async def test_files_do_not_see_each_other(files: MediaRig) -> None:
    names = [f"{account}/{name}" for account in ("acme", "other") for name in ("one", "two")]
    await asyncio.gather(*(files.media.save(name, chunks(name.encode()), "text/plain") for name in names))
    assert [await content_of(files.media, name) for name in names] == [name.encode() for name in names]


@pytest.mark.parametrize("size", [0, 1000, 9 << 20])
async def test_a_file_whose_source_breaks_off_is_not_there(files: MediaRig, size: int) -> None:
    with pytest.raises(ConnectionError):
        await files.media.save(NAME, broken(b"x" * size), "image/png")
    assert await missing(files.media)


async def test_a_source_that_breaks_off_leaves_the_file_that_was_there(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    with pytest.raises(ConnectionError):
        await files.media.save(NAME, broken(b"other"), "text/plain")
    assert await files.media.info(NAME) == StoredFile(len(CONTENT), "image/png")
    assert await content_of(files.media) == CONTENT


async def test_saving_the_same_file_again_is_harmless(files: MediaRig) -> None:
    for _ in range(2):
        await files.media.save(NAME, chunks(CONTENT), "image/png")
    assert await content_of(files.media) == CONTENT


@pytest.mark.parametrize("size", [0, 5, 64, 10240])
async def test_the_beginning_of_a_file_can_be_looked_at(files: MediaRig, size: int) -> None:
    await files.media.save(NAME, chunks(CONTENT[:size]), "image/png")
    assert await files.media.beginning(NAME, 64) == CONTENT[: min(size, 64)]
    with pytest.raises(MediaMissing):
        await files.media.beginning(OTHER, 64)


async def test_a_copy_has_content_and_type_and_outlives_what_it_was_made_from(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "audio/ogg; codecs=opus")
    await files.media.copy(NAME, OTHER)
    await files.media.delete(NAME)
    assert await files.media.info(OTHER) == StoredFile(len(CONTENT), "audio/ogg; codecs=opus")
    assert await content_of(files.media, OTHER) == CONTENT


async def test_copying_again_is_harmless_and_what_is_not_there_is_missing(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    await asyncio.gather(*(files.media.copy(NAME, OTHER) for _ in range(3)))
    assert await content_of(files.media, OTHER) == CONTENT
    with pytest.raises(MediaMissing):
        await files.media.copy("acme/nothing", "acme/another")


async def test_what_a_browser_uploaded_can_be_taken_under_another_name(files: MediaRig) -> None:
    upload = await files.media.upload_url(f"{ARRIVING}/one", "image/png", len(CONTENT))
    assert (await files.browser.put(upload.url, headers=upload.headers, content=CONTENT)).is_success
    await files.media.copy(f"{ARRIVING}/one", NAME)
    assert (await files.browser.get(await files.media.download_url(NAME, "image/png"))).content == CONTENT


async def test_a_hundred_megabytes_pass_both_ways_in_little_memory(files: MediaRig) -> None:
    hasher = hashlib.sha256()

    async def source() -> AsyncIterator[bytes]:
        for number in range(1600):
            chunk = number.to_bytes(4) * 16384
            hasher.update(chunk)
            yield chunk

    tracemalloc.start()
    try:
        assert (await files.media.save(NAME, source(), "video/mp4")).size == 100 << 20
        read = hashlib.sha256()
        async for chunk in files.media.read(NAME):
            read.update(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read.digest() == hasher.digest()
    assert peak < 40 << 20


async def test_a_deleted_file_is_gone_and_deleting_it_again_is_fine(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    url = await files.media.download_url(NAME, "image/png")
    await files.media.delete(NAME)
    await files.media.delete(NAME)
    assert await missing(files.media)
    assert (await files.browser.get(url)).status_code == 404


# Uploads by a browser


async def test_a_browser_puts_a_file_where_it_was_told_to(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", len(CONTENT))
    assert await missing(files.media)
    answer = await files.browser.request(upload.method, upload.url, headers=upload.headers, content=CONTENT)
    assert answer.is_success
    assert await files.media.info(NAME) == StoredFile(len(CONTENT), "image/jpeg")
    assert await content_of(files.media) == CONTENT


async def test_a_smaller_file_than_announced_is_taken(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", 1000)
    assert (await files.browser.put(upload.url, headers=upload.headers, content=b"small")).is_success
    assert (await files.media.info(NAME)).size == 5


async def test_a_larger_file_than_announced_is_refused(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", 1000)
    answer = await files.browser.put(upload.url, headers=upload.headers, content=b"x" * 1001)
    assert answer.is_client_error
    assert await missing(files.media)


async def test_a_file_of_another_type_than_announced_is_refused(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", 1000)
    headers = {**upload.headers, "Content-Type": "text/html"}
    assert (await files.browser.put(upload.url, headers=headers, content=b"x")).status_code == 403
    assert await missing(files.media)


async def test_a_second_upload_does_not_change_the_file(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", 1000)
    assert (await files.browser.put(upload.url, headers=upload.headers, content=b"first")).is_success
    assert (await files.browser.put(upload.url, headers=upload.headers, content=b"second")).status_code == 412
    assert await content_of(files.media) == b"first"


async def test_an_upload_url_is_good_for_its_file_and_for_nothing_else(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", 1000)
    elsewhere = upload.url.replace(NAME, OTHER)
    assert (await files.browser.put(elsewhere, headers=upload.headers, content=b"x")).status_code == 403
    assert (await files.browser.get(upload.url)).status_code == 403
    assert await missing(files.media, OTHER)


async def test_an_upload_url_is_good_for_an_hour(files: MediaRig) -> None:
    early = await files.media.upload_url(NAME, "image/jpeg", 1000)
    late = await files.media.upload_url(OTHER, "image/jpeg", 1000)
    files.pass_time(3550)
    assert (await files.browser.put(early.url, headers=early.headers, content=b"x")).is_success
    files.pass_time(100)
    assert (await files.browser.put(late.url, headers=late.headers, content=b"x")).is_client_error
    assert await missing(files.media, OTHER)


async def test_no_part_of_an_upload_url_can_be_changed(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/jpeg", 1000)
    for name in parameters(upload.url):
        answer = await files.browser.put(changed(upload.url, name, "99999"), headers=upload.headers, content=b"x")
        assert answer.is_client_error, name
    assert await missing(files.media)


# Downloads by a browser


async def test_a_download_has_the_type_that_its_url_says(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "application/octet-stream")
    answer = await files.browser.get(await files.media.download_url(NAME, "image/png", filename="cat.png"))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''cat.png"
    assert answer.headers["content-length"] == str(len(CONTENT))


SHOWN = ["image/png", "image/webp", "audio/ogg; codecs=opus", "video/mp4"]
NOT_SHOWN = [
    "application/pdf",
    "text/html",
    "text/plain",
    "image/svg+xml",
    "application/xhtml+xml",
    "application/javascript",
    "not a type",
    "image/png\r\nSet-Cookie: a=b",
    "",
]


@pytest.mark.parametrize("mime", [*SHOWN, *NOT_SHOWN])
async def test_only_pictures_sound_and_video_are_shown_in_place(files: MediaRig, mime: str) -> None:
    await files.media.save(NAME, chunks(CONTENT), "application/octet-stream")
    answer = await files.browser.get(await files.media.download_url(NAME, mime, filename="a.bin"))
    kind, _, name = answer.headers["content-disposition"].partition("; ")
    assert (kind, name) == ("inline" if mime in SHOWN else "attachment", "filename*=UTF-8''a.bin")
    assert "set-cookie" not in answer.headers


FILENAMES = {
    "Angebot für Zoë.pdf": "Angebot für Zoë.pdf",
    "报价 📄.pdf": "报价 📄.pdf",
    'quote".pdf': 'quote".pdf',
    "../../etc/passwd": "passwd",
    "C:\\temp\\a.pdf": "a.pdf",
    "a\r\nSet-Cookie: b=c.pdf": "aSet-Cookie: b=c.pdf",
    "invoice\u202efdp.exe": "invoicefdp.exe",
    "lone \ud800.pdf": "lone .pdf",
    "semi;colon, comma%20.pdf": "semi;colon, comma%20.pdf",
}


@pytest.mark.parametrize(("filename", "shown"), FILENAMES.items())
async def test_a_file_name_stays_one_plain_header(files: MediaRig, filename: str, shown: str) -> None:
    await files.media.save(NAME, chunks(CONTENT), "application/pdf")
    answer = await files.browser.get(await files.media.download_url(NAME, "application/pdf", filename=filename))
    kind, _, name = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment", shown)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("filename", [None, "", "/", "\n"])
async def test_a_file_without_a_name_has_none(files: MediaRig, filename: str | None) -> None:
    await files.media.save(NAME, chunks(CONTENT), "application/pdf")
    answer = await files.browser.get(await files.media.download_url(NAME, "application/pdf", filename=filename))
    assert answer.headers["content-disposition"] == "attachment"


RANGES = {
    "bytes=0-9": (CONTENT[:10], "bytes 0-9/10240"),
    "bytes=1000-1999": (CONTENT[1000:2000], "bytes 1000-1999/10240"),
    "bytes=10000-": (CONTENT[10000:], "bytes 10000-10239/10240"),
    "bytes=-40": (CONTENT[-40:], "bytes 10200-10239/10240"),
    "bytes=10200-99999": (CONTENT[10200:], "bytes 10200-10239/10240"),
}


@pytest.mark.parametrize(("wanted", "given"), RANGES.items())
async def test_a_part_of_a_file_can_be_asked_for(files: MediaRig, wanted: str, given: tuple[bytes, str]) -> None:
    await files.media.save(NAME, chunks(CONTENT), "video/mp4")
    answer = await files.browser.get(await files.media.download_url(NAME, "video/mp4"), headers={"Range": wanted})
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, *given)
    assert answer.headers["content-type"] == "video/mp4"


async def test_a_part_that_is_not_there_is_refused(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "video/mp4")
    url = await files.media.download_url(NAME, "video/mp4")
    assert (await files.browser.get(url, headers={"Range": "bytes=99999-"})).status_code == 416


async def test_several_parts_at_once_are_answered_with_the_whole(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "video/mp4")
    url = await files.media.download_url(NAME, "video/mp4")
    answer = await files.browser.get(url, headers={"Range": "bytes=0-9,100-199"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, CONTENT, "video/mp4")


async def test_a_download_url_that_is_asked_for_again_is_good_for_half_of_its_time(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    for _ in range(2):
        url = await files.media.download_url(NAME, "image/png")
    files.pass_time(149)
    assert (await files.browser.get(url)).status_code == 200


@pytest.mark.parametrize("seconds", [300, 10])
async def test_a_download_url_is_good_for_as_long_as_it_says(files: MediaRig, seconds: int) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    url = await files.media.download_url(NAME, "image/png", seconds=seconds)
    files.pass_time(seconds - 5)
    assert (await files.browser.get(url)).status_code == 200
    files.pass_time(6)
    assert (await files.browser.get(url)).is_client_error


async def test_a_download_url_is_good_for_its_file_and_for_nothing_else(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    await files.media.save(OTHER, chunks(b"another file"), "image/png")
    url = await files.media.download_url(NAME, "image/png", filename="a.png")
    for wrong in (url.replace(NAME, OTHER), url.partition("?")[0]):
        assert (await files.browser.get(wrong)).status_code == 403
    assert (await files.browser.put(url, content=b"x")).is_client_error
    assert await content_of(files.media) == CONTENT


async def test_no_part_of_a_download_url_can_be_changed(files: MediaRig) -> None:
    await files.media.save(NAME, chunks(CONTENT), "image/png")
    url = await files.media.download_url(NAME, "image/png", filename="a.png")
    for name in parameters(url):
        for value in ("99999999999", "text/html", ""):
            assert (await files.browser.get(changed(url, name, value))).is_client_error, name
    assert (await files.browser.get(url)).status_code == 200


# Browsers of any origin


async def test_a_page_of_any_origin_may_upload_and_download(files: MediaRig) -> None:
    upload = await files.media.upload_url(NAME, "image/png", len(CONTENT))
    asked = {
        "Origin": CRM,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(sorted(name.lower() for name in upload.headers)),
    }
    preflight = await files.browser.options(upload.url, headers=asked)
    assert preflight.is_success
    assert preflight.headers["access-control-allow-origin"] in ("*", CRM)
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert not [name for name in upload.headers if name.lower() not in allowed], allowed
    put = await files.browser.put(upload.url, headers={**upload.headers, "Origin": CRM}, content=CONTENT)
    got = await files.browser.get(await files.media.download_url(NAME, "image/png"), headers={"Origin": CRM})
    for answer in (put, got):
        assert answer.is_success
        assert answer.headers["access-control-allow-origin"] in ("*", CRM)
        assert "access-control-allow-credentials" not in answer.headers
