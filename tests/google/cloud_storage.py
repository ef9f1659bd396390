"""A Cloud Storage that runs inside a test: the JSON API for the real client, and signed URLs for browsers.

    with CloudStorage(directory) as storage:
        os.environ.update(storage.environment)          # the real client finds it by STORAGE_EMULATOR_HOST
        bucket = google.cloud.storage.Client().bucket(storage.create_bucket("media"))
        blob = bucket.blob("picture.jpg")
        url = blob.generate_signed_url(300, version="v4", credentials=storage.account.credentials())

Knows: buckets (make, get, change), objects (multipart, simple and resumable upload, get, download with Range, list by
prefix, change, copy, delete), generation preconditions, checksums, V4 signed URLs for GET, HEAD, PUT and the start of a
resumable upload, and CORS as the bucket says or, for a resumable upload, the origin given at its start. Everything
else is refused. The JSON API asks for no credentials, as under STORAGE_EMULATOR_HOST the client has none; signed URLs
are checked in full.
"""

import contextlib
import html
import json
import math
import re
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.google.keys import ServiceAccount
from tests.google.objects import (
    CHUNK_UNIT,
    Bucket,
    Objects,
    Preconditions,
    StorageRefused,
    StoredObject,
    UploadSession,
    invalid,
)
from tests.google.signed_urls import SignedRequest, SignedUrlRefused

