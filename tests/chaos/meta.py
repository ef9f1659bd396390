"""WhatsApp at its worst: how it delivers what happens."""

import asyncio
import heapq
import itertools
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from functions.core.signature import sign_meta
from tests.chaos.faults import Calamity, SteppedClock
from tests.chaos.graph import Graph
from tests.chaos.people import Person, Wish
from tests.chaos.world import World
from tests.payloads import WABA, value
from tests.rig import APP_SECRET

_RETRY = 20
"""Seconds after which a webhook that was not answered 200 comes again, growing."""

_FIELDS = {
    "message_echoes": "smb_message_echoes",
    "standby": "standby",
    "user_preferences": "user_preferences",
    "control_passed": "messaging_handovers",
    "glitter": "glitter",
    "history": "history",
    "state_sync": "smb_app_state_sync",
}
"""By which field a value comes, by what it holds."""

_DAYS_LATER = 0.01
_AGAIN = 0.08


@dataclass
class Delivery:
    """A webhook on its way: its body, whose wishes it holds, and how often it was not answered 200."""

    body: bytes
    wishes: list[tuple[Person, Wish]]
    tries: int = 0


@dataclass
class Meta:
    """Delivers what happens: in batches, doubled, in no order, again until it is taken."""

    world: World
    clock: SteppedClock
    calamity: Calamity
    door: httpx.AsyncClient | None = None
    delivered: int = 0
    told: int = 0
    _loose: list[dict[str, Any]] = field(default_factory=list)
    _pending: list[tuple[float, int, Delivery]] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.graph = Graph(self.world, self.clock, self.calamity, self.tell, self.tell_now)

    @property
    def _chance(self) -> random.Random:
        return self.calamity.chance

    def tell(self, values: Iterable[dict[str, Any]]) -> None:
        """Have something to say; it goes out in batches, in no order."""
        before = len(self._loose)
        self._loose += values
        self.told += len(self._loose) - before

    async def tell_now(self, values: list[dict[str, Any]]) -> None:
        """Say something at once, before anything else happens; it may come again."""
        self.told += len(values)
        # The sender that waits for its answer may die; what Meta says does not die with it.
        await asyncio.shield(asyncio.create_task(self.deliver(self._delivery(values))))

    def batch(self) -> None:
        """Make webhooks of what there is to say."""
        self._chance.shuffle(self._loose)
        while self._loose:
            count = self._chance.choice([1, 1, 1, 2, 3, 10, 30, 100])
            values, self._loose = self._loose[:count], self._loose[count:]
            now, delivery = self.clock.wall(), self._delivery(values)
            self._put(delivery, now + self._chance.choice([0, 0, 0, 1, 5, 60]))
            if self.calamity.strikes("webhook doubled", _AGAIN):
                self._put(delivery, now)
            if self.calamity.strikes("webhook again days later", _DAYS_LATER):
                self._put(delivery, now + self._chance.uniform(86400, 3 * 86400))

    @property
    def dues(self) -> list[float]:
        """When the webhooks that are on their way will arrive, in epoch seconds."""
        return [due for due, *_ in self._pending]

    def due(self, most: int) -> list[Delivery]:
        """Take webhooks whose time has come, those first that are late."""
        now, due = self.clock.wall(), list[Delivery]()
        while len(due) < most and self._pending and self._pending[0][0] <= now:
            due.append(heapq.heappop(self._pending)[-1])
        return due

    async def deliver(self, delivery: Delivery) -> None:
        """Post a webhook; it comes again until it is answered 200."""
        assert self.door
        headers = {"X-Hub-Signature-256": sign_meta(delivery.body, APP_SECRET)}
        try:
            answer = await self.door.post("/", content=delivery.body, headers=headers)
            well = answer.status_code == httpx.codes.OK
            assert well or answer.status_code >= 500, (answer.status_code, answer.text)
        except httpx.ReadError:
            well = False
        self.delivered += 1
        if well:
            for person, wish in delivery.wishes:
                person.heard.setdefault(wish, (self.graph.round, self.clock.wall()))
            return
        tries = delivery.tries + 1
        pause = min(_RETRY * 2**tries, 3600) * (not self.calamity.calm)
        self._put(Delivery(delivery.body, delivery.wishes, tries), self.clock.wall() + pause)

    def _delivery(self, values: list[dict[str, Any]]) -> Delivery:
        wishes = [found for one in values if (found := self._wish_of(one))]
        changes = [{"field": _field(one), "value": one} for one in self._shaped(values)]
        body = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}
        return Delivery(json.dumps(body).encode(), wishes)

    def _wish_of(self, told: dict[str, Any]) -> tuple[Person, Wish] | None:
        """Return the wish that a value tells of, if it does."""
        for item in (*told.get("user_preferences", ()), *told.get("messages", ())):
            identity = item.get("wa_id") or item.get("user_id") or item.get("from") or item.get("from_user_id")
            person = self.world.by_identity.get(identity or "")
            for wish in person.wishes if person else ():
                if wish.exact and wish.at == int(item["timestamp"]):
                    assert person
                    return person, wish
        return None

    def _shaped(self, values: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield what customers say as WhatsApp may put it: several in one change, or as copies for who stands by."""
        said = [one for one in values if "messages" in one and "contacts" in one]
        if len(said) > 1 and self._chance.random() < 0.3:
            values = [one for one in values if one not in said] + [self._together(said)]
        for one in values:
            aside = "messages" in one and "history" not in one and self._chance.random() < 0.03
            if aside:
                self.calamity.struck["told as a standby copy"] += 1
                lists = {name: one[name] for name in ("messages", "contacts") if name in one}
                yield value(standby=lists)
            if not aside or self._chance.random() < 0.5:
                yield one

    def _together(self, said: list[dict[str, Any]]) -> dict[str, Any]:
        lists = {name: [item for one in said for item in one[name]] for name in ("contacts", "messages")}
        self._chance.shuffle(lists["contacts"])
        return value(**lists)

    def _put(self, delivery: Delivery, due: float) -> None:
        heapq.heappush(self._pending, (due, next(self._count), delivery))


def _field(told: dict[str, Any]) -> str:
    return next((field for name, field in _FIELDS.items() if name in told), "messages")
