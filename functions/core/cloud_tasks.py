"""The task queue in Google Cloud Tasks.

A call is repeated within its time: a task that is queued twice by that has a name, and is then one, or runs twice,
which each task stands anyway.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from functions.core.google_calls import DEADLINE, channel_of, in_time
from functions.core.queues import DOUBLINGS, FIRST_PAUSE, LONGEST_PAUSE, limits_of
from functions.core.tasks import QueueUnavailable, Task

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksAsyncClient


_MAKING = 20
"""Seconds: an admin waits, and Google takes its time to make a queue."""


class CloudTasks:
    """The queues of a location as a `TaskQueue`.

    `urls` says where each function is, by its name; `account` is the service account as which the queue calls it,
    None where nobody checks. With CLOUD_TASKS_EMULATOR_HOST set it talks to that stand-in.
    """

    def __init__(self, project: str, location: str, *, urls: Mapping[str, str], account: str | None = None) -> None:
        self._parent = f"projects/{project}/locations/{location}"
        self._urls = urls
        self._account = account
        self._emulator = os.environ.get("CLOUD_TASKS_EMULATOR_HOST")
        self._client: CloudTasksAsyncClient | None = None
        self._connecting = asyncio.Lock()

    async def enqueue(self, task: Task) -> None:
        queue = f"{self._parent}/queues/{task.queue}"
        request = {"parent": queue, "task": self._message(task, queue)}

        async def created() -> None:
            await (await self._api()).create_task(request=request, retry=None, timeout=DEADLINE)

        try:
            await in_time(created)
        except exceptions.AlreadyExists:
            return
        except exceptions.GoogleAPICallError as error:
            raise QueueUnavailable(f"Cloud Tasks did not take a task for {task.queue}: {error}") from error
        except TimeoutError as error:
            raise QueueUnavailable(f"Cloud Tasks did not answer within {DEADLINE} s") from error
        except GoogleAuthError as error:
            raise QueueUnavailable(f"there are no credentials for Cloud Tasks: {error}") from error

    async def make_queue(self, queue: str) -> None:
        limits = limits_of(queue)
        if limits is None:
            raise ValueError(f"no queue may be called {queue}")
        wanted = {
            "name": f"{self._parent}/queues/{queue}",
            "rate_limits": {
                "max_dispatches_per_second": limits.rate,
                "max_concurrent_dispatches": limits.concurrent,
            },
            "retry_config": {
                "max_attempts": -1,
                "min_backoff": timedelta(seconds=FIRST_PAUSE),
                "max_backoff": timedelta(seconds=LONGEST_PAUSE),
                "max_doublings": DOUBLINGS,
            },
        }
        try:
            # Google makes a queue that it is asked to change and that is not there.
            await (await self._api()).update_queue(request={"queue": wanted}, timeout=_MAKING)
        except exceptions.FailedPrecondition as error:
            raise QueueUnavailable(f"a queue {queue} was deleted some days ago: Google keeps its name") from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise QueueUnavailable(f"Cloud Tasks did not make the queue {queue}: {error}") from error
        except GoogleAuthError as error:
            raise QueueUnavailable(f"there are no credentials for Cloud Tasks: {error}") from error

    async def remove_queue(self, queue: str) -> None:
        try:
            await (await self._api()).delete_queue(name=f"{self._parent}/queues/{queue}", timeout=_MAKING)
        except exceptions.NotFound:
            return
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise QueueUnavailable(f"Cloud Tasks did not remove the queue {queue}: {error}") from error
        except GoogleAuthError as error:
            raise QueueUnavailable(f"there are no credentials for Cloud Tasks: {error}") from error

    async def close(self) -> None:
        client, self._client = self._client, None
        if client:
            await client.transport.close()  # type: ignore[no-untyped-call]

    def _message(self, task: Task, queue: str) -> dict[str, Any]:
        url = self._urls[task.function]
        request: dict[str, Any] = {
            "url": url,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(dict(task.payload)).encode(),
        }
        if self._account:
            request["oidc_token"] = {"service_account_email": self._account, "audience": url}
        message: dict[str, Any] = {"http_request": request}
        if task.name:
            message["name"] = f"{queue}/tasks/{task.name}"
        if task.at:
            message["schedule_time"] = task.at
        return message

    async def _api(self) -> "CloudTasksAsyncClient":
        """The client, imported and made at the first call: most instances of the chat function never queue."""
        from google.cloud.tasks_v2 import CloudTasksAsyncClient
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport as Transport

        async with self._connecting:
            if self._client is None:
                channel = await channel_of(Transport, self._emulator)
                self._client = CloudTasksAsyncClient(transport=Transport(channel=channel))
            return self._client
