"""How the Cloud Storage adapter signs, and what it makes of a storage that fails."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google.auth
import google.auth.exceptions
import google.auth.transport.requests
import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from google.auth import credentials
from google.auth.credentials import AnonymousCredentials

from functions.core import cloud_storage
from functions.core.cloud_storage import CloudStorage
from functions.core.media import MediaUnavailable
from tests.google.cloud_storage import CloudStorage as CloudStorageService
from tests.google.keys import ServiceAccount
from tests.google.process import free_port

NAME = "acme/one"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudStorageService]:
    with CloudStorageService(tmp_path) as running:
        running.create_bucket("media")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        yield running


class KeylessCredentials(credentials.Credentials):  # type: ignore[misc]
    """What a function in the cloud has: an account and a token, and no private key."""

    def __init__(self, email: str) -> None:
        super().__init__()
        self.service_account_email = "default"
        self._email = email
        self.refreshed = 0

    def refresh(self, request: Any) -> None:
        self.refreshed += 1
        self.token, self.service_account_email = f"token {self.refreshed}", self._email


@dataclass
class Iam:
    """Signs for an account without a key, 20 ms each, and keeps how it was asked."""

    account: ServiceAccount
    asked: list[tuple[str, str]] = field(default_factory=list)

    def sign(self, url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        self.asked.append((url, headers["authorization"]))
        time.sleep(0.02)
        text = base64.b64decode(json.loads(body)["payload"])
        signature = self.account.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        answer = {"signedBlob": base64.b64encode(signature).decode()}
        return SimpleNamespace(status=200, data=json.dumps(answer).encode())


@pytest.fixture
def iam(service: CloudStorageService, monkeypatch: pytest.MonkeyPatch) -> Iam:
    """What signs where there is no private key, as in the cloud."""
    iam = Iam(service.account)
    keyless = KeylessCredentials(service.account.email)
    monkeypatch.setattr(google.auth, "default", lambda scopes: (keyless, "project"))
    monkeypatch.setattr(
        google.auth.transport.requests.Request, "__call__", lambda _, *args, **kw: iam.sign(*args, **kw)
    )
    return iam


async def test_without_a_private_key_iam_signs_for_the_functions_own_account(iam: Iam) -> None:
    media = CloudStorage("media")
    await media.save(NAME, chunks(b"hello"), "image/png")
    async with httpx.AsyncClient(trust_env=False) as browser:
        for name in ("a.png", "b.png"):
            url = await media.download_url(NAME, "image/png", filename=name)
            assert (await browser.get(url)).content == b"hello"
    await media.close()
    assert [authorization for _, authorization in iam.asked] == ["Bearer token 1"] * 2
    assert iam.asked[0][0].endswith(f"/serviceAccounts/{iam.account.email}:signBlob")


async def test_a_page_that_is_asked_for_again_costs_no_signature(iam: Iam) -> None:
    now = [time.time()]
    media = CloudStorage("media", clock=lambda: now[0])
    page = [f"acme/{number}{small}" for number in range(50) for small in ("", "-thumbnail")]

    async def read_page() -> list[str]:
        return await asyncio.gather(*(media.download_url(name, "image/png") for name in page))

    first = await read_page()
    assert len(iam.asked) == 100
    for _ in range(28):
        now[0] += 5
        assert await read_page() == first
    assert len(iam.asked) == 100
    now[0] += 15  # Half of the five minutes is over.
    await read_page()
    assert len(iam.asked) == 200
    await media.close()


async def test_a_page_s_addresses_are_signed_side_by_side(iam: Iam, monkeypatch: pytest.MonkeyPatch) -> None:
    media = CloudStorage("media")
    await media.download_url(NAME, "image/png")
    started = time.monotonic()
    await asyncio.gather(*(media.download_url(f"acme/{number}", "image/png") for number in range(50)))
    assert time.monotonic() - started < 50 * 0.02 / 3
    await media.close()


async def test_only_so_many_addresses_are_remembered(iam: Iam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_storage, "_REMEMBERED_URLS", 3)
    media = CloudStorage("media")
    for number in (0, 1, 2, 3, 3, 2, 1):
        await media.download_url(f"acme/{number}", "image/png")
    assert len(iam.asked) == 4
    await media.download_url("acme/0", "image/png")
    assert len(iam.asked) == 5
    await media.close()


async def test_an_account_that_cannot_sign_is_told_so(
    service: CloudStorageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google.auth, "default", lambda scopes: (KeylessCredentials(""), "project"))
    with pytest.raises(MediaUnavailable, match="no service account"):
        await CloudStorage("media").download_url(NAME, "image/png")


async def test_with_a_private_key_nobody_is_asked_to_sign(
    service: CloudStorageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service.account.write_key(tmp_path / "key.json")))
    media = CloudStorage("media")
    upload = await media.upload_url(NAME, "image/png", 5)
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert (await browser.put(upload.url, headers=upload.headers, content=b"hello")).is_success
    assert (await media.info(NAME)).size == 5
    await media.close()


async def test_an_upload_url_signs_type_size_and_that_the_file_is_new(service: CloudStorageService) -> None:
    media = CloudStorage("media", credentials=service.account.credentials())
    upload = await media.upload_url(NAME, "image/png", 1234)
    assert upload.headers == {
        "Content-Type": "image/png",
        "x-goog-content-length-range": "0,1234",
        "x-goog-if-generation-match": "0",
    }
    query = parse_qs(urlsplit(upload.url).query)
    assert query["X-Goog-Expires"] == ["3600"]
    signed = query["X-Goog-SignedHeaders"][0].split(";")
    assert signed == ["content-type", "host", "x-goog-content-length-range", "x-goog-if-generation-match"]


async def test_without_credentials_the_reason_is_said(
    service: CloudStorageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(scopes: Any) -> Any:
        raise google.auth.exceptions.DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.setattr(google.auth, "default", nobody)
    with pytest.raises(MediaUnavailable, match="no credentials for Cloud Storage"):
        await CloudStorage("media").download_url(NAME, "image/png")


async def test_a_bucket_that_is_missing_is_no_missing_file(service: CloudStorageService) -> None:
    media = CloudStorage("nobody")
    with pytest.raises(MediaUnavailable, match="nobody"):
        await media.save(NAME, chunks(b"hello"), "image/png")
    await media.close()


async def test_a_storage_that_is_away_is_given_up_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_storage, "_CALL_SECONDS", 0.5)
    monkeypatch.setattr(cloud_storage, "_CHUNK_SECONDS", 0.5)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    media = CloudStorage("media", credentials=AnonymousCredentials())
    start = time.monotonic()
    for call in (media.info(NAME), media.delete(NAME), media.save(NAME, chunks(b"x"), "image/png")):
        with pytest.raises(MediaUnavailable):
            await call
    await asyncio.get_running_loop().shutdown_default_executor()  # waits for threads that go on
    assert time.monotonic() - start < 6
