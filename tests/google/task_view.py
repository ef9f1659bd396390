"""How a task looks from outside: in the API's answers, and in the request its handler gets."""

import datetime

from google.cloud import tasks_v2
from google.rpc import code_pb2

from tests.google.task_queue import Attempt, QueuedTask, TaskQueue

USER_AGENT = "Google-Cloud-Tasks"

_REPLACED_HEADERS = ("host", "content-length", "user-agent")
_REPLACED_PREFIXES = ("x-google-", "x-appengine-", "x-cloudtasks-")

# google.rpc.Code by HTTP status, as last_attempt.response_status shows it.
_RPC_CODES: dict[int, int] = {
    400: code_pb2.INVALID_ARGUMENT,
    401: code_pb2.UNAUTHENTICATED,
    403: code_pb2.PERMISSION_DENIED,
    404: code_pb2.NOT_FOUND,
    409: code_pb2.ABORTED,
    429: code_pb2.RESOURCE_EXHAUSTED,
    503: code_pb2.UNAVAILABLE,
    504: code_pb2.DEADLINE_EXCEEDED,
}


def own_headers(request: tasks_v2.HttpRequest) -> dict[str, str]:
    """The headers of the task without those that the service sets or drops."""
    return {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in _REPLACED_HEADERS and not name.lower().startswith(_REPLACED_PREFIXES)
    }


def service_headers(queue: TaskQueue, task: QueuedTask) -> dict[str, str]:
    """The headers that the service adds to the next attempt of the task."""
    headers = {
        "User-Agent": USER_AGENT,
        "X-CloudTasks-QueueName": queue.id,
        "X-CloudTasks-TaskName": task.id,
        "X-CloudTasks-TaskRetryCount": str(task.dispatches),
        "X-CloudTasks-TaskExecutionCount": str(task.executions),
        "X-CloudTasks-TaskETA": f"{task.due:.6f}",
    }
    if task.last and task.last.status is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(task.last.status)
        # Recorded from the real service: there, and empty, whatever the answer was.
        headers["X-CloudTasks-TaskRetryReason"] = ""
    return headers


def shown(task: QueuedTask, view: tasks_v2.Task.View) -> tasks_v2.Task:
    """The task as the API shows it; the basic view leaves the body out."""
    full = view == tasks_v2.Task.View.FULL
    request = tasks_v2.HttpRequest(task.request)
    request.headers = own_headers(request) | {"User-Agent": USER_AGENT}
    request.http_method = tasks_v2.HttpMethod(request.http_method or tasks_v2.HttpMethod.POST)
    if not full:
        request.body = b""
    return tasks_v2.Task(
        name=task.name,
        http_request=request,
        schedule_time=moment(task.due),
        create_time=moment(int(task.created)),
        dispatch_deadline=datetime.timedelta(seconds=task.deadline),
        dispatch_count=task.dispatches,
        response_count=task.answers,
        first_attempt=tasks_v2.Attempt(dispatch_time=moment(task.first.dispatched)) if task.first else None,
        last_attempt=_shown_attempt(task.last, running=task.running) if task.last else None,
        view=tasks_v2.Task.View.FULL if full else tasks_v2.Task.View.BASIC,
    )


def _shown_attempt(attempt: Attempt, *, running: bool) -> tasks_v2.Attempt:
    view = tasks_v2.Attempt(schedule_time=moment(attempt.scheduled), dispatch_time=moment(attempt.dispatched))
    if attempt.answered is not None:
        view.response_time = moment(attempt.answered)
    if not running:
        message = f"HTTP status code {attempt.status}" if attempt.status else "no answer"
        view.response_status = {"code": _rpc_code(attempt.status), "message": message}
    return view


def _rpc_code(status: int | None) -> int:
    if status is None:
        return int(code_pb2.DEADLINE_EXCEEDED)
    return _RPC_CODES.get(status, int(code_pb2.INTERNAL if status >= 500 else code_pb2.UNKNOWN))


def moment(seconds: float) -> datetime.datetime:
    """Seconds since 1970 as the API's messages take them."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
