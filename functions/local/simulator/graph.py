"""The Graph API as far as WhatsApp needs it: `/graph/{version}/{node}[/{edge}]`, and file downloads.

Source: Meta, "Cloud API" and "Business Management API" references.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from functions.local.simulator.administration import Administration
from functions.local.simulator.door import Door, body_of
from functions.local.simulator.errors import GraphError, unknown_node
from functions.local.simulator.media import File
from functions.local.simulator.shapes import parse_read_mark, parse_send

if TYPE_CHECKING:
    from functions.local.simulator.simulator import Simulator

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
    admin = Administration(simulator)
    graph = _Graph(simulator, admin)
    edges = (
        ("messages", "POST", graph.messages),
        ("media", "POST", graph.upload),
        ("whatsapp_business_profile", "GET", graph.profile),
        ("message_templates", "GET", graph.templates),
        ("message_templates", "POST", graph.create_template),
        ("message_templates", "DELETE", graph.delete_template),
        ("subscribed_apps", "GET", admin.subscribed_apps),
        ("subscribed_apps", "POST", admin.subscribe),
        ("subscribed_apps", "DELETE", admin.unsubscribe),
        ("subscriptions", "GET", admin.subscriptions),
        ("subscriptions", "POST", admin.set_subscriptions),
        ("register", "POST", admin.register),
        ("deregister", "POST", admin.deregister),
        ("phone_numbers", "GET", graph.numbers),
    )
    answering = _Answering(simulator)
    return [
        Route(_FILE, answering(graph.download)),
        *(Route(f"{_NODE}/{edge}", answering(handler), methods=[method]) for edge, method, handler in edges),
        Route("/graph/{version}/debug_token", answering(admin.debug_token)),
        Route("/graph/{version}/app", answering(admin.app)),
        Route(_NODE, answering(graph.node)),
        Route(_NODE, answering(admin.change), methods=["POST"]),
        Route(_NODE, answering(graph.delete), methods=["DELETE"]),
        Route("/graph/{path:path}", answering(graph.unknown), methods=["GET", "POST", "DELETE"]),
    ]


class _Answering:
    """Answers a `GraphError` as Meta does, says what time it is, and takes its time if it is told to."""

    def __init__(self, simulator: Simulator) -> None:
        self._all = simulator

    def __call__(self, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            if slow := self._all.scenarios.take(("slow",), str(request.path_params.get("node", ""))):
                await self._all.pause(slow.figure("seconds"))
            answer = await self._answer(handler, request)
            answer.headers["Date"] = formatdate(self._all.now(), usegmt=True)
            return answer

        return endpoint

    async def _answer(self, handler: Handler, request: Request) -> Response:
        try:
            return await handler(request)
        except GraphError as error:
            bearer = {"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token"'} if error.http == 401 else {}
            return JSONResponse(error.body(), error.http, headers=bearer)


class _Graph(Door):
    """The endpoints of everyday. Each checks the version, the token and the node before anything else."""

    def __init__(self, simulator: Simulator, administration: Administration) -> None:
        super().__init__(simulator)
        self._administration = administration

    async def messages(self, request: Request) -> Response:
        line = self._line(request)
        body = await body_of(request)
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
                return JSONResponse(_selected(request, self._administration.facts(line), _NUMBER_FIELDS))
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
        waba, body = self._waba(request), await body_of(request)
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

    async def numbers(self, request: Request) -> Response:
        waba = self._waba(request)
        lines = [line for line in self._bearer(request) if line.waba == waba]
        facts = [self._administration.facts(line) for line in lines]
        return JSONResponse({"data": [_selected(request, one, _NUMBER_FIELDS) for one in facts]})

    async def unknown(self, request: Request) -> Response:
        self._check_version(request)
        self._bearer(request)
        raise GraphError(2500, message=f"Unknown path components: /{request.path_params['path']}", http=400)

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
