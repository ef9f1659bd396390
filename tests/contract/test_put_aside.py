"""What is put aside is listed, tried again and swept alike on both stores: on one machine and in the cloud."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from functions.core.events import event
from functions.core.firestore import FirestoreStore
from functions.core.lines import Line, line_writes
from functions.core.parked import body_of, items, parked, quarantined, removal
from functions.core.ports import Ports
from functions.core.settings import from_environment
from functions.core.store import Stale, Store
from functions.core.tasks import Task
from functions.local.cli import main
from functions.local.doctor import examination
from functions.local.file_media import FileMedia
from functions.local.replay import Filter, Replay, listed
from functions.sync.sweep import sweep
from functions.webhook.accept import Acceptance
from tests.google.firestore_emulator import FirestoreEmulator
from tests.payloads import ANA, inbound_text, webhook


class Queue:
    """A task queue that only remembers."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    async def enqueue(self, task: Task) -> None:
        self.tasks.append(task)

    async def make_queue(self, queue: str) -> None: ...

    async def remove_queue(self, queue: str) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
async def ports(store: Store, tmp_path: Path) -> AsyncIterator[Ports]:
    media = FileMedia(tmp_path / "media", "http://leadline.test/media", b"key")
    yield Ports(from_environment({}), store, Queue(), media)
    await media.close()


def now() -> datetime:
    return datetime.now(UTC)


async def test_items_are_listed_oldest_first_page_by_page_with_their_bodies(store: Store) -> None:
    for count in range(30):
        await store.commit(parked("why", {"id": count}, {"entry": [count]}, now()))
    big = bytes(range(256)) * 8000
    await store.commit(quarantined("odd", big, now()))
    found = [item async for item in items(store)]
    assert len(found) == 31
    assert [json.loads(await body_of(store, item))["entry"] for item in found[:3]] == [[0], [1], [2]]
    assert await body_of(store, found[-1]) == big
    assert [item.id async for item in items(store, since=found[-2].at)] == [item.id for item in found[-2:]]


async def test_an_item_that_came_again_is_not_taken_away(store: Store) -> None:
    writes = parked("why", {}, {}, now())
    await store.commit(writes)
    [item] = [item async for item in items(store)]
    await store.commit(writes)
    with pytest.raises(Stale):
        await store.commit(removal(item))
    [again] = [item async for item in items(store)]
    await store.commit(removal(again))
    assert [item async for item in items(store)] == []


async def test_a_message_is_replayed_once_its_line_is_there(ports: Ports) -> None:
    body = webhook(inbound_text(ANA, number="200"))
    acceptance = Acceptance(ports)
    assert list((await acceptance.accept(body)).values()) == ["no line has this phone_number_id"]
    await ports.store.commit(line_writes(Line("line", "acme", "crm", "200", "+1 555 010 0001", "Shop", "waba", "x")))
    [item] = [item async for item in listed(ports, Filter())]
    assert (await Replay(ports).replay(item)).said == "handled"
    assert [item async for item in listed(ports, Filter())] == []
    assert await acceptance.accept(body) == {}
    async with httpx.AsyncClient() as client:
        found = {finding.name: finding for finding in await examination.examine(ports, client)}
    assert found["lines"].seen == "line"
    assert found["store"].state == "ok"
    assert found["line line: last message in"].state == "ok"


async def test_each_connection_is_swept_with_one_look(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.sync.sweep._LATE", timedelta(minutes=-1))
    for connection in ("a", "b", "c"):
        for count in range(5):
            told = event(
                "message.received",
                account="acme",
                connection=connection,
                conversation="x",
                message=f"{connection}{count}",
                now=now(),
            )
            await ports.store.commit([told])
    await sweep(ports)
    queued = [task.payload["connection"] for task in ports.tasks.tasks]  # type: ignore[attr-defined]
    assert queued == ["a", "b", "c"]


async def test_the_command_works_on_firestore_from_an_admins_machine(
    firestore_emulator: FirestoreEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator.host)
    project = f"admin-{uuid.uuid4().hex[:12]}"
    store = FirestoreStore(project)
    await store.commit(parked("no line has this phone_number_id", {"secret": 1}, {"entry": []}, now()))
    for name, value in {
        "LEADLINE_STORE": f"firestore://{project}/(default)",
        "LEADLINE_TASKS": "cloud-tasks://project/europe-west1",
        "LEADLINE_MEDIA": "gs://bucket",
    }.items():
        monkeypatch.setenv(name, value)
    answer = await asyncio.to_thread(CliRunner().invoke, main, ["replay", "list", "--folder", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    assert "no line has this phone_number_id" in answer.stdout
    assert "secret" not in answer.stdout
    tried = await asyncio.to_thread(CliRunner().invoke, main, ["replay", "run", "--folder", str(tmp_path)])
    assert (tried.exit_code, tried.stdout.rpartition(" → ")[2].strip()) == (0, "handled")
    assert [item async for item in items(store)] == []
    await store.close()
