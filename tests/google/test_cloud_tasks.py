"""The Cloud Tasks stand-in, as the real client library and an HTTP handler see it."""

import asyncio
import datetime
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import google.auth.transport.requests
import grpc
import httpx
import jwt
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.oauth2 import id_token
from google.protobuf import duration_pb2, timestamp_pb2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.google.clock import ManualClock
from tests.google.cloud_tasks import CloudTasks

LOCATION = "projects/leadline-test/locations/europe-west1"
QUEUE = f"{LOCATION}/queues/send-1"
URL = "http://handler.test/sender"
Client = tasks_v2.CloudTasksAsyncClient


class Handler:
    """An ASGI app that keeps what it is sent and answers from a list, then always 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[httpx.Headers, bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.inside = self.most_inside = 0

    def answer(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.answers += [(status, headers or {}) for status in statuses]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append((httpx.Headers(request.headers.raw), await request.body()))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await self.gate.wait()
        self.inside -= 1
        await Response(status_code=status, headers=headers)(scope, receive, send)

    def header(self, name: str) -> list[str | None]:
        return [headers.get(name) for headers, _ in self.requests]


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def running_clock() -> ManualClock:
    return ManualClock(runs_ahead=True)


async def serving(handler: Handler, clock: ManualClock | None) -> AsyncIterator[CloudTasks]:
    async with CloudTasks(clock=clock) as tasks, httpx.AsyncClient(transport=httpx.ASGITransport(handler)) as http:
        tasks.http = http
        yield tasks


@pytest.fixture
async def tasks(handler: Handler) -> AsyncIterator[CloudTasks]:
    """The service on the machine's clock."""
    async for service in serving(handler, None):
        yield service


@pytest.fixture
async def still(handler: Handler, clock: ManualClock) -> AsyncIterator[CloudTasks]:
    """The service on a clock that only the test moves."""
    async for service in serving(handler, clock):
        yield service


@pytest.fixture
async def fast(handler: Handler, running_clock: ManualClock) -> AsyncIterator[CloudTasks]:
    """The service on a clock that jumps to the next moment by itself."""
    async for service in serving(handler, running_clock):
        yield service


def http_task(name: str = "", **request: Any) -> tasks_v2.Task:
    return tasks_v2.Task(name=f"{QUEUE}/tasks/{name}" if name else "", http_request={"url": URL} | request)


async def create(client: Client, task: tasks_v2.Task) -> tasks_v2.Task:
    return await client.create_task(parent=QUEUE, task=task)


async def queue(client: Client, **config: Any) -> tasks_v2.Queue:
    return await client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(**{"name": QUEUE} | config))


def offsets(tasks: CloudTasks, start: float) -> list[float]:
    """Seconds from `start` to each delivery, in order."""
    return sorted(round(delivery.at - start, 3) for delivery in tasks.deliveries)


def at(moment: float) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromMicroseconds(round(moment * 1e6))
    return stamp


def seconds(length: float) -> duration_pb2.Duration:
    span = duration_pb2.Duration()
    span.FromMicroseconds(round(length * 1e6))
    return span


async def enqueue_paused(client: Client, tasks: Iterable[tasks_v2.Task]) -> None:
    """Put all tasks in line before the first one may go."""
    await client.pause_queue(name=QUEUE)
    for task in tasks:
        await create(client, task)
    await client.resume_queue(name=QUEUE)


# Delivery


