"""The four functions on one machine's adapters, spoken to over HTTP.

Played by recorders: WhatsApp's Graph API and the CRM. Run by hand: the task queue and the clock.
"""

import base64
import json
import re
import sqlite3
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.fernet import Fernet

from functions.chat.app import create as create_chat
from functions.core.http import asgi
from functions.core.ids import key_of
from functions.core.lines import Connection, Line, connection_writes, line_writes, waba_key
from functions.core.ports import Ports
from functions.core.secrets import Seal, derive
from functions.core.settings import from_environment
from functions.core.signature import sign_call, sign_meta, verify_call
from functions.core.store import Document, Key, Query, Store, Unavailable, Write, delete, update
from functions.core.tasks import QueueUnavailable, Task
from functions.local.file_media import FileMedia
from functions.local.sqlite_store import SqliteStore
from functions.sender.app import create as create_sender
from functions.sync.app import create as create_sync
from functions.webhook.app import create as create_webhook
from tests import payloads
from tests.described import described
from tests.payloads import NUMBER, WABA, Customer, inbound_text, webhook

PUBLIC_URL, GRAPH_URL, CRM_URL = "http://leadline.test", "https://graph.test", "http://crm.test"
APP_SECRET, OLD_APP_SECRET, VERIFY_TOKEN = "app-secret", "old-app-secret", "verify-token"
LINE, CONNECTION, ACCOUNT, TOKEN = "line", "connection", "acme", "access-token"
LINE_NUMBER = "+1 555 010 0001"
DATA_KEY = Fernet.generate_key().decode()

ENVIRONMENT = {
    "LEADLINE_PUBLIC_URL": PUBLIC_URL,
    "LEADLINE_TOKEN_KEYS": DATA_KEY,
    "LEADLINE_CONNECTION_KEYS": DATA_KEY,
    "LEADLINE_ALLOW_PRIVATE_CRM": "1",
    "WHATSAPP_APP_SECRET": f"{APP_SECRET},{OLD_APP_SECRET}",
    "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
    "WHATSAPP_GRAPH_URL": GRAPH_URL,
}


