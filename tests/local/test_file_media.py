"""What only the folder promises: its files, and what its web app answers."""

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from functions.core.media import MediaUnavailable, StoredFile
from functions.local.file_media import FileMedia

NAME = "acme/one"
KEY = b"a key of at least 32 bytes, for URLs"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def media(folder: Path) -> FileMedia:
    return FileMedia(folder, "http://leadline.test/media", KEY)


@pytest.fixture
async def browser(media: FileMedia) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Mount("/media", media.app)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://leadline.test") as client:
        yield client


def stored(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_folder_holds_a_file_its_type_and_nothing_else(media: FileMedia, folder: Path) -> None:
    await media.save(NAME, chunks(b"a", b"b"), "image/png")
    assert stored(folder) == ["acme/one", "acme/one.type"]
    assert (folder / "acme/one").read_bytes() == b"ab"


async def test_files_outlive_the_process(media: FileMedia, folder: Path) -> None:
    await media.save(NAME, chunks(b"ab"), "image/png")
    again = FileMedia(folder, "http://leadline.test/media", KEY)
    assert await again.info(NAME) == StoredFile(2, "image/png")


async def test_what_browsers_get_is_never_active(media: FileMedia, browser: httpx.AsyncClient) -> None:
    await media.save(NAME, chunks(b"<script>alert(1)</script>"), "text/html")
    for method in ("GET", "HEAD"):
        answer = await browser.request(method, await media.download_url(NAME, "text/html"))
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["content-length"] == "25"


PATHS = [
    "/media/../../etc/passwd",
    "/media/..%2f..%2fetc%2fpasswd",
    "/media/acme/..%2fone",
    "/media/acme/one.type",
    "/media/.incoming/one",
    "/media/acme/one/",
    "/media/",
    "/media//",
    "/media/acme/%00",
    "/media/" + "a" * 300 + "/one",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_no_path_leads_out_of_the_folder(
    media: FileMedia, folder: Path, browser: httpx.AsyncClient, path: str, method: str
) -> None:
    await media.save(NAME, chunks(b"x"), "image/png")
    before = stored(folder)
    query = urlsplit(await media.download_url(NAME, "image/png")).query
    url = httpx.URL("http://leadline.test", raw_path=f"{path}?{query}".encode())
    assert (await browser.request(method, url)).status_code in (403, 404)
    assert stored(folder) == before


@pytest.mark.parametrize("name", ["one", "/one", "acme/../one", "../one", "acme/one.type", "a/b/c", "", "acme/"])
async def test_only_account_and_id_make_a_name(media: FileMedia, name: str) -> None:
    with pytest.raises(ValueError, match="<account>/<id>"):
        await media.save(name, chunks(b"x"), "image/png")
    with pytest.raises(ValueError, match="<account>/<id>"):
        await media.download_url(name, "image/png")


async def test_another_key_opens_nothing(media: FileMedia, folder: Path, browser: httpx.AsyncClient) -> None:
    await media.save(NAME, chunks(b"x"), "image/png")
    forged = await FileMedia(folder, "http://leadline.test/media", b"another key").download_url(NAME, "image/png")
    assert (await browser.get(forged)).status_code == 403


@pytest.mark.parametrize("query", ["", "signature=", "signature=%C3%A4", "expires=abc&signature=x", "a=1&a=2"])
async def test_a_made_up_address_is_refused(media: FileMedia, browser: httpx.AsyncClient, query: str) -> None:
    await media.save(NAME, chunks(b"x"), "image/png")
    assert (await browser.get(f"/media/{NAME}?{query}")).status_code == 403


async def test_a_term_given_twice_is_refused(media: FileMedia, browser: httpx.AsyncClient) -> None:
    await media.save(NAME, chunks(b"x"), "image/png")
    url = await media.download_url(NAME, "image/png")
    for more in ("&type=text/html", "&other=1", "&signature=x"):
        assert (await browser.get(url + more)).status_code == 403
    assert (await browser.get(url.replace("?", f"?type={quote('text/html', safe='')}&"))).status_code == 403


async def test_other_methods_are_refused(media: FileMedia, browser: httpx.AsyncClient) -> None:
    await media.save(NAME, chunks(b"x"), "image/png")
    url = await media.download_url(NAME, "image/png")
    for method in ("POST", "DELETE", "PATCH"):
        assert (await browser.request(method, url)).status_code == 405


async def test_an_upload_without_a_length_is_cut_off_at_its_size(
    media: FileMedia, folder: Path, browser: httpx.AsyncClient
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 << 20:
            sent += 65536
            yield b"x" * 65536

    upload = await media.upload_url(NAME, "video/mp4", 1 << 20)
    answer = await browser.put(upload.url, headers=upload.headers, content=endless())
    assert answer.status_code == 413
    assert sent < 3 << 20
    assert stored(folder) == []


async def test_an_upload_that_announces_too_much_is_refused_before_it_is_read(
    media: FileMedia, browser: httpx.AsyncClient
) -> None:
    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    upload = await media.upload_url(NAME, "video/mp4", 10)
    headers = {**upload.headers, "Content-Length": "11"}
    assert (await browser.put(upload.url, headers=headers, content=never())).status_code == 413


async def test_an_upload_that_breaks_off_leaves_nothing(media: FileMedia, folder: Path) -> None:
    upload = await media.upload_url(NAME, "video/mp4", 100)
    parts = urlsplit(upload.url)
    messages = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    scope = {
        "type": "http",
        "method": "PUT",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(b"content-type", b"video/mp4"), (b"host", b"leadline.test")],
    }

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(message: dict[str, object]) -> None:
        assert message.get("status", 400) == 400

    await media.app(scope, receive, send)
    assert stored(folder) == []


async def test_a_reader_never_sees_half_a_file(media: FileMedia) -> None:
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"first half, "
        await gate.wait()
        yield b"second half"

    saving = asyncio.create_task(media.save(NAME, slow(), "text/plain"))
    await asyncio.sleep(0.05)
    with pytest.raises(Exception, match="no such file"):
        await media.info(NAME)
    gate.set()
    await saving
    assert (await media.info(NAME)).size == 23


async def test_a_file_copied_twice_leaves_nothing_behind(media: FileMedia, folder: Path) -> None:
    await media.save(NAME, chunks(b"ab"), "image/png")
    for _ in range(2):
        await media.copy(NAME, "acme/two")
    assert stored(folder) == ["acme/one", "acme/one.type", "acme/two", "acme/two.type"]


def test_what_a_killed_process_had_begun_is_cleared_a_day_later(media: FileMedia, folder: Path) -> None:
    old, young = folder / ".incoming/old", folder / ".incoming/young"
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (time.time() - 90_000,) * 2)
    FileMedia(folder, "http://leadline.test/media", KEY)
    assert stored(folder) == [".incoming/young"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaUnavailable, match=r"/file/media can't be used: Not a directory\."):
        FileMedia(tmp_path / "file" / "media", "http://leadline.test/media", KEY)


FULL_DISK = """
    import asyncio, errno, resource, signal, sys
    import httpx
    from functions.core.media import MediaMissing, MediaUnavailable
    from functions.local.file_media import FileMedia

    async def chunks():
        for _ in range(100):
            yield b"x" * 65536

    async def main(folder):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        media = FileMedia(folder, "http://leadline.test/media", b"key")
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            await media.save("acme/one", chunks(), "video/mp4")
        except MediaUnavailable as error:
            print(error)
        upload = await media.upload_url("acme/one", "video/mp4", 10_000_000)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(media.app))
        print((await client.put(upload.url, headers=upload.headers, content=b"x" * 500_000)).status_code)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(await media.save("acme/one", chunks(), "video/mp4"))

    asyncio.run(main(sys.argv[1]))
"""


def test_a_disk_that_takes_no_more_is_said_and_passes(folder: Path) -> None:
    script = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(folder)]
    output = subprocess.run(script, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert output == [
        f"{folder} can't be used: File too large.",
        "507",
        "StoredFile(size=6553600, mime='video/mp4')",
    ]
    assert stored(folder) == ["acme/one", "acme/one.type"]
