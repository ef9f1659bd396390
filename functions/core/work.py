"""The HTTP surface of the workers: one task in, an answer that tells the queue what to do with it."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from functions.core.http import BodyTooLarge, Handler, body_of, guarded

log = logging.getLogger(__name__)

_MAX_TASK = 100_000

Worker = Callable[[Mapping[str, str]], Awaitable[None]]


class Hopeless(Exception):
    """The task can never succeed: it is answered 200, so that the queue forgets it, and logged with its reason."""


def handler(workers: Mapping[str, Worker]) -> Handler:
    """Return the handler of a worker function: a task's `kind` names who does it.

    An exception of a worker is answered 5xx, and the queue delivers the task again.
    """

    @guarded
    async def work(request: Request) -> Response:
        if request.method == "GET" and request.url.path.endswith("/health"):
            return PlainTextResponse("OK")
        if request.method != "POST":
            return PlainTextResponse("Only tasks are taken here.", 405, headers={"Allow": "POST"})
        try:
            await _do(workers, await body_of(request, _MAX_TASK))
        except (Hopeless, BodyTooLarge) as error:
            # Retrying it for ever would only hide it.
            log.error(
                "task given up", extra={"reason": str(error), "task": request.headers.get("x-cloudtasks-taskname")}
            )
        return PlainTextResponse("OK")

    return work


async def _do(workers: Mapping[str, Worker], body: bytes) -> None:
    try:
        payload = json.loads(body)
        worker = workers[payload["kind"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Hopeless("not a task of this function") from None
    await worker(payload)