ANY_ORIGIN: dict[str, Any] = {
    "origin": ["*"],
    "method": ["GET", "HEAD", "PUT", "POST"],
    "responseHeader": ["Content-Type", "Content-Disposition", "Content-Range", "ETag", "Range", "x-goog-resumable"],
    "maxAgeSeconds": 3600,
}
# google-auth writes this audience whatever the token_uri is.
_TOKEN_AUDIENCE = "https://oauth2.googleapis.com/token"
_MAX_MULTIPART_BYTES = 64 * 1024 * 1024
_MAX_PAGE = 1000
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class CloudStorage:
    """The service, on a loopback port of its own and in a thread of its own; contents lie in `directory`.

    `account` is the one service account it trusts. `now` is its clock for signed URLs, which a test may replace.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._given_directory = directory
        self.now: Callable[[], float] = time.time
        self.url: str
        """`http://127.0.0.1:port`, the value of STORAGE_EMULATOR_HOST."""
        self.account: ServiceAccount

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment for its Storage client to come here."""
        return {"STORAGE_EMULATOR_HOST": self.url}

    def create_bucket(self, name: str, *, cors: dict[str, Any] | None = ANY_ORIGIN) -> str:
        """Make a bucket, by default one that browsers of any origin may use; its name."""
        self._objects.create_bucket(name, {"cors": [cors]} if cors else {})
        return name

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as parts:
            directory = self._given_directory or Path(parts.enter_context(tempfile.TemporaryDirectory()))
            self._objects = Objects(directory)
            listener = parts.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            account = "media@leadline-test.iam.gserviceaccount.com"
            self.account = ServiceAccount(account, token_uri=f"{self.url}/token")
            parts.enter_context(_serving(self._app(), listener))
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def _app(self) -> Starlette:
        bucket, one = "/storage/v1/b/{bucket}", "/o/{object:path}"
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/storage/v1/b", self._insert_bucket, methods=["POST"]),
                Route(bucket, self._get_bucket, methods=["GET"]),
                Route(bucket, self._patch_bucket, methods=["PATCH"]),
                Route(bucket + "/o", self._list, methods=["GET"]),
                Route(bucket + one + "/copyTo/b/{to}/o/{name:path}", self._copy, methods=["POST"]),
                Route(bucket + one, self._get, methods=["GET"]),
                Route(bucket + one, self._patch, methods=["PATCH"]),
                Route(bucket + one, self._delete, methods=["DELETE"]),
                Route("/download" + bucket + one, self._get, methods=["GET"]),
                Route("/upload" + bucket + "/o", self._upload, methods=["POST"]),
                Route("/upload" + bucket + "/o", self._session, methods=["PUT", "DELETE", "OPTIONS"]),
                Route("/{bucket}/{object:path}", self._preflight, methods=["OPTIONS"]),
                Route("/{bucket}/{object:path}", self._signed_download, methods=["GET"]),
                Route("/{bucket}/{object:path}", self._signed_upload, methods=["PUT"]),
                Route("/{bucket}/{object:path}", self._signed_session, methods=["POST"]),
            ],
            exception_handlers={
                StorageRefused: _refused,
                SignedUrlRefused: _signed_url_refused,
                ValueError: _unreadable,
            },
        )

    # Credentials

    async def _token(self, request: Request) -> Response:
        """Give an access token for a JWT that the account signed (RFC 7523)."""
        assertion = parse_qs((await request.body()).decode()).get("assertion", [""])[0]
        public_key = self.account.private.public_key()
        try:
            jwt.decode(assertion, public_key, algorithms=["RS256"], audience=_TOKEN_AUDIENCE)
        except jwt.InvalidTokenError as error:
            return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, status_code=400)
        return JSONResponse({"access_token": secrets.token_urlsafe(), "expires_in": 3600, "token_type": "Bearer"})

    # Buckets

    async def _insert_bucket(self, request: Request) -> Response:
        settings = await request.json()
        bucket = self._objects.create_bucket(settings.pop("name", ""), settings)
        return JSONResponse(bucket.resource(_base_url(request)))

    async def _get_bucket(self, request: Request) -> Response:
        return JSONResponse(self._bucket(request).resource(_base_url(request)))

    async def _patch_bucket(self, request: Request) -> Response:
        bucket = self._bucket(request)
        bucket.settings.update(await request.json())
        return JSONResponse(bucket.resource(_base_url(request)))

    def _bucket(self, request: Request) -> Bucket:
        return self._objects.bucket(request.path_params["bucket"])

    # Objects

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        unknown = set(query) - {"prefix", "pageToken", "maxResults", "projection", "prettyPrint", "fields"}
        if unknown:
            raise invalid(f"Not known to this stand-in: {', '.join(sorted(unknown))}.")
        limit = min(int(query.get("maxResults", _MAX_PAGE)), _MAX_PAGE)
        page, following = self._objects.list(
            request.path_params["bucket"], query.get("prefix", ""), query.get("pageToken", ""), limit
        )
        items = [each.resource(_base_url(request)) for each in page]
        token = {"nextPageToken": following} if following else {}
        return JSONResponse({"kind": "storage#objects", "items": items} | token)

    def _object(self, request: Request) -> StoredObject:
        query, path = request.query_params, request.path_params
        generation = int(query["generation"]) if "generation" in query else None
        found = self._objects.get(path["bucket"], path["object"], generation)
        Preconditions.of(query).check(found)
        return found

    async def _get(self, request: Request) -> Response:
        found = self._object(request)
        if request.query_params.get("alt") == "media":
            return _content(found)
        return JSONResponse(found.resource(_base_url(request)))

    async def _patch(self, request: Request) -> Response:
        found = self._object(request)
        self._objects.change(found, await request.json())
        return JSONResponse(found.resource(_base_url(request)))

    async def _delete(self, request: Request) -> Response:
        self._objects.delete(self._object(request))
        return Response(status_code=204)

    async def _copy(self, request: Request) -> Response:
        """Copy an object as it is; with a body, its fields would be replaced, which this stand-in does not know."""
        if await request.body():
            raise invalid("Copying with other fields is not known to this stand-in.")
        path, query = request.path_params, request.query_params
        found = self._objects.get(path["bucket"], path["object"])
        content = self._objects.new_file()
        shutil.copyfile(found.path, content)
        copied = self._objects.store(path["to"], path["name"], content, found.settings, Preconditions.of(query))
        return JSONResponse(copied.resource(_base_url(request)))

    # Uploads by the JSON API

    async def _upload(self, request: Request) -> Response:
        kind = request.query_params.get("uploadType")
        uploads = {"multipart": self._multipart, "media": self._media, "resumable": self._start}
        if kind not in uploads:
            raise invalid(f"Unknown uploadType: {kind}.")
        return await uploads[kind](request)

    async def _multipart(self, request: Request) -> Response:
        if int(request.headers.get("content-length", 0)) > _MAX_MULTIPART_BYTES:
            raise invalid("Too large for a multipart upload to this stand-in; use a resumable one.")
        settings, content = _multipart_related(request.headers["content-type"], await request.body())
        path = self._objects.new_file()
        path.write_bytes(content)
        return self._store(request, settings.get("name", ""), path, settings)

    async def _media(self, request: Request) -> Response:
        path = self._objects.new_file()
        await _receive(request, path)
        return self._store(request, "", path, {"contentType": request.headers.get("content-type")})

    def _store(self, request: Request, name: str, path: Path, settings: dict[str, Any]) -> Response:
        query = request.query_params
        stored = self._objects.store(
            request.path_params["bucket"], query.get("name", name), path, settings, Preconditions.of(query)
        )
        return JSONResponse(stored.resource(_base_url(request)))

    async def _start(self, request: Request) -> Response:
        body = await request.body()
        settings = json.loads(body) if body else {}
        if "x-upload-content-type" in request.headers:
            settings.setdefault("contentType", request.headers["x-upload-content-type"])
        name = request.query_params.get("name", settings.get("name", ""))
        if not name:
            raise invalid("An object name is required.")
        session = self._objects.open_session(
            request.path_params["bucket"], name, settings, Preconditions.of(request.query_params)
        )
        session.origin = request.headers.get("origin")
        if "x-upload-content-length" in request.headers:
            session.announced = int(request.headers["x-upload-content-length"])
        location = f"{_base_url(request)}{request.url.path}?uploadType=resumable&upload_id={session.id}"
        return Response(headers={"Location": location, "X-GUploader-UploadID": session.id} | _session_cors(session))

    # Upload sessions

    async def _session(self, request: Request) -> Response:
        """What a client does with a session URL: send a chunk, ask how far it got, give it up, preflight."""
        session = self._objects.sessions.get(request.query_params.get("upload_id", ""))
        if not session:
            raise StorageRefused(404, "Upload session not found.", "notFound")
        if request.method == "OPTIONS":
            return Response(headers=_session_cors(session) | _session_preflight(request))
        if request.method == "DELETE":
            self._objects.cancel(session)
            return Response(status_code=499, headers=_session_cors(session))
        try:
            response = await self._put(request, session)
        except StorageRefused as refused:
            response = await _refused(request, refused)
        response.headers.update(_session_cors(session))
        return response

    async def _put(self, request: Request, session: UploadSession) -> Response:
        if session.finished:
            return JSONResponse(session.finished.resource(_base_url(request)))
        span = Span.of(request.headers.get("content-range"))
        span.check(session)
        if span.start is not None:
            await _receive_span(request, session, span)
        if span.whole or session.received == span.total:
            return self._finish(request, session)
        return _incomplete(session)

    def _finish(self, request: Request, session: UploadSession) -> Response:
        session.finished = self._objects.store(
            session.bucket, session.name, session.path, session.settings, session.preconditions
        )
        return JSONResponse(session.finished.resource(_base_url(request)))

    # Signed URLs

    def _check_signature(self, request: Request) -> None:
        path = request.scope["raw_path"].decode("ascii").partition("?")[0]
        query = request.scope["query_string"].decode("ascii")
        signed = SignedRequest(request.method, path, query, request.headers)
        signed.check({self.account.email: self.account}, self.now())

    async def _preflight(self, request: Request) -> Response:
        if "upload_id" in request.query_params:
            return await self._session(request)
        rule = _cors_rule(self._bucket(request), request, request.headers.get("access-control-request-method", ""))
        if not rule:
            return Response()
        wanted = request.headers.get("access-control-request-headers", "").lower().replace(" ", "").split(",")
        granted = [name for name in rule.get("responseHeader", []) if name.lower() in wanted]
        return Response(
            headers=_allow_origin(rule, request)
            | {
                "Access-Control-Allow-Methods": ",".join(rule.get("method", [])),
                "Access-Control-Allow-Headers": ",".join(granted),
                "Access-Control-Max-Age": str(rule.get("maxAgeSeconds", 3600)),
            }
        )

    async def _signed_download(self, request: Request) -> Response:
        self._check_signature(request)
        query = request.query_params
        found = self._xml_object(request)
        response = _content(found, query.get("response-content-type"), query.get("response-content-disposition"))
        response.headers.update(self._bucket_cors(request))
        return response

    def _xml_object(self, request: Request) -> StoredObject:
        try:
            return self._object(request)
        except StorageRefused as refused:
            code = "NoSuchBucket" if "bucket" in refused.message else "NoSuchKey"
            raise SignedUrlRefused(refused.status, code, refused.message) from None

    async def _signed_upload(self, request: Request) -> Response:
        """PUT a whole object, or a chunk to the session URL of a signed start."""
        if "upload_id" in request.query_params:
            return await self._session(request)
        self._check_signature(request)
        path = self._objects.new_file()
        await _receive(request, path)
        bucket = self._bucket(request)
        settings = {"contentType": request.headers.get("content-type")}
        stored = self._objects.store(bucket.name, request.path_params["object"], path, settings, Preconditions())
        return Response(headers={"ETag": f'"{stored.etag}"'} | self._bucket_cors(request))

    async def _signed_session(self, request: Request) -> Response:
        self._check_signature(request)
        if request.headers.get("x-goog-resumable") != "start":
            raise SignedUrlRefused(400, "InvalidArgument", "Only x-goog-resumable: start is known to this stand-in.")
        settings = {"contentType": request.headers.get("content-type")}
        bucket, name = request.path_params["bucket"], request.path_params["object"]
        session = self._objects.open_session(bucket, name, settings, Preconditions())
        session.origin = request.headers.get("origin")
        location = f"{_base_url(request)}{request.url.path}?upload_id={session.id}"
        return Response(status_code=201, headers={"Location": location} | self._bucket_cors(request))

    def _bucket_cors(self, request: Request) -> dict[str, str]:
        rule = _cors_rule(self._bucket(request), request, request.method)
        if not rule:
            return {}
        return _allow_origin(rule, request) | {
            "Access-Control-Expose-Headers": ",".join(rule.get("responseHeader", []))
        }


