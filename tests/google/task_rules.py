"""What Cloud Tasks refuses, with the codes and the texts of the real service.

The texts are what the service answers, as recorded by the conformance suite of github.com/aertje/cloud-tasks-emulator
(test/conformance/golden/errors.json) or quoted in public issue threads; those marked "our words" are not recorded
anywhere public.
"""

import datetime
import re

import grpc
from google.cloud import tasks_v2

# The API reference says 100 KB and the quotas page 1 MB for HTTP targets. What passes the lower one passes both.
MAX_TASK_BYTES = 100 * 1024
MAX_URL_LENGTH = 2083
MAX_HEADER_BYTES = 80 * 1024
MAX_AHEAD_S = 720 * 3600
MAX_CALL_DEADLINE_S = 30
DISPATCH_DEADLINE_S = (15, 30 * 60)
MAX_RATE = 500
MAX_CONCURRENT = 5000

_LOCATION = re.compile(r"projects/([\w.:-]+)/locations/([\w-]+)", re.ASCII)
_QUEUE = re.compile(_LOCATION.pattern + r"/queues/([A-Za-z0-9-]{1,100})", re.ASCII)
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_METHODS_WITH_BODY = (tasks_v2.HttpMethod.POST, tasks_v2.HttpMethod.PUT, tasks_v2.HttpMethod.PATCH)


class Refused(Exception):
    """A call is answered with this gRPC status and text."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def invalid(text: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, text)


def queue_missing() -> Refused:
    return Refused(
        grpc.StatusCode.NOT_FOUND,
        "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.",
    )


def not_found() -> Refused:
    return Refused(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")


def task_gone() -> Refused:
    return Refused(
        grpc.StatusCode.NOT_FOUND,
        "The task no longer exists, though a task with this name existed recently. "
        "The task either successfully completed or was deleted.",
    )


def task_exists() -> Refused:
    return Refused(grpc.StatusCode.ALREADY_EXISTS, "Requested entity already exists")


def queue_exists() -> Refused:
    return Refused(grpc.StatusCode.ALREADY_EXISTS, "Queue already exists")


def queue_existed() -> Refused:
    return Refused(
        grpc.StatusCode.FAILED_PRECONDITION,
        "The queue cannot be created because a queue with this name existed too recently.",
    )


def check_location(name: str) -> None:
    if not _LOCATION.fullmatch(name):
        raise Refused(grpc.StatusCode.PERMISSION_DENIED, f"Permission denied on resource project {name}.")


def check_queue_name(name: str) -> None:
    if not _QUEUE.fullmatch(name):
        raise invalid(
            'Queue name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>".'
        )


def check_queue(queue: tasks_v2.Queue) -> None:
    """Check the settings of a complete queue."""
    check_queue_name(queue.name)
    limits, retry = queue.rate_limits, queue.retry_config
    if limits.max_dispatches_per_second < 0:
        raise invalid("RateLimits.maxDispatchesPerSecond cannot be negative.")
    if limits.max_dispatches_per_second > MAX_RATE:
        raise invalid(f"RateLimits.maxDispatchesPerSecond must be less than or equal to {MAX_RATE}.")
    if limits.max_concurrent_dispatches < 0:
        raise invalid("RateLimits.maxConcurrentDispatches cannot be negative.")
    if limits.max_concurrent_dispatches > MAX_CONCURRENT:
        raise invalid(f"RateLimits.maxConcurrentDispatches must be less than or equal to {MAX_CONCURRENT}.")
    check_retry(retry)
    if "http_target" in queue:
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, "Queue.httpTarget is not known to this stand-in.")


def check_retry(retry: tasks_v2.RetryConfig) -> None:
    """Check complete retry settings."""
    if retry.max_attempts < -1:
        raise invalid("RetryConfig.maxAttempts must be greater or equal to -1.")
    if retry.max_doublings < 0:
        raise invalid("RetryConfig.maxDoublings cannot be negative.")
    if retry.min_backoff < datetime.timedelta(0):
        raise invalid("RetryConfig.minBackoff cannot be negative.")
    if retry.min_backoff > retry.max_backoff:
        raise invalid("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.")


def check_task(task: tasks_v2.Task, queue: str, now: float) -> None:
    """Check a task that is to be created in the queue of that name."""
    _check_task_name(task.name, queue)
    if tasks_v2.Task.pb(task).WhichOneof("message_type") == "app_engine_http_request":
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, "App Engine tasks are not known to this stand-in.")
    _check_request(task.http_request)
    _check_times(task, now)
    if len(tasks_v2.Task.serialize(task)) > MAX_TASK_BYTES:
        raise invalid("Task size too large")


def _check_task_name(name: str, queue: str) -> None:
    if not name:
        return
    parent, _, task_id = name.partition("/tasks/")
    if parent != queue:
        raise invalid(
            f"The queue name from request ('{queue}') must be the same as "
            f"the queue name in the named task ('{parent}')."
        )
    if not _TASK_ID.fullmatch(task_id):
        raise invalid(
            f'Task ID "{task_id}" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), '
            "or underscores (_). Task ID must between 1 and 500 characters."
        )


def _check_request(request: tasks_v2.HttpRequest) -> None:
    if not request.url:
        raise invalid("HttpRequest.url is required.")
    if not request.url.startswith(("http://", "https://")):
        raise invalid("HttpTarget.url must start with 'http://' or 'https://'.")
    if len(request.url) > MAX_URL_LENGTH:
        raise invalid(f"HttpRequest.url is longer than {MAX_URL_LENGTH} characters.")  # our words
    if request.body and (request.http_method or tasks_v2.HttpMethod.POST) not in _METHODS_WITH_BODY:
        raise invalid("HttpRequest.body is not allowed for this HTTP method.")  # our words
    if sum(len(name) + len(value) for name, value in request.headers.items()) >= MAX_HEADER_BYTES:
        raise invalid("HttpRequest.headers are too large.")  # our words
    if tasks_v2.HttpRequest.pb(request).WhichOneof("authorization_header") == "oauth_token":
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, "OAuth tokens are not known to this stand-in; use OIDC.")
    if "oidc_token" in request and not request.oidc_token.service_account_email:
        raise invalid("OidcToken.serviceAccountEmail is required.")  # our words


def _check_times(task: tasks_v2.Task, now: float) -> None:
    if "schedule_time" in task and task.schedule_time.timestamp() > now + MAX_AHEAD_S:
        raise invalid(
            f"The Task.scheduleTime, {task.schedule_time.isoformat()}, is too far in the future. "
            "Schedule time must be no more than 720h in the future."
        )
    lowest, highest = DISPATCH_DEADLINE_S
    if "dispatch_deadline" in task and not lowest <= task.dispatch_deadline.total_seconds() <= highest:
        raise invalid("Task.dispatchDeadline must be between 15s and 30m.")  # our words


def check_call_deadline(remaining: float | None, now: float) -> None:
    """Refuse a call whose client is ready to wait longer than the service allows; `remaining` in seconds."""
    if remaining is not None and remaining > MAX_CALL_DEADLINE_S:
        moment = datetime.datetime.fromtimestamp(now + remaining, datetime.UTC).isoformat()
        raise invalid(
            f"The request deadline is {moment}. The deadline cannot be more than {MAX_CALL_DEADLINE_S}s in the future."
        )
