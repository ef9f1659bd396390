"""A Cloud Tasks that runs inside a test: the real client talks to it over gRPC, and it calls the handlers.

    async with CloudTasks() as tasks:
        client = tasks.client()
        await client.create_queue(parent=LOCATION, queue={"name": QUEUE})
        await client.create_task(parent=QUEUE, task={"http_request": {"url": handler}})
        await tasks.drained()

It keeps to what is written down about the real service: names and tombstones, schedule time, token bucket and
concurrency, back-off and when it stops, Retry-After, headers, OIDC, size limits and error texts. Like the real one
it promises no order and may deliver twice; here a test says when (`out_of_order`, `deliver_twice`).

Not there: App Engine targets, OAuth tokens, queue-level HTTP targets, batch calls, IAM (each is refused), and the
slow ramp-up of new queues and sudden backlogs, whose pace is not published.
"""

import asyncio
import email.utils
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import grpc
import grpc.aio
import httpx
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks import transports
from google.protobuf import empty_pb2, field_mask_pb2

from tests.google import keys, task_rules
from tests.google.clock import Clock
from tests.google.task_queue import (
    Attempt,
    Jitter,
    Outcome,
    QueuedTask,
    Retry,
    TaskQueue,
    complete_queue,
    complete_retry,
)
from tests.google.task_view import moment, own_headers, service_headers, shown

_log = logging.getLogger(__name__)

_SERVICE = "google.cloud.tasks.v2.CloudTasks"
_DEFAULT_DISPATCH_DEADLINE_S = 600.0
# Up to 24 hours, says the client library; about one, says the quotas page. A test may set what it needs.
_TASK_TOMBSTONE_S = 24 * 3600.0
_QUEUE_TOMBSTONE_S = 3 * 86400.0
_MAX_PAGE = 1000
# gRPC would cancel calls at random once a thousand wait, as when a test creates many at once on the server's own loop.
_SERVER_OPTIONS = [
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
]
_RUNNING = tasks_v2.Queue.State(tasks_v2.Queue.State.RUNNING)
_PAUSED = tasks_v2.Queue.State(tasks_v2.Queue.State.PAUSED)


@dataclass(frozen=True)
class Delivery:
    """One HTTP request made to a handler, and its answer."""

    at: float
    queue: str
    task: str
    retry: int
    status: int | None
    duplicate: bool = False


class Duplicates:
    """Decides which deliveries are made twice, and whether the second comes at the same time or later."""

    def __init__(self, probability: float, seed: int) -> None:
        self._probability = probability
        self._random = random.Random(seed)

    def wanted(self) -> bool:
        return self._random.random() < self._probability

    def at_once(self) -> bool:
        return self._random.random() < 0.5


