"""Every answer of the chat API, in whichever test, is held to what the API says of itself."""

import re

import httpx
from pydantic import BaseModel

from functions.chat.answers import Problem
from functions.chat.description import ANSWERS, PUBLIC

_ROUTES = [
    (method, re.compile("/chat" + re.sub(r"{\w+}", "[^/]+", path)), answered)
    for (method, path), answered in {**ANSWERS, **dict.fromkeys(PUBLIC)}.items()
]


async def described(answer: httpx.Response) -> None:
    """Check an answer against the description. Raises AssertionError or `pydantic.ValidationError`."""
    await answer.aread()
    if answer.headers.get("content-type") == "application/problem+json":
        Problem.model_validate_json(answer.content)
    elif answer.request.method in ("GET", "POST", "PUT", "DELETE") and (model := _model(answer)):
        model.model_validate_json(answer.content)


def _model(answer: httpx.Response) -> type[BaseModel] | None:
    """Return the model of an answer; None for what is no route, such as the description itself."""
    request = answer.request
    for method, path, answered in _ROUTES:
        if request.method.lower() == method and path.fullmatch(request.url.path):
            if answered is None:
                return None
            assert answer.status_code in answered, f"{method} {request.url.path} answers {answer.status_code}"
            return answered[answer.status_code]
    assert not re.match("/chat/v1/(?!openapi)", request.url.path), f"{request.url.path} is not described"
    return None