async def test_a_task_reaches_its_handler_with_body_and_headers(tasks: CloudTasks, handler: Handler) -> None:
    client = tasks.client()
    await queue(client)
    headers = {
        "Content-Type": "application/json",
        "X-Own": "kept",
        "Host": "elsewhere.test",
        "User-Agent": "mine",
        "X-Google-Anything": "dropped",
        "X-CloudTasks-TaskName": "forged",
    }
    await create(client, http_task("n1", headers=headers, body=b'{"kind": "send"}'))
    await tasks.drained()
    (got, body) = handler.requests[0]
    assert body == b'{"kind": "send"}'
    assert got["content-type"] == "application/json"
    assert got["x-own"] == "kept"
    assert got["host"] == "handler.test"
    assert got["user-agent"] == "Google-Cloud-Tasks"
    assert "x-google-anything" not in got
    assert got["x-cloudtasks-queuename"] == "send-1"
    assert got["x-cloudtasks-taskname"] == "n1"
    assert got["x-cloudtasks-taskretrycount"] == got["x-cloudtasks-taskexecutioncount"] == "0"
    assert float(got["x-cloudtasks-tasketa"]) == pytest.approx(tasks.clock.now(), abs=5)
    assert "x-cloudtasks-taskpreviousresponse" not in got


async def test_a_task_without_content_type_gets_none(tasks: CloudTasks, handler: Handler) -> None:
    client = tasks.client()
    await queue(client)
    await create(client, http_task(body=b"x"))
    await tasks.drained()
    assert handler.header("content-type") == [None]


async def test_the_synchronous_client_works_too(tasks: CloudTasks, handler: Handler) -> None:
    def enqueue() -> None:
        with grpc.insecure_channel(tasks.host) as channel:
            client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
            client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE))
            client.create_task(parent=QUEUE, task=http_task("sync"))

    await asyncio.to_thread(enqueue)
    await tasks.drained()
    assert handler.header("x-cloudtasks-taskname") == ["sync"]


async def test_a_retry_says_what_came_before(fast: CloudTasks, handler: Handler) -> None:
    handler.answer(503, 404)
    client = fast.client()
    await queue(client)
    await create(client, http_task())
    await fast.drained()
    assert handler.header("x-cloudtasks-taskretrycount") == ["0", "1", "2"]
    assert handler.header("x-cloudtasks-taskexecutioncount") == ["0", "0", "1"]  # a 5xx is no execution
    assert handler.header("x-cloudtasks-taskpreviousresponse") == [None, "503", "404"]
    assert handler.header("x-cloudtasks-taskretryreason") == [None, "", ""]


async def test_a_handler_that_is_not_there_counts_as_a_retry_but_not_as_an_answer(
    fast: CloudTasks, handler: Handler
) -> None:
    away = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport())
    here, fast.http = fast.http, away
    client = fast.client()
    await queue(client, retry_config={"max_attempts": 2})
    await create(client, http_task(url="http://127.0.0.1:1/"))
    await create(client, http_task(url="http://[no-address/"))
    await fast.drained()
    assert [delivery.status for delivery in fast.deliveries] == [None] * 4
    fast.http = here
    await away.aclose()


# OIDC


def bearer(handler: Handler) -> str:
    scheme, _, token = (handler.header("authorization")[0] or "").partition(" ")
    assert scheme == "Bearer"
    return token


async def test_the_identity_token_verifies_with_google_auth(tasks: CloudTasks, handler: Handler) -> None:
    account = "tasks@leadline-test.iam.gserviceaccount.com"
    client = tasks.client()
    await queue(client)
    token = {"service_account_email": account, "audience": "https://sender.run.app"}
    await create(client, http_task(oidc_token=token, headers={"authorization": "Basic replaced"}))
    await tasks.drained()
    claims = await asyncio.to_thread(
        id_token.verify_token,
        bearer(handler),
        google.auth.transport.requests.Request(),
        "https://sender.run.app",
        tasks.certificates_url,
    )
    assert claims["email"] == account
    assert claims["email_verified"] is True
    assert claims["iss"] == "https://accounts.google.com"


async def test_the_identity_token_verifies_with_pyjwt_and_is_for_the_url_when_no_audience_is_given(
    tasks: CloudTasks, handler: Handler
) -> None:
    client = tasks.client()
    await queue(client)
    await create(client, http_task(oidc_token={"service_account_email": "a@b.iam.gserviceaccount.com"}))
    await tasks.drained()
    keys = jwt.PyJWKClient(tasks.key_set_url)
    key = await asyncio.to_thread(keys.get_signing_key_from_jwt, bearer(handler))
    assert jwt.decode(bearer(handler), key, algorithms=["RS256"], audience=URL)["aud"] == URL
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(bearer(handler), key, algorithms=["RS256"], audience="https://other.run.app")


