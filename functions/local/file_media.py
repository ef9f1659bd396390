"""The media store in a folder, and the small web app by which browsers reach it.

A file lies at `<account>/<id>`, its MIME type beside it at `<account>/<id>.type`. It appears at once and whole: it
is written elsewhere and then renamed. A second name of a file is a hard link to it.
"""

import asyncio
import base64
import errno
import hmac
import os
import re
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from functions.core.media import (
    ARRIVING,
    ARRIVING_SECONDS,
    UPLOAD_SECONDS,
    MediaMissing,
    MediaUnavailable,
    StoredFile,
    Upload,
    disposition,
    served_type,
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}/[A-Za-z0-9_-]{1,100}")
_READ_BYTES = 1 << 20

_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}
_ANY_ORIGIN = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "HEAD", "PUT"],
    allow_headers=["*"],
    expose_headers=["Accept-Ranges", "Content-Disposition", "Content-Range", "ETag"],
    max_age=3600,
)

_Answer = TypeVar("_Answer")


class _Refused(Exception):
    """The request gets this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _WholeOrOneRange(FileResponse):
    """Answers several ranges with the whole file, as Cloud Storage does: players ask for one, and many cost much."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if not (name == b"range" and b"," in value)]
        await super().__call__({**scope, "headers": headers}, receive, send)


