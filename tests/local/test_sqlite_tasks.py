"""What only the SQLite queue promises: its file, and what survives a stop and a crash."""

import asyncio
import logging
import signal
import sqlite3
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from functions.core.tasks import QueueUnavailable, Task
from functions.local import sqlite_tasks
from functions.local.sqlite_tasks import SqliteTasks
from tests.contract.worker import Worker


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
async def client(worker: Worker) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(worker), base_url="http://worker.test/base") as http:
        yield http


def task(number: int = 1, name: str | None = None) -> Task:
    return Task("send-line", "sender", {"number": str(number)}, name)


async def test_the_path_of_the_base_url_stays(path: Path, client: httpx.AsyncClient, worker: Worker) -> None:
    tasks = SqliteTasks(path, client)
    await tasks.start()
    await tasks.enqueue(task())
    await tasks.idle()
    assert [delivered.path for delivered in worker.delivered] == ["/base/sender"]
    await tasks.close()


async def test_what_was_queued_before_the_start_runs_after_it(
    path: Path, client: httpx.AsyncClient, worker: Worker
) -> None:
    tasks = SqliteTasks(path, client)
    for number in range(3):
        await tasks.enqueue(task(number))
    await tasks.close()
    tasks = SqliteTasks(path, client)
    await tasks.start()
    await tasks.idle()
    assert worker.got("number") == ["0", "1", "2"]
    await tasks.close()


async def test_retries_and_names_outlive_the_process(path: Path, client: httpx.AsyncClient, worker: Worker) -> None:
    now = [1_700_000_000.0]
    worker.answers = [500, 200, 500]
    tasks = SqliteTasks(path, client, clock=lambda: now[0])
    await tasks.start()
    await tasks.enqueue(task(1, "failing"))
    await tasks.idle()
    await tasks.enqueue(task(2, "done"))
    await tasks.idle()
    now[0] += 1.1
    tasks.wake()
    await tasks.idle()
    await tasks.close()
    assert worker.got("number") == ["1", "2", "1"]

    tasks = SqliteTasks(path, client, clock=lambda: now[0])
    await tasks.start()
    await tasks.enqueue(task(1, "failing"))
    await tasks.enqueue(task(2, "done"))
    await tasks.idle()
    assert len(worker.delivered) == 3
    now[0] += 2
    tasks.wake()
    await tasks.idle()
    await tasks.close()
    assert worker.got("number") == ["1", "2", "1", "1"]
    assert [delivered.headers["x-cloudtasks-taskretrycount"] for delivered in worker.delivered] == ["0", "0", "1", "2"]


