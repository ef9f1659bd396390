import json

import httpx
import pytest

from functions.core.http import asgi
from functions.core.store import Unavailable
from functions.core.work import Hopeless, handler


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
def client(worker):
    app = asgi(handler({"greet": worker}))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test")


async def post(client, task):
    content = task if isinstance(task, bytes) else json.dumps(task).encode()
    return (await client.post("/", content=content)).status_code


async def test_a_task_is_done_by_the_worker_of_its_kind(client, worker):
    assert await post(client, {"kind": "greet", "whom": "Ana"}) == 200
    assert worker.done == [{"kind": "greet", "whom": "Ana"}]


@pytest.mark.parametrize(
    "task", [b"", b"{", b"\xff", [], 5, None, {}, {"kind": "unknown"}, {"kind": []}, b"[" * 50_000, b" " * 200_000]
)
async def test_what_can_never_be_done_is_answered_well_so_that_it_does_not_come_again(client, worker, task):
    assert await post(client, task) == 200
    assert worker.done == []


async def test_a_hopeless_task_is_given_up(client, worker):
    worker.error = Hopeless("the line is gone")
    assert await post(client, {"kind": "greet"}) == 200


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
