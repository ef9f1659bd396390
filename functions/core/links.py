"""Links by which customers find the way in: a `wa.me` link with a text ready, and a short one of ours that counts.

The text ends with the link's reference (`core.reference`), which the customer's first message brings back.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from functions.core.ids import key_of
from functions.core.phone import digits
from functions.core.reference import references_in, spelled
from functions.core.store import NOW, Document, Increment, Key, Store, Write, create, merge

_SLUG_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"
_SLUG_LENGTH = 9
"""19 million million of them: a thousand links are not found by trying."""

_TOUCHED = ("label", "source", "medium", "campaign", "owner", "team", "tag")

_SHARDS = 8
"""Clicks of one link and day are counted in so many documents, since one takes about a write a second."""


@dataclass(frozen=True, slots=True)
class Link:
    """One way in. `stated` is what its maker says of it; to us only `text` and `expires` (epoch s) mean anything."""

    id: str
    account: str
    connection: str
    line: str
    reference: str
    slug: str
    stated: Mapping[str, Any] = field(default_factory=dict)

    def prefilled(self, variables: Mapping[str, str] | None = None) -> str:
        """Return the text that stands ready in WhatsApp: `{{name}}` filled in, the reference at its end."""
        text = str(self.stated["text"])
        for name, value in (variables or {}).items():
            text = text.replace("{{" + name + "}}", value)
        return f"{text} ({spelled(self.reference)})".lstrip()

    def expired(self, now: datetime) -> bool:
        expires = self.stated.get("expires")
        return expires is not None and expires <= now.timestamp()


def wa_me(base: str, number: str, text: str) -> str:
    """Return the link that opens a chat with a number, a text ready in it.

    Percent-encoded as `encodeURIComponent` does; WhatsApp reads a plus sign as itself. Source: WhatsApp FAQ, "How to
    use click to chat".
    """
    return f"{base}/{digits(number)}?text={quote(text, safe='')}"


def new_slug() -> str:
    return "".join(secrets.choice(_SLUG_ALPHABET) for _ in range(_SLUG_LENGTH))


def link_key(link: str) -> Key:
    return Key("links", link)


def slug_key(slug: str) -> Key:
    return Key("slugs", key_of("slug", slug))


def reference_key(line: str, reference: str) -> Key:
    return Key("references", key_of("reference", line, reference))


def link_writes(link: Link) -> list[Write]:
    """Return the writes that make a link; the commit is refused if its slug or its reference is taken."""
    fields = {name: getattr(link, name) for name in ("account", "connection", "line", "reference", "slug")}
    pointer = {"account": link.account, "line": link.line, "link": link.id}
    return [
        create(link_key(link.id), {**fields, "stated": dict(link.stated), "created": NOW}),
        create(slug_key(link.slug), pointer),
        create(reference_key(link.line, link.reference), pointer),
    ]


def link_of(document: Document) -> Link:
    fields = document.fields
    return Link(
        id=document.key.id,
        stated=fields["stated"],
        **{name: fields[name] for name in ("account", "connection", "line", "reference", "slug")},
    )


async def link_in(store: Store, line: str, text: str) -> Link | None:
    """Return the link of a line that a text names by its reference; nothing is read for a text without one."""
    references = references_in(text)
    if not references:
        return None
    pointers = await store.get([reference_key(line, reference) for reference in references])
    named = next((pointer for pointer in pointers if pointer is not None), None)
    if named is None:
        return None
    [document] = await store.get([link_key(named.fields["link"])])
    return link_of(document) if document else None


def touch(link: Link) -> dict[str, Any]:
    """Return what is kept of a link with the message and the conversation that it brought, whatever it says later."""
    return {"link": link.id, "reference": link.reference} | {name: link.stated.get(name) for name in _TOUCHED}


def clicked(link: Link, now: datetime) -> Write:
    """Return the write that counts one click of a person."""
    day, shard = now.date().isoformat(), str(secrets.randbelow(_SHARDS))
    key = Key("clicks", key_of("clicks", link.id, day, shard))
    return merge(key, {"account": link.account, "link": link.id, "day": day, "count": Increment(1), "updated": NOW})


def clicks_by_day(documents: Sequence[Document]) -> dict[str, int]:
    """Return the clicks of a link by day (ISO date) from its counting documents."""
    days: dict[str, int] = {}
    for document in documents:
        day = document.fields["day"]
        days[day] = days.get(day, 0) + int(document.fields["count"])
    return days
