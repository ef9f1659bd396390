"""The Cloud Storage stand-in, as the real client library and a browser see it."""

import datetime
import io
import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google.auth.transport.requests
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import storage
from google.oauth2 import service_account

from tests.google.cloud_storage import CloudStorage

MIB = 1024 * 1024
UNIT = 256 * 1024
CRM = "https://crm.example"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStorage]:
    with CloudStorage(tmp_path_factory.mktemp("objects")) as running:
        running.create_bucket("media")
        yield running


@pytest.fixture
def bucket(service: CloudStorage, monkeypatch: pytest.MonkeyPatch) -> storage.Bucket:
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    return storage.Client().bucket("media")


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def signed(service: CloudStorage, blob: storage.Blob, method: str = "GET", **options: Any) -> str:
    options.setdefault("expiration", datetime.timedelta(minutes=5))
    return str(
        blob.generate_signed_url(version="v4", method=method, credentials=service.account.credentials(), **options)
    )


class Zeros(io.RawIOBase):
    """A readable stream of that many zero bytes, which takes no memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = self._size - self._at
        count = left if size is None or size < 0 else min(size, left)
        self._at += count
        return bytes(count)


# Buckets and objects


def test_a_bucket_is_made_once_and_found(bucket: storage.Bucket) -> None:
    made = bucket.client.create_bucket("made", location="EU")
    assert made.location == "EU"
    assert bucket.client.get_bucket("made").exists()
    with pytest.raises(exceptions.Conflict):
        bucket.client.create_bucket("made")
    with pytest.raises(exceptions.NotFound, match="The specified bucket does not exist"):
        bucket.client.get_bucket("nowhere")


def test_an_object_comes_back_as_it_was_stored(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a/ünï cödé 100%.jpg")
    blob.metadata = {"line": "7"}
    blob.content_disposition = "inline"
    content = bytes(range(256)) + b"\r\n--x\r\n"
    blob.upload_from_string(content, content_type="image/jpeg")
    found = bucket.get_blob(blob.name)
    assert found.download_as_bytes() == content
    assert (found.size, found.content_type, found.content_disposition) == (len(content), "image/jpeg", "inline")
    assert found.metadata == {"line": "7"}
    assert found.generation > 0
    assert found.md5_hash
    assert found.crc32c


def test_the_content_lies_on_disk(bucket: storage.Bucket, service: CloudStorage, tmp_path: Path) -> None:
    with CloudStorage(tmp_path) as own:
        own.create_bucket("b")
        httpx.post(f"{own.url}/upload/storage/v1/b/b/o?uploadType=media&name=n", content=b"here").raise_for_status()
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"here"]
        httpx.delete(f"{own.url}/storage/v1/b/b/o/n").raise_for_status()
        assert list(tmp_path.iterdir()) == []


def test_a_missing_object_is_not_found(bucket: storage.Bucket) -> None:
    assert bucket.get_blob("missing") is None
    with pytest.raises(exceptions.NotFound):
        bucket.blob("missing").download_as_bytes()
    with pytest.raises(exceptions.NotFound, match="No such object: media/missing"):
        bucket.blob("missing").delete()


def test_a_part_of_an_object_can_be_read(bucket: storage.Bucket) -> None:
    blob = bucket.blob("range")
    blob.upload_from_string(b"0123456789")
    assert blob.download_as_bytes(start=2, end=4) == b"234"
    assert blob.download_as_bytes(start=7) == b"789"
    with pytest.raises(exceptions.RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=10)


def test_a_list_is_by_prefix_and_in_pages(bucket: storage.Bucket) -> None:
    for number in range(5):
        bucket.blob(f"list/{number}").upload_from_string(b"")
    bucket.blob("other/0").upload_from_string(b"")
    pages = bucket.client.list_blobs("media", prefix="list/", page_size=2).pages
    assert [[blob.name for blob in page] for page in pages] == [["list/0", "list/1"], ["list/2", "list/3"], ["list/4"]]
    with pytest.raises(exceptions.BadRequest, match="Not known to this stand-in: delimiter"):
        list(bucket.list_blobs(delimiter="/"))


def test_a_precondition_lets_only_the_first_one_write(bucket: storage.Bucket) -> None:
    blob = bucket.blob("once")
    blob.upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("once").upload_from_string(b"second", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("once").upload_from_file(Zeros(9 * MIB), size=9 * MIB, if_generation_match=0)
    assert blob.download_as_bytes() == b"first"
    first = blob.generation
    blob.upload_from_string(b"third", if_generation_match=first)
    with pytest.raises(exceptions.PreconditionFailed):
        blob.delete(if_generation_match=first)
    assert bucket.get_blob("once", generation=first) is None
    blob.delete(if_generation_match=blob.generation)
    assert not blob.exists()


def test_the_fields_of_an_object_can_be_changed(bucket: storage.Bucket) -> None:
    blob = bucket.blob("fields")
    blob.upload_from_string(b"x")
    blob.cache_control = "no-store"
    blob.patch()
    found = bucket.get_blob("fields")
    assert (found.cache_control, found.metageneration) == ("no-store", 2)


# Resumable uploads


def test_a_hundred_megabytes_go_up_in_chunks_and_down_without_filling_memory(
    bucket: storage.Bucket, http: httpx.Client
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    blob = bucket.blob("large", chunk_size=8 * MIB)
    blob.upload_from_file(Zeros(100 * MIB), size=100 * MIB, content_type="video/mp4", checksum="crc32c")
    assert (blob.size, blob.content_type) == (100 * MIB, "video/mp4")
    with http.stream("GET", blob.media_link) as response:
        assert sum(len(chunk) for chunk in response.iter_bytes()) == 100 * MIB
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 64


def session(bucket: storage.Bucket, name: str, **options: Any) -> str:
    return str(bucket.blob(name).create_resumable_upload_session(content_type="image/png", **options))


def put(http: httpx.Client, url: str, content: bytes, span: str, **headers: str) -> httpx.Response:
    return http.put(url, content=content, headers={"Content-Range": f"bytes {span}"} | headers)


def test_a_chunked_upload_answers_308_until_the_last_chunk(bucket: storage.Bucket, http: httpx.Client) -> None:
    url = session(bucket, "chunks")
    total = 2 * UNIT + 5
    first = put(http, url, b"a" * UNIT, f"0-{UNIT - 1}/*")
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{UNIT - 1}")
    second = put(http, url, b"b" * UNIT, f"{UNIT}-{2 * UNIT - 1}/{total}")
    assert (second.status_code, second.headers["range"]) == (308, f"bytes=0-{2 * UNIT - 1}")
    assert put(http, url, b"", f"*/{total}").headers["range"] == f"bytes=0-{2 * UNIT - 1}"
    last = put(http, url, b"c" * 5, f"{2 * UNIT}-{total - 1}/{total}")
    assert (last.status_code, last.json()["size"], last.json()["contentType"]) == (200, str(total), "image/png")
    assert put(http, url, b"", f"*/{total}").status_code == 200
    assert bucket.blob("chunks").download_as_bytes() == b"a" * UNIT + b"b" * UNIT + b"c" * 5


def test_a_repeated_chunk_is_kept_once(bucket: storage.Bucket, http: httpx.Client) -> None:
    url = session(bucket, "repeated")
    put(http, url, b"a" * UNIT, f"0-{UNIT - 1}/*")
    again = put(http, url, b"a" * UNIT + b"b" * UNIT, f"0-{2 * UNIT - 1}/*")
    assert again.headers["range"] == f"bytes=0-{2 * UNIT - 1}"
    put(http, url, b"", f"*/{2 * UNIT}")
    assert bucket.blob("repeated").download_as_bytes() == b"a" * UNIT + b"b" * UNIT


def test_an_upload_in_one_put_needs_no_content_range(bucket: storage.Bucket, http: httpx.Client) -> None:
    assert http.put(session(bucket, "single"), content=b"all of it").status_code == 200
    assert http.put(session(bucket, "streamed"), content=iter([b"all ", b"of it"])).status_code == 200
    assert bucket.blob("single").download_as_bytes() == bucket.blob("streamed").download_as_bytes() == b"all of it"


def test_after_a_broken_connection_the_session_tells_how_much_it_kept(
    bucket: storage.Bucket, http: httpx.Client
) -> None:
    url = httpx.URL(session(bucket, "broken"))
    head = f"PUT {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: {3 * UNIT}\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(head.encode() + b"a" * (2 * UNIT + 100))
    deadline = time.monotonic() + 10
    while put(http, str(url), b"", f"*/{3 * UNIT}").headers.get("range") != f"bytes=0-{2 * UNIT - 1}":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert put(http, str(url), b"b" * UNIT, f"{2 * UNIT}-{3 * UNIT - 1}/{3 * UNIT}").status_code == 200
    assert bucket.blob("broken").download_as_bytes() == b"a" * 2 * UNIT + b"b" * UNIT


def test_bad_chunks_are_refused(bucket: storage.Bucket, http: httpx.Client) -> None:
    url = session(bucket, "bad", size=UNIT)
    assert put(http, url, b"x" * 100, "0-99/*").status_code == 400
    assert put(http, url, b"x" * UNIT, f"{UNIT}-{2 * UNIT - 1}/*").status_code == 503
    assert put(http, url, b"x", "0-0/1").status_code == 400
    assert put(http, url, b"", "nonsense").status_code == 400
    assert put(http, url, b"", f"*/{UNIT}").status_code == 308
    assert not bucket.blob("bad").exists()


def test_an_upload_can_be_given_up(bucket: storage.Bucket, http: httpx.Client) -> None:
    url = session(bucket, "given-up")
    assert http.delete(url).status_code == 499
    assert http.put(url, content=b"x").status_code == 404


def test_wrong_bytes_are_noticed_by_their_checksum(service: CloudStorage, bucket: storage.Bucket) -> None:
    start = httpx.post(
        f"{service.url}/upload/storage/v1/b/media/o?uploadType=resumable&name=sum", json={"crc32c": "AAAAAA=="}
    )
    assert httpx.put(start.headers["location"], content=b"something").status_code == 400
    assert not bucket.blob("sum").exists()


# Browsers


def test_a_page_of_the_origin_given_at_the_start_may_upload(bucket: storage.Bucket, http: httpx.Client) -> None:
    url = session(bucket, "from-browser", origin=CRM)
    asks = {"Origin": CRM, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    preflight = http.options(url, headers=asks)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == CRM
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "content-type"
    answer = http.put(url, content=b"picture", headers={"Origin": CRM})
    assert answer.headers["access-control-allow-origin"] == CRM
    assert "access-control-allow-credentials" not in answer.headers
    incomplete = put(http, session(bucket, "part", origin=CRM), b"x" * UNIT, f"0-{UNIT - 1}/*", Origin=CRM)
    assert "Range" in incomplete.headers["access-control-expose-headers"]


def test_a_session_without_origin_answers_no_page(bucket: storage.Bucket, http: httpx.Client) -> None:
    answer = http.put(session(bucket, "no-origin"), content=b"x", headers={"Origin": CRM})
    assert "access-control-allow-origin" not in answer.headers


def test_signed_downloads_follow_the_cors_rules_of_the_bucket(
    service: CloudStorage, bucket: storage.Bucket, http: httpx.Client
) -> None:
    one_origin = {"origin": [CRM], "method": ["GET"], "responseHeader": ["Content-Type"]}
    service.create_bucket("strict", cors=one_origin)
    service.create_bucket("closed", cors=None)
    allowed = {}
    for name in ("media", "strict", "closed"):
        blob = bucket.client.bucket(name).blob("cors")
        blob.upload_from_string(b"x")
        for origin in (CRM, "https://elsewhere.example"):
            answer = http.get(signed(service, blob), headers={"Origin": origin})
            assert answer.status_code == 200
            allowed[name, origin] = answer.headers.get("access-control-allow-origin")
    assert list(allowed.values()) == ["*", "*", CRM, None, None, None]


def test_a_preflight_grants_what_the_bucket_allows(service: CloudStorage, http: httpx.Client) -> None:
    asks = {"Origin": CRM, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,x-y"}
    granted = http.options(f"{service.url}/media/new.png", headers=asks)
    assert granted.headers["access-control-allow-origin"] == "*"
    assert granted.headers["access-control-allow-headers"] == "Content-Type"
    asks["Access-Control-Request-Method"] = "DELETE"
    assert "access-control-allow-origin" not in http.options(f"{service.url}/media/new.png", headers=asks).headers


# Signed URLs


@pytest.fixture
def picture(bucket: storage.Bucket) -> storage.Blob:
    blob = bucket.blob("signed/pic ture ä.png")
    blob.upload_from_string(b"0123456789", content_type="image/png")
    return blob


def test_a_signed_url_gives_the_object_with_the_type_and_disposition_it_names(
    service: CloudStorage, picture: storage.Blob, http: httpx.Client
) -> None:
    plain = http.get(signed(service, picture))
    assert (plain.content, plain.headers["content-type"]) == (b"0123456789", "image/png")
    disposition = "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.txt"
    url = signed(service, picture, response_type="text/plain", response_disposition=disposition)
    answer = http.get(url)
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("text/plain", disposition)
    part = http.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert http.head(signed(service, picture, "HEAD")).headers["content-length"] == "10"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_signed_url_ends_when_it_says(
    service: CloudStorage, picture: storage.Blob, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = signed(service, picture, expiration=datetime.timedelta(seconds=300))
    now = service.now()
    monkeypatch.setattr(service, "now", lambda: now + 290)
    assert http.get(url).status_code == 200
    monkeypatch.setattr(service, "now", lambda: now + 301)
    assert refusal(http.get(url)) == (400, "ExpiredToken")


def test_a_changed_signed_url_is_refused(service: CloudStorage, picture: storage.Blob, http: httpx.Client) -> None:
    url = signed(service, picture, response_type="image/png")
    mismatch = (403, "SignatureDoesNotMatch")
    changed = [
        url.replace("pic%20ture", "another"),
        url.replace("image%2Fpng", "text%2Fhtml"),
        url.replace("X-Goog-Expires=300", "X-Goog-Expires=600"),
        url + "&response-content-disposition=attachment",
        url[:-2] + ("00" if url[-2:] != "00" else "11"),
        url.partition("&X-Goog-Signature")[0] + "&X-Goog-Signature=nothex",
    ]
    assert [refusal(http.get(each)) for each in changed] == [mismatch] * len(changed)
    assert refusal(http.put(url, content=b"x")) == mismatch
    assert refusal(http.get(url, headers={"X-Goog-Meta-Added": "1"})) == mismatch
    assert refusal(http.get(url.partition("?")[0])) == (403, "AccessDenied")
    assert refusal(http.get(url.replace("X-Goog-Expires=300", "X-Goog-Expires=604801")))[0] == 400


def test_a_url_signed_by_somebody_else_is_refused(
    service: CloudStorage, picture: storage.Blob, http: httpx.Client
) -> None:
    with CloudStorage() as other:
        url = picture.generate_signed_url(300, version="v4", credentials=other.account.credentials())
    assert refusal(http.get(url)) == (403, "SignatureDoesNotMatch")
    stranger = service.account.key() | {"client_email": "stranger@leadline-test.iam.gserviceaccount.com"}
    credentials = service_account.Credentials.from_service_account_info(stranger)
    url = picture.generate_signed_url(300, version="v4", credentials=credentials)
    assert refusal(http.get(url)) == (403, "SignatureDoesNotMatch")


def test_a_signed_url_for_nothing_is_not_found(
    service: CloudStorage, bucket: storage.Bucket, http: httpx.Client
) -> None:
    assert refusal(http.get(signed(service, bucket.blob("nothing")))) == (404, "NoSuchKey")


def test_a_signed_put_stores_the_object_with_the_signed_type(
    service: CloudStorage, bucket: storage.Bucket, http: httpx.Client
) -> None:
    url = signed(service, bucket.blob("put.png"), "PUT", content_type="image/png")
    assert refusal(http.put(url, content=b"x", headers={"Content-Type": "text/html"})) == (403, "SignatureDoesNotMatch")
    answer = http.put(url, content=b"pixels", headers={"Content-Type": "image/png", "Origin": CRM})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert bucket.get_blob("put.png").content_type == "image/png"


def test_a_signed_start_opens_an_upload_session(
    service: CloudStorage, bucket: storage.Bucket, http: httpx.Client
) -> None:
    url = signed(service, bucket.blob("film.mp4"), "RESUMABLE")
    headers = {"x-goog-resumable": "start", "Content-Type": "video/mp4", "Origin": CRM}
    start = http.post(url, headers=headers)
    assert start.status_code == 201
    location = start.headers["location"]
    asks = {"Origin": CRM, "Access-Control-Request-Method": "PUT"}
    assert http.options(location, headers=asks).headers["access-control-allow-origin"] == CRM
    done = http.put(location, content=b"film", headers={"Origin": CRM})
    assert (done.status_code, done.headers["access-control-allow-origin"]) == (200, CRM)
    assert bucket.blob("film.mp4").download_as_bytes() == b"film"


# Credentials


def test_a_key_file_serves_another_process_for_signing_and_for_calls(
    service: CloudStorage, bucket: storage.Bucket, picture: storage.Blob, tmp_path: Path, http: httpx.Client
) -> None:
    path = service.account.write_key(tmp_path / "key.json")
    assert json.loads(path.read_text())["client_email"] == service.account.email
    scopes = ["https://www.googleapis.com/auth/devstorage.read_write"]
    credentials = service_account.Credentials.from_service_account_file(str(path), scopes=scopes)
    credentials.refresh(google.auth.transport.requests.Request())
    assert credentials.token
    client = storage.Client(project="leadline-test", credentials=credentials)
    blob = client.bucket("media").blob(picture.name)
    assert blob.download_as_bytes() == b"0123456789"
    assert http.get(blob.generate_signed_url(60, version="v4")).status_code == 200


def test_a_token_is_given_only_for_the_accounts_own_signature(service: CloudStorage) -> None:
    answer = httpx.post(f"{service.url}/token", data={"grant_type": "x", "assertion": "a.b.c"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
