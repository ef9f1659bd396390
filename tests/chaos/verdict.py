"""What the store, the tab, the phones and the CRM show at the end, against what was said."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import httpx

from functions.core.courtesies import GOODBYES
from functions.core.message import echo_key, inbound_key
from functions.core.status import RANK
from tests.chaos.day import Day
from tests.chaos.erasure import left
from tests.chaos.people import AGENT, BUSINESS, CUSTOMER, NOTE, PHONE, SYSTEM, Person, Said
from tests.chaos.tabs import conversations, everything
from tests.chaos.world import COUNTED
from tests.rig import LINE

_SHOWN = {
    "text": lambda item: item["text"]["body"],
    "image": lambda item: item["image"]["caption"],
    "document": lambda item: item["document"]["caption"],
    "audio": lambda item: item["audio"]["caption"],
    "location": lambda item: item["location"]["name"],
    "contacts": lambda item: item["contacts"][0]["name"]["formatted_name"],
    "button": lambda item: item["button"]["text"],
    "interactive": lambda item: item["interactive"]["button_reply"]["title"],
    "order": lambda item: item["order"]["text"],
    "note": lambda item: item["note"]["body"],
    "template": lambda item: item["template"]["body"].partition(" ")[2],
}
"""Where a message of a type shows what was said."""

_ANSWERED_WITHIN = 3 * 3600
"""Seconds: a STOP that is heard of later may be too late for an answer, since the window closes."""

_SOON = 10
"""Seconds: what WhatsApp's answer teaches is noted by our clock, which is stepped."""


async def violations(day: Day) -> list[str]:
    """Return every difference as a line; none when all is as it should be."""
    found = [f"sent twice: {text}" for text in day.meta.graph.doubled] + day.meta.graph.wrong
    found += [line for desk in day.desks.values() for line in desk.wrong]
    found += _left_over(day)
    found += [f"asks whether two are one: {one['reason']}" for one in await _reviews(day)]
    listed = await conversations(day.rig)
    living: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in listed:
        person = day.world.whose(one["contact"])
        if person is None:
            found.append(f"there is a conversation of nobody: {one}")
        elif not one["merged_into"]:
            living[person.name].append(one)
    mirrors = day.crm.mirrored()
    found += [
        f"the CRM has a conversation that is gone: {id_}" for id_ in mirrors.keys() - {one["id"] for one in listed}
    ]
    found += await _erased(day)
    for person in day.world.people:
        found += [f"{person.name}: {line}" for line in await _of(day, person, living[person.name], mirrors)]
    return found


async def _reviews(day: Day) -> list[dict[str, Any]]:
    answer = await day.rig.call("GET", "/v1/reviews?limit=200")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _left_over(day: Day) -> Iterator[str]:
    documents = day.rig.documents
    parked = Counter(one["reason"] for one in documents("parked") if one["part"] == 0)
    surely, maybe = day.world.parked, day.world.parked_maybe
    too_many, too_few = parked - surely - maybe, surely - parked
    if too_many or too_few:
        yield f"put aside are {too_many} too many, {too_few} too few"
    for one in documents("imports"):
        if "body" in one:
            yield "an import was not worked off"
    for message in documents("messages"):
        if message.get("waiting"):
            yield f"still waits: {message.get('content', {}).get('body')}"
        if "type" not in message:
            yield "what changes a message never found it"
    if any(one.get("pending") for one in documents("events")):
        yield "the CRM was not told of everything"


async def _of(day: Day, person: Person, living: list[dict[str, Any]], mirrors: dict[str, dict[str, Any]]) -> list[str]:
    if len(living) != bool(person.said):
        return [f"has {len(living)} conversations"]
    if not person.said:
        return []
    [conversation] = living
    tab = day.rig.tab(conversation["id"])
    head, items = await tab.head(), await everything(tab)
    return [
        *_messages(person, items),
        *await _files(day, person, items),
        *_sends(person, items),
        *_courtesies(person, items),
        *_phone(person),
        *_reactions(person, items),
        *_consent(person, head),
        *_counters(person, head),
        *_followed(day, person, items),
        *_mirrored(person, head, mirrors.get(conversation["id"])),
    ]