# Names


async def test_a_name_is_taken_while_the_task_waits_and_after_it_ran(still: CloudTasks, clock: ManualClock) -> None:
    client = still.client()
    await queue(client)
    await client.pause_queue(name=QUEUE)
    await create(client, http_task("once"))
    with pytest.raises(exceptions.AlreadyExists, match="Requested entity already exists"):
        await create(client, http_task("once"))
    await client.resume_queue(name=QUEUE)
    await still.drained()
    with pytest.raises(exceptions.AlreadyExists):
        await create(client, http_task("once"))
    clock.advance(23.9 * 3600)
    with pytest.raises(exceptions.AlreadyExists):
        await create(client, http_task("once"))
    clock.advance(0.2 * 3600)
    await create(client, http_task("once"))
    await still.drained()
    assert len(still.deliveries) == 2


async def test_the_name_of_a_deleted_task_stays_taken(still: CloudTasks) -> None:
    client = still.client()
    await queue(client)
    await client.pause_queue(name=QUEUE)
    task = await create(client, http_task("gone"))
    await client.delete_task(name=task.name)
    with pytest.raises(exceptions.NotFound, match="The task no longer exists, though a task with this name existed"):
        await client.get_task(name=task.name)
    with pytest.raises(exceptions.AlreadyExists):
        await create(client, http_task("gone"))


async def test_tasks_without_a_name_get_one_each(tasks: CloudTasks) -> None:
    client = tasks.client()
    await queue(client)
    names = {(await create(client, http_task())).name for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith(f"{QUEUE}/tasks/") for name in names)


# Time


async def test_a_task_waits_for_its_schedule_time(still: CloudTasks, handler: Handler, clock: ManualClock) -> None:
    client = still.client()
    await queue(client)
    task = http_task()
    eta = clock.now() + 3600.25
    task.schedule_time = at(eta)
    await create(client, task)
    clock.advance(3600)
    await still.drained(within=0)
    assert handler.requests == []
    clock.advance(0.25)
    await still.drained()
    assert handler.header("x-cloudtasks-tasketa") == [f"{eta:.6f}"]


async def test_a_schedule_time_in_the_past_means_now(still: CloudTasks, clock: ManualClock) -> None:
    client = still.client()
    await queue(client)
    task = http_task()
    task.schedule_time = at(clock.now() - 60)
    created = await create(client, task)
    assert created.schedule_time.timestamp() == pytest.approx(clock.now(), abs=1e-3)
    await still.drained()


async def test_the_queue_is_the_rate(fast: CloudTasks) -> None:
    client = fast.client()
    await queue(client, rate_limits={"max_dispatches_per_second": 5})
    start = fast.clock.now()
    await enqueue_paused(client, (http_task() for _ in range(10)))
    await fast.drained()
    assert offsets(fast, start) == pytest.approx([0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1.0], abs=1e-2)


async def test_the_rate_holds_on_the_machines_clock(tasks: CloudTasks) -> None:
    client = tasks.client()
    await queue(client, rate_limits={"max_dispatches_per_second": 5})
    await enqueue_paused(client, (http_task() for _ in range(8)))
    await tasks.drained()
    first = min(delivery.at for delivery in tasks.deliveries)
    late = [delivery.at - first for delivery in tasks.deliveries if delivery.at - first > 0.1]
    assert len(late) == 3
    assert max(late) >= 0.55


async def test_no_more_run_at_once_than_the_queue_allows(tasks: CloudTasks, handler: Handler) -> None:
    handler.gate.clear()
    client = tasks.client()
    await queue(client, rate_limits={"max_concurrent_dispatches": 3})
    await enqueue_paused(client, (http_task() for _ in range(9)))
    while handler.inside < 3:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    handler.gate.set()
    await tasks.drained()
    assert handler.most_inside == 3
    assert len(handler.requests) == 9


