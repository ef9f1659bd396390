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
from functions.core.reference import spelled
from functions.core.store import NOW, Document, Increment, Key, Write, create, merge

_SLUG_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"
_SLUG_LENGTH = 9
"""19 million million of them: a thousand links are not found by trying."""

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
