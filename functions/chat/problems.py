"""Refusals: each has a stable code and a sentence that a person can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from functions.core.http import problem
from functions.core.store import NotFound, Unstorable


class Problem(Exception):
    """A refusal that the caller reads; `more` are further members of the problem document."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.more = more


def faulty(code: str, detail: str, faults: Mapping[str, str]) -> Problem:
    """Return the refusal of a body of which some fields are wrong; `faults`: a sentence for each."""
    return Problem(422, code, detail, errors=[{"field": field, "message": text} for field, text in faults.items()])


def not_found() -> Problem:
    """What is missing and what is not yours look the same, so that ids can't be tried out."""
    return Problem(404, "not_found", "There is no such thing here, or it belongs to somebody else.")


def _field(loc: Sequence[int | str], body: Any) -> str:
    """Return the place of a fault as the caller wrote it, without the names of the kinds that were tried."""
    places, there = list[str](), body
    for index, part in enumerate(loc[1:], 2):
        inside = _holds(there, part)
        if inside:
            there = there[part]
        # A kind may bear the name of the field that holds it.
        if inside or (index == len(loc) and places[-1:] != [str(part)]):
            places.append(str(part))
    return ".".join(places)


def _holds(there: Any, part: int | str) -> bool:
    if isinstance(there, list):
        return isinstance(part, int)
    return isinstance(there, Mapping) and part in there


def install(app: FastAPI) -> None:
    """Make every refusal of an app a problem document."""

    @app.exception_handler(Problem)
    async def refused(request: Request, error: Problem) -> Response:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return problem(error.status, error.code, error.detail, headers, **error.more)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            {"field": _field(fault["loc"], error.body), "message": f"{fault['msg'].removeprefix('Value error, ')}."}
            for fault in error.errors()
        ]
        place, text = faults[0].values()
        return problem(422, "invalid", f"{place or 'The body'}: {text}", errors=faults)

    @app.exception_handler(NotFound)
    async def gone(request: Request, error: NotFound) -> Response:
        # It was there when it was opened, and has been erased since.
        return await refused(request, not_found())

    @app.exception_handler(Unstorable)
    async def unstorable(request: Request, error: Unstorable) -> Response:
        return problem(422, "unstorable", "This can't be kept: it is too large, or holds a number beyond bounds.")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, "http", str(error.detail), dict(error.headers or {}))