class CloudTasks:
    """The service. Lives on the event loop that enters it; `http` is the client that calls the handlers.

    A test may set `http`, for example to one with an ASGITransport. `deliveries` lists every request made, in the
    order of the answers. Tokens are signed by `issuer` and dated with real time whatever `clock` says.
    """

    def __init__(self, *, clock: Clock | None = None, tombstone: float = _TASK_TOMBSTONE_S) -> None:
        self.clock = clock or Clock()
        self.issuer = keys.google()
        self.deliveries: list[Delivery] = []
        self.http: httpx.AsyncClient
        self.host: str
        self.certificates_url: str
        """Where google-auth finds the public key of `issuer` (X.509); `key_set_url` is the same as a JWK set."""
        self.key_set_url: str
        self._tombstone = tombstone
        self._queues: dict[str, TaskQueue] = {}
        self._deleted_queues: dict[str, float] = {}
        self._jitter = Jitter()
        self._duplicates = Duplicates(0.0, 0)
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._names = random.Random()

    # What a test does with it

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as parts:
            keys_url = parts.enter_context(self.issuer.served())
            self.certificates_url = keys_url + keys.X509_PATH
            self.key_set_url = keys_url + keys.JWKS_PATH
            unlimited = httpx.Limits(max_connections=None)
            self.http = await parts.enter_async_context(
                httpx.AsyncClient(trust_env=False, timeout=None, limits=unlimited)
            )
            self.host = await parts.enter_async_context(self._serving())
            await parts.enter_async_context(self._dispatching())
            self._parts = parts.pop_all()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._parts.aclose()

    def client(self) -> tasks_v2.CloudTasksAsyncClient:
        """The real client, connected to this service until it ends."""
        channel = grpc.aio.insecure_channel(self.host)
        self._parts.push_async_callback(channel.close)
        return tasks_v2.CloudTasksAsyncClient(transport=transports.CloudTasksGrpcAsyncIOTransport(channel=channel))

    def deliver_twice(self, probability: float, seed: int) -> None:
        """From now on make each delivery twice with this probability, half of them at the same time.

        The second answer is ignored, as the service that sent it by mistake would. 0 switches it off.
        """
        self._duplicates = Duplicates(probability, seed)

    def out_of_order(self, window: float, seed: int) -> None:
        """From now on hold every attempt back for a random time of up to `window` seconds. 0 switches it off."""
        self._jitter.spread(window, seed)

    async def drained(self, timeout: float = 10.0, *, within: float | None = None) -> None:
        """Wait until nothing is under way and nothing is left to do in the queues that are not paused.

        With `within`, tasks planned further ahead than that many seconds may stay. Raises TimeoutError after
        `timeout` seconds of real time.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._pending(within):
                    if self._dispatcher.done():
                        self._dispatcher.result()
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise TimeoutError(f"after {timeout:g} s still to do: {self._pending(within)}") from None

    def _pending(self, within: float | None) -> dict[str, int]:
        until = float("inf") if within is None else self.clock.now() + within
        counts = {queue.id: queue.pending(until) for queue in self._queues.values()}
        counts["deliveries"] = len(self._running)
        return {name: count for name, count in counts.items() if count}

    # Dispatching

    @asynccontextmanager
    async def _dispatching(self) -> AsyncIterator[None]:
        self.clock.subscribe(self._changed.set)
        self._dispatcher = asyncio.create_task(self._dispatch_for_ever())
        try:
            yield
        finally:
            ending = [self._dispatcher, *self._running]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def _dispatch_for_ever(self) -> None:
        while True:
            self._changed.clear()
            await self.clock.wait(self._dispatch_due(), self._changed, busy=bool(self._running))

    def _dispatch_due(self) -> float | None:
        """Send what may be sent now; answer when there may be more."""
        now = self.clock.now()
        for queue in self._queues.values():
            while task := queue.take(now):
                self._send(queue, task)
        moments = [queue.next_moment(now) for queue in self._queues.values()]
        return min((each for each in moments if each is not None), default=None)

    def _send(self, queue: TaskQueue, task: QueuedTask) -> None:
        headers = self._headers(queue, task)
        attempt = queue.dispatch(task, self.clock.now())
        self._start(self._attempt(queue, task, attempt, headers))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        running = asyncio.create_task(work)
        self._running.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._running.discard(work)
        self._changed.set()
        if not work.cancelled():
            work.result()

    async def _attempt(self, queue: TaskQueue, task: QueuedTask, attempt: Attempt, headers: dict[str, str]) -> None:
        retry, again = task.dispatches - 1, self._duplicates.wanted()

        async def deliver(duplicate: bool) -> Outcome:
            outcome = await self._deliver(task, headers)
            self.deliveries.append(Delivery(attempt.dispatched, queue.id, task.id, retry, outcome.status, duplicate))
            return outcome

        if again and self._duplicates.at_once():
            self._start(_ignoring_answer(deliver(duplicate=True)))
            again = False
        queue.settle(task, attempt, await deliver(duplicate=False), self.clock.now())
        if again:
            await deliver(duplicate=True)

    async def _deliver(self, task: QueuedTask, headers: dict[str, str]) -> Outcome:
        method = tasks_v2.HttpMethod(task.request.http_method or tasks_v2.HttpMethod.POST).name
        body = task.request.body or None
        try:
            async with self.clock.timeout(task.deadline):
                response = await self.http.request(method, task.request.url, headers=headers, content=body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return Outcome(None)
        except Exception:  # An ASGITransport lets the handler's own exceptions through; a server answers 500.
            _log.exception("a handler in this process failed")
            return Outcome(500)
        return Outcome(response.status_code, _retry_after(response.headers.get("Retry-After", ""), self.clock.now()))

    def _headers(self, queue: TaskQueue, task: QueuedTask) -> dict[str, str]:
        headers = own_headers(task.request) | service_headers(queue, task)
        if "oidc_token" in task.request:
            token = task.request.oidc_token
            identity = self.issuer.identity_token(token.service_account_email, token.audience or task.request.url)
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            headers["Authorization"] = f"Bearer {identity}"
        return headers

    # The calls of the API

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[str]:
        server = grpc.aio.server(options=_SERVER_OPTIONS)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, self._handlers()),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(grace=None)

    def _handlers(self) -> dict[str, Any]:
        queue, task = tasks_v2.Queue.serialize, tasks_v2.Task.serialize
        nothing = empty_pb2.Empty.SerializeToString
        calls: list[tuple[str, Any, Callable[[Any], Any], Callable[[Any], bytes]]] = [
            ("CreateQueue", tasks_v2.CreateQueueRequest, self._create_queue, queue),
            ("UpdateQueue", tasks_v2.UpdateQueueRequest, self._update_queue, queue),
            ("GetQueue", tasks_v2.GetQueueRequest, self._get_queue, queue),
            ("ListQueues", tasks_v2.ListQueuesRequest, self._list_queues, tasks_v2.ListQueuesResponse.serialize),
            ("DeleteQueue", tasks_v2.DeleteQueueRequest, self._delete_queue, nothing),
            ("PauseQueue", tasks_v2.PauseQueueRequest, self._pause_queue, queue),
            ("ResumeQueue", tasks_v2.ResumeQueueRequest, self._resume_queue, queue),
            ("PurgeQueue", tasks_v2.PurgeQueueRequest, self._purge_queue, queue),
            ("CreateTask", tasks_v2.CreateTaskRequest, self._create_task, task),
            ("GetTask", tasks_v2.GetTaskRequest, self._get_task, task),
            ("ListTasks", tasks_v2.ListTasksRequest, self._list_tasks, tasks_v2.ListTasksResponse.serialize),
            ("DeleteTask", tasks_v2.DeleteTaskRequest, self._delete_task, nothing),
            ("RunTask", tasks_v2.RunTaskRequest, self._run_task, task),
        ]
        return {
            name: grpc.unary_unary_rpc_method_handler(
                self._answering(name, answer), request_deserializer=request.deserialize, response_serializer=serialize
            )
            for name, request, answer, serialize in calls
        }

    def _answering(self, name: str, answer: Callable[[Any], Any]) -> Callable[[Any, Any], Awaitable[Any]]:
        async def handle(request: Any, context: Any) -> Any:
            try:
                if name == "CreateTask":
                    task_rules.check_call_deadline(context.time_remaining(), self.clock.now())
                return answer(request)
            except task_rules.Refused as refused:
                return await context.abort(refused.code, refused.text)
            finally:
                self._changed.set()

        return handle

    def _queue(self, name: str) -> TaskQueue:
        task_rules.check_queue_name(name)
        if name not in self._queues:
            raise task_rules.queue_missing()
        return self._queues[name]

    def _create_queue(self, request: tasks_v2.CreateQueueRequest) -> tasks_v2.Queue:
        task_rules.check_location(request.parent)
        config = complete_queue(request.queue, _RUNNING)
        task_rules.check_queue(config)
        now = self.clock.now()
        if config.name in self._queues:
            raise task_rules.queue_exists()
        if now - self._deleted_queues.get(config.name, float("-inf")) < _QUEUE_TOMBSTONE_S:
            raise task_rules.queue_existed()
        queue = TaskQueue(config, now=now, tombstone=self._tombstone, jitter=self._jitter)
        self._queues[config.name] = queue
        return queue.config

    def _update_queue(self, request: tasks_v2.UpdateQueueRequest) -> tasks_v2.Queue:
        """Change the settings that the mask names, all without one; makes the queue where there is none."""
        name = request.queue.name
        if name not in self._queues:
            parent = name.partition("/queues/")[0]
            return self._create_queue(tasks_v2.CreateQueueRequest(parent=parent, queue=request.queue))
        queue = self._queues[name]
        config = tasks_v2.Queue(queue.config)
        mask = field_mask_pb2.FieldMask(paths=list(request.update_mask.paths) or ["rate_limits", "retry_config"])
        mask.MergeMessage(tasks_v2.Queue.pb(request.queue), tasks_v2.Queue.pb(config), replace_message_field=True)
        config = complete_queue(config, queue.config.state)
        task_rules.check_queue(config)
        queue.configure(config, self.clock.now())
        return queue.config

    def _get_queue(self, request: tasks_v2.GetQueueRequest) -> tasks_v2.Queue:
        return self._queue(request.name).config

    def _list_queues(self, request: tasks_v2.ListQueuesRequest) -> tasks_v2.ListQueuesResponse:
        task_rules.check_location(request.parent)
        if request.filter:
            raise task_rules.Refused(grpc.StatusCode.UNIMPLEMENTED, "Filters are not known to this stand-in.")
        names = [name for name in self._queues if name.startswith(f"{request.parent}/queues/")]
        page, following = _page(names, request.page_size, request.page_token)
        return tasks_v2.ListQueuesResponse(
            queues=[self._queues[name].config for name in page], next_page_token=following
        )

    def _delete_queue(self, request: tasks_v2.DeleteQueueRequest) -> empty_pb2.Empty:
        task_rules.check_queue_name(request.name)
        if request.name not in self._queues:
            raise task_rules.not_found()
        self._queues.pop(request.name).purge(self.clock.now())
        self._deleted_queues[request.name] = self.clock.now()
        return empty_pb2.Empty()

    def _pause_queue(self, request: tasks_v2.PauseQueueRequest) -> tasks_v2.Queue:
        queue = self._queue(request.name)
        queue.config.state = _PAUSED
        return queue.config

    def _resume_queue(self, request: tasks_v2.ResumeQueueRequest) -> tasks_v2.Queue:
        queue = self._queue(request.name)
        queue.config.state = _RUNNING
        return queue.config

    def _purge_queue(self, request: tasks_v2.PurgeQueueRequest) -> tasks_v2.Queue:
        queue, now = self._queue(request.name), self.clock.now()
        queue.purge(now)
        queue.config.purge_time = moment(now)
        return queue.config

    def _task(self, name: str) -> tuple[TaskQueue, QueuedTask]:
        queue = self._queue(name.partition("/tasks/")[0])
        if name in queue.tasks:
            return queue, queue.tasks[name]
        raise task_rules.task_gone() if queue.remembers(name, self.clock.now()) else task_rules.not_found()

    def _create_task(self, request: tasks_v2.CreateTaskRequest) -> tasks_v2.Task:
        queue, now = self._queue(request.parent), self.clock.now()
        task_rules.check_task(request.task, request.parent, now)
        task = self._queued(request.task, queue, now)
        if task.name in queue.tasks or queue.remembers(task.name, now):
            raise task_rules.task_exists()
        wanted = request.task.schedule_time.timestamp() if "schedule_time" in request.task else now
        queue.schedule(task, max(wanted, now))
        return shown(task, request.response_view)

    def _queued(self, task: tasks_v2.Task, queue: TaskQueue, now: float) -> QueuedTask:
        retry = complete_retry(task.retry_config, queue.config.retry_config)
        task_rules.check_retry(retry)
        deadline = task.dispatch_deadline.total_seconds() if "dispatch_deadline" in task else None
        return QueuedTask(
            name=task.name or f"{queue.config.name}/tasks/{self._names.randrange(10**18, 10**19)}",
            request=task.http_request,
            retry=Retry.of(retry),
            deadline=deadline or _DEFAULT_DISPATCH_DEADLINE_S,
            created=now,
            due=now,
        )

    def _get_task(self, request: tasks_v2.GetTaskRequest) -> tasks_v2.Task:
        return shown(self._task(request.name)[1], request.response_view)

    def _list_tasks(self, request: tasks_v2.ListTasksRequest) -> tasks_v2.ListTasksResponse:
        waiting = self._queue(request.parent).tasks
        page, following = _page(list(waiting), request.page_size, request.page_token)
        return tasks_v2.ListTasksResponse(
            tasks=[shown(waiting[name], request.response_view) for name in page], next_page_token=following
        )

    def _delete_task(self, request: tasks_v2.DeleteTaskRequest) -> empty_pb2.Empty:
        queue, task = self._task(request.name)
        queue.remove(task, self.clock.now())
        return empty_pb2.Empty()

    def _run_task(self, request: tasks_v2.RunTaskRequest) -> tasks_v2.Task:
        """Dispatch now, whatever the schedule, the rate or a pause say."""
        queue, task = self._task(request.name)
        task.due = self.clock.now()
        self._send(queue, task)
        return shown(task, request.response_view)


async def _ignoring_answer(delivery: Awaitable[Outcome]) -> None:
    await delivery


def _retry_after(value: str, now: float) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; 0 without one or with a bad one."""
    if value.isdigit():
        return float(value)
    date = email.utils.parsedate_tz(value)
    return max(0.0, email.utils.mktime_tz(date) - now) if date else 0.0


def _page(names: list[str], size: int, token: str) -> tuple[list[str], str]:
    """One page of the names in their order, and the token of the next page or an empty one."""
    following = sorted(name for name in names if name >= token)
    limit = min(size or _MAX_PAGE, _MAX_PAGE)
    return following[:limit], "".join(following[limit : limit + 1])
