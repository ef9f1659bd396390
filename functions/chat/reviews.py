"""Contacts that may be the same person: a person decides, and nobody is joined by a guess."""

from typing import Any

from functions.chat.callers import Caller
from functions.chat.cursors import number_place, place
from functions.chat.desk import Desk, only_servers
from functions.chat.reading import contact_head
from functions.core.conversation import contact_key
from functions.core.message import iso
from functions.core.store import Document, Query


async def reviews(desk: Desk, caller: Caller, *, before: str | None, limit: int) -> dict[str, Any]:
    """Return the account's reviews, the newest first; `next` is the `before` of the following page.

    One whose contacts were joined meanwhile, or of whom one was erased, asks nobody anything any more.
    """
    only_servers(caller)
    found = await desk.ports.store.query(
        Query(
            "reviews",
            {"account": caller.account},
            order="at",
            descending=True,
            after=number_place(before) if before else None,
            limit=limit + 1,
        )
    )
    listed = found[:limit]
    last = listed[-1] if len(found) > limit else None
    return {
        "items": [item for item in await _views(desk, listed) if item],
        "next": place(last.fields["at"], last.key.id) if last else None,
    }


async def _views(desk: Desk, found: list[Document]) -> list[dict[str, Any] | None]:
    keys = list(dict.fromkeys(contact_key(contact) for review in found for contact in review.fields["contacts"]))
    documents = await desk.ports.store.get(keys) if keys else []
    contacts = {document.key.id: document for document in documents if document is not None}
    return [_view(review, [contacts.get(contact) for contact in review.fields["contacts"]]) for review in found]


def _view(review: Document, contacts: list[Document | None]) -> dict[str, Any] | None:
    known = [contact for contact in contacts if contact is not None and not contact.fields.get("merged_into")]
    if len(known) < len(contacts):
        return None
    return {
        "id": review.key.id,
        "contacts": [contact_head(contact) for contact in known],
        "reason": review.fields["reason"],
        "at": iso(review.fields["at"]),
    }
