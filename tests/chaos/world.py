"""What customers do all day, and what WhatsApp says of it. Everything comes from one seed."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests import payloads
from tests.chaos.past import handed_over
from tests.chaos.people import CLOCKS_DIFFER, CUSTOMER, PHONE, SYSTEM, File, Person, Said, Wish
from tests.payloads import NUMBER, Customer

COUNTED = (
    "text",
    "image",
    "document",
    "audio",
    "location",
    "contacts",
    "button",
    "interactive",
    "order",
    "unsupported",
)
"""What customers say; everything else that comes from them is no message."""

_FILES = (("image", "image/jpeg"), ("document", "application/pdf"), ("audio", "audio/ogg; codecs=opus"))
_FATES = ("stored", "gone", "spoiled")
_STRANGE = ("hologram", "unsupported", "poll_creation", "unknown")


class World:
    """The people, and what each does next. `parked`: what nobody can make sense of, by the reason that will be told.

    `erased`: who was erased; in their place is somebody new. `parked_maybe`: what names them goes with them, and is put
    aside once more if it comes again.
    """

    def __init__(self, seed: int, people: int, moves: int) -> None:
        self.chance = random.Random(seed)
        self.people: list[Person] = []
        self.by_name: dict[str, Person] = {}
        self.by_identity: dict[str, Person] = {}
        self.files: dict[str, File] = {}
        self.parked: Counter[str] = Counter()
        self.parked_maybe: Counter[str] = Counter()
        self.erased: list[Person] = []
        self._limit = people
        self._coming_back: list[Person] = []
        self._count = 0
        self._wamids = 0
        self._acts = {
            self.text: 40,
            self._burst: 6,
            self._album: 3,
            self._place: 2,
            self._answer: 3,
            self._strange: 2,
            self._edit: 6,
            self._revoke: 3,
            self._react: 8,
            self.echo: 10,
            self._wish: 2,
            self._reveal: 2,
            self._nonsense: 1,
            self._hand_over: 1,
            self._move: moves,
        }

    def wamid(self) -> str:
        self._wamids += 1
        return f"wamid.{self._wamids:08}"

    def somebody(self, now: int) -> Person:
        """Return a person: a new one now and then, mostly one of the busiest; some who were erased come back soon."""
        if self._coming_back and self._coming_back[-1].at <= now and self.chance.random() < 0.1:
            return self._coming_back.pop()
        if len(self.people) < self._limit and (not self.people or self.chance.random() < 0.05):
            return self._stranger()
        there = [one for one in self.people if not one.anew or one.at <= now] or self.people
        return there[min(int(self.chance.expovariate(4 / len(there))), len(there) - 1)]

    def happens(self, now: int) -> Iterator[dict[str, Any]]:
        """Let somebody do something, and yield what Meta says of it: the values of some changes."""
        person = self.somebody(now)
        acts = self._acts if person.of(CUSTOMER) else {self.text: 1}
        [act] = self.chance.choices(list(acts), list(acts.values()))
        yield from act(person, now)

    def whose(self, contact: dict[str, Any] | None) -> Person | None:
        """Return whose contact this is, as the chat API shows it."""
        known = [contact[name] for name in ("bsuid", "wa_id") if contact[name]] if contact else []
        return next((self.by_identity[one] for one in known if one in self.by_identity), None)

    def erases(self, person: Person, now: float) -> None:
        """Put somebody new in a person's place, who has done nothing yet, and does nothing for some seconds."""
        self.erased.append(person)
        self.parked.subtract(person.strange)
        self.parked_maybe.update(person.strange)
        anew = Person(person.name, [person.now], at=int(now) + CLOCKS_DIFFER, moves=person.moves, anew=True)
        self.people[self.people.index(person)] = self.by_name[person.name] = anew
        self.by_identity.update(dict.fromkeys(person.names, anew))
        self._coming_back = [one for one in self._coming_back if one is not person]
        if self.chance.random() < 0.7:
            self._coming_back.append(anew)

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
        person = Person(f"Customer {number}", [])
        self.people.append(person)
        self.by_name[person.name] = person
        self._is_known_as(person, self.chance.choices(shapes, (6, 2, 2))[0])
        return person

    def _is_known_as(self, person: Person, customer: Customer) -> None:
        person.identities.append(customer)
        for identity in (customer.wa_id, customer.bsuid):
            if identity:
                self.by_identity[identity] = person

    def _say(self, person: Person, now: int, kind: str, text: str, content: Any, **more: Any) -> dict[str, Any]:
        """Let a person say something. `more` goes beside the content."""
        said = Said(self.wamid(), CUSTOMER, person.moment(now), kind, text)
        person.said.append(said)
        type_ = more.pop("type_", kind)
        return payloads.inbound(person.now, type_, content, wamid=said.name, at=said.at, **more)

    def text(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        words = self.words()
        yield self._say(person, now, "text", words, {"body": words})

    def _burst(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        for _ in range(self.chance.randint(3, 8)):
            yield from self.text(person, now)

    def _album(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        kind, mime = self.chance.choice(_FILES)
        for _ in range(self.chance.randint(1, 5)):
            words = self.words()
            file, content = self.file(words, mime)
            yield self._say(person, now, kind, words, content)
            person.said[-1].file = file

    def file(self, words: str, mime: str) -> tuple[File, dict[str, Any]]:
        """Return a file that WhatsApp has, or says to have, and what a message says of it."""
        [fate] = self.chance.choices(_FATES, (48, 1, 1))
        file, name = File(words.encode(), mime, fate), f"media-{words.split()[1]}"
        self.files[name] = file
        told = payloads.inbound_image(self.people[0].now, name, file.content, caption=words, mime=mime)
        return file, told["messages"][0]["image"]

    def _place(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        words = self.words()
        content = {"latitude": 52.5, "longitude": 13.4, "name": words}
        yield self._say(person, now, "location", words, content)

    def _answer(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Press a button, choose from a list, order, or share a contact."""
        words = self.words()
        kind, content = self.chance.choice(
            [
                ("button", {"payload": "p", "text": words}),
                ("interactive", {"type": "button_reply", "button_reply": {"id": "b", "title": words}}),
                ("order", {"catalog_id": "c", "text": words, "product_items": []}),
                ("contacts", [{"name": {"formatted_name": words}, "phones": [{"phone": "+49 30 1"}]}]),
            ]
        )
        yield self._say(person, now, kind, words, content)

    def _strange(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Say something of a type that this version does not know, or that WhatsApp could not hand over."""
        words, type_ = self.words(), self.chance.choice(_STRANGE)
        more = {"errors": [payloads.error(131051)]} if type_ in ("unsupported", "unknown") else {}
        yield self._say(person, now, "unsupported", words, {"type": "pin", "said": words}, type_=type_, **more)

    def _edit(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        texts = [one for one in person.of(CUSTOMER)[-20:] if one.kind == "text" and not one.revoked]
        if not texts:
            return
        said = self.chance.choice(texts)
        at, words = person.moment(now), self.words()
        said.text = words
        yield payloads.edit(person.now, said.name, words, wamid=self.wamid(), at=at)

    def _revoke(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        standing = [one for one in person.of(CUSTOMER)[-20:] if not one.revoked]
        if not standing:
            return
        said = self.chance.choice(standing)
        said.revoked = True
        yield payloads.revoke(person.now, said.name, wamid=self.wamid(), at=person.moment(now))

    def _react(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        known = [one for one in person.said[-30:] if one.by in (CUSTOMER, PHONE) and not one.revoked]
        if not known:
            return
        said, at = self.chance.choice(known), person.moment(now)
        emoji = self.chance.choice(["👍", "🎉", "❤️", ""])
        said.reactions[CUSTOMER] = (at, emoji)
        yield payloads.reaction(person.now, said.name, emoji or None, wamid=self.wamid(), at=at)

    def echo(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        words, at = self.words(), person.moment(now)
        said = Said(self.wamid(), PHONE, at, "text", words, statuses=["sent"])
        person.said.append(said)
        yield payloads.echo_text(person.now, words, wamid=said.name, at=at)
        for name in ("delivered", "read")[: self.chance.randint(0, 2)]:
            said.statuses.append(name)
            yield payloads.status(name, said.name, to=person.now, at=person.moment(now))

    def _wish(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Want no marketing any more, or want it again: by a word, or by WhatsApp's own switch."""
        value = self.chance.choice(["stop", "stop", "resume"])
        if self.chance.random() < 0.5:
            word = "STOP" if value == "stop" else "START"
            yield self._say(person, now, "text", word, {"body": word})
            person.wishes.append(Wish(person.said[-1].at, value, "keyword"))
        else:
            wish = Wish(person.moment(now), value, "whatsapp")
            person.wishes.append(wish)
            item = {"category": "marketing_messages", "value": value, "timestamp": wish.at}
            item |= {name: one for name, one in person.now.contact().items() if name != "profile"}
            yield payloads.value(user_preferences=[item], contacts=[person.now.contact()])

    def _reveal(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Be seen with the identity that was hidden so far: a number, or a user id."""
        before, number = person.now, self.people.index(person)
        if (before.wa_id and before.bsuid) or person.moves:
            return
        after = Customer(
            before.wa_id or f"4915550{number:06}", before.bsuid or f"DE.{number:020}", before.name, before.username
        )
        self._is_known_as(person, after)
        yield from self.text(person, now)

    def _nonsense(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Meta says something that this version can't know, or can't read."""
        at, words, metadata = str(person.moment(now)), self.words(), payloads.value()["metadata"]
        reason, value = self.chance.choice(
            [
                ("status warning", payloads.status("warning", self.wamid(), to=person.now, at=int(at))),
                ("field glitter", {"glitter": words, "metadata": metadata}),
                ("messages item unreadable (KeyError)", payloads.value(messages=[{"timestamp": at, "said": words}])),
                (
                    "field messaging_handovers",
                    {
                        "recipient": {"phone_number_id": NUMBER},
                        "sender": {"phone_number": person.now.wa_id},
                        "timestamp": at,
                        "control_passed": {"metadata": words},
                    },
                ),
            ]
        )
        self.parked[reason] += 1
        if person.names & set(re.findall(r"[\w.]+", str(value))):
            person.strange.append(reason)
        yield value

    def _hand_over(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Let the phone app hand over chats of the past, also with somebody who has not written since."""
        others = [self.somebody(now) for _ in range(self.chance.randint(0, 2))]
        # Of who began anew nobody knows by another number yet that their past is to stay away.
        people = [
            one
            for one in {one.name: one for one in (person, *others)}.values()
            if not one.anew or len(one.identities) == 1
        ]
        if people:
            yield from handed_over(self, people, now)

    def _move(self, person: Person, now: int) -> Iterator[dict[str, Any]]:
        """Change number or, where only a user id is known, that."""
        before = person.now
        if person.moves > 2:
            return
        at, number = person.moment(now), self.people.index(person)
        person.moves += 1
        if before.wa_id is None:
            assert before.bsuid
            after = Customer(None, f"{before.bsuid}{person.moves}", before.name, before.username)
            notice, sender = "user_changed_user_id", Customer()
        else:
            bsuid = before.bsuid and f"{before.bsuid}{person.moves}"
            after = Customer(f"4917{person.moves}50{number:06}", bsuid, before.name)
            notice, sender = "user_changed_number", Customer(before.wa_id)
        system = {
            "type": notice,
            "body": "moved to another number",
            "wa_id": after.wa_id,
            "user_id": after.bsuid,
            "previous_user_id": before.bsuid,
        }
        stated = {name: told for name, told in system.items() if told is not None}
        item = payloads.message(sender, "system", stated, wamid=self.wamid(), at=at)
        self._is_known_as(person, after)
        person.said.append(Said(item["id"], SYSTEM, at, "system", "moved to another number"))
        yield payloads.value(messages=[item])