class FileMedia:
    """A folder as a `MediaStore`. `public_url` is where `app` is mounted; `key` signs its URLs.

    Raises `MediaUnavailable` if the folder can't be used. `clock` answers seconds since 1970.
    """

    def __init__(
        self, folder: Path | str, public_url: str, key: bytes, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = Path(folder)
        self._incoming = self._folder / ".incoming"
        self._public_url = public_url.rstrip("/")
        self._key = key
        self._clock = clock
        # A file's name is the end of the path, wherever the app is mounted.
        self.app = Starlette(
            routes=[Route("/{path:path}", self._serve, methods=["GET", "PUT"])], middleware=[_ANY_ORIGIN]
        )
        with self._usable():
            self._incoming.mkdir(parents=True, exist_ok=True)
        self.clear_abandoned()

    def clear_abandoned(self) -> None:
        """Remove what a browser uploaded a day ago and no message took, and what a killed process began to write."""
        with self._usable():
            for folder in (self._folder / ARRIVING, self._incoming):
                for path in folder.iterdir() if folder.is_dir() else ():
                    if path.stat().st_mtime < self._clock() - ARRIVING_SECONDS:
                        path.unlink(missing_ok=True)

    async def save(self, name: str, chunks: AsyncIterator[bytes], mime: str) -> StoredFile:
        size = await self._store(name, chunks, mime)
        return StoredFile(size, mime)

    async def info(self, name: str) -> StoredFile:
        path = self._path(name)
        return await self._found(lambda: StoredFile(path.stat().st_size, _type_beside(path).read_text()))

    async def read(self, name: str) -> AsyncIterator[bytes]:
        path = self._path(name)
        file: BinaryIO = await self._found(lambda: path.open("rb"))
        with file:
            while chunk := await self._found(lambda: file.read(_READ_BYTES)):
                yield chunk

    async def beginning(self, name: str, count: int) -> bytes:
        path = self._path(name)

        def look() -> bytes:
            with path.open("rb") as file:
                return file.read(count)

        return await self._found(look)

    async def copy(self, source: str, name: str) -> None:
        path = self._path(source)
        draft = self._incoming / secrets.token_hex(16)
        target = self._path(name)

        def link() -> None:
            os.link(path, draft)
            try:
                _publish(draft, target, _type_beside(path).read_text())
            finally:
                # Renaming one name of a file to another of its names does nothing.
                draft.unlink(missing_ok=True)

        await self._found(link)

    async def upload_url(self, name: str, mime: str, size: int) -> Upload:
        expires = int(self._clock()) + UPLOAD_SECONDS
        url = self._signed_url("PUT", name, {"type": mime, "size": str(size), "expires": str(expires)})
        return Upload(url, headers={"Content-Type": mime})

    async def download_url(self, name: str, mime: str, *, filename: str | None = None, seconds: int = 300) -> str:
        terms = {
            "type": served_type(mime),
            "disposition": disposition(mime, filename),
            "expires": str(int(self._clock()) + seconds),
        }
        return self._signed_url("GET", name, terms)

    async def delete(self, name: str) -> None:
        path = self._path(name)

        def remove() -> None:
            path.unlink(missing_ok=True)
            _type_beside(path).unlink(missing_ok=True)

        await self._found(remove)

    async def close(self) -> None:
        """There is nothing to give back."""

    # The folder

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("a file is named <account>/<id>")
        return self._folder / name

    async def _found(self, look: Callable[[], _Answer]) -> _Answer:
        """Run the look in a thread. Raises `MediaMissing` and `MediaUnavailable`."""
        with self._usable():
            try:
                return await asyncio.to_thread(look)
            except FileNotFoundError as error:
                raise MediaMissing("there is no such file") from error

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "the disk is full" if full else error.strerror
            raise MediaUnavailable(f"{self._folder} can't be used: {reason}.") from error

    async def _store(self, name: str, chunks: AsyncIterable[bytes], mime: str) -> int:
        """Write the chunks, then name the file; return its size. If `chunks` raises, its error goes on."""
        path = self._path(name)
        draft = self._incoming / secrets.token_hex(16)
        try:
            with self._usable():
                file = await asyncio.to_thread(draft.open, "wb")
            with file:
                async for chunk in chunks:
                    with self._usable():
                        await asyncio.to_thread(file.write, chunk)
                with self._usable():
                    size = await asyncio.to_thread(_make_durable, file)
            with self._usable():
                await asyncio.to_thread(_publish, draft, path, mime)
        finally:
            draft.unlink(missing_ok=True)
        return size

    # Signed URLs

    def _signed_url(self, method: str, name: str, terms: Mapping[str, str]) -> str:
        self._path(name)
        signature = self._signature(method, name, terms)
        return f"{self._public_url}/{name}?{urlencode({**terms, 'signature': signature})}"

    def _signature(self, method: str, name: str, terms: Mapping[str, str]) -> str:
        text = "\n".join((method, name, urlencode(sorted(terms.items()))))
        return base64.urlsafe_b64encode(hmac.digest(self._key, text.encode(), "sha256")).rstrip(b"=").decode()

    def _checked(self, request: Request) -> tuple[Path, dict[str, str]]:
        """Return the file and the terms that the URL names. Raises `_Refused` unless we signed them and in time."""
        name = "/".join(request.url.path.split("/")[-2:])
        terms = dict(request.query_params)
        signature = terms.pop("signature", "")
        method = "GET" if request.method == "HEAD" else request.method
        if not _NAME.fullmatch(name) or len(terms) + 1 != len(request.query_params.multi_items()):
            raise _Refused(403, "This address is not one that was given out.")
        if not hmac.compare_digest(signature.encode(), self._signature(method, name, terms).encode()):
            raise _Refused(403, "This address is not one that was given out.")
        if self._clock() >= int(terms["expires"]):
            raise _Refused(403, "This address has expired.")
        return self._path(name), terms

    # The app

    async def _serve(self, request: Request) -> Response:
        try:
            path, terms = self._checked(request)
            return await (self._take if request.method == "PUT" else self._give)(request, path, terms)
        except _Refused as refused:
            return PlainTextResponse(str(refused), refused.status)
        except MediaUnavailable as error:
            return PlainTextResponse(str(error), 507)

    async def _give(self, request: Request, path: Path, terms: Mapping[str, str]) -> Response:
        if not await asyncio.to_thread(path.is_file):
            raise _Refused(404, "There is no such file.")
        headers = _SAFE_HEADERS | {"Content-Type": terms["type"], "Content-Disposition": terms["disposition"]}
        return _WholeOrOneRange(path, headers=headers)

    async def _take(self, request: Request, path: Path, terms: Mapping[str, str]) -> Response:
        if request.headers.get("content-type") != terms["type"]:
            raise _Refused(403, "The file is not of the type that was announced.")
        if await asyncio.to_thread(path.is_file):
            raise _Refused(412, "There is a file of this name, and it never changes.")
        name = f"{path.parent.name}/{path.name}"
        try:
            await self._store(name, _at_most(int(terms["size"]), request), terms["type"])
        except ClientDisconnect:
            raise _Refused(400, "The upload broke off.") from None
        return Response()


async def _at_most(size: int, request: Request) -> AsyncIterator[bytes]:
    """The body of a request, as long as it is no larger than was announced."""
    too_large = _Refused(413, "The file is larger than was announced.")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > size:
        raise too_large
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > size:
            raise too_large
        yield chunk


def _type_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.type")


def _make_durable(file: BinaryIO) -> int:
    file.flush()
    os.fsync(file.fileno())
    return file.tell()


def _publish(draft: Path, path: Path, mime: str) -> None:
    """Give a finished file its name. The type stands there before, so there is never a file without one."""
    path.parent.mkdir(exist_ok=True)
    type_draft = draft.with_suffix(".type")
    type_draft.write_text(mime)
    type_draft.replace(_type_beside(path))
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
