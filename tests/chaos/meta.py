"""WhatsApp at its worst: what it delivers, how, and what it makes of sends."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from functions.core.signature import sign_meta
from tests import payloads
from tests.chaos.faults import Calamity, SteppedClock
from tests.chaos.world import Person, Said, World
from tests.payloads import webhook
from tests.rig import APP_SECRET, file_answer

_RETRY = 20
"""Seconds after which a webhook that was not answered 200 comes again, growing."""

_DAYS_LATER = 0.01
_AGAIN = 0.08
_ENDS = (("sent",), ("sent", "delivered"), ("sent", "delivered", "read"), ("sent", "failed"))


@dataclass
class Delivery:
    """A webhook on its way: its body, when it is due, and whether it was answered 200 once."""

    body: bytes
    due: float
    tries: int = 0
    taken: bool = False


@dataclass
class Meta:
    """Delivers what happens, and answers the Graph API."""

    world: World
    clock: SteppedClock
    calamity: Calamity
    sends: dict[str, tuple[Person, Said]] = field(default_factory=dict)
    pending: list[Delivery] = field(default_factory=list)
    delivered: int = 0
    doubled: list[str] = field(default_factory=list)
    phones: dict[str, list[str]] = field(default_factory=dict)
    _loose: list[dict[str, Any]] = field(default_factory=list)
    _post: Callable[[bytes], Any] | None = None
    _files: dict[str, bytes] = field(default_factory=dict)

    @property
    def _chance(self) -> random.Random:
        return self.calamity.chance

    # What it delivers

    def tell(self, values: Iterable[dict[str, Any]]) -> None:
        """Have something to say; it goes out in batches, in no order."""
        self._loose += values

    def batch(self) -> None:
        """Make webhooks of what there is to say."""
        self._chance.shuffle(self._loose)
        while self._loose:
            count = self._chance.choice([1, 1, 1, 2, 3, 10, 30])
            values, self._loose = self._loose[:count], self._loose[count:]
            now = self.clock.wall()
            body = webhook(*values)
            self.pending.append(Delivery(body, now + self._chance.choice([0, 0, 0, 1, 5, 60])))
            if self.calamity.strikes("webhook doubled", _AGAIN):
                self.pending.append(Delivery(body, now))
            if self.calamity.strikes("webhook again days later", _DAYS_LATER):
                self.pending.append(Delivery(body, now + self._chance.uniform(86400, 3 * 86400)))

    def due(self) -> list[Delivery]:
        """Return the webhooks whose time has come, in no order."""
        now = self.clock.wall()
        due = [one for one in self.pending if one.due <= now]
        self._chance.shuffle(due)
        return due

    async def deliver(self, delivery: Delivery, door: httpx.AsyncClient) -> None:
        """Post a webhook; it comes again until it is answered 200."""
        self.pending.remove(delivery)
        headers = {"X-Hub-Signature-256": sign_meta(delivery.body, APP_SECRET)}
        try:
            answer = await door.post("/", content=delivery.body, headers=headers)
            well = answer.status_code == httpx.codes.OK
            assert well or answer.status_code >= 500, (answer.status_code, answer.text)
        except httpx.ReadError:
            well = False
        self.delivered += 1
        if not well:
            delivery.tries += 1
            delivery.due = self.clock.wall() + min(_RETRY * 2**delivery.tries, 3600) * (not self.calamity.calm)
            self.pending.append(delivery)

    # What it makes of sends

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer the Graph API."""
        if request.method == "GET":
            return self._file(request)
        body = json.loads(request.content)
        if body.get("status") == "read":
            return httpx.Response(200, json={"success": True})
        return await self._send(request, body)

    async def _send(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        if self.calamity.strikes("Graph out of reach", 0.01):
            raise httpx.ConnectError("no way")
        if self.calamity.strikes("Graph busy", 0.01):
            return _refusal(130429)
        person, said = self.sends[body["text"]["body"]]
        if self.calamity.strikes("Graph 500 before accepting", 0.01):
            said.fate = "lost"
            return httpx.Response(500, text="oops")
        if self.calamity.strikes("Graph time-out before accepting", 0.01):
            said.fate = "lost"
            raise httpx.ReadTimeout("late")
        if self.calamity.strikes("Graph refused the message", 0.01):
            said.fate = "refused"
            return _refusal(131026)
        said.accepted += 1
        if said.accepted > 1:
            self.doubled.append(said.text)
        said.wamid = self.world.wamid()
        self.phones.setdefault(person.name, []).append(said.text)
        # The process that asked may die here: Meta has it all the same.
        self._says_of(person, said, body.get("biz_opaque_callback_data"))
        await asyncio.sleep(0)
        if self.calamity.strikes("Graph 500 after accepting", 0.01):
            return httpx.Response(500, text="oops")
        if self.calamity.strikes("Graph time-out after accepting", 0.01):
            raise httpx.ReadTimeout("late")
        contact = {"input": "x", "wa_id": person.now.wa_id} if person.now.wa_id else {"input": "x"}
        return httpx.Response(200, json={"contacts": [contact], "messages": [{"id": said.wamid}]})

    def _says_of(self, person: Person, said: Said, callback: str | None) -> None:
        """Have the statuses of an accepted message to tell, at once and in no order."""
        ends = self._chance.choice(_ENDS)
        said.statuses = list(ends)
        at = int(self.clock.wall())
        assert said.wamid
        for place, name in enumerate(ends):
            errors = [payloads.error(131026)] if name == "failed" else None
            value = payloads.status(name, said.wamid, to=person.now, callback=callback, at=at + place, errors=errors)
            self.tell([value])

    def _file(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        file = f"text {name.removeprefix('media-')}".encode()
        if self.calamity.strikes("file out of reach", 0.02):
            raise httpx.ConnectError("no way")
        return file_answer(request, name, file)


def _refusal(code: int) -> httpx.Response:
    return httpx.Response(400, json={"error": {"code": code, "message": "A title", "type": "OAuthException"}})
