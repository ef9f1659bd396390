"""The media store in a Google Cloud Storage bucket.

A browser uploads with one PUT to a V4 signed URL. The headers that it signs make the bucket refuse another type, a
larger file (`x-goog-content-length-range`) and a second upload (`x-goog-if-generation-match: 0`). A session URL for a
resumable upload could hold it to neither type nor hour (it lives a week), and answers only the one browser origin
that was named when it was made. The bucket's CORS must allow any origin, the methods GET, HEAD and PUT, and the
headers Range and those of `UPLOAD_HEADERS`.

The client library is synchronous: its calls run in threads.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import google.auth
from google.api_core.exceptions import GoogleAPIError, NotFound, PreconditionFailed, RequestRangeNotSatisfiable
from google.auth import iam
from google.auth.credentials import Signing
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from requests import RequestException

from functions.core.media import (
    UPLOAD_SECONDS,
    MediaMissing,
    MediaUnavailable,
    StoredFile,
    Upload,
    disposition,
    served_type,
)

UPLOAD_HEADERS = ("Content-Type", "x-goog-content-length-range", "x-goog-if-generation-match")
"""What a browser sends with an upload, so the bucket's CORS must list it."""

_CALL_SECONDS = 5.0
_CHUNK_SECONDS = 60.0
_CHUNK_BYTES = 4 << 20
_REMEMBERED_URLS = 5000
_SIGN_AT_ONCE = 10
"""A page's URLs are signed side by side; more would outgrow the connections that `requests` keeps open."""
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)

