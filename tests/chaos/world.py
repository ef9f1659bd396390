"""What was really said: the truth that store, CRM, phones and tabs are held to."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests import payloads
from tests.payloads import Customer


@dataclass
class Said:
    """One thing said. `name` is its wamid, or the client's id where an agent said it."""

    name: str
    by: str
    at: int
    kind: str
    text: str
    revoked: bool = False
    reactions: dict[str, tuple[int, str]] = field(default_factory=dict)
    edited_at: int = 0
    statuses: list[str] = field(default_factory=list)
    wamid: str | None = None
    accepted: int = 0
    fate: str = "taken"
    settled: bool = False

    @property
    def emoji(self) -> dict[str, str]:
        """Who shows which reaction at the end."""
        return {by: emoji for by, (_, emoji) in self.reactions.items() if emoji}


@dataclass
class Person:
    """A customer, with every identity they ever had."""

    name: str
    identities: list[Customer]
    at: int = 0
    said: list[Said] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> Customer:
        return self.identities[-1]

    def of(self, *by: str) -> list[Said]:
        return [one for one in self.said if one.by in by]

    def moment(self, now: int) -> int:
        """Return a second that nothing of this person has yet, so that their order is known."""
        self.at = max(self.at + 1, now)
        return self.at


class World:
    """The people, and what each does next. Everything comes from one seed."""

    def __init__(self, seed: int, people: int, moves: int) -> None:
        self.chance = random.Random(seed)
        self.people: list[Person] = []
        self._limit, self._moves = people, moves
        self._count = 0
        self._wamids = 0

    def wamid(self) -> str:
        self._wamids += 1
        return f"wamid.{self._wamids:08}"

    def somebody(self) -> Person:
        """Return a person: a new one now and then, mostly one of the busiest."""
        if len(self.people) < self._limit and (not self.people or self.chance.random() < 0.05):
            return self._stranger()
        return self.people[min(int(self.chance.expovariate(4 / len(self.people))), len(self.people) - 1)]

    def happens(self, now: int) -> Iterator[dict[str, Any]]:
        """Let somebody do something, and yield what Meta says of it: the values of some changes."""
        person = self.somebody()
        actions = {
            self._text: 40,
            self._burst: 6,
            self._album: 3,
            self._place: 2,
            self._edit: 6,
            self._revoke: 3,
            self._react: 8,
            self._echo: 10,
            self._move: self._moves,
        }
        if not person.of("customer"):
            actions = {self._text: 1}
        [act] = self.chance.choices(list(actions), list(actions.values()))
        yield from act(person, now)

    def words(self) -> str:
        """Return a text that nobody ever said."""
        self._count += 1
        return f"text {self._count}"

    def _stranger(self) -> Person:
        number = len(self.people)
        wa_id, bsuid = f"4915550{number:06}", f"DE.{number:020}"
        shapes = (
            Customer(wa_id, bsuid, f"Customer {number}"),
            Customer(wa_id, None, f"Customer {number}"),
            Customer(None, bsuid, f"Customer {number}", f"customer.{number}"),
        )
        person = Person(f"Customer {number}", [self.chance.choices(shapes, (6, 2, 2))[0]])
        self.people.append(person)
        return person

    def _say(self, person: Person, now: int, kind: str, text: str, content: dict[str, Any]) -> dict[str, Any]:
        said = Said(self.wamid(), "customer", person.moment(now), kind, text)
        person.said.append(said)
        return payloads.inbound(person.now, kind, content, wamid=said.name, at=said.at)

    def _text(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        words = self.words()
        yield self._say(person, now, "text", words, {"body": words})

    def _burst(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        for _ in range(self.chance.randint(3, 8)):
            yield from self._text(person, now)

    def _album(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        for _ in range(self.chance.randint(2, 5)):
            words = self.words()
            file = words.encode()
            value = payloads.inbound_image(person.now, f"media-{words.split()[1]}", file, caption=words)
            image = value["messages"][0]["image"]
            yield self._say(person, now, "image", words, image)

    def _place(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        words = self.words()
        content = {"latitude": 52.5, "longitude": 13.4, "name": words}
        yield self._say(person, now, "location", words, content)

    def _edit(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        texts = [one for one in person.of("customer")[-20:] if one.kind == "text" and not one.revoked]
        if not texts:
            return
        said = self.chance.choice(texts)
        at, words = person.moment(now), self.words()
        said.text, said.edited_at = words, at
        yield payloads.edit(person.now, said.name, words, wamid=self.wamid(), at=at)

    def _revoke(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        standing = [one for one in person.of("customer")[-20:] if not one.revoked]
        if not standing:
            return
        said = self.chance.choice(standing)
        said.revoked = True
        yield payloads.revoke(person.now, said.name, wamid=self.wamid(), at=person.moment(now))

    def _react(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        known = [one for one in person.said[-30:] if one.by in ("customer", "phone") and not one.revoked]
        if not known:
            return
        said, at = self.chance.choice(known), person.moment(now)
        emoji = self.chance.choice(["👍", "🎉", "❤️", ""])
        said.reactions["customer"] = (at, emoji)
        yield payloads.reaction(person.now, said.name, emoji or None, wamid=self.wamid(), at=at)

    def _echo(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        words, at = self.words(), person.moment(now)
        said = Said(self.wamid(), "phone", at, "text", words, statuses=["sent"])
        person.said.append(said)
        yield payloads.echo_text(person.now, words, wamid=said.name, at=at)
        for name in ("delivered", "read")[: self.chance.randint(0, 2)]:
            said.statuses.append(name)
            yield payloads.status(name, said.name, to=person.now, at=person.moment(now))

    def _move(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        before = person.now
        if before.wa_id is None or len(person.identities) > 3:
            return
        at = person.moment(now)
        number = f"4917{len(person.identities)}{before.wa_id[5:]}"
        after = Customer(number, before.bsuid and f"{before.bsuid}{len(person.identities)}", before.name)
        system = {
            "type": "user_changed_number",
            "body": "moved to another number",
            "wa_id": after.wa_id,
            "user_id": after.bsuid,
            "previous_user_id": before.bsuid,
        }
        stated = {name: told for name, told in system.items() if told is not None}
        item = payloads.message(Customer(before.wa_id), "system", stated, wamid=self.wamid(), at=at)
        person.identities.append(after)
        person.said.append(Said(item["id"], "system", at, "system", "moved to another number"))
        yield payloads.value(messages=[item])