async def test_retries_follow_the_documented_back_off(fast: CloudTasks, handler: Handler) -> None:
    handler.answer(*[500] * 8)
    client = fast.client()
    retry = {"min_backoff": seconds(10), "max_backoff": seconds(300), "max_doublings": 3}
    await queue(client, retry_config=retry)
    start = fast.clock.now()
    await create(client, http_task())
    await fast.drained()
    moments = offsets(fast, start)
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert gaps == pytest.approx([10, 20, 40, 80, 160, 240, 300, 300], abs=1e-2)


async def test_a_task_is_retried_until_attempts_and_duration_are_both_used_up(
    fast: CloudTasks, handler: Handler
) -> None:
    handler.answer(*[500] * 50)
    client = fast.client()
    every_ten = {"min_backoff": seconds(10), "max_backoff": seconds(10)}
    await queue(client, retry_config={"max_attempts": 2, "max_retry_duration": seconds(35)} | every_ten)
    start = fast.clock.now()
    await create(client, http_task("tried"))
    await fast.drained()
    assert offsets(fast, start) == pytest.approx([0, 10, 20, 30, 40], abs=1e-2)
    with pytest.raises(exceptions.NotFound):
        await client.get_task(name=f"{QUEUE}/tasks/tried")


async def test_a_tasks_own_retry_settings_win(fast: CloudTasks, handler: Handler) -> None:
    handler.answer(*[500] * 9)
    client = fast.client()
    await queue(client, retry_config={"max_attempts": 9, "min_backoff": seconds(1)})
    task = http_task()
    task.retry_config = tasks_v2.RetryConfig(max_attempts=3)
    await create(client, task)
    await fast.drained()
    assert len(fast.deliveries) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_considered(fast: CloudTasks, handler: Handler, form: str) -> None:
    start = fast.clock.now()
    date = datetime.datetime.fromtimestamp(start + 60, datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    handler.answer(429, headers={"Retry-After": "60" if form == "seconds" else date})
    client = fast.client()
    await queue(client)
    await create(client, http_task())
    await fast.drained()
    assert offsets(fast, start)[1] == pytest.approx(60, abs=1.5)


async def last_of_twenty(fast: CloudTasks) -> float:
    client = fast.client()
    await queue(client, rate_limits={"max_dispatches_per_second": 10, "max_concurrent_dispatches": 1})
    start = fast.clock.now()
    await enqueue_paused(client, (http_task() for _ in range(20)))
    await fast.drained()
    return max(offsets(fast, start))


@pytest.mark.parametrize(("status", "slower"), [(500, False), (429, True), (503, True)])
async def test_429_and_503_slow_the_whole_queue_and_500_does_not(
    fast: CloudTasks, handler: Handler, status: int, slower: bool
) -> None:
    handler.answer(*[status] * 6)
    # 26 deliveries at 10 a second with a burst of 10 take 1.6 s.
    assert (await last_of_twenty(fast) > 2.0) is slower


async def test_a_handler_that_misses_the_deadline_is_tried_again(
    still: CloudTasks, handler: Handler, clock: ManualClock
) -> None:
    handler.gate.clear()
    client = still.client()
    await queue(client, retry_config={"min_backoff": seconds(1)})
    task = http_task("slow")
    task.dispatch_deadline = seconds(15)
    await create(client, task)
    while not handler.requests:
        await asyncio.sleep(0.01)
    clock.advance(15.1)
    await still.drained(within=0.5)
    handler.gate.set()
    clock.advance(1)
    await still.drained()
    assert [delivery.status for delivery in still.deliveries] == [None, 200]
    assert handler.header("x-cloudtasks-taskretrycount") == ["0", "1"]
    assert handler.header("x-cloudtasks-taskexecutioncount") == ["0", "0"]


# The two switches


async def test_deliver_twice_repeats_deliveries_and_nothing_else(tasks: CloudTasks, handler: Handler) -> None:
    tasks.deliver_twice(1.0, seed=1)
    client = tasks.client()
    await queue(client)
    for number in range(12):
        await create(client, http_task(f"t{number}"))
    await tasks.drained()
    assert set(Counter(handler.header("x-cloudtasks-taskname")).values()) == {2}
    assert set(handler.header("x-cloudtasks-taskretrycount")) == {"0"}
    assert sum(delivery.duplicate for delivery in tasks.deliveries) == 12


async def test_deliver_twice_takes_a_share_and_can_be_switched_off(tasks: CloudTasks, handler: Handler) -> None:
    tasks.deliver_twice(0.3, seed=7)
    client = tasks.client()
    await queue(client)
    await enqueue_paused(client, (http_task() for _ in range(60)))
    await tasks.drained()
    assert 5 < len(handler.requests) - 60 < 40
    tasks.deliver_twice(0.0, seed=7)
    handler.requests.clear()
    await create(client, http_task())
    await tasks.drained()
    assert len(handler.requests) == 1


async def order(fast: CloudTasks, handler: Handler) -> list[str | None]:
    client = fast.client()
    await queue(client)
    await enqueue_paused(client, (http_task(f"t{number:02}") for number in range(20)))
    await fast.drained()
    return handler.header("x-cloudtasks-taskname")


async def test_without_the_switch_tasks_go_in_the_order_of_their_times(fast: CloudTasks, handler: Handler) -> None:
    names = await order(fast, handler)
    assert names == sorted(names, key=str)


async def test_out_of_order_shuffles_and_loses_nothing(fast: CloudTasks, handler: Handler) -> None:
    fast.out_of_order(2.0, seed=3)
    names = await order(fast, handler)
    assert names != sorted(names, key=str)
    assert len(set(names)) == 20
    assert max(offsets(fast, min(delivery.at for delivery in fast.deliveries))) < 2.0


# Queues


async def test_a_queue_shows_the_defaults(tasks: CloudTasks) -> None:
    shown = await queue(tasks.client())
    assert shown.state == tasks_v2.Queue.State.RUNNING
    limits, retry = shown.rate_limits, shown.retry_config
    assert (limits.max_dispatches_per_second, limits.max_concurrent_dispatches) == (500, 1000)
    assert limits.max_burst_size == 100
    assert (retry.max_attempts, retry.max_doublings) == (100, 16)
    assert (retry.min_backoff.total_seconds(), retry.max_backoff.total_seconds()) == (0.1, 3600)


async def test_a_paused_queue_takes_tasks_and_holds_them(tasks: CloudTasks, handler: Handler) -> None:
    client = tasks.client()
    await queue(client)
    assert (await client.pause_queue(name=QUEUE)).state == tasks_v2.Queue.State.PAUSED
    await create(client, http_task())
    await tasks.drained()
    assert handler.requests == []
    assert (await client.resume_queue(name=QUEUE)).state == tasks_v2.Queue.State.RUNNING
    await tasks.drained()
    assert len(handler.requests) == 1


async def test_run_task_ignores_pause_and_schedule(still: CloudTasks, handler: Handler, clock: ManualClock) -> None:
    client = still.client()
    await queue(client)
    await client.pause_queue(name=QUEUE)
    task = http_task("now")
    task.schedule_time = at(clock.now() + 3600)
    await create(client, task)
    assert (await client.run_task(name=task.name)).dispatch_count == 1
    await still.drained()
    assert len(handler.requests) == 1


async def test_purge_forgets_the_tasks(tasks: CloudTasks, handler: Handler) -> None:
    client = tasks.client()
    await queue(client)
    await client.pause_queue(name=QUEUE)
    await create(client, http_task("purged"))
    assert (await client.purge_queue(name=QUEUE)).purge_time is not None
    assert [task async for task in await client.list_tasks(parent=QUEUE)] == []
    await client.resume_queue(name=QUEUE)
    await tasks.drained()
    assert handler.requests == []
    with pytest.raises(exceptions.AlreadyExists):
        await create(client, http_task("purged"))


async def test_a_deleted_queue_leaves_its_name_blocked_for_days(still: CloudTasks, clock: ManualClock) -> None:
    client = still.client()
    await queue(client)
    with pytest.raises(exceptions.AlreadyExists, match="Queue already exists"):
        await queue(client)
    await client.delete_queue(name=QUEUE)
    with pytest.raises(exceptions.NotFound, match=r"Queue does not exist\. If you just created the queue, wait"):
        await create(client, http_task())
    with pytest.raises(exceptions.FailedPrecondition, match="existed too recently"):
        await queue(client)
    clock.advance(3 * 86400)
    await queue(client)


async def test_update_queue_changes_what_the_mask_names(tasks: CloudTasks) -> None:
    client = tasks.client()
    await queue(client, rate_limits={"max_concurrent_dispatches": 7}, retry_config={"max_attempts": 4})
    changed = tasks_v2.Queue(name=QUEUE, rate_limits={"max_dispatches_per_second": 40})
    shown = await client.update_queue(queue=changed, update_mask={"paths": ["rate_limits.max_dispatches_per_second"]})
    assert shown.rate_limits == tasks_v2.RateLimits(
        max_dispatches_per_second=40, max_burst_size=40, max_concurrent_dispatches=7
    )
    assert shown.retry_config.max_attempts == 4


async def test_lists_come_in_pages(tasks: CloudTasks) -> None:
    client = tasks.client()
    await queue(client)
    await client.pause_queue(name=QUEUE)
    for number in range(5):
        await create(client, http_task(f"t{number}", body=b"secret"))
        await queue(client, name=f"{LOCATION}/queues/other-{number}")
    pager = await client.list_tasks(request={"parent": QUEUE, "page_size": 2})
    shown = [task async for task in pager]
    assert [task.name[-2:] for task in shown] == ["t0", "t1", "t2", "t3", "t4"]
    assert {task.http_request.body for task in shown} == {b""}
    queues = await client.list_queues(request={"parent": LOCATION, "page_size": 4})
    assert len([each async for each in queues]) == 6


async def test_a_task_shows_its_attempts_and_its_body_only_in_full(still: CloudTasks, handler: Handler) -> None:
    handler.answer(404)
    client = still.client()
    await queue(client)
    created = await create(client, http_task("seen", body=b"x", headers={"X-Own": "1"}))
    await still.drained(within=0)
    full = await client.get_task(request={"name": created.name, "response_view": tasks_v2.Task.View.FULL})
    assert created.http_request.body == b""
    assert full.http_request.body == b"x"
    assert dict(full.http_request.headers) == {"X-Own": "1", "User-Agent": "Google-Cloud-Tasks"}
    assert (full.dispatch_count, full.response_count) == (1, 1)
    assert full.last_attempt.response_status.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert full.dispatch_deadline.total_seconds() == 600


# What is refused

INVALID_TASKS: list[tuple[tasks_v2.Task, str]] = [
    (http_task("not a valid id"), 'Task ID "not a valid id" can contain only letters'),
    (http_task("x" * 501), "Task ID must between 1 and 500 characters"),
    (
        tasks_v2.Task(name=f"{QUEUE}-other/tasks/t", http_request={"url": URL}),
        "The queue name from request .* must be the same as",
    ),
    (tasks_v2.Task(), "HttpRequest.url is required."),
    (tasks_v2.Task(http_request={"url": "ftp://example.com/"}), "must start with 'http://' or 'https://'"),
    (http_task(url="http://x/" + "y" * 2083), "longer than 2083"),
    (http_task(http_method=tasks_v2.HttpMethod.GET, body=b"x"), "not allowed for this HTTP method"),
    (http_task(headers={"X-Big": "x" * 81 * 1024}), "headers are too large"),
    (http_task(body=b"x" * 101 * 1024), "Task size too large"),
    (http_task(oidc_token={"audience": "a"}), "serviceAccountEmail is required"),
    (tasks_v2.Task(http_request={"url": URL}, dispatch_deadline=seconds(14)), "between 15s and 30m"),
    (tasks_v2.Task(http_request={"url": URL}, dispatch_deadline=seconds(1801)), "between 15s and 30m"),
    (tasks_v2.Task(http_request={"url": URL}, schedule_time=at(4e9)), "no more than 720h in the future"),
]


@pytest.mark.parametrize(("task", "text"), INVALID_TASKS, ids=[text[:24] for _, text in INVALID_TASKS])
async def test_a_bad_task_is_refused(tasks: CloudTasks, task: tasks_v2.Task, text: str) -> None:
    client = tasks.client()
    await queue(client)
    with pytest.raises(exceptions.InvalidArgument, match=text):
        await create(client, task)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"name": "no-queue"}, "Queue name must be formatted"),
        ({"name": f"{LOCATION}/queues/{'q' * 101}"}, "Queue name must be formatted"),
        ({"rate_limits": {"max_dispatches_per_second": -1}}, "maxDispatchesPerSecond cannot be negative"),
        ({"rate_limits": {"max_dispatches_per_second": 501}}, "must be less than or equal to 500"),
        ({"rate_limits": {"max_concurrent_dispatches": -1}}, "maxConcurrentDispatches cannot be negative"),
        ({"rate_limits": {"max_concurrent_dispatches": 5001}}, "must be less than or equal to 5000"),
        ({"retry_config": {"max_attempts": -2}}, "maxAttempts must be greater or equal to -1"),
        ({"retry_config": {"max_doublings": -1}}, "maxDoublings cannot be negative"),
        ({"retry_config": {"min_backoff": seconds(-1)}}, "minBackoff cannot be negative"),
        ({"retry_config": {"min_backoff": seconds(9), "max_backoff": seconds(8)}}, "must be less than or equal to"),
    ],
)
async def test_a_bad_queue_is_refused(tasks: CloudTasks, config: dict[str, Any], text: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=text):
        await queue(tasks.client(), **config)