class Clock:
    """Shows the real time, as the store's own clock does, until it is put forward; never the same time twice."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._last = datetime.now(UTC)

    def __call__(self) -> datetime:
        self._last = max(datetime.now(UTC) + self._ahead, self._last + timedelta(milliseconds=1))
        return self._last

    def forward(self, **duration: float) -> None:
        self._ahead += timedelta(**duration)

    def align(self, seconds: int) -> None:
        """Go on to the next moment that is a whole multiple of so many seconds."""
        shown = self()
        # What was asked for often is ahead of the real time.
        ahead = (shown - datetime.now(UTC) - self._ahead).total_seconds()
        self.forward(seconds=seconds - shown.timestamp() % seconds + max(ahead, 0))

    def wall(self) -> float:
        """Return what the clock would show had nobody put it forward, in epoch seconds."""
        return (self() - self._ahead).timestamp()


class HandRunTasks:
    """A task queue whose tasks wait until a test runs them: in any order, twice, or later."""

    def __init__(self, clock: Clock) -> None:
        self.waiting: list[Task] = []
        self.made: list[str] = []
        self.out_of_reach = False
        self._clock = clock
        self._names: dict[str, datetime] = {}

    async def enqueue(self, task: Task) -> None:
        if self.out_of_reach:
            raise QueueUnavailable
        now = self._clock()
        if task.name:
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,500}", task.name)
            # A name rests for an hour, from when its task was due.
            if self._names.get(task.name, now - timedelta(hours=2)) > now - timedelta(hours=1):
                return
            self._names[task.name] = max(task.at or now, now)
        assert re.fullmatch(r"[A-Za-z0-9-]{1,100}", task.queue)
        self.waiting.append(task)

    def due(self) -> list[Task]:
        now = self._clock()
        return [task for task in self.waiting if task.at is None or task.at <= now]

    def of_kind(self, kind: str) -> list[Task]:
        return [task for task in self.waiting if task.payload["kind"] == kind]

    async def make_queue(self, queue: str) -> None:
        if self.out_of_reach:
            raise QueueUnavailable("the queues are away")
        self.made.append(queue)

    async def remove_queue(self, queue: str) -> None:
        if self.out_of_reach:
            raise QueueUnavailable("the queues are away")
        self.made = [name for name in self.made if name != queue]

    async def close(self) -> None: ...


class WatchedStore:
    """A store that counts its calls, and is away when it is told to be."""

    def __init__(self, store: Store) -> None:
        self.calls: Counter[str] = Counter()
        self.out_of_reach = False
        self._store = store
        self._failing: Counter[str] = Counter()
        self._losing: Counter[str] = Counter()
        self._before: dict[str, Callable[[], Awaitable[Any]]] = {}

    def before_next(self, call: str, happening: Callable[[], Awaitable[Any]]) -> None:
        """Let something happen right before the next `get`, `commit` or `query`."""
        self._before[call] = happening

    def fails_next(self, call: str) -> None:
        """Let the next `get`, `commit` or `query` do nothing but fail."""
        self._failing[call] += 1

    def heals(self) -> None:
        """Forget what it was told to do."""
        self.out_of_reach = False
        self._failing.clear()
        self._losing.clear()

    def loses_next_answer(self, call: str) -> None:
        """Let the next call be done, and its caller not hear of it."""
        self._losing[call] += 1

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        return await self._watched("get", self._store.get, keys)

    async def commit(self, writes: Sequence[Write]) -> None:
        await self._watched("commit", self._store.commit, writes)

    async def query(self, query: Query) -> list[Document]:
        return await self._watched("query", self._store.query, query)

    async def close(self) -> None:
        await self._store.close()

    async def _watched(self, name: str, call: Callable[[Any], Awaitable[Any]], argument: Any) -> Any:
        if happening := self._before.pop(name, None):
            await happening()
        self.calls[name] += 1
        if self.out_of_reach or _took_one(self._failing, name):
            raise Unavailable("the store is away")
        answer = await call(argument)
        if _took_one(self._losing, name):
            raise Unavailable("the answer is lost")
        return answer


def _took_one(counter: Counter[str], name: str) -> bool:
    left = counter[name]
    counter[name] = max(0, left - 1)
    return left > 0


Answer = httpx.Response | Exception | Callable[[httpx.Request], Awaitable[httpx.Response]]


class WhatsApp:
    """Plays the Graph API: takes every message, unless the next answers were set."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.read_marks: list[str] = []
        self.typing: list[str] = []
        self.uploads: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.templates: list[dict[str, Any]] = []
        self.template_asks = 0
        self.tokens: set[str] = set()
        self.numbers: list[str] = []
        self._answers: deque[Answer] = deque()
        self._player: Answer | None = None

    @property
    def texts(self) -> list[str]:
        return [message["text"]["body"] for message in self.messages]

    def answers_next(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    def plays(self, player: Answer | None) -> None:
        """Answer everything this way from now on."""
        self._player = player

    def refuses_next(self, code: int, status: int = 400, **more: Any) -> None:
        error = {"code": code, "message": "A title", "type": "OAuthException", **more}
        self.answers_next(httpx.Response(status, json={"error": error}))

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.tokens.add(request.headers["authorization"].removeprefix("Bearer "))
        usual = self.usual(request)
        answer = self._answers.popleft() if self._answers else self._player
        if answer is None:
            return usual
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else await answer(request)

    def usual(self, request: httpx.Request) -> httpx.Response:
        """Return what it answers when nobody said otherwise."""
        if request.url.path.endswith("/message_templates"):
            return self._template_page(request)
        if request.method == "GET":
            return self._file(request)
        if request.url.path.endswith("/media"):
            self.uploads.append(request.content)
            return httpx.Response(200, json={"id": f"uploaded-{len(self.uploads)}"})
        body = json.loads(request.content)
        self.numbers.append(request.url.path.split("/")[-2])
        if body.get("status") == "read":
            self.read_marks.append(body["message_id"])
            if body.get("typing_indicator") == {"type": "text"}:
                self.typing.append(body["message_id"])
            return httpx.Response(200, json={"success": True})
        self.messages.append(body)
        return accepted(f"wamid.out.{len(self.messages)}")

    def _template_page(self, request: httpx.Request) -> httpx.Response:
        """Show the templates two at a time, so that paging is always at work."""
        self.template_asks += 1
        asked = request.url.params
        found = [one for one in self.templates if asked.get("name", "") in one["name"]]
        start = int(asked.get("after", 0))
        paging = {"cursors": {"after": str(start + 2)}}
        if start + 2 < len(found):
            paging["next"] = "https://graph.test/next"
        return httpx.Response(200, json={"data": found[start : start + 2], "paging": paging})

    def _file(self, request: httpx.Request) -> httpx.Response:
        media_id = request.url.path.rpartition("/")[2]
        file = self.files.get(media_id)
        if file is None:
            return httpx.Response(400, json={"error": {"code": 100, "message": "no such file"}})
        return file_answer(request, media_id, file)


def file_answer(request: httpx.Request, media_id: str, file: bytes) -> httpx.Response:
    """Return Meta's answer to who asks for a file: where it is, or at that address the file itself."""
    if request.url.host == "lookaside.fbsbx.com":
        return httpx.Response(200, content=file)
    return httpx.Response(
        200,
        json={
            "url": f"https://lookaside.fbsbx.com/{media_id}",
            "mime_type": "image/jpeg",
            "sha256": sha256(file).hexdigest(),
            "file_size": str(len(file)),
            "id": media_id,
        },
    )


def accepted(wamid: str, **contact: str) -> httpx.Response:
    """Return Meta's answer to a message that it took."""
    return httpx.Response(200, json={"contacts": [{"input": "x", **contact}], "messages": [{"id": wamid}]})


@dataclass
class Crm:
    """Plays the add-on: checks every signature, takes every event, and shows a lead for it."""

    secret: str
    clock: Clock
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)
    asked: int = 0
    down: bool = False
    refuses: dict[str, str] = field(default_factory=dict)
    answers_with: Callable[[list[dict[str, Any]]], Awaitable[httpx.Response]] | None = None

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type_]

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        keys = [derive(self.secret, "events")]
        target = request.url.raw_path.decode()
        verify_call(keys, request.headers, request.method, target, request.content, self.clock().timestamp())
        self.asked += 1
        if self.down:
            return httpx.Response(502)
        body = json.loads(request.content)
        assert body["connection"] == request.headers["leadline-connection"]
        self.headers.append(request.headers)
        self.batches.append(body["events"])
        if self.answers_with:
            return await self.answers_with(body["events"])
        return httpx.Response(200, json={"results": [self.result(event) for event in body["events"]]})

    def result(self, event: dict[str, Any]) -> dict[str, Any]:
        sentence = self.refuses.get(event["type"])
        if sentence:
            return {"id": event["id"], "ok": False, "refused": sentence}
        lead = {"model": "crm.lead", "id": 7, "name": "A lead"}
        return {"id": event["id"], "ok": True, "records": [lead], "owner": {"id": 2, "name": "Marc"}}


