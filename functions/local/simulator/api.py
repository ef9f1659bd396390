"""`/simulator/…`: the customer's phone page, and what tests and strangers may do and see.

Directions are the customer's: `out` is what the customer wrote, `in` is what came from the business.
Errors are problem documents.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from functions.core.http import problem
from functions.core.phone import digits
from functions.local.simulator.customers import Customer, Line, Message
from functions.local.simulator.identifiers import international, node_id
from functions.local.simulator.media import RECEIVED_LIMIT
from functions.local.simulator.payloads import template_status
from functions.local.simulator.phones import Unwritable, iso
from functions.local.simulator.scenarios import FAULTS, Scenario
from functions.local.simulator.shapes import FILES

if TYPE_CHECKING:
    from functions.local.simulator.simulator import Simulator

Handler = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)
Number = Annotated[str, BeforeValidator(lambda given: digits(str(given))), Field(pattern=r"^\d{7,15}$")]

_PAGE = {path.name: path for path in (Path(__file__).parent / "phone").iterdir()}
_HEARTBEAT = 15  # seconds
_SHOWN_IN_PLACE = ("image/", "video/", "audio/")
_FRESH = {"Cache-Control": "no-cache"}
_POLICY = "default-src 'self'; img-src 'self' blob:; style-src 'self'; frame-ancestors 'self'"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCustomer(_Body):
    """Somebody who uses WhatsApp."""

    wa_id: Number
    name: str = Field(min_length=1, max_length=100)


class NewLine(_Body):
    """A number that a business has added in Meta's console, and that nobody has registered yet."""

    number: Annotated[str, Field(pattern=r"^\+[\d ()-]{7,25}$")]
    name: str = Field(min_length=1, max_length=100)
    waba: str | None = Field(None, pattern=r"^\d{1,20}$")


class Switches(_Body):
    """How a customer's phone behaves. What is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=100)
    username: str | None = None
    online: bool | None = None
    auto_read: bool | None = None
    receipts: bool | None = None
    shares_phone: bool | None = None
    marketing: bool | None = None


class Seen(_Body):
    """The customer looks at a chat (`read`) or listens to its voice messages (`played`)."""

    line: str | None = None
    state: Literal["read", "played"] = "read"


class Redelivery(_Body):
    """Post the newest delivered webhook that contains a text again, several times at once."""

    times: int = Field(1, ge=1, le=100)
    containing: str = ""


class Advance(_Body):
    """Move the simulated clock forward by so many seconds."""

    advance: float = Field(ge=0)


class Definition(BaseModel):
    """A template's definition; its status is reported by webhook."""

    model_config = ConfigDict(extra="allow")

    waba: str | None = None
    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$")
    language: str
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] = "UTILITY"
    status: str = "APPROVED"
    components: list[dict[str, Any]]


def routes(simulator: Simulator) -> list[Route]:
    """Return the routes under `/simulator`."""
    api = _Api(simulator)
    person = "/simulator/customers/{wa_id}"
    table = (
        ("GET", "/simulator/", api.page),
        ("GET", "/simulator/wa.me/{number}", api.open_link),
        ("GET", "/simulator/lines", api.lines),
        ("POST", "/simulator/lines", api.add_line),
        ("GET", "/simulator/customers", api.customers),
        ("POST", "/simulator/customers", api.add_customer),
        ("PATCH", person, api.switch),
        ("GET", f"{person}/messages", api.messages),
        ("POST", f"{person}/messages", api.write),
        ("POST", f"{person}/media", api.add_file),
        ("POST", f"{person}/read", api.read),
        ("GET", "/simulator/media/{media_id}", api.file),
        ("GET", "/simulator/events", api.events),
        ("GET", "/simulator/scenarios", api.scenarios),
        ("POST", "/simulator/scenarios", api.set_scenario),
        ("DELETE", "/simulator/scenarios", api.clear_scenarios),
        ("DELETE", "/simulator/scenarios/{id:int}", api.clear_scenarios),
        ("GET", "/simulator/webhooks", api.webhooks),
        ("POST", "/simulator/webhooks", api.send_webhook),
        ("POST", "/simulator/webhook/redeliver", api.redeliver),
        ("POST", "/simulator/webhook/verify", api.verify),
        ("POST", "/simulator/templates", api.put_template),
        ("POST", "/simulator/clock", api.clock),
    )
    return [
        Route("/simulator", lambda _: RedirectResponse("/simulator/")),
        *(Route(path, _answering(handler), methods=[method]) for method, path, handler in table),
        Route("/simulator/page/{name}", _answering(api.part)),
    ]


def _answering(handler: Handler) -> Handler:
    async def endpoint(request: Request) -> Response:
        # A page of another site must not write in a customer's name.
        if request.method != "GET" and request.headers.get("sec-fetch-site") == "cross-site":
            return problem(403, "cross_site", "Only the simulator's own page and programs may do this.")
        try:
            return await handler(request)
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, fault["loc"])) or "body"
            return problem(422, "invalid", f"{place}: {fault['msg']}")
        except Unwritable as error:
            return problem(422, "unwritable", str(error))

    return endpoint


