"""The real emulator, driven as the suites drive it."""

from collections.abc import Iterator

import httpx
import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from tests.google import firestore_emulator
from tests.google.firestore_emulator import FirestoreEmulator
from tests.google.parts import require


@pytest.fixture(scope="module")
def emulator() -> Iterator[FirestoreEmulator]:
    require(firestore_emulator.parts)
    with FirestoreEmulator() as running:
        yield running


@pytest.fixture
def use_emulator(emulator: FirestoreEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


def client(project: str) -> firestore.AsyncClient:
    return firestore.AsyncClient(project=project, credentials=AnonymousCredentials())


@pytest.mark.usefixtures("use_emulator")
async def test_create_is_a_precondition() -> None:
    document = client("first").document("messages/m1")
    await document.create({"type": "text"})
    with pytest.raises(exceptions.AlreadyExists):
        await document.create({"type": "text"})


@pytest.mark.usefixtures("use_emulator")
async def test_wipe_empties_one_project_and_leaves_the_others(emulator: FirestoreEmulator) -> None:
    for project in ("wiped", "kept"):
        await client(project).document("messages/m1").set({"type": "text"})
    emulator.wipe("wiped")
    assert not (await client("wiped").document("messages/m1").get()).exists
    assert (await client("kept").document("messages/m1").get()).exists


@pytest.mark.usefixtures("use_emulator")
async def test_a_named_database_can_be_wiped(emulator: FirestoreEmulator) -> None:
    named = firestore.AsyncClient(project="named", database="leadline", credentials=AnonymousCredentials())
    await named.document("messages/m1").set({"type": "text"})
    emulator.wipe("named", "leadline")
    assert not (await named.document("messages/m1").get()).exists


def test_a_caller_without_credentials_reads_nothing(emulator: FirestoreEmulator) -> None:
    url = f"http://{emulator.host}/v1/projects/open/databases/(default)/documents/messages/m1"
    assert httpx.get(url, trust_env=False).status_code == 403


def test_the_emulator_listens_on_loopback_alone(emulator: FirestoreEmulator) -> None:
    psutil = pytest.importorskip("psutil")
    connections = psutil.Process(emulator._process.pid).net_connections("tcp")
    listening = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
