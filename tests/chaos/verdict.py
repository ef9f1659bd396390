"""What the store, the tab, the phones and the CRM show at the end, against what was said."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from functions.core.message import echo_key, inbound_key
from functions.core.status import RANK
from tests.chaos.day import Day
from tests.chaos.tabs import conversations, everything
from tests.chaos.world import Person, Said
from tests.rig import LINE

_COUNTED = ("text", "image", "location")


async def violations(day: Day) -> list[str]:
    """Return every difference as a line; none when all is as it should be."""
    found = [f"sent twice: {text}" for text in day.meta.doubled]
    found += _left_over(day)
    found += [f"asks whether two are one: {one['reason']}" for one in await _reviews(day)]
    listed = await conversations(day.rig)
    living = Counter(one["contact"]["name"] for one in listed if not one["merged_into"])
    mirrors = day.crm.mirrored()
    for person in day.world.people:
        found += [f"{person.name}: {line}" for line in await _of(day, person, living, listed, mirrors)]
    return found


async def _reviews(day: Day) -> list[dict[str, Any]]:
    answer = await day.rig.call("GET", "/v1/reviews?limit=200")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _left_over(day: Day) -> Iterator[str]:
    documents = day.rig.documents
    for collection in ("parked", "imports"):
        for one in documents(collection):
            yield f"left in {collection}: { ({key: one[key] for key in one if key in ('reason', 'kind', 'status')}) }"
    for message in documents("messages"):
        name = message.get("content", {}).get("body")
        if message.get("waiting"):
            yield f"still waits: {name}"
        if message.get("media", {}).get("state") == "waiting":
            yield "a file was never fetched"
    if any(one.get("pending") for one in documents("events")):
        yield "the CRM was not told of everything"


async def _of(
    day: Day,
    person: Person,
    living: Counter[str],
    listed: list[dict[str, Any]],
    mirrors: dict[str, dict[str, Any]],
) -> list[str]:
    if not person.said:
        return []
    if living[person.name] != 1:
        return [f"has {living[person.name]} conversations"]
    [conversation] = [one for one in listed if not one["merged_into"] and one["contact"]["name"] == person.name]
    tab = day.rig.tab(conversation["id"])
    head, items = await tab.head(), await everything(tab)
    return [
        *_messages(person, items),
        *_sends(person, items),
        *_phone(day, person),
        *_counters(person, head),
        *_followed(day, person, items),
        *_mirrored(person, head, mirrors.get(conversation["id"])),
    ]


def _id(said: Said) -> str:
    return (echo_key if said.by == "phone" else inbound_key)(LINE, said.name).id


def _messages(person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """Everything that customer and phone said, once, in order, as it was changed."""
    expected = {_id(said): said for said in sorted(person.of("customer", "phone", "system"), key=lambda one: one.at)}
    shown = [one for one in items if one["author"]["kind"] in ("customer", "phone", "system")]
    ids = [one["id"] for one in shown]
    if lost := [said.text for id_, said in expected.items() if id_ not in ids]:
        yield f"lost: {lost}"
    if len(set(ids)) < len(ids) or set(ids) - {*expected}:
        yield f"doubled or not said: {len(ids)} for {len(expected)}"
    if [id_ for id_ in ids if id_ in expected] != [id_ for id_ in expected if id_ in ids]:
        yield "out of order"
    for item in shown:
        said = expected.get(item["id"])
        if said:
            yield from (f"{said.text}: {fault}" for fault in _one(said, item))


def _one(said: Said, item: dict[str, Any]) -> Iterator[str]:
    if said.revoked != bool(item["revoked"]):
        yield f"revoked is {item['revoked']}"
    if said.revoked or said.kind == "system":
        return
    text = item[item["type"]].get({"text": "body", "image": "caption", "location": "name"}[said.kind])
    if text != said.text:
        yield f"shows {text}"
    reactions = {one["by"]: one["emoji"] for one in item["reactions"] if one["emoji"]}
    if reactions != said.emoji:
        yield f"reactions are {reactions} for {said.emoji}"
    if said.by == "phone" and item["status"] != said.statuses[-1]:
        yield f"status is {item['status']} for {said.statuses}"


def _sends(person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """What agents wrote: once, with its true end; notes once."""
    shown = [one for one in items if one["author"]["kind"] == "agent"]
    texts = [one["text"]["body"] if one["type"] == "text" else one["note"]["body"] for one in shown]
    expected = [said.text for said in person.of("agent", "note")]
    if sorted(texts) != sorted(expected):
        yield f"agents' messages: {sorted(Counter(texts) - Counter(expected))} too many, "
        yield f"{sorted(Counter(expected) - Counter(texts))} lost"
    status = {text: one["status"] for text, one in zip(texts, shown, strict=True)}
    for said in person.of("agent"):
        if status.get(said.text) not in _ends(said):
            yield f"{said.text} is {status.get(said.text)}; {said.fate}, accepted {said.accepted}, {said.statuses}"


def _ends(said: Said) -> set[str | None]:
    if said.accepted:
        return {max(said.statuses, key=lambda name: RANK[name])}
    return {"failed", "unknown"} if said.fate == "refused" else {"unknown"}


def _phone(day: Day, person: Person) -> Iterator[str]:
    """The customer gets what was accepted, in the order in which it was written."""
    got = day.meta.phones.get(person.name, [])
    written = [said.text for said in person.of("agent") if said.text in set(got)]
    if got != written:
        yield f"the phone shows {got} for {written}"


def _counters(person: Person, head: dict[str, Any]) -> Iterator[str]:
    expected = sum(said.kind in _COUNTED for said in person.of("customer"))
    if head["received"] != expected:
        yield f"received is {head['received']} for {expected}"
    if not 0 <= head["read"] <= head["received"] or head["unread"] != head["received"] - head["read"]:
        yield f"unread is {head['unread']}, read {head['read']} of {head['received']}"
    last = max((said.at for said in person.of("customer")), default=0)
    if last and not head["window"]["until"]:
        yield "has no window"


def _followed(day: Day, person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """A tab that was open all day shows the same as one that is opened now."""
    desk = day.desks.get(person.name)
    if desk is None:
        yield "nobody ever saw the conversation"
        return
    fresh = {one["id"]: _seen(one) for one in items}
    followed = {id_: _seen(one) for id_, one in desk.shown.items()}
    for id_ in sorted(fresh.keys() | followed.keys()):
        if fresh.get(id_) != followed.get(id_):
            yield f"the open tab shows {followed.get(id_)} for {fresh.get(id_)}"


def _seen(item: dict[str, Any]) -> tuple[Any, ...]:
    names = ("at", "type", "status", "version")
    return (*(item[name] for name in names), bool(item["revoked"]), str(item["reactions"]))


def _mirrored(person: Person, head: dict[str, Any], mirror: dict[str, Any] | None) -> Iterator[str]:
    """The CRM has the conversation as it stands, and one lead of the customer."""
    if mirror is None:
        yield "the CRM knows nothing of the conversation"
        return
    for name in ("received", "read"):
        if mirror[name] != head[name]:
            yield f"the CRM's {name} is {mirror[name]} for {head[name]}"
    # Whoever wrote from a new number before WhatsApp said so was somebody else until then, with a lead of their own.
    most = len(person.identities)
    if person.of("customer") and not 1 <= mirror["leads"] <= most:
        yield f"has {mirror['leads']} leads"
