"""Somebody is erased in the middle of the day; whoever writes again begins anew, and nothing of before is found."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import httpx

from functions.core.parked import KEPT
from functions.local.fields import from_json
from tests.chaos.people import CLOCKS_DIFFER, Person
from tests.chaos.tabs import Desk
from tests.rig import Rig
from tests.traces import readings

_TOKEN = re.compile(r"text \d+|wamid\.\d+|client-\d+|Customer \d+|DE\.\d+|\b49\d{11}\b|\b[0-9a-f]{32}\b")
"""What people say, and what they and our documents are called, in this day."""

_KNOW_IDS = ("erasures", "audit")
"""Where it stands which contact was erased, with which conversations, and by whom."""

_WRAPPINGS = 3
"""Base64 of gzip of JSON, which may hold base64."""


def erasable(desks: Mapping[str, Desk], rig: Rig, now: float) -> list[Desk]:
    """Return the desks of those whose erasure leaves no doubt of what goes with it.

    They have been quiet for longer than clocks differ, and all their identities are known to be one person's: of a
    number that WhatsApp has not told yet nobody could know whose it is.
    """
    aliases = {one["value"]: one["contact"] for one in rig.documents("aliases")}
    quiet = [desk for desk in desks.values() if desk.person.at < now - CLOCKS_DIFFER]
    return [desk for desk in quiet if len({aliases.get(name, name) for name in desk.person.names}) == 1]


async def erase(desk: Desk, now: float) -> None:
    """Ask for a person's erasure as a CRM's server does: again while nobody answers."""
    head = await desk.head()
    assert head
    contact = head["contact"]["id"]
    desk.person.ours, desk.person.erased = {contact, head["id"], desk.tab.conversation}, now
    tried: list[httpx.Response] = []

    async def ask() -> httpx.Response:
        tried.append(await desk.rig.call("DELETE", f"/v1/contacts/{contact}?by=7"))
        return tried[-1]

    answer = await desk.patiently(ask)
    # The first one may have been heard, and all be done by now.
    assert answer.is_success or (len(tried) > 1 and answer.status_code == httpx.codes.NOT_FOUND), answer.text


def left(folder: Path, erased: Sequence[Person], people: Mapping[str, Person]) -> Iterator[str]:
    """Yield whatever is left of who was erased. `people`: who is in their place now, and may have come back."""
    gone = {token: person for person in erased for token in _tokens(person, people[person.name])}
    for place, since, data in _everything(folder):
        for token in sorted(_found(data) & gone.keys()):
            person = gone[token]
            known = place in _KNOW_IDS and token in person.ours
            # What nobody understands is put aside once more when it comes again, since nobody knows of whom it is.
            again = place == "parked" and since > person.erased - CLOCKS_DIFFER
            if not known and not again:
                yield f"{person.name}: erased, but {token} is left in {place}"


def _tokens(person: Person, anew: Person) -> set[str]:
    """Return by what an erased person is recognized; who came back bears the same name."""
    said = " ".join(f"{one.name} {one.wamid} {one.text}" for one in person.said)
    came_back = bool(anew.said or anew.wishes or anew.booked)
    return {*_TOKEN.findall(said), *person.ours, *(() if came_back else (person.name, *person.names))}


def _everything(folder: Path) -> Iterator[tuple[str, float, bytes]]:
    """Yield each document and each file: where it lies, when it was put aside (else 0), and all of it."""
    with closing(sqlite3.connect(folder / "store.db")) as database:
        for place, name, fields in database.execute("SELECT collection, id, fields FROM documents"):
            since = (from_json(fields)["expires_at"] - KEPT).timestamp() if place == "parked" else 0
            yield place, since, f"{name} {fields}".encode()
    for path in (folder / "media").rglob("*"):
        if path.is_file():
            yield "files", 0, path.name.encode() + b" " + path.read_bytes()


def _found(data: bytes) -> set[str]:
    return {token for one in readings(data, _WRAPPINGS) for token in _TOKEN.findall(one.decode(errors="replace"))}