class Tab:
    """The chat tab of one agent: an HTTP client that carries a fresh grant for one conversation."""

    def __init__(self, rig: "Rig", conversation: str, **claims: Any) -> None:
        self._rig = rig
        self._claims = claims
        self.conversation = conversation
        self.url = f"/v1/conversations/{conversation}"

    async def get(self, url: str, **parameters: Any) -> httpx.Response:
        return await self._rig.chat.get(url, params=parameters or None, headers=self._headers())

    async def post(self, url: str, body: Any) -> httpx.Response:
        return await self._rig.chat.post(url, json=body, headers=self._headers())

    async def head(self) -> dict[str, Any]:
        return _good(await self.get(self.url))

    async def page(self, **parameters: Any) -> dict[str, Any]:
        return _good(await self.get(f"{self.url}/messages", **parameters))

    async def messages(self) -> list[dict[str, Any]]:
        return (await self.page(limit=200))["items"]

    async def last(self) -> dict[str, Any]:
        return (await self.messages())[-1]

    async def send(self, message: dict[str, Any], client_id: str | None = None) -> httpx.Response:
        client_id = client_id or f"client-{time.perf_counter_ns()}"
        return await self.post(f"{self.url}/messages", {"client_id": client_id, **message})

    async def say(self, body: str, client_id: str | None = None) -> dict[str, Any]:
        return _good(await self.send({"type": "text", "text": {"body": body}}, client_id))

    async def upload(self, file: bytes, mime: str, name: str = "file", *, size: int | None = None) -> str:
        """Announce a file and put its bytes where we are told to; returns the id that a message names."""
        announced = {"conversation": self.conversation, "filename": name, "mime": mime, "size": size or len(file)}
        answer = _good(await self.post("/v1/media", announced))
        target = answer["upload"]
        put = await self._rig.files.request(
            target["method"], target["url"], content=file, headers={"Content-Type": mime} | target["headers"]
        )
        assert put.is_success, (put.status_code, put.text)
        return answer["id"]

    async def note(self, body: str, client_id: str = "client-note") -> httpx.Response:
        return await self.post(f"{self.url}/notes", {"client_id": client_id, "body": body})

    async def read(self, message: str) -> httpx.Response:
        return await self.post(f"{self.url}/read", {"message": message})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._rig.grant(self.conversation, **self._claims)}"}