@contextlib.contextmanager
def _serving(app: Starlette, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the Cloud Storage stand-in did not start")
            time.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers['host']}"


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, StorageRefused)
    detail = {"message": refused.message, "domain": "global", "reason": refused.reason}
    error = {"code": refused.status, "message": refused.message, "errors": [detail]}
    return JSONResponse({"error": error}, status_code=refused.status)


async def _unreadable(request: Request, error: Exception) -> Response:
    """A number or JSON text that is none."""
    return await _refused(request, invalid(str(error)))


async def _signed_url_refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, SignedUrlRefused)
    code, message = html.escape(refused.code), html.escape(refused.message)
    document = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(document, status_code=refused.status, media_type="application/xml")


def _content(found: StoredObject, content_type: str | None = None, disposition: str | None = None) -> FileResponse:
    """The content, with Range as the request says; type and disposition may be overridden."""
    disposition = disposition or found.settings.get("contentDisposition")
    headers = {
        "Content-Type": content_type or found.content_type,
        "Cache-Control": found.settings.get("cacheControl", "private, max-age=0"),
        "ETag": f'"{found.etag}"',
        "X-Goog-Generation": str(found.generation),
        "X-Goog-Metageneration": str(found.metageneration),
        "X-Goog-Hash": f"crc32c={found.crc32c},md5={found.md5}",
        "X-Goog-Stored-Content-Length": str(found.size),
    }
    return _WholeOrOneRange(found.path, headers=headers | ({"Content-Disposition": disposition} if disposition else {}))


