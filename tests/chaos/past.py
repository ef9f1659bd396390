"""What the phone app hands over: chats of the past, in chunks that overlap and come in any order, and names."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tests import payloads
from tests.chaos.people import CUSTOMER, PHONE, Person, Said

if TYPE_CHECKING:
    from tests.chaos.world import World

_KINDS = {"text": 6, "answer": 4, "picture": 1, "reaction": 1, "live": 2, "live echo": 1}
"""What stands in a chat of the past, and how often; what is live comes by itself as well."""

_STATUSES = ("SENT", "DELIVERED", "READ")


def handed_over(world: "World", people: Sequence[Person], now: int) -> Iterator[dict[str, Any]]:
    """Yield what Meta says of some people's chats: chunks of them, files, the address book, and what is live."""
    chunks: list[list[tuple[payloads.Customer, list[dict[str, Any]]]]] = [[], [], []]
    for person in people:
        items: list[dict[str, Any]] = []
        for kind in world.chance.choices(list(_KINDS), list(_KINDS.values()), k=world.chance.randint(1, 8)):
            yield from _one(world, person, kind, now, items)
        for chunk in chunks:
            world.chance.shuffle(items)
            # A part of it stands in this one, and maybe in another one too.
            chunk.append((person.now, items[: world.chance.randint(0, len(items))]))
        chunks[0].append((person.now, items))
    yield from (payloads.history(*chunk) for chunk in chunks)
    for person in people:
        person.booked = person.anew
    yield payloads.address_book(*((person.now, person.name, person.moment(now)) for person in people))


def _one(world: "World", person: Person, kind: str, now: int, items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Put something into a chat, and yield what else Meta says of it."""
    if kind.startswith("live"):
        yield from world.text(person, now) if kind == "live" else world.echo(person, now)
        live = person.said[-1]
        by = "customer" if kind == "live" else "phone"
        items.append(payloads.told(person.now, live.text, by=by, status="SENT", wamid=live.name, at=live.at))
        return
    at, words = person.past_moment(now), world.words()
    said = Said(world.wamid(), CUSTOMER, at, "text", words, past=True)
    match kind:
        case "answer":
            status = world.chance.choice(_STATUSES)
            said.by, said.statuses = PHONE, [status.lower()]
            items.append(payloads.told(person.now, words, by="phone", status=status, wamid=said.name, at=at))
        case "picture":
            # Its place stands in the chat; the picture comes by itself.
            said.kind, (said.file, image) = "image", world.file(words, "image/jpeg")
            items.append(payloads.past_item(person.now, "media_placeholder", None, wamid=said.name, at=at))
            picture = payloads.message(person.now, "image", image, wamid=said.name, at=at)
            yield payloads.value(history=[], messages=[picture])
        case _:
            items.append(payloads.told(person.now, words, wamid=said.name, at=at))
    if kind == "reaction":
        said.reactions[CUSTOMER] = (person.past_moment(now), "🎉")
        reaction = {"message_id": said.name, "emoji": "🎉"}
        items.append(payloads.past_item(person.now, "reaction", reaction, wamid=world.wamid(), at=at + 1))
    if not person.anew:
        # What was said before somebody was erased stays away.
        person.said.append(said)
