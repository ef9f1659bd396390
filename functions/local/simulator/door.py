"""What every call to the simulated Graph API passes first: the version, the token, the node."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from functions.local.simulator.customers import Line
from functions.local.simulator.errors import GraphError, unknown_node

if TYPE_CHECKING:
    from functions.local.simulator.simulator import Simulator

_VERSIONS = {f"v{major}.0" for major in range(21, 27)}


class Door:
    """The checks that all endpoints share."""

    def __init__(self, simulator: Simulator) -> None:
        self._all = simulator

    def _check_version(self, request: Request) -> None:
        version = request.path_params.get("version") or request.path_params["path"].partition("/")[0]
        if not re.fullmatch(r"v\d+\.\d+", version):
            raise GraphError(2500, message=f"Unknown path components: /{version}", http=400)
        if version not in _VERSIONS:
            raise GraphError(2635)

    def _bearer(self, request: Request) -> list[Line]:
        """Return the lines that the token may use."""
        lines = [line for line in self._all.lines.values() if line.token == token_of(request)]
        if not lines:
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
        if self._all.scenarios.take(("token_expired",), lines[0].phone_number_id):
            raise GraphError(190)
        return lines

    def _line(self, request: Request) -> Line:
        self._check_version(request)
        node = request.path_params["node"]
        for line in self._bearer(request):
            if line.phone_number_id == node:
                return line
        raise unknown_node(node, request.method)

    def _waba(self, request: Request) -> str:
        self._check_version(request)
        node: str = request.path_params["node"]
        if node not in {line.waba for line in self._bearer(request)}:
            raise unknown_node(node, request.method)
        return node


def token_of(request: Request) -> str:
    """Return the call's token. Raises `GraphError`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GraphError(104, message="An access token is required to request this resource.", http=401)
    return token


async def body_of(request: Request) -> dict[str, Any]:
    """Return the body as an object. Meta takes what it can't read as a request without parameters."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
