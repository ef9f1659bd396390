"""The routes of the chat API; `/v1/openapi.json` describes them."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from pydantic import AwareDatetime
from starlette.middleware.cors import CORSMiddleware

from functions.chat import (
    cards,
    connecting,
    consent,
    contacts,
    files,
    links,
    problems,
    pulling,
    reading,
    reviews,
    settling,
    starting,
    templates,
    uploads,
    way_in,
    writing,
)
from functions.chat.audit import note_seen
from functions.chat.bodies import Care, Message, NewFile, Note, Read, Settle, Start
from functions.chat.callers import Caller, Door
from functions.chat.cursors import Limit
from functions.chat.desk import Desk
from functions.core.http import Bounded, Guard, Handler, guarded
from functions.core.limits import limits_view
from functions.core.lines import Directory
from functions.core.ports import Ports
from functions.core.secrets import Seal
from functions.core.settings import BadSetting

_PREFIX = "/chat"
"""The API is `/chat/v1/…` wherever it runs: on one machine beside the others, in the cloud on its own host."""

MAX_BODY = 4 << 20
"""Bytes. The largest that makes sense are the results of a page of events."""


def create(ports: Ports, *, one_machine: bool = False) -> Handler:
    """Return the function's handler. `one_machine` honours grants for every conversation. Raises `BadSetting`."""
    if ports.settings.connection_keys is None:
        raise BadSetting("LEADLINE_CONNECTION_KEYS is missing: it opens the secrets of the CRM connections.")
    directory = Directory(ports.store)
    door = Door(ports, directory, ports.settings.connection_keys, one_machine=one_machine)
    app = _app(Desk(ports, directory), door, ports.settings.connection_keys)

    @guarded
    async def chat(request: Request) -> Any:
        if request.scope["path"].startswith(_PREFIX + "/"):
            request.scope["root_path"] = _PREFIX
        # The Functions Framework calls what a handler returns, and an app answers for itself.
        return app

    return chat


def _description(app: FastAPI) -> dict[str, Any]:
    # Imported here, so that its many models cost no start.
    from functions.chat.description import described

    app.openapi_schema = app.openapi_schema or described(app)
    return app.openapi_schema


