"""Refusals: each has a stable code and a sentence that a person can act on."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from functions.core.http import problem


class Problem(Exception):
    """A refusal that the caller reads."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail


def not_found() -> Problem:
    """What is missing and what is not yours look the same, so that ids can't be tried out."""
    return Problem(404, "not_found", "There is no such thing here, or it belongs to somebody else.")


def install(app: FastAPI) -> None:
    """Make every refusal of an app a problem document."""

    @app.exception_handler(Problem)
    async def refused(request: Request, error: Problem) -> Response:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return problem(error.status, error.code, error.detail, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return problem(422, "invalid", f"{place or 'The body'}: {first['msg']}.")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, "http", str(error.detail), dict(error.headers or {}))
