"""Agents: what they write, and the tabs that follow the conversations all day."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from tests.chaos.faults import Calamity
from tests.chaos.meta import Meta
from tests.chaos.world import Person, Said
from tests.rig import Rig, Tab

_TRIES = 200


@dataclass
class Desk:
    """One conversation as its agents have it open: a tab that never reloads, and what they write from it."""

    person: Person
    tab: Tab
    calamity: Calamity
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: int = 0
    _cursor: str | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def say(self, said: Said, meta: Meta) -> None:
        """Send a text; while nobody answers the same request is repeated, as the tab does."""
        async with self._busy:
            meta.sends[said.text] = (self.person, said)
            body = {"type": "text", "text": {"body": said.text}}
            answer = await self._patiently(lambda: self.tab.send(body, said.name))
            if answer.is_success:
                self.person.said.append(said)
            else:
                assert answer.json()["code"] in ("window_closed", "not_found"), answer.text
                self.refused += 1

    async def note(self, said: Said) -> None:
        async with self._busy:
            answer = await self._patiently(lambda: self.tab.note(said.text, said.name))
            assert answer.is_success, answer.text
            self.person.said.append(said)

    async def read(self) -> None:
        """Read up to the newest message that the tab shows."""
        seen = [one for one in self.shown.values() if one["direction"] == "in"]
        if seen:
            newest = max(seen, key=lambda one: one["at"])
            answer = await self._patiently(lambda: self.tab.read(newest["id"]))
            assert answer.is_success, answer.text

    async def poll(self) -> None:
        """Ask for what is new since the last answer; a question without an answer is asked again next time."""
        try:
            after: str | None = self._cursor
            while True:
                page = await self.tab.get(f"{self.tab.url}/messages", **({"after": after} if after else {}))
                if not page.is_success:
                    assert page.status_code >= 500, page.text
                    return
                answer = page.json()
                for item in answer["items"]:
                    known = self.shown.get(item["id"])
                    if known is None or item["version"] >= known["version"]:
                        self.shown[item["id"]] = item
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

    async def _older(self, before: str | None) -> None:
        while before:
            page = (await self._patiently(partial(self.tab.get, f"{self.tab.url}/messages", before=before))).json()
            for item in page["items"]:
                self.shown.setdefault(item["id"], item)
            before = page["next"]

    async def _patiently(self, request: Any) -> httpx.Response:
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


async def conversations(rig: Rig) -> list[dict[str, Any]]:
    """Return every conversation of the connection, as the CRM's server lists them."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = await rig.call("GET", f"/v1/conversations?limit=200{after}")
        assert answer.is_success, answer.text
        page = answer.json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"
