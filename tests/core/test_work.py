import json

import httpx
import pytest

from functions.core.http import asgi
from functions.core.parked import body_of, items
from functions.core.ports import Ports
from functions.core.store import Unavailable
from functions.core.work import Hopeless, handler
from functions.local.sqlite_store import SqliteStore


class Workers:
    """Remembers the tasks that it was given, and fails when it is told to."""

    def __init__(self):
        self.done = []
        self.error = None

    async def __call__(self, task):
        self.done.append(dict(task))
        if self.error:
            raise self.error


@pytest.fixture
def worker():
    return Workers()


@pytest.fixture
async def ports(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    yield Ports(settings=None, store=store, tasks=None, media=None)
    await store.close()


@pytest.fixture
def client(worker, ports):
    app = asgi(handler(ports, "sync", {"greet": worker}))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test")


async def post(client, task):
    content = task if isinstance(task, bytes) else json.dumps(task).encode()
    return (await client.post("/", content=content, headers={"X-CloudTasks-QueueName": "media"})).status_code


async def put_aside(ports):
    return [(item.reason, json.loads(await body_of(ports.store, item))) async for item in items(ports.store)]


async def test_a_task_is_done_by_the_worker_of_its_kind(client, worker):
    assert await post(client, {"kind": "greet", "whom": "Ana"}) == 200
    assert worker.done == [{"kind": "greet", "whom": "Ana"}]


@pytest.mark.parametrize(
    "task", [b"", b"{", b"\xff", [], 5, None, {}, {"kind": "unknown"}, {"kind": []}, b"[" * 50_000, b" " * 200_000]
)
async def test_what_can_never_be_done_is_answered_well_so_that_it_does_not_come_again(client, worker, ports, task):
    assert await post(client, task) == 200
    assert worker.done == []
    assert len(await put_aside(ports)) == 1


async def test_a_hopeless_task_is_put_aside_with_its_reason_and_where_it_came_from(client, worker, ports):
    worker.error = Hopeless("the line is gone")
    task = {"kind": "greet", "whom": "ana"}
    for _ in range(2):
        assert await post(client, task) == 200
    [(reason, kept)] = await put_aside(ports)
    assert (reason, kept) == ("the line is gone", {"function": "sync", "queue": "media", "payload": task})


async def test_a_task_that_does_not_name_what_it_is_about_is_put_aside(ports):
    async def greet(task):
        assert task["whom"]

    app = asgi(handler(ports, "sync", {"greet": greet}))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test")
    assert await post(client, {"kind": "greet"}) == 200
    assert [reason for reason, _ in await put_aside(ports)] == ["the task names no whom"]


async def test_a_hopeless_task_that_cant_be_put_aside_comes_again(client, worker, ports):
    worker.error = Hopeless("the line is gone")
    await ports.store.close()
    assert await post(client, {"kind": "greet"}) == 503


@pytest.mark.parametrize(("error", "status"), [(Unavailable("away"), 503), (ValueError("+5511987654321"), 500)])
async def test_a_task_that_failed_comes_again_and_its_reason_stays_inside(client, worker, error, status):
    worker.error = error
    answer = await client.post("/", json={"kind": "greet"})
    assert answer.status_code == status
    assert "+5511987654321" not in answer.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_posts_are_tasks(client, method):
    answer = await client.request(method, "/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_it_says_that_it_lives(client):
    assert (await client.get("/health")).status_code == 200
