"""Who an update speaks of: the identities that Meta states, any of which may be missing."""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from functions.core.whatsapp.items import listed, mapping, name_of, optional

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


class Person(Struct, frozen=True):
    """A customer as one update names them. Any of the identities may be missing."""

    wa_id: str | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None
    username: str | None = None
    name: str | None = None


def contacts_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the people whom a change describes beside its items."""
    return [contact for contact in listed(value, "contacts") if isinstance(contact, dict)]


def person(contacts: Sequence[dict[str, Any]], wa_id: Any, bsuid: Any, parent: Any = None) -> Person:
    """Return who an update speaks of, with what `contacts[]` tells of them.

    Matched by identity, never by position: a batch's contacts need not line up with its messages.
    """
    if _is_bsuid(wa_id):
        # Some relays put the BSUID where the number belongs.
        wa_id, bsuid = None, bsuid or wa_id
    contact = _described(contacts, bsuid, wa_id)
    profile = mapping(contact.get("profile"))
    if not wa_id and not _is_bsuid(contact.get("wa_id")):
        wa_id = contact.get("wa_id")
    username = optional(profile.get("username"))
    return Person(
        wa_id=optional(wa_id),
        bsuid=optional(bsuid or contact.get("user_id")),
        parent_bsuid=optional(parent or contact.get("parent_user_id")),
        username=username.removeprefix("@") if username else None,
        name=name_of(profile.get("name")),
    )


def _is_bsuid(value: Any) -> bool:
    return isinstance(value, str) and _BSUID.fullmatch(value) is not None


def _described(contacts: Sequence[dict[str, Any]], bsuid: Any, wa_id: Any) -> dict[str, Any]:
    for contact in contacts:
        for name in ("user_id", "wa_id"):
            known = contact.get(name)
            if known and known in (bsuid, wa_id):
                return contact
    return {}