def _app(desk: Desk, door: Door, seal: Seal) -> FastAPI:
    app = FastAPI(
        title="Leadline chat API",
        version="1",
        description="Read and answer a customer's conversation. Browsers carry a grant, CRM servers sign their calls.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        # Another address would be made from the Host header.
        redirect_slashes=False,
    )
    app.add_middleware(Bounded, limit=MAX_BODY)
    # Inside of CORS, so that a browser can read a 503 too.
    app.add_middleware(Guard)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT"],
        allow_headers=["Authorization", "Content-Type", "Range"],
        max_age=86400,
    )
    problems.install(app)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    calling = Annotated[Caller, Depends(door.caller)]

    @app.get("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/conversations")
    async def conversations(
        caller: calling,
        line: str | None = None,
        updated_after: AwareDatetime | None = None,
        before: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """List the connection's conversations, the latest first (CRM servers only)."""
        return await pulling.conversations(
            desk, caller, line=line, updated_after=updated_after, before=before, limit=limit
        )

    @app.post("/v1/conversations", status_code=202)
    async def start(caller: calling, body: Start, response: Response) -> dict[str, Any]:
        """Begin a conversation with a template; repeating it with its `client_id` is harmless (CRM servers only)."""
        opened, message, fresh = await starting.start(desk, caller, body)
        response.status_code = 202 if fresh else 200
        return {
            "conversation": await reading.head(desk, opened),
            "message": await reading.one(desk, opened, message),
        }

    @app.put("/v1/conversations/{conversation}")
    async def amend(caller: calling, conversation: str, care: Care) -> dict[str, Any]:
        """Say who looks after a conversation, which cards show it, and how it is tagged (CRM servers only)."""
        return await reading.head(desk, await cards.amend(desk, caller, conversation, care))

    @app.get("/v1/conversations/{conversation}")
    async def conversation_head(caller: calling, conversation: str) -> dict[str, Any]:
        """Who is talked to, until when free text is allowed, who looks after it, and what is unread."""
        return await reading.head(desk, await desk.open(caller, conversation, "read"))

    @app.get("/v1/conversations/{conversation}/messages")
    async def messages(
        caller: calling,
        conversation: str,
        after: str | None = None,
        before: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """One page: the newest, those before a cursor, or all that is new or changed after one."""
        opened = await desk.open(caller, conversation, "read")
        await note_seen(desk, caller, opened)
        if after is not None:
            return await reading.changes(desk, opened, after=after, limit=limit)
        return await reading.page(desk, opened, before=before, limit=limit)

    @app.post("/v1/conversations/{conversation}/messages", status_code=202)
    async def send(caller: calling, conversation: str, message: Message, response: Response) -> dict[str, Any]:
        """Send a message in Graph's shape; repeating it with its `client_id` is harmless."""
        opened = await desk.open(caller, conversation, "send")
        stored, fresh = await writing.send(desk, caller, opened, message)
        response.status_code = 202 if fresh else 200
        return await reading.one(desk, opened, stored)

    @app.post("/v1/conversations/{conversation}/messages/{message}/settle")
    async def settle(
        caller: calling, conversation: str, message: str, body: Settle, response: Response
    ) -> dict[str, Any]:
        """Send a message again whose end is unknown, or that failed; or let it be.

        Answers 202 with the new message, or 200 with the one that is let be. Too early is 409 `too_early`; when its
        status came meanwhile, 409 `settled_already`.
        """
        opened = await desk.open(caller, conversation, "send")
        stored, fresh = await settling.settle(desk, caller, opened, message, body)
        response.status_code = 202 if fresh else 200
        return await reading.one(desk, opened, stored)

    @app.post("/v1/conversations/{conversation}/notes", status_code=201)
    async def note(caller: calling, conversation: str, body: Note, response: Response) -> dict[str, Any]:
        """Leave a note that colleagues see and the customer never does."""
        opened = await desk.open(caller, conversation, "note")
        stored, fresh = await writing.note(desk, caller, opened, body)
        response.status_code = 201 if fresh else 200
        return await reading.one(desk, opened, stored)

    @app.post("/v1/conversations/{conversation}/read")
    async def read(caller: calling, conversation: str, body: Read) -> dict[str, int]:
        """Mark as read up to a message; the customer sees blue ticks."""
        return await writing.mark_read(desk, await desk.open(caller, conversation, "read"), body.message)

    @app.post("/v1/conversations/{conversation}/typing", status_code=202)
    async def typing(caller: calling, conversation: str) -> dict[str, Any]:
        """Show the customer that somebody writes, and that the last message was read; repeat it every 20 s."""
        await writing.show_typing(desk, await desk.open(caller, conversation, "send"))
        return {}

    @app.post("/v1/media", status_code=201)
    async def media(caller: calling, file: NewFile) -> dict[str, Any]:
        """Announce a file; the answer says where to put its bytes."""
        return await uploads.prepare(desk, caller, file)

    @app.get("/v1/templates")
    async def list_templates(
        caller: calling,
        line: str | None = None,
        search: str | None = None,
        language: str | None = None,
        after: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """The line's templates with what each needs, those that can be sent first. A grant's line need not be named."""
        return await templates.templates(
            desk, caller, line=line, search=search, language=language, after=after, limit=limit
        )

    @app.post("/v1/templates/sync", status_code=202)
    async def sync_templates(caller: calling, line: str) -> dict[str, Any]:
        """Ask WhatsApp for the line's templates again (CRM servers only)."""
        return await templates.sync(desk, caller, line)

    @app.get("/v1/media/{message}")
    async def file(caller: calling, message: str) -> dict[str, Any]:
        """Say where a message's file, and its thumbnail, can be had for the next minutes."""
        return await files.addresses(desk, caller, message)

    @app.post("/v1/conversations/{conversation}/messages/{message}/fetch", status_code=202)
    async def fetch(caller: calling, conversation: str, message: str) -> dict[str, Any]:
        """Fetch a received file again that could not be fetched."""
        return await files.fetch_again(desk, await desk.open(caller, conversation, "read"), message)

    @app.get("/v1/limits")
    async def limits(caller: calling) -> dict[str, Any]:
        """Say which lengths, types and sizes WhatsApp takes."""
        return limits_view()

    @app.get("/v1/reviews")
    async def list_reviews(caller: calling, before: str | None = None, limit: Limit = 50) -> dict[str, Any]:
        """Contacts that may be the same person, the latest found first (CRM servers only)."""
        return await reviews.reviews(desk, caller, before=before, limit=limit)

    @app.get("/v1/events")
    async def events(caller: calling, after: str = "0", limit: Limit = 100) -> dict[str, Any]:
        """The connection's waiting events, to pull where we can't reach the CRM (CRM servers only)."""
        return await pulling.events(desk, caller, after=after, limit=limit)

    @app.post("/v1/events/results")
    async def results(caller: calling, handed: pulling.Results) -> dict[str, Any]:
        """Say what became of events that were pulled: they are not told again (CRM servers only)."""
        return await pulling.hand_in(desk, caller, handed)

    app.include_router(connecting.routes(desk, door, seal))
    app.include_router(consent.routes(desk, door))
    app.include_router(links.routes(desk, door))
    app.include_router(way_in.routes(desk))
    app.include_router(contacts.routes(desk, door))
    return app
