"""Reactions of agents: messages of their own on the way out, and marks on the message that they are meant for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.chat.desk import Desk, Open
from functions.chat.problems import faulty, not_found
from functions.core.changes import BUSINESS
from functions.core.message import message_key
from functions.core.store import NOW, Document, Write, update

LONGEST = timedelta(days=30)
"""Meta, "Reaction messages": an older message can't be reacted to."""


async def target_of(desk: Desk, opened: Open, message: str, now: datetime) -> Document:
    """Return the message that a reaction is meant for. Raises `Problem` where WhatsApp would refuse it."""
    [target] = await desk.ports.store.get([message_key(message)])
    if target is None or target.fields.get("conversation") != opened.id:
        raise not_found()
    if why := _hindrance(target.fields, now):
        raise faulty("invalid", why, {"reaction.message_id": why})
    return target


def _hindrance(fields: Mapping[str, Any], now: datetime) -> str | None:
    if fields["type"] in ("note", "reaction") or (fields["author"]["kind"] == "system" and fields["direction"] == "in"):
        return "Only messages between you and the customer can be reacted to."
    if fields.get("revoked") is not None:
        return "This message was taken back."
    if not fields.get("wamid"):
        return "WhatsApp has not taken this message yet."
    if now - datetime.fromtimestamp(fields["at"], now.tzinfo) > LONGEST:
        return "WhatsApp allows no reactions to messages that are older than 30 days."
    return None


def without_place(fields: Mapping[str, Any], target: Document) -> dict[str, Any]:
    """Return the document of a reaction: it waits in the outbox like a message, and stands in no page."""
    rest = {name: value for name, value in fields.items() if name != "sort"}
    return {**rest, "content": {"emoji": fields["content"]["emoji"]}, "target": target.key.id}


def mark(target: Document, reaction: str, fields: Mapping[str, Any]) -> Write:
    """Return the write that shows a reaction on its message as queued; only the business's last one stands."""
    before = target.fields.get("reactions", {}).get(BUSINESS, {})
    shown = {
        "emoji": fields["content"]["emoji"],
        # What the customer still sees if WhatsApp refuses this one.
        "stood": before.get("stood" if before.get("status") == "failed" else "emoji"),
        "name": fields["author"]["name"],
        "at": fields["at"],
        "id": reaction,
        "status": "queued",
        "error": None,
    }
    return update(target.key, {"reactions": {BUSINESS: shown}, "changed": NOW})