async def _erased(day: Day) -> list[str]:
    """Of who was erased nothing is left, and a tab that is still open finds nothing."""
    found = [*left(day.folder, day.world.erased, day.world.by_name)]
    for desk in day.closed:
        if (answer := await desk.tab.get(desk.tab.url)).status_code != httpx.codes.NOT_FOUND:
            found.append(f"{desk.person.name}: erased, but a tab shows {answer.text}")
    return found


def _id(said: Said) -> str:
    return (echo_key if said.by == PHONE else inbound_key)(LINE, said.name).id


def _messages(person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """Everything that customer and phone said, once, in order, as it was changed."""
    spoke = person.of(CUSTOMER, PHONE, SYSTEM)
    expected = {_id(said): said for said in sorted(spoke, key=lambda one: one.at)}
    shown = [one for one in items if one["author"]["kind"] in (CUSTOMER, PHONE) or _is_notice(one)]
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


def _is_notice(item: dict[str, Any]) -> bool:
    return bool(item["author"]["kind"] == SYSTEM and item["direction"] == "in")


def _one(said: Said, item: dict[str, Any]) -> Iterator[str]:
    if said.past != item["history"]:
        yield f"history is {item['history']}"
    if said.revoked != bool(item["revoked"]):
        yield f"revoked is {item['revoked']}"
    if said.revoked or said.kind == "system":
        return
    if item["type"] != said.kind:
        yield f"is a {item['type']}, not a {said.kind}"
    elif said.kind in _SHOWN and _SHOWN[said.kind](item) != said.text:
        yield f"shows {_SHOWN[said.kind](item)}"
    reactions = {one["by"]: one["emoji"] for one in item["reactions"] if one["emoji"] and one["by"] != BUSINESS}
    if reactions != said.emoji:
        yield f"reactions are {reactions} for {said.emoji}"
    if said.by == PHONE and item["status"] != said.statuses[-1]:
        yield f"status is {item['status']} for {said.statuses}"


async def _files(day: Day, person: Person, items: list[dict[str, Any]]) -> list[str]:
    """A customer's file is there as it was sent, or the agent reads why it is not."""
    sent = {_id(said): said for said in person.of(CUSTOMER) if said.file and not said.revoked}
    wrong = []
    for item in items:
        said = sent.get(item["id"])
        if said is None or said.file is None:
            continue
        media = item["media"]
        if media["state"] != ("stored" if said.file.fate == "stored" else "failed"):
            wrong.append(f"the file of {said.text}, {said.file.fate}, is {media['state']}: {media['reason']}")
        elif media["url"] and (await day.rig.files.get(media["url"])).content != said.file.content:
            wrong.append(f"the file of {said.text} is another one")
    return wrong


def _sends(person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """What agents wrote: once, with its true end; notes once."""
    shown = [one for one in items if one["author"]["kind"] == AGENT]
    texts = [(one["client_id"], _SHOWN[one["type"]](one)) for one in shown]
    expected = [(said.name, said.text) for said in person.of(AGENT, NOTE) if said.kind != "reaction"]
    if sorted(texts) != sorted(expected):
        yield f"agents' messages: {sorted(Counter(texts) - Counter(expected))} too many, "
        yield f"{sorted(Counter(expected) - Counter(texts))} lost"
    by_name = {one["client_id"]: one for one in shown}
    for said in person.of(AGENT):
        item = by_name.get(said.name)
        if said.kind == "reaction" or item is None:
            continue
        if item["status"] not in _ends(person, said):
            yield f"{said.text} is {item['status']}; {said.fate}, accepted {said.accepted}, {said.statuses}"
        yield from _settled(said, item, by_name)


def _settled(said: Said, item: dict[str, Any], by_name: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What an agent decided of a message stands on it, and what says it again names it."""
    if (item["settled"] and item["settled"]["as"]) != said.settled:
        yield f"{said.text} is settled as {item['settled']} for {said.settled}"
    again = by_name.get(said.again.name) if said.again else None
    if item["again"] != (again and again["id"]) or (again and again["again_of"] != item["id"]):
        yield f"{said.text} is said again by {item['again']} for {said.again and said.again.name}"


def _ends(person: Person, said: Said) -> set[str | None]:
    if said.accepted:
        return {max(said.statuses, key=lambda name: RANK[name])}
    if said.marketing and said.fate == "taken" and any(wish.value == "stop" for wish in person.wishes):
        # It waited, and meanwhile the customer wanted no offers any more.
        return {"failed", "unknown"}
    # A sender that died may not have asked at all: nobody knows.
    return {"failed", "unknown"} if said.fate == "refused" else {"unknown"}


def _courtesies(person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """Who says stop is answered, and never more often than that."""
    told = [one for one in items if one["author"]["kind"] == SYSTEM and one["direction"] == "out"]
    if strange := [one["text"]["body"] for one in told if one["text"]["body"] not in GOODBYES.values()]:
        yield f"got by itself: {strange}"
    stops = [wish for wish in person.wishes if wish.value == "stop" and wish.exact]
    if len(told) > len(stops):
        yield f"{len(stops)} times stop, answered {len(told)} times"
    wrote = [wish for wish in stops if wish.source == "keyword" and person.heard[wish][1] < wish.at + _ANSWERED_WITHIN]
    if wrote and len(stops) == len(person.wishes) and not person.closed and not told:
        yield "wrote STOP, and was not answered"


def _phone(person: Person) -> Iterator[str]:
    """The customer gets what was accepted, in the order in which it was written."""
    ours = [said.name for said in person.of(AGENT) if said.kind != "reaction"]
    got = [name for name in person.phone if name in set(ours)]
    written = [name for name in ours if name in set(got)]
    if got != written:
        yield f"the phone shows {got} for {written}"


def _reactions(person: Person, items: list[dict[str, Any]]) -> Iterator[str]:
    """Of agents' reactions the tab shows the last one, or what stood before it if it was refused."""
    by_id = {one["id"]: one for one in items}
    last = {_id(said.target): said for said in person.of(AGENT) if said.target}
    for id_, said in last.items():
        item = by_id.get(id_)
        if item is None or said.target is None or said.target.revoked:
            continue
        shown = next((one for one in item["reactions"] if one["by"] == BUSINESS), None)
        emoji = shown["emoji"] if shown else ""
        on_phone = person.phone_reactions.get(said.target.name, "")
        if said.accepted and emoji != on_phone:
            yield f"shows the reaction {emoji!r}, the phone {on_phone!r}"
        elif not said.accepted and said.fate == "refused" and shown and shown["status"] not in ("failed", "unknown"):
            yield f"a reaction that was refused is {shown['status']}"


def _consent(person: Person, head: dict[str, Any]) -> Iterator[str]:
    """What the customer said last of marketing holds."""
    wish, said = person.wish, head["contact"]["consent"]["marketing"]
    if wish is None or any(not one.exact and abs(one.at - wish.at) < _SOON for one in person.wishes):
        return
    if said is None or (said["value"], said["source"]) != (wish.value, wish.source):
        yield f"wants {wish}, shown is {said}"


def _counters(person: Person, head: dict[str, Any]) -> Iterator[str]:
    expected = sum(said.kind in COUNTED for said in person.live)
    if head["received"] != expected:
        yield f"received is {head['received']} for {expected}"
    if not 0 <= head["read"] <= head["received"] or head["unread"] != head["received"] - head["read"]:
        yield f"unread is {head['unread']}, read {head['read']} of {head['received']}"
    if bool(person.live) != bool(head["window"]["until"]):
        yield f"its window is open until {head['window']['until']}"


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
    names = ("at", "type", "status", "version", "again")
    return (*(item[name] for name in names), *(str(item[name]) for name in ("revoked", "settled", "reactions")))


def _mirrored(person: Person, head: dict[str, Any], mirror: dict[str, Any] | None) -> Iterator[str]:
    """The CRM has the conversation as it stands, and one lead of the customer."""
    if mirror is None:
        yield "the CRM knows nothing of the conversation"
        return
    for name in ("received", "read"):
        if mirror[name] != head[name]:
            yield f"the CRM's {name} is {mirror[name]} for {head[name]}"
    # Whoever wrote from a new number before WhatsApp said so was somebody else until then, with a lead of their own.
    most = 1 + person.moves
    if not bool(person.live) <= mirror["leads"] <= most * bool(person.live):
        yield f"has {mirror['leads']} leads"