class _WholeOrOneRange(FileResponse):
    """Several ranges at once are answered with the whole object, as the service does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if not (name == b"range" and b"," in value)]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _multipart_related(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """The two parts of a multipart upload: the object's fields, and its content."""
    header = Message()
    header["Content-Type"] = content_type
    delimiter = b"--" + str(header.get_param("boundary")).encode()
    try:
        _, fields, rest = body.split(delimiter, 2)
        content = rest[: rest.rindex(b"\r\n" + delimiter)]
        head, _, content = content.partition(b"\r\n\r\n")
        settings: dict[str, Any] = json.loads(fields.partition(b"\r\n\r\n")[2])
    except ValueError:
        raise invalid("Malformed multipart body.") from None
    settings.setdefault("contentType", _part_type(head))
    return settings, content


def _part_type(head: bytes) -> str | None:
    found = re.search(rb"(?i)^content-type:\s*(.+?)\s*$", head, re.MULTILINE)
    return found[1].decode() if found else None


async def _receive(request: Request, path: Path) -> None:
    with path.open("wb") as file:
        async for chunk in request.stream():
            file.write(chunk)


@dataclass(frozen=True)
class Span:
    """What a PUT to an upload session announces: first and last byte, and the whole size. None where it is not said."""

    start: int | None
    end: int | None
    total: int | None
    whole: bool = False
    """Without Content-Range the body is the whole file."""

    @classmethod
    def of(cls, header: str | None) -> "Span":
        """Read a Content-Range header. Raises StorageRefused."""
        if header is None:
            return cls(0, None, None, whole=True)
        parsed = _CONTENT_RANGE.fullmatch(header)
        if not parsed:
            raise invalid("Malformed Content-Range.")
        start, end, total = (None if group in (None, "*") else int(group) for group in parsed.groups())
        return cls(start, end, total)

    def check(self, session: UploadSession) -> None:
        """Raise StorageRefused where this may not come next in the session."""
        if None not in (self.total, session.announced) and self.total != session.announced:
            raise invalid("The size is not the one given when the upload was started.")
        if self.start is None:
            return
        if self.start > session.received:
            raise StorageRefused(503, "The chunk starts after the end of what was received.", "backendError")
        if self.end is None or self.end + 1 == self.total:
            return
        if (self.end + 1 - self.start) % CHUNK_UNIT or self.end + 1 > (self.total or math.inf):
            raise invalid(f"Every chunk but the last must be a multiple of {CHUNK_UNIT} bytes.")