# google-auth has no types for these.
_Signer: Any = iam.Signer
_ServiceAccount: Any = service_account.Credentials

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a download URL is good for."""

    name: str
    seconds: int
    served_type: str
    disposition: str


@dataclass(frozen=True, slots=True)
class _Given:
    """A download URL, and until when it is given out again."""

    url: str
    again_until: float


class CloudStorage:
    """A bucket as a `MediaStore`. With STORAGE_EMULATOR_HOST set it talks to that stand-in.

    `credentials` sign URLs. Without them the function's own account does: with its private key if it has one, else by
    asking IAM to sign, for which it needs the role Service Account Token Creator on itself. That is a call for each
    URL, so a download's is remembered for half of its life: a tab that polls, or a second one, costs none. `clock`
    answers seconds since 1970.
    """

    def __init__(
        self, bucket: str, *, credentials: Signing | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._name = bucket
        self._clock = clock
        self._given: dict[_Wanted, _Given] = {}
        # A function has one CPU, for which the loop's own pool has five threads.
        self._signing = ThreadPoolExecutor(_SIGN_AT_ONCE, "sign")
        self._credentials: Any = credentials
        self._bucket: Any = None
        self._opening = threading.Lock()

    async def save(self, name: str, chunks: AsyncIterator[bytes], mime: str) -> StoredFile:
        writer = await self._call(lambda bucket: _writer(bucket.blob(name), mime))
        size = 0
        try:
            async for chunk in chunks:
                await self._call(partial(_write, writer, chunk), _CHUNK_SECONDS)
                size += len(chunk)
            await self._call(lambda _: writer.close(), _CHUNK_SECONDS)
        except BaseException:
            # Only the last chunk makes the file. What can't be given up properly ends by itself after a week.
            with suppress(MediaMissing, MediaUnavailable):
                await self._call(lambda _: writer.terminate())
            raise
        return StoredFile(size, mime)

    async def info(self, name: str) -> StoredFile:
        def look(bucket: Any) -> StoredFile:
            blob = bucket.blob(name)
            blob.reload(timeout=_CALL_SECONDS, retry=_retry(_CALL_SECONDS))
            return StoredFile(blob.size, blob.content_type)

        return await self._call(look)

    async def read(self, name: str) -> AsyncIterator[bytes]:
        reader = await self._call(lambda bucket: _reader(bucket.blob(name)))
        chunk: bytes | None = None
        while chunk is None or len(chunk) == _CHUNK_BYTES:
            chunk = await self._call(lambda _: reader.read(_CHUNK_BYTES), _CHUNK_SECONDS)
            if chunk:
                yield chunk

    async def beginning(self, name: str, count: int) -> bytes:
        def look(bucket: Any) -> bytes:
            try:
                content: bytes = bucket.blob(name).download_as_bytes(
                    end=count - 1, raw_download=True, timeout=_CALL_SECONDS, retry=_retry(_CALL_SECONDS)
                )
            except RequestRangeNotSatisfiable:
                # An empty file has no first byte.
                return b""
            return content

        return await self._call(look)

    async def copy(self, source: str, name: str) -> None:
        def copy(bucket: Any) -> None:
            with suppress(PreconditionFailed):  # It was copied before; who may only create can't write it anew.
                bucket.copy_blob(
                    bucket.blob(source),
                    bucket,
                    name,
                    if_generation_match=0,
                    timeout=_CALL_SECONDS,
                    retry=_retry(_CALL_SECONDS),
                )

        await self._call(copy)

    async def upload_url(self, name: str, mime: str, size: int) -> Upload:
        limits = {"x-goog-content-length-range": f"0,{size}", "x-goog-if-generation-match": "0"}
        # The library adds Host to the headers that it is given, which no browser may send.
        url = await self._signed_url(name, UPLOAD_SECONDS, method="PUT", content_type=mime, headers=dict(limits))
        return Upload(url, headers={"Content-Type": mime} | limits)

    async def download_url(self, name: str, mime: str, *, filename: str | None = None, seconds: int = 300) -> str:
        wanted = _Wanted(name, seconds, served_type(mime), disposition(mime, filename))
        given = self._given.get(wanted)
        if given and self._clock() < given.again_until:
            return given.url
        again_until = self._clock() + seconds / 2
        url = await self._signed_url(
            name, seconds, response_type=wanted.served_type, response_disposition=wanted.disposition
        )
        self._given.pop(wanted, None)
        self._given[wanted] = _Given(url, again_until)
        if len(self._given) > _REMEMBERED_URLS:
            del self._given[next(iter(self._given))]
        return url

    async def delete(self, name: str) -> None:
        def remove(bucket: Any) -> None:
            bucket.blob(name).delete(timeout=_CALL_SECONDS, retry=_retry(_CALL_SECONDS))

        try:
            await self._call(remove)
        except MediaMissing:
            return

    async def close(self) -> None:
        self._signing.shutdown(wait=False)
        bucket, self._bucket = self._bucket, None
        if bucket:
            await asyncio.to_thread(bucket.client.close)

    async def _call(
        self, work: Callable[[Any], _Answer], seconds: float = _CALL_SECONDS, threads: ThreadPoolExecutor | None = None
    ) -> _Answer:
        """Run the work on the bucket in a thread. Raises `MediaMissing` and `MediaUnavailable`.

        The work has its own limit of time, without which its thread would go on after ours.
        """
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

        try:
            async with asyncio.timeout(seconds + 1):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(threads, lambda: work(self._opened()))
        except NotFound as error:
            raise MediaMissing("there is no such file") from error
        except (GoogleAPIError, RequestException, InvalidResponse, DataCorruption) as error:
            raise MediaUnavailable(f"the bucket {self._name} can't be used: {error}") from error
        except GoogleAuthError as error:
            raise MediaUnavailable(f"there are no credentials for Cloud Storage: {error}") from error
        except TimeoutError as error:
            raise MediaUnavailable(f"the bucket {self._name} can't be used: no answer in time") from error

    def _opened(self) -> Any:
        """The bucket, opened at the first call, without asking whether there is one."""
        from google.cloud.storage import Client

        with self._opening:
            if self._bucket is None:
                self._bucket = Client().bucket(self._name)
            return self._bucket

    async def _signed_url(self, name: str, seconds: int, **terms: Any) -> str:
        def sign(bucket: Any) -> str:
            url: str = bucket.blob(name).generate_signed_url(
                timedelta(seconds=seconds), version="v4", credentials=self._signer(), **terms
            )
            return url

        return await self._call(sign, threads=self._signing)

    def _signer(self) -> Any:
        with self._opening:
            if self._credentials is None:
                self._credentials = _own_signer()
            return self._credentials


def _own_signer() -> Any:
    """Credentials of the account that runs this, which sign with its key or, without one, by asking IAM."""
    own: Any = google.auth.default(scopes=_SCOPES)[0]
    if isinstance(own, Signing):
        return own
    request = partial(Request(), timeout=_CALL_SECONDS)
    if not own.valid:
        # Only then does an account of the metadata server know its own name.
        own.refresh(request)
    email = getattr(own, "service_account_email", None)
    if not email:
        raise MediaUnavailable("there is no service account, and nobody else can sign addresses of files")
    return _ServiceAccount(_Signer(request, own, email), email, token_uri="")


def _retry(seconds: float) -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(seconds)


def _reader(blob: Any) -> Any:
    return blob.open("rb", chunk_size=_CHUNK_BYTES, timeout=_CHUNK_SECONDS, retry=_retry(_CHUNK_SECONDS))


def _writer(blob: Any, mime: str) -> Any:
    return blob.open(
        "wb", chunk_size=_CHUNK_BYTES, content_type=mime, timeout=_CHUNK_SECONDS, retry=_retry(_CHUNK_SECONDS)
    )


def _write(writer: Any, chunk: bytes, _: Any) -> None:
    writer.write(chunk)
