"""What each does with what Meta really sends: every row is run, and what is counted is what came to be seen.

Who posts behaves as Meta does: what got no 2xx comes again, at most three times here, and what got one never. Of
Leadline a message is seen when Odoo has counted it and the chat API shows it; of pywa when the handler has done its
work; of OCA's gateway when it stands in its Discuss channel. Its Telegram channel gets what comes nearest in Telegram.
"""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from bench.beside import oca
from bench.beside.world import World
from bench.peers.home import pywa_python
from bench.webhook_load import served
from functions.core.signature import sign_meta
from functions.local import demo
from functions.local.odoo.server import OdooServer
from tests.google.process import OwnProcess, free_port
from tests.payloads import WABA, Customer, inbound, inbound_image, inbound_text, message, status, value, webhook

_DELIVERIES = 3
_SETTLED_SECONDS = 1.0
_LONGEST = 6.0
_LONGEST_RESTART = 20.0

_numbers = count(1)


@dataclass(frozen=True)
class Scene:
    """Somebody new, and what is said. `wrong`: signed with another secret; `times`: how often Meta delivers each."""

    bodies: Callable[[Customer], Sequence[bytes]]
    updates: Callable[[oca.Writer], Sequence[bytes]] | str
    messages: int = 1
    times: int = 1
    wrong: bool = False
    during: str = ""
    """`down`: what takes the messages in is down meanwhile; `killed`: it is killed when the first was answered."""

    person: Callable[[int], Customer] = lambda number: _person(number, f"49155600{number:05}", f"DE.6{number:019}")


def _person(number: int, wa_id: str | None, bsuid: str | None) -> Customer:
    return Customer(wa_id, bsuid, f"Case {number}")


def _text(person: Customer, **more: Any) -> bytes:
    return webhook(inbound_text(person, **more))


def _telegram_text(writer: oca.Writer) -> list[bytes]:
    return [oca.update(writer, text="Hello")]


def _again(person: Customer) -> list[bytes]:
    """The same message in two bodies: alone, and as two changes."""
    item = message(person, "text", {"body": "Hello"})
    alone = value(contacts=[person.contact()], messages=[item])
    return [webhook(alone), webhook(alone, alone)]


def _batch(person: Customer) -> list[bytes]:
    """Two entries with two changes each, of which each has two messages."""

    def change(number: int) -> dict[str, Any]:
        items = [message(person, "text", {"body": f"Hello {number} {place}"}) for place in range(2)]
        return {"field": "messages", "value": value(contacts=[person.contact()], messages=items)}

    entries = [{"id": WABA, "changes": [change(2 * entry), change(2 * entry + 1)]} for entry in range(2)]
    return [json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()]


def _unknown(person: Customer) -> list[bytes]:
    return [webhook(inbound(person, "hologram", {"depth": 3}))]


def _picture(person: Customer) -> list[bytes]:
    return [webhook(inbound_image(person, "1234567890", b"nobody has it", caption="Hello"))]


def _telegram_picture(writer: oca.Writer) -> list[bytes]:
    photo = {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}
    return [oca.update(writer, photo=[photo], caption="Hello")]


def _hello(person: Customer) -> list[bytes]:
    return [_text(person)]


def _telegram_unknown(writer: oca.Writer) -> list[bytes]:
    return [oca.update(writer, hologram={"depth": 3})]


_NO_BATCHES = "Telegram sends none"
_NO_BSUID = "Telegram has one kind of id"

