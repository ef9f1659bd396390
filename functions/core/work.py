"""The HTTP surface of the workers: one task in, an answer that tells the queue what to do with it."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from functions.core.http import BodyTooLarge, Handler, body_of, guarded
from functions.core.parked import hopeless
from functions.core.ports import Ports

log = logging.getLogger(__name__)

_MAX_TASK = 100_000

Worker = Callable[[Mapping[str, str]], Awaitable[None]]


class Hopeless(Exception):
    """The task can never succeed as things are: the queue forgets it, and it is put aside with its reason."""


def handler(ports: Ports, function: Literal["sender", "sync"], workers: Mapping[str, Worker]) -> Handler:
    """Return the handler of a worker function: a task's `kind` names who does it.

    An exception of a worker is answered 5xx, and the queue delivers the task again. One that is `Hopeless` is kept as
    an item of `core.parked` and answered 200: retrying it for ever would only hide it.
    """

    async def put_aside(request: Request, body: bytes, reason: str) -> None:
        task = {"function": function, "queue": request.headers.get("x-cloudtasks-queuename"), "payload": _read(body)}
        log.error("task given up", extra={"reason": reason, "task": request.headers.get("x-cloudtasks-taskname")})
        await ports.store.commit(hopeless(reason, task, ports.now()))

    @guarded
    async def work(request: Request) -> Response:
        if request.method == "GET" and request.url.path.endswith("/health"):
            return PlainTextResponse("OK")
        if request.method != "POST":
            return PlainTextResponse("Only tasks are taken here.", 405, headers={"Allow": "POST"})
        body = b""
        try:
            body = await body_of(request, _MAX_TASK)
            await _do(workers, body)
        except Hopeless as error:
            await put_aside(request, body, str(error))
        except BodyTooLarge:
            await put_aside(request, body, f"over {_MAX_TASK} bytes")
        return PlainTextResponse("OK")

    return work


async def _do(workers: Mapping[str, Worker], body: bytes) -> None:
    payload = _read(body)
    worker = workers.get(str(payload.get("kind"))) if isinstance(payload, dict) else None
    if worker is None:
        raise Hopeless("not a task of this function")
    await worker(_Payload(payload))


class _Payload(dict[str, str]):
    """A task's payload; what it should name and does not can't be done later either."""

    def __missing__(self, name: str) -> str:
        raise Hopeless(f"the task names no {name}")


def _read(body: bytes) -> Any:
    """Return a task's payload; None for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
