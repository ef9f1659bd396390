"""Buckets, objects and upload sessions of the Cloud Storage stand-in; contents lie on disk, the rest in memory."""

import base64
import hashlib
import itertools
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import google_crc32c

# A session keeps what arrived in units of this size, and so must every chunk but the last be cut.
CHUNK_UNIT = 256 * 1024
_READ_SIZE = 1024 * 1024
_SETTABLE = ("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "metadata")
_DEFAULT_TYPE = "application/octet-stream"


class StorageRefused(Exception):
    """A call is answered with this HTTP status, message and reason."""

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


def invalid(message: str) -> StorageRefused:
    return StorageRefused(400, message, "invalid")


@dataclass(frozen=True)
class Preconditions:
    """What the caller believes about the object; generation 0 means that there is none."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Preconditions":
        """Read them from the query of a JSON API call."""

        def number(name: str) -> int | None:
            return int(query[name]) if name in query else None

        return cls(number("ifGenerationMatch"), number("ifGenerationNotMatch"), number("ifMetagenerationMatch"))

    def check(self, found: "StoredObject | None") -> None:
        generation = found.generation if found else 0
        metageneration = found.metageneration if found else 0
        if (
            self.generation not in (None, generation)
            or self.not_generation == generation
            or self.metageneration not in (None, metageneration)
        ):
            message = "At least one of the pre-conditions you specified did not hold."
            raise StorageRefused(412, message, "conditionNotMet")


@dataclass
class StoredObject:
    """One object; `settings` are the fields a caller may set, by their names in the JSON API."""

    bucket: str
    name: str
    generation: int
    path: Path
    size: int
    md5: str
    crc32c: str
    settings: dict[str, Any]
    metageneration: int = 1
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def content_type(self) -> str:
        return str(self.settings.get("contentType") or _DEFAULT_TYPE)

    @property
    def etag(self) -> str:
        return base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()

    def resource(self, base_url: str) -> dict[str, Any]:
        """The object as the JSON API shows it."""
        location = f"storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        created = self.created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            **self.settings,
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{base_url}/{location}",
            "mediaLink": f"{base_url}/download/{location}?generation={self.generation}&alt=media",
            "bucket": self.bucket,
            "name": self.name,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "contentType": self.content_type,
            "storageClass": "STANDARD",
            "size": str(self.size),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": created,
            "updated": created,
        }


@dataclass
class Bucket:
    """A bucket with the settings it was made with, by their names in the JSON API."""

    name: str
    settings: dict[str, Any]
    objects: dict[str, StoredObject] = field(default_factory=dict)

    @property
    def cors(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = self.settings.get("cors", [])
        return rules

    def resource(self, base_url: str) -> dict[str, Any]:
        """The bucket as the JSON API shows it."""
        fixed = {"kind": "storage#bucket", "id": self.name, "name": self.name, "metageneration": "1"}
        return {
            "location": "US",
            "storageClass": "STANDARD",
            "selfLink": f"{base_url}/storage/v1/b/{self.name}",
            **self.settings,
            **fixed,
        }


@dataclass
class UploadSession:
    """A resumable upload: where its bytes gather and what they are to become."""

    bucket: str
    name: str
    settings: dict[str, Any]
    preconditions: Preconditions
    path: Path
    origin: str | None = None
    """The browser origin named when the session was made: the only one whose pages may read the answers."""
    announced: int | None = None
    """The whole size, when it was given at the start."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    received: int = 0
    finished: StoredObject | None = None

    def write(self, file: BinaryIO, offset: int, chunk: bytes) -> int:
        """Append the chunk that starts at `offset`, without what is already there; the offset after it."""
        self.received += file.write(chunk[max(0, self.received - offset) :])
        return offset + len(chunk)

    def cut(self, file: BinaryIO) -> None:
        """Drop what goes beyond the last whole unit, as after a broken connection."""
        self.received -= self.received % CHUNK_UNIT
        file.truncate(self.received)


class Objects:
    """All buckets, objects and upload sessions; contents are files in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.sessions: dict[str, UploadSession] = {}
        self._directory = directory
        self._buckets: dict[str, Bucket] = {}
        self._files = itertools.count(1)
        self._generation = 0

    def create_bucket(self, name: str, settings: dict[str, Any]) -> Bucket:
        if not name:
            raise invalid("A bucket name is required.")
        if name in self._buckets:
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise StorageRefused(409, message, "conflict")
        self._buckets[name] = Bucket(name, settings)
        return self._buckets[name]

    def bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            raise StorageRefused(404, "The specified bucket does not exist.", "notFound")
        return self._buckets[name]

    def get(self, bucket: str, name: str, generation: int | None = None) -> StoredObject:
        """The object; with `generation`, only if it is that one (older ones are not kept)."""
        found = self.bucket(bucket).objects.get(name)
        if not found or generation not in (None, found.generation):
            raise StorageRefused(404, f"No such object: {bucket}/{name}", "notFound")
        return found

    def list(self, bucket: str, prefix: str, after: str, limit: int) -> tuple[list[StoredObject], str]:
        """Objects by name, and the token of the next page or an empty one."""
        objects = self.bucket(bucket).objects
        names = sorted(name for name in objects if name.startswith(prefix) and name > after)
        page = [objects[name] for name in names[:limit]]
        return page, names[limit - 1] if len(names) > limit else ""

    def delete(self, found: StoredObject) -> None:
        del self.bucket(found.bucket).objects[found.name]
        found.path.unlink()

    def new_file(self) -> Path:
        """An empty file for contents that are coming in."""
        path = self._directory / f"{next(self._files):08}"
        path.touch()
        return path

    def open_session(
        self, bucket: str, name: str, settings: dict[str, Any], preconditions: Preconditions
    ) -> UploadSession:
        preconditions.check(self.bucket(bucket).objects.get(name))
        session = UploadSession(bucket, name, settings, preconditions, self.new_file())
        self.sessions[session.id] = session
        return session

    def cancel(self, session: UploadSession) -> None:
        """Forget the session; what it had finished stays."""
        del self.sessions[session.id]
        if not session.finished:
            session.path.unlink()

    def store(
        self, bucket: str, name: str, path: Path, settings: dict[str, Any], preconditions: Preconditions
    ) -> StoredObject:
        """Make the file the content of the object, in the place of an older one; the file is ours from now on."""
        if not name:
            raise invalid("An object name is required.")
        objects = self.bucket(bucket).objects
        preconditions.check(objects.get(name))
        size, md5, crc32c = _digests(path)
        _check_digests(settings, md5, crc32c)
        if name in objects:
            self.delete(objects[name])
        self._generation = max(self._generation + 1, time.time_ns() // 1000)
        kept = {key: value for key, value in settings.items() if key in _SETTABLE}
        objects[name] = StoredObject(bucket, name, self._generation, path, size, md5, crc32c, kept)
        return objects[name]

    def change(self, found: StoredObject, settings: dict[str, Any]) -> None:
        """Change the fields a caller may set; null removes one."""
        merged = found.settings | {key: value for key, value in settings.items() if key in _SETTABLE}
        found.settings = {key: value for key, value in merged.items() if value is not None}
        found.metageneration += 1


def _digests(path: Path) -> tuple[int, str, str]:
    """Size, MD5 and CRC32C of a file, the latter two in the API's base64."""
    md5, crc32c, size = hashlib.md5(usedforsecurity=False), google_crc32c.Checksum(), 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_SIZE):
            md5.update(chunk)
            crc32c.update(chunk)
            size += len(chunk)
    return size, base64.b64encode(md5.digest()).decode(), base64.b64encode(crc32c.digest()).decode()


def _check_digests(settings: Mapping[str, Any], md5: str, crc32c: str) -> None:
    for name, got in (("md5Hash", md5), ("crc32c", crc32c)):
        if settings.get(name, got) != got:
            raise invalid(f'Provided {name} "{settings[name]}" doesn\'t match calculated {name} "{got}".')
