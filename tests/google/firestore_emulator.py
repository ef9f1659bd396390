"""The real Firestore emulator of the Google Cloud SDK, on a free loopback port."""

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from functions.core.store import NOW, Key, Store, Unavailable, merge
from tests.google.parts import MissingPart
from tests.google.process import OwnProcess, ProcessEnded, free_port

_JAR = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
# The jar names no main class.
_MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
# Without a rules file the emulator is open to unauthenticated calls; the real database is not.
_DENY_ALL = """rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    match /{document=**} { allow read, write: if false; }
  }
}
"""
_START_ATTEMPTS = 3
_PORT_TAKEN = "Address already in use"


def java() -> str:
    """Path of the Java runtime. Raises MissingPart."""
    found = shutil.which("java")
    if not found:
        raise MissingPart("The Firestore emulator needs Java 17 or later: install openjdk-17-jre-headless.")
    return found


def emulator_jar() -> Path:
    """Path of the emulator's jar in the Google Cloud SDK. Raises MissingPart."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        raise MissingPart(
            "The Firestore emulator comes with the Google Cloud SDK: install it, then run "
            "`gcloud components install cloud-firestore-emulator`."
        )
    beside = Path(gcloud).resolve().parents[1] / _JAR
    jar = beside if beside.is_file() else _sdk_root(gcloud) / _JAR
    if not jar.is_file():
        raise MissingPart(
            "The Google Cloud SDK here has no Firestore emulator: run `gcloud components install "
            "cloud-firestore-emulator` (or install the package google-cloud-cli-firestore-emulator)."
        )
    return jar


def _sdk_root(gcloud: str) -> Path:
    """Where gcloud itself says it is installed; for wrappers. Takes a second, so only the second choice."""
    answer = subprocess.run([gcloud, "info", "--format=json"], capture_output=True, check=True, timeout=60)
    return Path(json.loads(answer.stdout)["installation"]["sdk_root"])


def parts() -> tuple[str, Path]:
    """Java and the jar, for `require`. Raises MissingPart."""
    return java(), emulator_jar()


async def warmed_up(store: Store) -> None:
    """Wait until a fresh emulator answers in time: its first commit loads half of Java."""
    for _ in range(20):
        with suppress(Unavailable):
            await store.commit([merge(Key("warm", "up"), {"now": NOW})])
            break


class FirestoreEmulator:
    """A running emulator; all its state is in memory and ends with it.

        with FirestoreEmulator() as firestore:
            os.environ.update(firestore.environment)

    Tests keep apart by using a project id each: projects do not see each other. Raises MissingPart where Java or
    the emulator is not installed, ProcessEnded where it does not start.
    """

    host: str
    """`127.0.0.1:port`, the value of FIRESTORE_EMULATOR_HOST."""

    def __init__(self, *, heap: str = "512m") -> None:
        self._heap = heap

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment for its Firestore client to come here."""
        return {"FIRESTORE_EMULATOR_HOST": self.host}

    def wipe(self, project: str, database: str = "(default)") -> None:
        """Delete every document of the project's database."""
        url = f"http://{self.host}/emulator/v1/projects/{project}/databases/{database}/documents"
        self._http.delete(url).raise_for_status()

    def __enter__(self) -> Self:
        command = self._command()
        self._directory = tempfile.TemporaryDirectory(prefix="firestore-emulator-")
        self._http = httpx.Client(trust_env=False, timeout=30)
        try:
            self._start(command)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._close()

    def _command(self) -> list[str]:
        runtime, jar = parts()
        return [runtime, f"-Xmx{self._heap}", "-cp", str(jar), _MAIN_CLASS, "start", "--host=127.0.0.1"]

    def _start(self, command: list[str]) -> None:
        """Start on ports that were free a moment ago; another program may take one first, hence the attempts."""
        directory = Path(self._directory.name)
        rules = directory / "deny.rules"
        rules.write_text(_DENY_ALL)
        for attempt in range(1, _START_ATTEMPTS + 1):
            port = free_port()
            self.host = f"127.0.0.1:{port}"
            ports = [f"--port={port}", f"--websocket_port={free_port()}"]
            self._process = OwnProcess(
                [*command, *ports, f"--rules={rules}"],
                environment={"PATH": os.environ.get("PATH", "")},
                log=directory / "emulator.log",
                directory=directory,
            )
            try:
                self._process.wait_until(self._answers, timeout=60)
            except ProcessEnded:
                self._process.kill()
                if attempt == _START_ATTEMPTS or _PORT_TAKEN not in self._process.log.read_text():
                    raise
            else:
                return

    def _answers(self) -> bool:
        try:
            return self._http.get(f"http://{self.host}/", timeout=5).text.strip() == "Ok"
        except httpx.TransportError:
            return False

    def _close(self) -> None:
        self._http.close()
        self._directory.cleanup()