async def test_stopping_waits_for_what_is_under_way(path: Path, client: httpx.AsyncClient, worker: Worker) -> None:
    tasks = SqliteTasks(path, client)
    await tasks.start()
    worker.open.clear()
    await tasks.enqueue(task())
    assert await worker.has_got(1)
    stopping = asyncio.create_task(tasks.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    await tasks.enqueue(task(2))
    worker.open.set()
    await stopping
    assert await worker.has_got(1)
    await tasks.start()
    await tasks.idle()
    assert worker.got("number") == ["1", "2"]
    await tasks.close()


async def test_what_does_not_end_when_stopped_runs_again(
    path: Path, client: httpx.AsyncClient, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_tasks, "_STOP_SECONDS", 0.05)
    tasks = SqliteTasks(path, client)
    await tasks.start()
    worker.open.clear()
    await tasks.enqueue(task())
    assert await worker.has_got(1)
    await tasks.close()
    assert worker.inside == 0
    worker.open.set()
    tasks = SqliteTasks(path, client)
    await tasks.start()
    await tasks.idle()
    assert worker.got("number") == ["1", "1"]
    await tasks.close()


RUNNER = """
    import asyncio, sys
    import httpx
    from functions.core.tasks import Task
    from functions.local.sqlite_tasks import SqliteTasks

    async def answer(request):
        print("under way", flush=True)
        await asyncio.sleep(60)

    async def main(path):
        client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://worker.test")
        tasks = SqliteTasks(path, client)
        await tasks.start()
        await tasks.enqueue(Task("send-line", "sender", {"number": "1"}, "name"))
        await asyncio.sleep(60)

    asyncio.run(main(sys.argv[1]))
"""


async def test_a_task_that_is_under_way_when_the_process_is_killed_runs_again(
    path: Path, client: httpx.AsyncClient, worker: Worker
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(RUNNER), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout
        assert runner.stdout.readline() == "under way\n"
        runner.send_signal(signal.SIGKILL)
    tasks = SqliteTasks(path, client)
    await tasks.start()
    await tasks.enqueue(task(1, "name"))
    await tasks.idle()
    assert worker.got("number") == ["1"]
    await tasks.close()


async def test_what_another_program_queues_is_found(
    path: Path, client: httpx.AsyncClient, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_tasks, "_LONGEST_NAP", 0.05)
    tasks, other = SqliteTasks(path, client), SqliteTasks(path, client)
    await tasks.start()
    await other.enqueue(task())
    assert await worker.has_got(1)
    await other.close()
    await tasks.close()


async def test_a_task_queued_by_a_task_runs(path: Path) -> None:
    numbers: list[int] = []

    async def again(request: httpx.Request) -> httpx.Response:
        numbers.append(len(numbers))
        if len(numbers) < 5:
            await tasks.enqueue(task(len(numbers)))
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(again), base_url="http://worker.test") as client:
        tasks = SqliteTasks(path, client)
        await tasks.start()
        await tasks.enqueue(task(0))
        await tasks.idle()
        assert numbers == [0, 1, 2, 3, 4]
        await tasks.close()


async def test_the_end_of_a_task_that_cannot_be_written_is_a_second_run_and_not_a_lost_task(
    path: Path, client: httpx.AsyncClient, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1_700_000_000.0]
    tasks = SqliteTasks(path, client, clock=lambda: now[0])
    await tasks.start()
    worker.open.clear()
    await tasks.enqueue(task())
    assert await worker.has_got(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        worker.open.set()
        await tasks.idle()
    assert "the end of a task can't be written" in caplog.text
    now[0] += 2
    tasks.wake()
    await tasks.idle()
    assert worker.got("number") == ["1", "1"]
    now[0] += 600
    tasks.wake()
    await tasks.idle()
    assert worker.got("number") == ["1", "1"]
    await tasks.close()


async def test_a_failing_task_is_logged_by_its_name_and_never_by_its_words(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("+1 555 010 0001 wrote hello")

    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient(transport=httpx.MockTransport(fail), base_url="http://worker.test") as client:
        tasks = SqliteTasks(path, client)
        await tasks.start()
        await tasks.enqueue(task(1, "name"))
        await tasks.idle()
        await tasks.close()
    assert "a task failed" in caplog.text
    assert "555" not in caplog.text


def test_a_file_that_cannot_be_used_is_named_at_opening(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    path.write_text("my shopping list" * 100)
    with pytest.raises(QueueUnavailable, match=r"tasks\.db can't be used"):
        SqliteTasks(path, httpx.AsyncClient())


async def test_a_task_starts_a_few_milliseconds_after_it_was_queued(path: Path) -> None:
    started: list[float] = []

    async def note(request: httpx.Request) -> httpx.Response:
        started.append(time.perf_counter())
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(note), base_url="http://worker.test") as client:
        tasks = SqliteTasks(path, client)
        await tasks.start()
        waits = []
        for number in range(30):
            begun = time.perf_counter()
            await tasks.enqueue(task(number))
            await tasks.idle()
            waits.append(started[-1] - begun)
        await tasks.close()
    assert statistics.median(waits) < 0.02
    print(f"queued to started: median {statistics.median(waits) * 1000:.1f} ms, longest {max(waits) * 1000:.1f} ms")


async def test_an_idle_queue_costs_nothing(path: Path, client: httpx.AsyncClient) -> None:
    tasks = SqliteTasks(path, client)
    await tasks.start()
    await tasks.enqueue(task())
    await tasks.idle()
    begun = time.process_time()
    await asyncio.sleep(1)
    assert time.process_time() - begun < 0.05
    await tasks.close()
