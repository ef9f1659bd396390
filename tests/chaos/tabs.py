"""Agents: what they write, and the tabs that follow the conversations all day."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

import httpx

from functions.core.message import inbound_key
from tests.chaos.faults import Calamity
from tests.chaos.people import CUSTOMER, Person, Said
from tests.rig import LINE, Rig, Tab

_TRIES = 200

_REFUSALS = ("window_closed", "not_found", "opted_out", "invalid")
"""What the chat API may rightly refuse: the window closed, a message was taken back, offers are not wanted."""


@dataclass
class Desk:
    """One conversation as its agents have it open: a tab that never reloads, and what they write from it."""

    person: Person
    tab: Tab
    rig: Rig
    calamity: Calamity
    sends: dict[str, tuple[Person, Said]]
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _conversation: str = ""
    _cursor: str | None = None
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def say(self, said: Said) -> None:
        """Send a text."""
        async with self.busy:
            await self._send(said, {"type": "text", "text": {"body": said.text}})

    async def use_template(self, said: Said) -> None:
        """Send a template with a value in it."""
        values = {"type": "body", "parameters": [{"type": "text", "text": said.text}]}
        name = "offer" if said.marketing else "order_update"
        template = {"name": name, "language": {"code": "en_US"}, "components": [values]}
        async with self.busy:
            await self._send(said, {"type": "template", "template": template})

    async def attach(self, said: Said) -> None:
        """Put a file where it is to be put, and send it with its caption."""
        assert said.file
        announced = {
            "conversation": self.tab.conversation,
            "filename": "a file",
            "mime": said.file.mime,
            "size": len(said.file.content),
        }
        async with self.busy:
            answer = await self.patiently(lambda: self.tab.post("/v1/media", announced))
            if self._is_over(answer):
                return
            assert answer.is_success, answer.text
            target = answer.json()["upload"]
            headers = {"Content-Type": said.file.mime} | target["headers"]
            put = await self.rig.files.request(
                target["method"], target["url"], content=said.file.content, headers=headers
            )
            assert put.is_success, put.text
            await self._send(said, {"type": said.kind, said.kind: {"id": answer.json()["id"], "caption": said.text}})

    async def react(self, said: Said, item: dict[str, Any]) -> None:
        """React to a message that the tab shows; what is said is the emoji, or nothing to take it back."""
        async with self.busy:
            await self._send(said, {"type": "reaction", "reaction": {"message_id": item["id"], "emoji": said.text}})

    async def note(self, said: Said) -> None:
        async with self.busy:
            answer = await self.patiently(lambda: self.tab.note(said.text, said.name))
            if self._is_over(answer):
                return
            assert answer.is_success, answer.text
            self.person.said.append(said)

    async def read(self) -> None:
        """Read up to the newest message that the tab shows."""
        seen = [one for one in self.shown.values() if one["direction"] == "in"]
        if seen:
            newest = max(seen, key=lambda one: one["at"])
            answer = await self.patiently(lambda: self.tab.read(newest["id"]))
            # Of two conversations that are just being joined the message may still stand in the other.
            assert answer.is_success or answer.status_code == httpx.codes.NOT_FOUND, answer.text

    def reactable(self) -> list[tuple[dict[str, Any], Said]]:
        """Return messages of the customer's that stand in the tab, and what was said by them."""
        said = {inbound_key(LINE, one.name).id: one for one in self.person.of(CUSTOMER)[-30:] if not one.revoked}
        return [(self.shown[id_], one) for id_, one in said.items() if id_ in self.shown]

    async def _send(self, said: Said, body: dict[str, Any]) -> None:
        """Send something; while nobody answers the same request is repeated, as the tab does."""
        self.sends[said.name] = (self.person, said)
        answer = await self.patiently(lambda: self.tab.send(body, said.name))
        if answer.is_success:
            self.person.said.append(said)
            return
        if self._is_over(answer):
            return
        code = answer.json()["code"]
        assert code in _REFUSALS, answer.text
        self.refused[code] += 1
        if code == "opted_out" and not any(one.value == "stop" for one in self.person.wishes):
            self.wrong.append("an offer was refused though nobody said stop")

    async def poll(self) -> None:
        """Ask for what is new since the last answer; a question without an answer is asked again next time."""
        try:
            after: str | None = self._cursor
            while True:
                page = await self.tab.get(f"{self.tab.url}/messages", **({"after": after} if after else {}))
                if not page.is_success:
                    if page.is_client_error and not self._is_over(page):
                        self.wrong.append(f"{self.person.name}: an open tab is told {page.text}")
                    return
                answer = page.json()
                self._take(answer["items"])
                if any(item["conversation"] != self._conversation for item in answer["items"]):
                    # It was joined to an older one, where much lies before the cursor: opened again, as the tab does.
                    head = await self.head()
                    if head is None:
                        return
                    self._conversation = head["id"]
                    await self._older()
                if self._cursor is None:
                    if answer["next"]:
                        await self._older(answer["next"])
                    self._cursor = answer["cursor"]
                    return
                if not answer["next"]:
                    self._cursor = answer["cursor"]
                    return
                after = answer["next"]
        except httpx.ReadError:
            return

    async def head(self) -> dict[str, Any] | None:
        """Return what the tab tells of the conversation; None of one that is erased."""
        answer = await self.patiently(lambda: self.tab.get(self.tab.url))
        return None if self._is_over(answer) else dict(answer.json())

    def _is_over(self, answer: httpx.Response) -> bool:
        """Tell whether nothing is found any more since the customer was erased, or is just being so."""
        return answer.is_client_error and self.person.erased > 0

    async def _older(self, before: str | None = None) -> None:
        """Load page by page, from the newest on if none is told."""
        while True:
            place = {"before": before} if before else {}
            answer = await self.patiently(partial(self.tab.get, f"{self.tab.url}/messages", **place))
            if self._is_over(answer):
                return
            page = answer.json()
            self._take(page["items"])
            before = page["next"]
            if not before:
                return

    def _take(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            known = self.shown.get(item["id"])
            if known is None or item["version"] >= known["version"]:
                self.shown[item["id"]] = item

    async def patiently(self, request: Any) -> httpx.Response:
        """Return the answer to a request, which is repeated until somebody answers."""
        for _ in range(_TRIES):
            try:
                answer: httpx.Response = await request()
            except httpx.ReadError:
                answer = httpx.Response(500)
            if answer.status_code < 500:
                return answer
            await asyncio.sleep(0)
        raise AssertionError("the chat API never answered")


async def everything(tab: Tab) -> list[dict[str, Any]]:
    """Return all messages of a conversation, as a tab that is opened now shows them."""
    items: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    while True:
        page = await tab.page(limit=200, **before)
        items = page["items"] + items
        if page["next"] is None:
            return items
        before = {"before": page["next"]}


async def conversations(rig: Rig, pages: float = inf) -> list[dict[str, Any]]:
    """Return every conversation of the connection, as the CRM's server lists them; of that so many pages."""
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        answer = await rig.call("GET", f"/v1/conversations?limit=200{before}")
        assert answer.is_success, answer.text
        page = answer.json()
        found += page["items"]
        pages -= 1
        if page["next"] is None or pages < 1:
            return found
        before = f"&before={page['next']}"