async def _receive_span(request: Request, session: UploadSession, span: Span) -> None:
    offset = span.start or 0
    with session.path.open("ab") as file:
        try:
            async for chunk in request.stream():
                offset = session.write(file, offset, chunk)
        except ClientDisconnect:
            session.cut(file)
            raise StorageRefused(499, "The connection broke.", "backendError") from None
        if span.end is not None and offset != span.end + 1:
            session.cut(file)
            raise invalid("The body is not as long as Content-Range says.")


def _incomplete(session: UploadSession) -> Response:
    headers = {"Range": f"bytes=0-{session.received - 1}"} if session.received else {}
    return Response(status_code=308, headers=headers)


def _session_cors(session: UploadSession) -> dict[str, str]:
    if not session.origin:
        return {}
    return {
        "Access-Control-Allow-Origin": session.origin,
        "Access-Control-Expose-Headers": "Content-Length,Content-Type,Location,Range,X-GUploader-UploadID",
        "Vary": "Origin",
    }


def _session_preflight(request: Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": "DELETE,OPTIONS,POST,PUT",
        "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", ""),
        "Access-Control-Max-Age": "3600",
    }


def _cors_rule(bucket: Bucket, request: Request, method: str) -> dict[str, Any] | None:
    """The first rule of the bucket that lets this origin use this method."""
    origin = request.headers.get("origin")
    for rule in bucket.cors:
        origins, methods = rule.get("origin", []), rule.get("method", [])
        if origin and ("*" in origins or origin in origins) and ("*" in methods or method in methods):
            return rule
    return None


def _allow_origin(rule: dict[str, Any], request: Request) -> dict[str, str]:
    if "*" in rule["origin"]:
        return {"Access-Control-Allow-Origin": "*"}
    return {"Access-Control-Allow-Origin": request.headers["origin"], "Vary": "Origin"}
