"""The Graph API as far as WhatsApp needs it: `/graph/{version}/{node}[/{edge}]`, and file downloads.

Source: Meta, "Cloud API" and "Business Management API" references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from functions.local.simulator.customers import Line
from functions.local.simulator.errors import GraphError, unknown_node
from functions.local.simulator.media import File
from functions.local.simulator.shapes import parse_read_mark, parse_send

if TYPE_CHECKING:
    from functions.local.simulator.simulator import Simulator

_VERSIONS = {f"v{major}.0" for major in range(21, 27)}
_FILE = "/graph/whatsapp_business/attachments/"
_NODE = "/graph/{version}/{node}"

_NUMBER_FIELDS = (
    "id,verified_name,display_phone_number,code_verification_status,quality_rating,platform_type,throughput,"
    "webhook_configuration"
)
_TEMPLATE_FIELDS = "name,parameter_format,components,language,status,category,id"

Handler = Callable[[Request], Awaitable[Response]]


def routes(simulator: Simulator) -> list[Route]:
    """Return the routes of the simulated Graph API."""
    graph = _Graph(simulator)
    edges = (
        ("messages", "POST", graph.messages),
        ("media", "POST", graph.upload),
        ("whatsapp_business_profile", "GET", graph.profile),
        ("message_templates", "GET", graph.templates),
        ("message_templates", "POST", graph.create_template),
        ("message_templates", "DELETE", graph.delete_template),
        ("subscribed_apps", "GET", graph.subscriptions),
        ("subscribed_apps", "POST", graph.subscribe),
        ("subscribed_apps", "DELETE", graph.unsubscribe),
        ("phone_numbers", "GET", graph.numbers),
    )
    return [
        Route(_FILE, _answering(graph.download)),
        *(Route(f"{_NODE}/{edge}", _answering(handler), methods=[method]) for edge, method, handler in edges),
        Route(_NODE, _answering(graph.node)),
        Route(_NODE, _answering(graph.delete), methods=["DELETE"]),
        Route("/graph/{path:path}", _answering(graph.unknown), methods=["GET", "POST", "DELETE"]),
    ]


def _answering(handler: Handler) -> Handler:
    """Answer a `GraphError` as Meta does."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except GraphError as error:
            bearer = {"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token"'} if error.http == 401 else {}
            return JSONResponse(error.body(), error.http, headers=bearer)

    return endpoint


class _Graph:
    """The endpoints. Each checks the version, the token and the node before anything else."""

    def __init__(self, simulator: Simulator) -> None:
        self._all = simulator

    async def messages(self, request: Request) -> Response:
        line = self._line(request)
        body = await _json(request)
        if "status" in body:
            return JSONResponse(self._all.sends.mark_read(line, parse_read_mark(body)))
        return JSONResponse(await self._all.sends.send(line, parse_send(body)))

    async def upload(self, request: Request) -> Response:
        line = self._line(request)
        async with request.form() as form:
            if form.get("messaging_product") != "whatsapp":
                raise GraphError(100, message="(#100) The parameter messaging_product is required.")
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise GraphError(100, message="(#100) The parameter file is required.")
            # The part's own type decides; the `type` field does not override it.
            kept = await self._all.media.upload(line.phone_number_id, file.file, file.content_type, file.filename)
        return JSONResponse({"id": kept.id})

    async def download(self, request: Request) -> Response:
        line = self._bearer(request)[0]
        query = request.query_params
        until = query.get("ext", "")
        file = None
        if until.isdigit():
            file = self._all.media.at_url(query.get("mid", ""), until, query.get("hash", ""))
        if file is None or not self._may_see(request, file):
            return Response(status_code=404)
        if failing := self._all.scenarios.take(("media_failing",), line.phone_number_id):
            return Response(status_code=int(failing.figure("http")))
        return FileResponse(file.path, media_type=file.mime, filename=file.name)

    async def node(self, request: Request) -> Response:
        """Answer for whatever has this id: a number, an account, a file or a template."""
        self._check_version(request)
        lines, node = self._bearer(request), request.path_params["node"]
        for line in lines:
            if node == line.phone_number_id:
                return JSONResponse(_selected(request, self._number(line), _NUMBER_FIELDS))
            if node == line.waba:
                return JSONResponse({"id": line.waba, "name": line.name, "timezone_id": "1"})
        if file := self._file(request, node):
            return JSONResponse(self._facts(request, file))
        found = self._all.templates.get(node)
        if found and found[0] in {line.waba for line in lines}:
            return JSONResponse(_selected(request, found[1], _TEMPLATE_FIELDS))
        raise unknown_node(node, request.method)

    async def delete(self, request: Request) -> Response:
        self._check_version(request)
        file = self._file(request, request.path_params["node"])
        if file is None:
            raise unknown_node(request.path_params["node"], request.method)
        self._all.media.remove(file)
        return JSONResponse({"success": True})

    async def profile(self, request: Request) -> Response:
        line = self._line(request)
        return JSONResponse({"data": [{"about": line.name, "messaging_product": "whatsapp"}]})

    async def templates(self, request: Request) -> Response:
        """List an account's templates in pages. The cursor is the place in the list."""
        waba = self._waba(request)
        wanted = {
            key: request.query_params[key] for key in ("name", "language", "status") if key in request.query_params
        }
        found = [one for one in self._all.templates.all(waba) if _fits(one, wanted)]
        start, limit = _cursor(request), _limit(request)
        page = found[start : start + limit]
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
        if start + limit < len(found):
            after = str(request.url.include_query_params(after=start + limit))
            paging["next"] = after
        return JSONResponse({"data": [_selected(request, one, _TEMPLATE_FIELDS) for one in page], "paging": paging})

    async def create_template(self, request: Request) -> Response:
        waba, body = self._waba(request), await _json(request)
        for key in ("name", "language", "category", "components"):
            if key not in body:
                raise GraphError(100, message=f"(#100) The parameter {key} is required.")
        if not re.fullmatch(r"[a-z0-9_]{1,512}", str(body["name"])):
            raise GraphError(100, "name: lower-case letters, digits and underscores only")
        template_id = self._all.templates.put(waba, {**body, "status": "PENDING"})
        return JSONResponse({"id": template_id, "status": "PENDING", "category": body["category"]})

    async def delete_template(self, request: Request) -> Response:
        waba = self._waba(request)
        if not self._all.templates.remove(waba, request.query_params.get("name", "")):
            raise GraphError(100, "name: there is no such template")
        return JSONResponse({"success": True})

    async def subscriptions(self, request: Request) -> Response:
        waba = self._waba(request)
        app = {"whatsapp_business_api_data": {"id": "100000000000009", "name": "Leadline", "link": ""}}
        return JSONResponse({"data": [app] if self._all.webhooks.subscribed(waba) else []})

    async def subscribe(self, request: Request) -> Response:
        self._all.webhooks.subscribe(self._waba(request), on=True)
        return JSONResponse({"success": True})

    async def unsubscribe(self, request: Request) -> Response:
        self._all.webhooks.subscribe(self._waba(request), on=False)
        return JSONResponse({"success": True})

    async def numbers(self, request: Request) -> Response:
        waba = self._waba(request)
        lines = [line for line in self._bearer(request) if line.waba == waba]
        return JSONResponse({"data": [_selected(request, self._number(line), _NUMBER_FIELDS) for line in lines]})

    async def unknown(self, request: Request) -> Response:
        self._check_version(request)
        self._bearer(request)
        raise GraphError(2500, message=f"Unknown path components: /{request.path_params['path']}", http=400)

    def _check_version(self, request: Request) -> None:
        version = request.path_params.get("version") or request.path_params["path"].partition("/")[0]
        if not re.fullmatch(r"v\d+\.\d+", version):
            raise GraphError(2500, message=f"Unknown path components: /{version}", http=400)
        if version not in _VERSIONS:
            raise GraphError(2635)

    def _bearer(self, request: Request) -> list[Line]:
        """Return the lines that the token may use."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            message = "An access token is required to request this resource."
            raise GraphError(104, message=message, http=401)
        lines = [line for line in self._all.lines.values() if line.token == token]
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

    def _file(self, request: Request, node: str) -> File | None:
        file = self._all.media.get(node)
        return file if file and self._may_see(request, file) else None

    def _may_see(self, request: Request, file: File) -> bool:
        token = request.headers["authorization"].partition(" ")[2]
        return self._all.lines[file.line].token == token

    def _facts(self, request: Request, file: File) -> dict[str, Any]:
        number = request.query_params.get("phone_number_id")
        # The parameter asks who uploaded the file; a customer's was uploaded by no number, and Meta refuses.
        if number is not None and (number != file.line or not file.uploaded):
            refused = "(#100) Param phone_number_id is not a valid whatsapp business phone number id ID"
            raise GraphError(100, message=refused)
        return {
            "messaging_product": "whatsapp",
            "url": self._all.media.url(file),
            "mime_type": file.mime,
            "sha256": file.sha256.hex(),
            "file_size": str(file.size),
            "id": file.id,
        }

    def _number(self, line: Line) -> dict[str, Any]:
        locked = any(
            one.fault == "account_locked" and one.strikes(line.phone_number_id, one.customer)
            for one in self._all.scenarios.all()
        )
        health = "BLOCKED" if locked else "AVAILABLE"
        entities = [
            {"entity_type": "PHONE_NUMBER", "id": line.phone_number_id, "can_send_message": "AVAILABLE"},
            {"entity_type": "WABA", "id": line.waba, "can_send_message": health},
        ]
        return {
            "id": line.phone_number_id,
            "verified_name": line.name,
            "display_phone_number": line.number,
            "code_verification_status": "VERIFIED",
            "quality_rating": "GREEN",
            "status": "CONNECTED",
            "name_status": "APPROVED",
            "platform_type": "CLOUD_API",
            "account_mode": "LIVE",
            "is_on_biz_app": False,
            "throughput": {"level": "STANDARD"},
            "webhook_configuration": {"application": self._all.webhooks.url},
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
            "health_status": {"can_send_message": health, "entities": entities},
        }


def _selected(request: Request, whole: dict[str, Any], default: str) -> dict[str, Any]:
    """Return the fields that were asked for, and always the id."""
    names = [name.partition("{")[0].strip() for name in request.query_params.get("fields", default).split(",")]
    if unknown := [name for name in names if name not in whole]:
        raise GraphError(100, message=f"(#100) Tried accessing nonexisting field ({unknown[0]})")
    return {**{name: whole[name] for name in names}, "id": whole["id"]}


def _fits(template: dict[str, Any], wanted: dict[str, str]) -> bool:
    """Say whether a template passes the filters; that of the name is content with a part of it."""
    return all(value in template[key] if key == "name" else value == template[key] for key, value in wanted.items())


def _cursor(request: Request) -> int:
    after = request.query_params.get("after", "0")
    if not after.isdigit():
        raise GraphError(131059)
    return int(after)


def _limit(request: Request) -> int:
    limit = request.query_params.get("limit", "25")
    return min(max(int(limit), 1), 100) if limit.isdigit() else 25


async def _json(request: Request) -> dict[str, Any]:
    """Return the body as an object. Meta takes what it can't read as a request without parameters."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