SCENES = {
    "a text": Scene(_hello, _telegram_text),
    "a text, delivered three times": Scene(_hello, _telegram_text, times=3),
    "a text, delivered again in another body": Scene(_again, _NO_BATCHES),
    "8 texts in one POST (2 entries × 2 changes × 2)": Scene(_batch, _NO_BATCHES, messages=8),
    "a message of a type that is not known": Scene(
        _unknown, lambda writer: [oca.update(writer, hologram={"depth": 3})]
    ),
    "a customer without a number (BSUID alone)": Scene(
        _hello, _NO_BSUID, person=lambda number: _person(number, None, f"DE.7{number:019}")
    ),
    "a customer without a BSUID (older webhooks)": Scene(
        _hello, _NO_BSUID, person=lambda number: _person(number, f"49155700{number:05}", None)
    ),
    "a wrong signature": Scene(_hello, _telegram_text, messages=0, wrong=True),
    "a message with a picture, while that can't be fetched": Scene(_picture, _telegram_picture),
    "a text while what takes it in is down": Scene(_hello, _telegram_text, during="down"),
    "a text, and a crash right after the 200": Scene(_hello, _telegram_text, during="killed"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen of a scene. `answers` are statuses, 0 where there was none."""

    answers: Sequence[int]
    seen: int
    wanted: int
    refused: bool = False
    """A refusal is wanted."""

    @property
    def good(self) -> bool:
        """Whether what was said is seen once, and whether who may not say anything is told so."""
        return self.seen == self.wanted and (not self.refused or all(400 <= each < 500 for each in self.answers))


Behaviours = dict[str, dict[str, Outcome | str]]
"""By scene and side; a text says why a scene was not played."""


class Contender(ABC):
    """One of those that take messages in."""

    name: str
    header: str

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def said(self, scene: Scene, number: int) -> list[tuple[bytes, str]] | str:
        """Return what is posted, each with the header's value, or why nothing is."""

    @abstractmethod
    async def seen(self, number: int) -> int:
        """Return how many messages of the scene of that number are seen."""

    @abstractmethod
    async def go_down(self) -> None:
        """Let what takes the messages in be down."""

    @abstractmethod
    async def come_up(self) -> None: ...

    @abstractmethod
    async def crash(self) -> None:
        """End what answers at once, and start it again."""

    async def before_crash(self) -> None:  # noqa: B027 - few have to
        """Get ready for it."""


async def measure(world: World) -> Behaviours:
    """Play every scene to everybody."""
    pywa = Pywa(world.folder)
    try:
        contenders = (Leadline(world), pywa, Oca(world))
        behaviours: Behaviours = {}
        for title, scene in SCENES.items():
            number = next(_numbers)
            await world.leadline.let_in()
            outcomes = await asyncio.gather(*(_played(each, scene, number) for each in contenders))
            behaviours[title] = {each.name: outcome for each, outcome in zip(contenders, outcomes, strict=True)}
        told = {"Leadline": await _statuses(world), "pywa": await pywa.statuses(), "OCA mail_gateway": _NONE}
        return {**behaviours, _STATUSES: told}
    finally:
        pywa.process.stop()


async def _played(contender: Contender, scene: Scene, number: int) -> Outcome | str:
    said = contender.said(scene, number)
    if isinstance(said, str):
        return said
    if scene.during == "down":
        await contender.go_down()
    if scene.during == "killed":
        await contender.before_crash()
    answers = [await _delivered(contender, post, scene) for post in said for _ in range(scene.times)]
    if scene.during == "killed":
        await contender.crash()
    if scene.during == "down":
        await contender.come_up()
        # Meta has gone on with what got no 2xx.
        answers += [
            await _delivered(contender, post, scene) for post, last in zip(said, answers, strict=True) if not last
        ]
    longest = _LONGEST_RESTART if scene.during else _LONGEST
    return Outcome(answers, await _settled(contender, number, scene.messages, longest), scene.messages, scene.wrong)


async def _delivered(contender: Contender, post: tuple[bytes, str], scene: Scene) -> int:
    """Deliver as Meta does, and return the last answer."""
    body, signature = post
    answer = 0
    for _ in range(1 if scene.wrong or scene.during == "down" else _DELIVERIES):
        answer = await _answer(contender, body, signature)
        if 200 <= answer < 300:
            break
    return answer


async def _answer(contender: Contender, body: bytes, signature: str) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        headers = {contender.header: signature, "Content-Type": "application/json"}
        try:
            return (await client.post(contender.url, content=body, headers=headers)).status_code
        except httpx.TransportError:
            return 0


async def _settled(contender: Contender, number: int, wanted: int, longest: float) -> int:
    """Return how many are seen: wait until it is what is wanted, but not for ever, and a moment more for too many."""
    until = time.monotonic() + (longest if wanted else 0)
    while (seen := await contender.seen(number)) < wanted and time.monotonic() < until:
        await asyncio.sleep(0.2)
    await asyncio.sleep(_SETTLED_SECONDS)
    return await contender.seen(number) if seen >= wanted else seen


class _WhatsApp(Contender):
    """Takes WhatsApp's webhooks."""

    header = "X-Hub-Signature-256"

    def said(self, scene: Scene, number: int) -> list[tuple[bytes, str]] | str:
        secret = "another secret" if scene.wrong else demo.APP_SECRET
        return [(body, sign_meta(body, secret)) for body in scene.bodies(scene.person(number))]


class Leadline(_WhatsApp):
    """The service and its Odoo."""

    name = "Leadline"

    def __init__(self, world: World) -> None:
        self._side = world.leadline

    @property
    def url(self) -> str:
        return self._side.url

    async def seen(self, number: int) -> int:
        """In Odoo and by the chat API, whichever shows less."""
        name = f"Case {number}"
        [counted] = self._side.odoo.sql(
            "SELECT count(*) FROM leadline_session_message m JOIN leadline_conversation c ON c.id = m.conversation_id "
            f"WHERE c.name = '{name}'"
        )
        return min(int(counted), len(await self._messages(name)))

    async def _messages(self, name: str) -> list[dict[str, Any]]:
        listed = await self._get("/chat/v1/conversations", limit=20)
        ids = [one["id"] for one in listed if one["contact"]["name"] == name]
        return [one for id_ in ids for one in await self._get(f"/chat/v1/conversations/{id_}/messages", limit=50)]

    async def _get(self, path: str, **query: Any) -> list[dict[str, Any]]:
        answer = await self._side.client.get(path, params=query)
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return items

    async def go_down(self) -> None:
        """Odoo is, for which the messages are."""
        await asyncio.to_thread(self._side.odoo.server.stop)

    async def come_up(self) -> None:
        await asyncio.to_thread(_start, self._side.odoo.server)

    async def crash(self) -> None:
        self._side.service.kill()
        await asyncio.to_thread(self._side.service.start, self._side.odoo.server.url)


def _start(server: OdooServer) -> None:
    server.start()
    server.wait_until_ready()


class Pywa(_WhatsApp):
    """The library's async server with a handler that keeps what it is called with."""

    name = "pywa"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handled = folder / "handled.jsonl"
        self._handled.touch()
        self._port = free_port()
        self._people: dict[int, set[str]] = {}
        self.process = self._started()

    def _started(self) -> OwnProcess:
        settings = {"WHATSAPP_APP_SECRET": demo.APP_SECRET, "HANDLED": str(self._handled), **oca.NOWHERE}
        app = "bench.peers.pywa_recorder:app"
        return served(pywa_python(), app, self._port, self._folder / "recorder.log", **settings)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/webhook"

    def said(self, scene: Scene, number: int) -> list[tuple[bytes, str]] | str:
        said = super().said(scene, number)
        # Its messages are told apart by the wamids that were posted.
        self._people[number] = {wamid for body, _ in said for wamid in re.findall(r'"(wamid\.\d+)"', body.decode())}
        return said

    async def seen(self, number: int) -> int:
        return sum(call.get("message") in self._people[number] for call in self._calls())

    def _calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._handled.read_text().splitlines()]

    async def statuses(self) -> str:
        """Post an answer's statuses the wrong way round and tell what came of it."""
        for body in _reversed("wamid.of-an-answer"):
            assert await _answer(self, body, sign_meta(body, demo.APP_SECRET)) == 200
        await asyncio.sleep(_SETTLED_SECONDS)
        told = [call["status"] for call in self._calls() if call.get("of") == "wamid.of-an-answer"]
        return f"handler called with {', '.join(told)}; keeps none"

    async def go_down(self) -> None:
        """The database behind the handler is."""
        await self._set(down=True)

    async def come_up(self) -> None:
        await asyncio.sleep(_SETTLED_SECONDS)
        await self._set(down=False)

    async def before_crash(self) -> None:
        # As long as a call to another server takes.
        await self._set(seconds=0.3)

    async def crash(self) -> None:
        self.process.kill()
        self.process = await asyncio.to_thread(self._started)

    async def _set(self, **state: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(self.url.replace("/webhook", "/handler"), json=state)).raise_for_status()


class Oca(Contender):
    """The gateway's controller and its Odoo."""

    name = "OCA mail_gateway"
    header = oca.HEADER

    def __init__(self, world: World) -> None:
        self._side = world.oca

    @property
    def url(self) -> str:
        return self._side.url

    def said(self, scene: Scene, number: int) -> list[tuple[bytes, str]] | str:
        if isinstance(scene.updates, str):
            return scene.updates
        secret = "another-secret" if scene.wrong else oca.SECRET
        return [(body, secret) for body in scene.updates(oca.Writer(900_000 + number, f"Case {number}"))]

    async def seen(self, number: int) -> int:
        [counted] = self._side.odoo.sql(
            "SELECT count(*) FROM mail_message m JOIN discuss_channel c ON c.id = m.res_id "
            "WHERE m.model = 'discuss.channel' AND m.message_type = 'comment' "
            f"AND c.gateway_channel_token = '{900_000 + number}'"
        )
        return int(counted)

    async def go_down(self) -> None:
        """Odoo is, and it is what answers."""
        await asyncio.to_thread(self._side.odoo.server.stop)

    async def come_up(self) -> None:
        await asyncio.to_thread(_start, self._side.odoo.server)

    async def crash(self) -> None:
        await asyncio.to_thread(self._side.odoo.kill)
        await self.come_up()


# An answer's statuses.

_STATUSES = "statuses in the wrong order: read, delivered, sent"
_NONE = "Telegram has none"


_ANSWERED = Customer("491558000001", "DE.80000000000000000001", "Case of an answer")


def _reversed(wamid: str) -> list[bytes]:
    told = [status(name, wamid, to=_ANSWERED) for name in ("read", "delivered", "sent")]
    return [webhook({**one, "contacts": [_ANSWERED.contact()]}) for one in told]


async def _statuses(world: World) -> str:
    """Let an agent answer somebody, post the statuses the wrong way round and tell what the chat shows."""
    side = Leadline(world)
    person, client = _ANSWERED, world.leadline.client
    (await client.post("/simulator/scenarios", json={"fault": "statuses_never"})).raise_for_status()
    body = _text(person)
    await _answer(side, body, sign_meta(body, demo.APP_SECRET))
    listed = await side._get("/chat/v1/conversations", limit=20)
    [conversation] = [one["id"] for one in listed if one["contact"]["name"] == person.name]
    answer = {"client_id": "an-answer", "type": "text", "text": {"body": "Hello to you"}}
    (await client.post(f"/chat/v1/conversations/{conversation}/messages", json=answer)).raise_for_status()
    wamid = await _on_the_phone(client, person)
    for each in _reversed(wamid):
        await _answer(side, each, sign_meta(each, demo.APP_SECRET))
    await asyncio.sleep(_SETTLED_SECONDS)
    [shown] = [one for one in await side._messages(str(person.name)) if one["direction"] == "out"]
    return f"shown as {shown['status']}"


async def _on_the_phone(client: httpx.AsyncClient, person: Customer) -> str:
    """Return the wamid of what the customer's phone received."""
    async with asyncio.timeout(_LONGEST):
        while True:
            answer = await client.get(f"/simulator/customers/{person.wa_id}/messages")
            if received := [one["id"] for one in answer.raise_for_status().json() if one["direction"] == "in"]:
                return str(received[0])
            await asyncio.sleep(0.1)