class _Api:
    def __init__(self, simulator: Simulator) -> None:
        self._all = simulator

    async def page(self, _: Request) -> Response:
        """The phone. `?customer={wa_id}` chooses whose, `&link={wa.me URL, percent-encoded}` opens a link on it."""
        return FileResponse(_PAGE["index.html"], headers={"Content-Security-Policy": _POLICY, **_FRESH})

    async def part(self, request: Request) -> Response:
        """A script, style or picture of the page."""
        name = request.path_params["name"]
        if name not in _PAGE:
            return problem(404, "not_found", "The page has no such part.")
        return FileResponse(_PAGE[name], headers=_FRESH)

    async def open_link(self, request: Request) -> Response:
        """What `https://wa.me/…` is on a phone with WhatsApp: the chat, the text ready in it."""
        written = f"https://wa.me/{request.path_params['number']}?{request.url.query}"
        return RedirectResponse(f"/simulator/?link={quote(written, safe='')}", 302)

    async def lines(self, _: Request) -> Response:
        return JSONResponse([_line(line) for line in self._all.lines.values()])

    async def add_line(self, request: Request) -> Response:
        """What Meta's console does: the answer is all that `leadline line add` asks for."""
        given = NewLine.model_validate(await _json(request))
        number = Line(node_id(), given.waba or node_id(), given.number, given.name, f"simulated-{secrets.token_hex(8)}")
        self._all.add_line(number)
        return JSONResponse({**_line(number), "waba": number.waba, "token": number.token}, 201)

    async def customers(self, _: Request) -> Response:
        return JSONResponse([self._person(customer) for customer in self._all.customers.all()])

    async def add_customer(self, request: Request) -> Response:
        given = NewCustomer.model_validate(await _json(request))
        known = self._all.customers.get(given.wa_id) is not None
        customer = self._all.customers.meet(given.wa_id, given.name)
        return JSONResponse(self._person(customer), 200 if known else 201)

    async def switch(self, request: Request) -> Response:
        given = Switches.model_validate(await _json(request)).model_dump(exclude_none=True)
        wa_id = _wa_id(request)
        customer = self._all.phones.switch(wa_id, **given) if given else self._all.customers.meet(wa_id)
        return JSONResponse(self._person(customer))

    async def messages(self, request: Request) -> Response:
        """What the customer's phone shows, oldest first, as received."""
        line, after = request.query_params.get("line"), request.query_params.get("after", "0")
        wa_id = _wa_id(request)
        found = self._all.customers.messages(wa_id, line, int(after) if after.isdigit() else 0)
        return JSONResponse([self._message(message) for message in found])

    async def write(self, request: Request) -> Response:
        """Write to a line: JSON in the inbound shape, or a file as multipart."""
        wa_id = _wa_id(request)
        if "multipart/form-data" in request.headers.get("content-type", ""):
            body = await self._file_message(request)
        else:
            body = await _json(request)
        if isinstance(body.get("text"), str):
            body["text"] = {"body": body["text"]}
        line, name = body.pop("line", None) or next(iter(self._all.lines)), body.pop("name", None)
        return JSONResponse(self._message(self._all.phones.write(wa_id, body, line, name)), 201)

    async def add_file(self, request: Request) -> Response:
        async with request.form() as form:
            kind, file_id, _ = await self._received(form)
        return JSONResponse({"id": file_id, "type": kind}, 201)

    async def read(self, request: Request) -> Response:
        given = Seen.model_validate(await _json(request))
        return JSONResponse({"changed": self._all.phones.read(_wa_id(request), given.line, given.state)})

    async def file(self, request: Request) -> Response:
        """The bytes of a file, as the phone shows them: without a token, never as active content."""
        file = self._all.media.get(request.path_params["media_id"])
        if file is None:
            return problem(404, "gone", "There is no such file any more.")
        in_place = file.mime.startswith(_SHOWN_IN_PLACE) and "svg" not in file.mime
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        kind = "inline" if in_place else "attachment"
        return FileResponse(
            file.path,
            media_type=file.mime,
            filename=file.name,
            content_disposition_type=kind,
            headers=headers,
        )

    async def events(self, _: Request) -> Response:
        """Server-Sent Events: the `wa_id` of whoever has news."""

        async def stream() -> AsyncIterator[str]:
            yield "retry: 500\n\n"
            async for wa_id in self._all.changes.stream(_HEARTBEAT):
                yield f"data: {wa_id}\n\n" if wa_id else ": quiet\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def scenarios(self, _: Request) -> Response:
        faults = {name: fault.meaning for name, fault in FAULTS.items()}
        active = [scenario.model_dump(exclude_none=True) for scenario in self._all.scenarios.all()]
        return JSONResponse({"items": active, "faults": faults})

    async def set_scenario(self, request: Request) -> Response:
        scenario = Scenario.model_validate(await _json(request))
        return JSONResponse(self._all.scenarios.set(scenario).model_dump(exclude_none=True), 201)

    async def clear_scenarios(self, request: Request) -> Response:
        self._all.scenarios.clear(request.path_params.get("id"))
        return Response(status_code=204)

    async def webhooks(self, _: Request) -> Response:
        return JSONResponse(self._all.webhooks.recent(50))

    async def send_webhook(self, request: Request) -> Response:
        """Sign and deliver any body as it is."""
        self._all.webhooks.add_raw(await _json(request))
        return Response(status_code=202)

    async def redeliver(self, request: Request) -> Response:
        given = Redelivery.model_validate(await _json(request))
        answers = await self._all.webhooks.redeliver(given.times, given.containing)
        if not answers:
            return problem(404, "nothing", "No delivered webhook contains that.")
        return JSONResponse({"answers": answers})

    async def verify(self, _: Request) -> Response:
        return JSONResponse({"verified": await self._all.verify_webhook()})

    async def put_template(self, request: Request) -> Response:
        given = Definition.model_validate(await _json(request))
        definition = given.model_dump(exclude={"waba"})
        line = next(line for line in self._all.lines.values() if given.waba in (None, line.waba))
        template_id = self._all.templates.put(line.waba, definition)
        self._all.webhooks.add(
            line.waba,
            "message_template_status_update",
            template_status(template_id, definition),
            line=line.phone_number_id,
            customer=None,
        )
        return JSONResponse({**definition, "id": template_id}, 201)

    async def clock(self, request: Request) -> Response:
        self._all.advance(Advance.model_validate(await _json(request)).advance)
        return JSONResponse({"now": iso(self._all.now())})

    async def _file_message(self, request: Request) -> dict[str, Any]:
        async with request.form() as form:
            kind, file_id, name = await self._received(form)
            content: dict[str, Any] = {"id": file_id}
            if kind == "document" and name:
                content["filename"] = name
            if caption := form.get("caption"):
                content["caption"] = str(caption)
            if kind == "audio":
                content["voice"] = form.get("voice") == "true"
            message: dict[str, Any] = {"type": kind, kind: content, "line": form.get("line")}
            if quoted := form.get("context"):
                message["context"] = {"id": str(quoted)}
        return message

    async def _received(self, form: FormData) -> tuple[str, str, str | None]:
        """Keep the file of a form; return the type of its message, its id and its name."""
        upload, kind = form.get("file"), str(form.get("type") or "")
        if not isinstance(upload, UploadFile):
            raise Unwritable("The form needs a part named file.")
        if kind and kind not in FILES:
            raise Unwritable(f"type must be one of {', '.join(FILES)}.")
        if (upload.size or 0) > RECEIVED_LIMIT:
            raise Unwritable("WhatsApp takes files up to 100 MB.")
        line = str(form.get("line") or next(iter(self._all.lines)))
        file = await self._all.media.receive(line, upload.file, upload.content_type, upload.filename)
        return kind or file.kind, file.id, file.name

    def _person(self, customer: Customer) -> dict[str, Any]:
        chats = [self._chat(line, customer) for line in self._all.lines.values()]
        return {
            **{name: getattr(customer, name) for name in Customer.__dataclass_fields__},
            "number": international(customer.wa_id),
            "chats": chats,
        }

    def _chat(self, line: Line, customer: Customer) -> dict[str, Any]:
        place = (line.phone_number_id, customer.wa_id)
        last = self._all.customers.last(*place)
        return {
            "line": line.phone_number_id,
            "unread": self._all.customers.unread(*place),
            "typing": self._all.customers.typing_until(*place) > self._all.now(),
            "last": self._message(last) if last else None,
        }

    def _message(self, message: Message) -> dict[str, Any]:
        shown = {
            "id": message.id,
            "direction": "out" if message.author == "customer" else "in",
            "from": message.author,
            "line": message.line,
            "type": message.type,
            **message.content,
            "status": message.status,
            "at": iso(message.at),
            "version": message.version,
        }
        content = message.content.get(message.type)
        file = self._all.media.get(str(content.get("id"))) if message.type in FILES and content else None
        if file:
            url = f"/simulator/media/{file.id}"
            shown["media"] = {"url": url, "mime": file.mime, "name": file.name, "size": file.size}
        return shown


def _line(line: Line) -> dict[str, str]:
    return {
        "phone_number_id": line.phone_number_id,
        "number": line.number,
        "name": line.name,
        "link": f"https://wa.me/{digits(line.number)}",
    }


def _wa_id(request: Request) -> str:
    wa_id = digits(request.path_params["wa_id"])
    if not 7 <= len(wa_id) <= 15:
        raise Unwritable("A customer is named by a phone number in digits, country code first.")
    return wa_id


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise Unwritable("The body is no JSON.") from None
    if not isinstance(body, dict):
        raise Unwritable("The body must be a JSON object.")
    return body