async def test_what_is_not_there_is_not_found(tasks: CloudTasks) -> None:
    client = tasks.client()
    calls = [client.get_queue, client.pause_queue, client.resume_queue, client.purge_queue]
    for call in calls:
        with pytest.raises(exceptions.NotFound, match="Queue does not exist"):
            await call(name=QUEUE)
    with pytest.raises(exceptions.NotFound, match="Requested entity was not found"):
        await client.delete_queue(name=QUEUE)
    await queue(client)
    for task_call in (client.get_task, client.delete_task, client.run_task):
        with pytest.raises(exceptions.NotFound, match="Requested entity was not found"):
            await task_call(name=f"{QUEUE}/tasks/none")


async def test_a_client_that_would_wait_longer_than_30_seconds_is_refused(tasks: CloudTasks) -> None:
    client = tasks.client()
    await queue(client)
    with pytest.raises(exceptions.InvalidArgument, match="deadline cannot be more than 30s in the future"):
        await client.create_task(parent=QUEUE, task=http_task(), timeout=40)


async def test_drained_says_what_is_still_to_do(still: CloudTasks, clock: ManualClock) -> None:
    client = still.client()
    await queue(client)
    task = http_task()
    task.schedule_time = at(clock.now() + 60)
    await create(client, task)
    await still.drained(within=59)
    with pytest.raises(TimeoutError, match="'send-1': 1"):
        await still.drained(0.05)


async def test_a_handler_in_this_process_that_raises_is_tried_again(
    fast: CloudTasks, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    client = fast.client()
    await queue(client)

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        fast.http = whole
        raise RuntimeError("broken on purpose")

    whole, fast.http = fast.http, httpx.AsyncClient(transport=httpx.ASGITransport(broken))
    await create(client, http_task(body=json.dumps({}).encode()))
    await fast.drained()
    assert [delivery.status for delivery in fast.deliveries] == [500, 200]
    assert "a handler in this process failed" in caplog.text
