"""Functions in the real Functions Framework, fed by the Cloud Tasks stand-in over real HTTP."""

import os
import time
from pathlib import Path

import httpx
import psutil
import pytest
from google.cloud import tasks_v2

from tests.google.cloud_tasks import CloudTasks
from tests.google.framework import Function
from tests.google.process import ProcessEnded

SOURCE = """
import os
import functools
import functions_framework.aio
from starlette.responses import JSONResponse


async def _answer(name, request):
    body = (await request.body()).decode()
    if request.url.path != "/health":
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(f"{name} {request.headers.get('x-cloudtasks-taskname')} {body}\\n")
    return JSONResponse({"name": name, "home": os.environ.get("HOME")})


@functions_framework.aio.http
async def webhook(request):
    return await _answer("webhook", request)


@functions_framework.aio.http
async def sender(request):
    return await _answer("sender", request)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "main.py"
    path.write_text(SOURCE)
    return path


def function(target: str, source: Path) -> Function:
    environment = {"SEEN": str(source.parent / "seen"), "PATH": os.environ["PATH"]}
    return Function(target, source=source, environment=environment, log=source.parent / f"{target}.log")


async def test_tasks_reach_functions_that_run_side_by_side(source: Path) -> None:
    functions = [function("webhook", source), function("sender", source)]
    try:
        for each in functions:
            each.start()
        for each in functions:
            each.ready()
        async with CloudTasks() as tasks:
            client = tasks.client()
            location = "projects/leadline-test/locations/europe-west1"
            queue = await client.create_queue(parent=location, queue=tasks_v2.Queue(name=f"{location}/queues/q"))
            for each in functions:
                request = {"url": f"{each.url}/task", "body": b"ids only"}
                task = tasks_v2.Task(name=f"{queue.name}/tasks/for-{each.target}", http_request=request)
                await client.create_task(parent=queue.name, task=task)
            await tasks.drained()
    finally:
        for each in functions:
            each.stop()
    seen = (source.parent / "seen").read_text().splitlines()
    assert sorted(seen) == ["sender for-sender ids only", "webhook for-webhook ids only"]


def test_a_function_sees_only_the_environment_it_is_given_and_leaves_no_process(source: Path) -> None:
    with function("webhook", source) as webhook:
        assert httpx.get(webhook.url, trust_env=False).json() == {"name": "webhook", "home": None}
        assert webhook._process
        processes = [psutil.Process(webhook._process.pid), *psutil.Process(webhook._process.pid).children(True)]
        assert len(processes) >= 2
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_a_killed_function_comes_back_at_the_same_place(source: Path) -> None:
    with function("webhook", source) as webhook:
        webhook.kill()
        with pytest.raises(httpx.ConnectError):
            httpx.get(webhook.url, trust_env=False)
        webhook.start()
        webhook.ready()
        assert httpx.get(webhook.url, trust_env=False).status_code == 200


def test_a_function_that_cannot_start_says_why_and_soon(source: Path) -> None:
    source.write_text("raise RuntimeError('broken on purpose')")
    started = time.monotonic()
    with pytest.raises(ProcessEnded, match=r"(?s)function webhook: ended with code.*broken on purpose"):
        function("webhook", source).__enter__()
    assert time.monotonic() - started < 20
