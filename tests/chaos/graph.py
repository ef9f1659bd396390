"""The Graph API at its worst: it takes messages and loses its answers, refuses them with every class of error, is out
of reach, locks the account for a while, and loses files."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests import payloads
from tests.chaos.faults import Calamity, SteppedClock
from tests.chaos.people import SYSTEM, Person, Said, Wish
from tests.chaos.world import World
from tests.rig import file_answer

_WAIT = (4, 80007, 130429, 131056, 131057, 133015)
_WINDOW_CLOSED = 131047
_NEVER = {"text": (_WINDOW_CLOSED, 131026, 130472, 130403), "template": (131049, 130472, 132015), "reaction": (131009,)}
_NEVER_OTHERS = (131026, 131009, 131053)
_MARKETING = (131050,)
_LOCKED = (368, 131031, 131042, 190)
_MAYBE = (131000, 131016, 2)
_MINUTES_LOCKED = (1, 20)

TEMPLATES = (payloads.definition(), payloads.definition("offer", "Save {{1}}", category="MARKETING"))
"""What the line has; the second is marketing."""

_ENDS = (("sent",), ("sent", "delivered"), ("sent", "delivered", "read"), ("sent", "failed"))
_LATER_ERRORS = (131026, 131053, 131000)
_FORM = re.compile(rb'name="file"; filename="[^"]*"\r\nContent-Type: [^\r]*\r\n\r\n(.*)\r\n--', re.DOTALL)


@dataclass
class Graph:
    """Answers the Graph API, and has the phones. `sends`: what agents asked for, by the client's id."""

    world: World
    clock: SteppedClock
    calamity: Calamity
    tell: Callable[[list[dict[str, Any]]], None]
    tell_now: Callable[[list[dict[str, Any]]], Awaitable[None]]
    sends: dict[str, tuple[Person, Said]] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    round: int = 0
    _files: dict[str, bytes] = field(default_factory=dict)
    _spoiled: Counter[str] = field(default_factory=Counter)
    _locked_until: float = 0.0
    _locked_by: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.calamity.strikes("Graph out of reach", 0.01):
            raise httpx.ConnectError("no way")
        if refusal := self._locked():
            return refusal
        if request.url.path.endswith("/message_templates"):
            return httpx.Response(200, json={"data": TEMPLATES})
        if request.method == "GET":
            return self._file(request)
        if request.url.path.endswith("/media"):
            return await self._upload(request)
        body = json.loads(request.content)
        if body.get("status") == "read":
            return httpx.Response(200, json={"success": True})
        person, said = self._meant(body)
        return self._refused(body, person, said) or await self._taken(body, person, said)

    def _locked(self) -> httpx.Response | None:
        """For some minutes nothing may be sent, and with a token that is gone nothing be asked at all."""
        if self.calamity.calm:
            return None
        if self.clock.wall() > self._locked_until:
            if not self.calamity.strikes("Graph locked the account", 0.0005):
                return None
            minutes = self.calamity.chance.uniform(*_MINUTES_LOCKED)
            self._locked_until = self.clock.wall() + 60 * minutes
            self._locked_by = self.calamity.chance.choice(_LOCKED)
        return _refusal(self._locked_by)

    def _meant(self, body: dict[str, Any]) -> tuple[Person, Said]:
        """Return whose message this is, and which; what goes out by itself nobody asked for."""
        callback = body["biz_opaque_callback_data"]
        name = callback.split(":")[3]
        if name in self.sends:
            return self.sends[name]
        person = self.world.by_identity[body["to"].removeprefix("+") if "to" in body else body["recipient"]]
        said = Said(callback, SYSTEM, int(self.clock.wall()), "text", body["text"]["body"])
        return self.sends.setdefault(callback, (person, said))

    def _refused(self, body: dict[str, Any], person: Person, said: Said) -> httpx.Response | None:
        """Return why a message is not taken, if it is not: for now, or never."""
        if not person.is_reached(body):
            # Who has left a number is not there any more.
            said.fate = "refused"
            return _refusal(131026)
        if self.calamity.strikes("Graph asks to wait", 0.02):
            return _refusal(self.calamity.chance.choice(_WAIT))
        for name in ("Graph 500 before accepting", "Graph time-out before accepting", "Graph unsure, not accepted"):
            if self.calamity.strikes(name, 0.007):
                said.fate = "lost"
                return _no_answer(name)
        if self.calamity.strikes("Graph refused the message", 0.02):
            codes = _MARKETING if said.marketing else _NEVER.get(body["type"], _NEVER_OTHERS)
            code = self.calamity.chance.choice(codes)
            said.fate = "refused"
            person.closed |= code == _WINDOW_CLOSED
            if code in _MARKETING:
                person.wishes.append(Wish(int(self.clock.wall()), "stop", "whatsapp", exact=False))
            return _refusal(code)
        return None

    async def _taken(self, body: dict[str, Any], person: Person, said: Said) -> httpx.Response:
        said.accepted += 1
        if said.accepted > 1:
            self.doubled.append(said.text)
        said.wamid = self.world.wamid()
        self._reaches(body, person, said)
        # The process that asked may die here: Meta has it all the same.
        statuses = self._says_of(body, person, said)
        if self.calamity.strikes("statuses came before the answer", 0.05):
            await self.tell_now(statuses)
        else:
            self.tell(statuses)
        await asyncio.sleep(0)
        for name in ("Graph 500 after accepting", "Graph time-out after accepting", "Graph unsure, accepted"):
            if self.calamity.strikes(name, 0.007):
                return _no_answer(name)
        known = {"wa_id": body["to"].removeprefix("+")} if "to" in body else {"user_id": body["recipient"]}
        contact = {"input": body.get("to") or body["recipient"], **known}
        return httpx.Response(200, json={"contacts": [contact], "messages": [{"id": said.wamid}]})

    def _reaches(self, body: dict[str, Any], person: Person, said: Said) -> None:
        """Show a message on the phone, and look at what came with it."""
        if said.marketing and self._said_stop_long_ago(person):
            self.wrong.append(f"marketing to {person.name}, who said stop")
        if body["type"] == "reaction":
            assert said.target
            person.phone_reactions[body["reaction"]["message_id"]] = body["reaction"].get("emoji", "")
            if body["reaction"]["message_id"] not in (said.target.name, said.target.wamid):
                self.wrong.append(f"a reaction of {person.name}'s went to another message")
            return
        person.phone.append(said.name)
        if said.file and self._files.get(body[body["type"]]["id"]) != said.file.content:
            self.wrong.append(f"{person.name} got another file with {said.text}")

    def _said_stop_long_ago(self, person: Person) -> bool:
        wish = person.wish
        heard, _ = person.heard.get(wish, (self.round, 0)) if wish else (self.round, 0)
        return wish is not None and wish.value == "stop" and heard < self.round - 1

    def _says_of(self, body: dict[str, Any], person: Person, said: Said) -> list[dict[str, Any]]:
        """Return the statuses of an accepted message, which are told in no order."""
        ends = ("sent",) if body["type"] == "reaction" else self.calamity.chance.choice(_ENDS)
        said.statuses = list(ends)
        at = int(self.clock.wall())
        assert said.wamid
        errors = [payloads.error(self.calamity.chance.choice(_LATER_ERRORS))]
        return [
            payloads.status(
                name,
                said.wamid,
                to=person.now,
                callback=body["biz_opaque_callback_data"],
                at=at + place,
                errors=errors if name == "failed" else None,
            )
            for place, name in enumerate(ends)
        ]

    # Files

    async def _upload(self, request: httpx.Request) -> httpx.Response:
        form = await request.aread()
        for name in ("Graph 500 at an upload", "Graph time-out at an upload"):
            if self.calamity.strikes(name, 0.02):
                return _no_answer(name)
        found = _FORM.search(form)
        assert found
        media = f"uploaded-{len(self._files)}"
        self._files[media] = found[1]
        return httpx.Response(200, json={"id": media})

    def _file(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        file = self.world.files[name]
        if file.fate == "gone":
            return _refusal(100, error_subcode=33)
        if self.calamity.strikes("Graph 500 at a file", 0.02):
            return httpx.Response(500, text="oops")
        is_there = request.url.host == "lookaside.fbsbx.com"
        if is_there and self.calamity.strikes("file's address ran out", 0.03):
            return httpx.Response(404)
        if is_there and (file.fate == "spoiled" or self._spoils(name)):
            return httpx.Response(200, content=file.content[:-1] + b"?")
        return file_answer(request, name, file.content)

    def _spoils(self, file: str) -> bool:
        """Tell whether a file is spoiled on its way: not again and again."""
        spoiled = self._spoiled[file] < 2 and self.calamity.strikes("file spoiled on its way", 0.02)
        self._spoiled[file] += spoiled
        return spoiled


def _no_answer(how: str) -> httpx.Response:
    """Return, or raise, what tells nothing of whether a request was taken."""
    if "time-out" in how:
        raise httpx.ReadTimeout("late")
    return _refusal(131000, status=500) if "unsure" in how else httpx.Response(500, text="oops")


def _refusal(code: int, status: int = 400, **more: Any) -> httpx.Response:
    error = {"code": code, "message": "A title", "type": "OAuthException", **more}
    return httpx.Response(status, json={"error": error})