class Rig:
    """Everything, wired. The functions are HTTP clients here: `webhook`, `sender`, `sync`, `chat`."""

    def __init__(self, folder: Path, *, store: Store | None = None, **settings: str) -> None:
        self.settings = from_environment(ENVIRONMENT | settings)
        self.clock = Clock()
        self.tasks = HandRunTasks(self.clock)
        self._folder = folder
        self.store = WatchedStore(store or SqliteStore(folder / "store.db"))
        self.media = FileMedia(
            folder / "media", f"{PUBLIC_URL}/media", b"media-key", clock=lambda: self.clock().timestamp()
        )
        self.whatsapp = WhatsApp()
        self.secret = new_secret()
        self.crm = Crm(self.secret, self.clock)
        self.ports = Ports(self.settings, self.store, self.tasks, self.media, self.clock)
        self.files = _client(self.media.app, "")
        self.start()

    def start(
        self,
        *,
        one_machine: bool = False,
        to_crm: httpx.AsyncClient | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the functions; a second time: as fresh instances that remember nothing.

        `to_crm`: another way to the CRMs than to the one that is played; `timer` measures Meta's answers.
        """
        outward = httpx.AsyncClient(transport=httpx.MockTransport(self.whatsapp))
        to_crm = to_crm or httpx.AsyncClient(transport=httpx.MockTransport(self.crm))
        self.webhook = _client(asgi(create_webhook(self.ports)), "")
        self.sender = _client(asgi(create_sender(self.ports, outward, timer)), "")
        self.sync = _client(asgi(create_sync(self.ports, to_crm)), "")
        self.chat = _client(asgi(create_chat(self.ports, one_machine=one_machine)), "/chat", described)

    async def set_up(self) -> None:
        """Write the line and the connection of one account, whose templates were copied long ago and are not due."""
        await self.add_line()
        await self.store.commit([update(waba_key(WABA), {"templates_due": self.clock.wall() + 10 * 365 * 86400})])
        await self.add_connection()

    async def add_line(self, line: str = LINE, *, number: str = NUMBER, **fields: str) -> None:
        sealed = Seal([DATA_KEY]).close(fields.pop("token", TOKEN))
        known = {"account": ACCOUNT, "connection": CONNECTION, "number": LINE_NUMBER, "name": "Shop", "waba": WABA}
        await self.store.commit(line_writes(Line(id=line, phone_number_id=number, token=sealed, **(known | fields))))

    async def add_connection(self, connection: str = CONNECTION, *secrets: str, **fields: Any) -> None:
        sealed = tuple(Seal([DATA_KEY]).close(secret) for secret in secrets or (self.secret,))
        known = {"account": ACCOUNT, "kind": "odoo", "url": CRM_URL}
        await self.store.commit(connection_writes(Connection(id=connection, secrets=sealed, **(known | fields))))

    def documents(self, collection: str) -> list[dict[str, Any]]:
        """Return what lies in the store, for what no interface shows (yet)."""
        with closing(sqlite3.connect(self._folder / "store.db")) as database:
            rows = database.execute("SELECT fields FROM documents WHERE collection = ?", (collection,))
            return [json.loads(fields) for (fields,) in rows]

    def names(self, collection: str) -> list[str]:
        """Return the names of documents, which end up in logs and bills."""
        with closing(sqlite3.connect(self._folder / "store.db")) as database:
            rows = database.execute("SELECT id FROM documents WHERE collection = ?", (collection,))
            return [name for (name,) in rows]

    def stored_files(self, account: str) -> list[str]:
        """Return the names of an account's files."""
        return sorted(path.name for path in (self._folder / "media" / account).glob("*"))

    async def erase(self, collection: str) -> None:
        """Take every document of a collection away, as an erasure or a retention would."""
        await self.store.commit([delete(Key(collection, name)) for name in self.names(collection)])

    async def purge(self) -> None:
        """Let the store take away what has expired, as one machine does every minute and Firestore within a day."""
        store = SqliteStore(self._folder / "store.db")
        await store.purge_expired(self.clock())
        await store.close()

    async def merge(self, younger: str, *, into: str) -> None:
        """Make a conversation a redirect to an older one, as when two customers turn out to be one."""
        await self.store.commit([update(Key("conversations", younger), {"merged_into": into})])

    # Meta

    async def post(self, *values: Any) -> httpx.Response:
        """Deliver a webhook of these values, signed."""
        return await self.post_body(webhook(*values))

    async def post_body(self, body: bytes, secret: str = APP_SECRET) -> httpx.Response:
        return await self.webhook.post("/", content=body, headers={"X-Hub-Signature-256": sign_meta(body, secret)})

    async def deliver(self, *values: Any) -> None:
        """Deliver a webhook that must be accepted."""
        answer = await self.post(*values)
        assert answer.status_code == 200, answer.text

    async def holds_templates(self, *definitions: dict[str, Any]) -> None:
        """Let the account hold these templates, and copy them."""
        self.whatsapp.templates = list(definitions)
        await self.run(Task("housekeeping", "sender", {"kind": "templates", "line": LINE}))

    async def decides(self, line: str = LINE, **rules: Any) -> None:
        """State a line's rules as its CRM does, and let the minute pass after which they hold."""
        answer = await self.call("PUT", f"/v1/lines/{line}/rules", rules)
        assert answer.status_code == 200, answer.text
        self.start()

    async def records(self, conversation: str, value: str, source: str = "crm", *, at: datetime | None = None) -> Any:
        """Say what the CRM has on record of a customer's consent, and return what holds then."""
        said = {"value": value, "source": source, "at": (at or self.clock()).isoformat()}
        return _good(await self.call("PUT", f"/v1/conversations/{conversation}/consent", said))

    # Tasks

    async def run(self, task: Task) -> httpx.Response:
        """Run a task as its queue would, whether or not it still waits."""
        function = self.sender if task.function == "sender" else self.sync
        return await function.post("/", json=dict(task.payload))

    async def drain(self) -> None:
        """Run what is due, and what that makes due, until nothing is."""
        for _ in range(1000):
            due = self.tasks.due()
            if not due:
                return
            self.tasks.waiting.remove(due[0])
            answer = await self.run(due[0])
            assert answer.status_code == 200, (due[0].payload, answer.text)
        raise AssertionError("the tasks never end")

    async def sweep(self) -> None:
        """Run the sweep, and what it queues."""
        await self.run(Task("housekeeping", "sync", {"kind": "sweep"}))
        await self.drain()

    # People

    async def met(self, customer: Customer, body: str = "Hello", **more: Any) -> str:
        """Let a customer write, and return the conversation as the CRM was told of it."""
        await self.deliver(inbound_text(customer, body, **more))
        await self.drain()
        return self.crm.of_type("message.received")[-1]["conversation"]["id"]

    async def chatting(self, customer: Customer) -> Tab:
        """Let a customer write, and return the tab that an agent opens."""
        return Tab(self, await self.met(customer))

    def tab(self, conversation: str, **claims: Any) -> Tab:
        return Tab(self, conversation, **claims)

    def grant(self, conversation: str, *, kid: str = CONNECTION, secret: str | None = None, **claims: Any) -> str:
        """Mint a grant as the CRM does."""
        now = int(self.clock().timestamp())
        usual = {
            "aud": "leadline",
            "sub": "2",
            "name": "Marc",
            "conversation": conversation,
            "can": ["read", "send", "note"],
            "iat": now,
            "exp": now + 300,
        }
        key = derive(secret or self.secret, "grants")
        return jwt.encode(usual | claims, key, algorithm="HS256", headers={"kid": kid})

    async def call(
        self, method: str, path: str, body: Any = None, /, *, call_id: str | None = None, **signed_as: Any
    ) -> httpx.Response:
        """Make a signed call as a CRM server; `signed_as` signs for another `method`, `target`, `at`, `key` …"""
        connection = signed_as.pop("connection", CONNECTION)
        content = b"" if body is None else json.dumps(body).encode()
        signed = {
            "key": derive(self.secret, "calls"),
            "timestamp": int(self.clock().timestamp()),
            "method": method,
            "target": f"/chat{path}",
            "body": content,
        } | signed_as
        headers = sign_call(call_id=call_id or key_of("call", str(time.perf_counter_ns())), **signed)
        headers |= {"Leadline-Connection": connection, "Content-Type": "application/json"}
        return await self.chat.request(method, path, content=content, headers=headers)


def new_secret() -> str:
    """Return a connection's secret, as it is shown to an admin once."""
    return base64.urlsafe_b64encode(sha256(str(time.perf_counter_ns()).encode()).digest()).decode()


@asynccontextmanager
async def rigged(folder: Path, *, store: Store | None = None, **settings: str) -> AsyncIterator[Rig]:
    """Set a rig up and take it down again. `store`: another one than SQLite's."""
    rig = Rig(folder, store=store, **settings)
    payloads.wall_clock = rig.clock.wall
    await rig.set_up()
    yield rig
    payloads.wall_clock = time.time
    await rig.media.close()
    await rig.store.close()


def _client(app: Any, prefix: str, *watchers: Callable[[httpx.Response], Awaitable[None]]) -> httpx.AsyncClient:
    hooks = {"response": list(watchers)}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL + prefix, event_hooks=hooks)


def _good(answer: httpx.Response) -> Any:
    assert answer.is_success, (answer.status_code, answer.text)
    return answer.json()
