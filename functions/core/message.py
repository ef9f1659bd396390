"""Messages: one thing said, in or out. How they are stored, ordered and shown."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from functions.core import json_text
from functions.core.conversation import conversation_key
from functions.core.ids import key_of
from functions.core.limits import ending
from functions.core.meta_errors import Decision, error_view, own_error
from functions.core.reference import without
from functions.core.status import RANK, shown
from functions.core.store import NOW, Document, Key, Query, Store
from functions.core.whatsapp import CUSTOMER, MEDIA_TYPES, PHONE, Message

_OF_THE_FILE = frozenset({"id", "mime_type", "sha256", "url", "voice", "animated"})

_CALLBACK_PREFIX, _INVITED = "leadline", "invited"

_NO_ANSWER = own_error(
    "No answer",
    "WhatsApp did not say whether it took this message. Its status may still arrive.",
    Decision.AMBIGUOUS,
)

SETTLE_AFTER = timedelta(minutes=10)
"""So long a message with an unknown end waits for its status; then an agent may settle it."""


class Author(Struct, frozen=True):
    """Who said it: `customer`, `agent`, `phone` (the business's phone app) or `system`."""

    kind: str
    id: str
    name: str | None

    def fields(self) -> dict[str, str | None]:
        return {"kind": self.kind, "id": self.id, "name": self.name}


def message_key(message: str) -> Key:
    return Key("messages", message)


def inbound_key(line: str, wamid: str) -> Key:
    """Return the key of a received message: a second delivery of it meets the first one's document."""
    return message_key(key_of("message", line, "in", wamid))


def echo_key(line: str, wamid: str) -> Key:
    """Return the key of a message that the business sent from its phone app."""
    return message_key(key_of("message", line, "out", wamid))


def key_of_message(message: Message, line: str) -> Key:
    """Return the key of what a webhook brings, the customer's or the phone app's."""
    return echo_key(line, message.wamid) if message.by == PHONE else inbound_key(line, message.wamid)


def outbound_key(conversation: str, client_id: str) -> Key:
    """Return the key of a message sent through us: the client's id makes a repeated request harmless."""
    return message_key(key_of("message", conversation, "client", client_id))


def wamid_key(wamid: str) -> str:
    """Return a wamid as an index may hold it: hashed, since it spells out the customer's number."""
    return key_of("wamid", wamid)


async def message_of_wamid(store: Store, line: str, wamid: str) -> Document | None:
    """Return the message of a line that Meta knows by this wamid, whoever sent it."""
    found = await store.query(Query("messages", {"line": line, "wamid_key": wamid_key(wamid)}, order="sort", limit=1))
    return found[0] if found else None


def sort_key(at: float, arrived: datetime, index: int = 0) -> str:
    """Return the place of a message in its conversation.

    The provider's time comes first, in whole seconds because Meta gives no more; then when it reached us, then its
    place in the webhook. Text comparison gives the order.
    """
    return f"{int(at):012}.{int(arrived.timestamp() * 1000):015}.{index:04}"


def message_fields(
    message: Message, *, account: str, line: str, conversation: str, contact: str, sort: str
) -> dict[str, Any]:
    """Return the document of a message that a webhook brings: a customer's, the phone app's, or WhatsApp's notice.

    The raw item is kept as text, which any store takes.
    """
    outbound = message.by == PHONE
    fields: dict[str, Any] = {
        "account": account,
        "line": line,
        "conversation": conversation,
        "direction": "out" if outbound else "in",
        "type": message.type,
        "at": message.at,
        "sort": sort,
        "author": _author(message, line, contact).fields(),
        "wamid": message.wamid,
        "wamid_key": wamid_key(message.wamid),
        "content": revised_content(message.type, message.content),
        "raw": json_text.write(message.raw),
        "changed": NOW,
    }
    for name in ("context", "product", "referral"):
        if stated := getattr(message, name):
            fields[name] = stated
    if outbound:
        # The phone has sent it; its later statuses come by themselves.
        fields |= {"rank": RANK["sent"], "statuses": {"sent": message.at}}
    if message.call is not None:
        fields["call"] = message.call
    if message.errors:
        # Meta could not hand the message over, or not all of it.
        fields["error"] = error_view(message.errors[0])
    if message.type in MEDIA_TYPES:
        fields["media"] = _media(message.content)
    return fields


def _author(message: Message, line: str, contact: str) -> Author:
    if message.by == PHONE:
        return Author("phone", line, None)
    return Author("customer", contact, message.person.name) if message.said else Author("system", line, None)


def _media(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a file before it is fetched."""
    return {
        "id": _text(content.get("id")),
        "mime": _text(content.get("mime_type")),
        "sha256": _text(content.get("sha256")),
        "name": _text(content.get("filename")),
        "voice": content.get("voice") is True,
        "animated": content.get("animated") is True,
        "state": "waiting",
    }


def revised_content(type_: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a type's object as it is shown: a file's particulars stand in `media`.

    Its URL is dead before any task could use it, and nobody else may follow it.
    """
    if type_ not in MEDIA_TYPES:
        return dict(content)
    return {name: value for name, value in content.items() if name not in _OF_THE_FILE}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def outbound_fields(
    *,
    account: str,
    line: str,
    conversation: str,
    author: Author,
    client_id: str,
    body: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Return the document of a message that waits in the outbox. `body` is in Graph's shape."""
    type_ = body["type"]
    return {
        "account": account,
        "line": line,
        "conversation": conversation,
        "direction": "out",
        "type": type_,
        "at": int(now.timestamp()),
        "sort": sort_key(now.timestamp(), now),
        "author": author.fields(),
        "client_id": client_id,
        "digest": digest(body),
        "content": _stored_content(body[type_]),
        "context": body.get("context"),
        "rank": 0,
        "waiting": True,
        "queued": NOW,
        "changed": NOW,
    }


def _stored_content(content: Any) -> dict[str, Any]:
    """Return a type's object as the store keeps it: always a map."""
    return {"items": list(content)} if isinstance(content, Sequence) else dict(content)


def again_fields(message: Document, *, client_id: str, author: Author, now: datetime) -> dict[str, Any]:
    """Return the document of a message that says once more what another one said, with the same file."""
    fields = message.fields
    kept = ("account", "line", "conversation", "direction", "type", "content", "context", "media", "template")
    return {
        **{name: fields[name] for name in kept if name in fields},
        "at": int(now.timestamp()),
        "sort": sort_key(now.timestamp(), now),
        "author": author.fields(),
        "client_id": client_id,
        "digest": digest({"again_of": message.key.id}),
        "again_of": message.key.id,
        "rank": 0,
        "waiting": True,
        "queued": NOW,
        "changed": NOW,
    }


def settle_from(fields: Mapping[str, Any]) -> datetime | None:
    """Return from when on an agent may settle a message; None if its end is known, or was settled."""
    if shown(fields) != "unknown" or fields.get("settled"):
        return None
    return datetime.fromtimestamp(fields["statuses"]["unknown"], UTC) + SETTLE_AFTER


def digest(body: Mapping[str, Any]) -> str:
    """Return a fingerprint of a message's body: the same client id with another one is a mistake."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class Callback(Struct, frozen=True):
    """The text that Meta echoes in the statuses of a message (`biz_opaque_callback_data`, at most 512 characters).

    From it follows all that a status needs to be written without a read. Ids of documents are worked out, not carried:
    whoever made the text up, it can only mean a message of that line. `invited`: WhatsApp had said nothing of the
    recipient before, so that what a status says is news.
    """

    line: str
    contact: str
    client_id: str
    invited: bool = False

    @property
    def conversation(self) -> str:
        return conversation_key(self.line, self.contact).id

    @property
    def message(self) -> str:
        return outbound_key(self.conversation, self.client_id).id

    def text(self) -> str:
        text = f"{_CALLBACK_PREFIX}:{self.line}:{self.contact}:{self.client_id}"
        return f"{text}:{_INVITED}" if self.invited else text

    @classmethod
    def of(cls, text: str | None, line: str) -> "Callback | None":
        """Return what a text says, if it is ours and of this line; anyone may send us any text."""
        prefix, *named = (text or "").split(":")
        invited = named[3:] == [_INVITED]
        if prefix != _CALLBACK_PREFIX or len(named) != 3 + invited or named[0] != line or not all(named):
            return None
        return cls(line, named[1], named[2], invited)


def file_name(fields: Mapping[str, Any]) -> str:
    """Return under which name a message's file is saved: its own, else one that says when it came and what it is."""
    media = fields["media"]
    if media.get("name"):
        return str(media["name"])
    return f"whatsapp-{fields['type']}-{iso(fields['at'])[:10]}{ending(media.get('mime') or '')}"


def view(
    document: Document, *, url: str | None = None, thumbnail: str | None = None, quoted: Document | None = None
) -> dict[str, Any]:
    """Return a message as the chat API shows it. `url`, `thumbnail`: where its file can be had for some minutes."""
    fields = document.fields
    outbound = fields["direction"] == "out"
    note = fields["type"] == "note"
    media = fields.get("media")
    context = fields.get("context") or {}
    return {
        # First, so that no type of Meta's can stand in the place of what follows.
        fields["type"]: _shown_content(fields),
        "id": document.key.id,
        "conversation": fields["conversation"],
        "direction": fields["direction"],
        "type": fields["type"],
        "at": iso(fields["at"]),
        # A reaction of ours stands in no page.
        "sort": fields.get("sort"),
        "version": document.version,
        "status": None if note else shown(fields) if outbound else "received",
        "statuses": {name: iso(at) for name, at in fields.get("statuses", {}).items()},
        "error": _error(fields),
        "author": fields["author"],
        "client_id": fields.get("client_id"),
        "reply_to": _quote(quoted, context),
        "forwarded": bool(context.get("forwarded") or context.get("frequently_forwarded")),
        "frequently_forwarded": bool(context.get("frequently_forwarded")),
        "product": fields.get("product"),
        "referral": fields.get("referral"),
        "link": _link(fields),
        "history": bool(fields.get("history")),
        "edited": _iso(fields.get("edited")),
        "revoked": _iso(fields.get("revoked")),
        "reactions": _reactions(fields),
        "media": _media_view(media, url, thumbnail) if media and fields.get("revoked") is None else None,
        "settle": _settle(fields),
        "settled": _settled(fields),
        "again": fields.get("again"),
        "again_of": fields.get("again_of"),
    }


def _link(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the link that a message names, which is shown in place of its reference."""
    touched = fields.get("touch")
    return touched and {name: touched[name] for name in ("link", "reference", "label", "campaign")}


def _settle(fields: Mapping[str, Any]) -> dict[str, str] | None:
    since = settle_from(fields)
    return {"from": since.isoformat()} if since else None


def _settled(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    settled = fields.get("settled")
    return {**settled, "at": iso(settled["at"])} if settled else None


def _shown_content(fields: Mapping[str, Any]) -> Any:
    """Return the type's own object in Graph's shape; a template as the customer reads it.

    Shared contacts are a list there, and a map in the store.
    """
    if "template" in fields:
        return fields["template"]
    content = fields["content"]
    if fields.get("touch") and isinstance(content.get("body"), str):
        return {**content, "body": without(content["body"], fields["touch"]["reference"])}
    return content.get("items", []) if fields["type"] == "contacts" and "items" in content else content


def _reactions(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the reactions that stand; one that was taken back has no emoji."""
    return [
        {
            "emoji": reaction["emoji"],
            "by": "customer" if by == CUSTOMER else "business",
            "name": reaction.get("name"),
            "at": _iso(reaction.get("at")),
            "status": reaction.get("status"),
            "error": reaction.get("error"),
        }
        for by, reaction in sorted(fields.get("reactions", {}).items())
        if reaction.get("emoji")
    ]


def _iso(at: float | None) -> str | None:
    return None if at is None else iso(at)


def _error(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return Meta's error, which stays whatever comes later; else what holds a waiting message up."""
    if fields.get("error"):
        return dict(fields["error"])
    if fields.get("waiting"):
        return fields.get("held_up")
    return _NO_ANSWER if shown(fields) == "unknown" else None


def _media_view(media: Mapping[str, Any], url: str | None, thumbnail: str | None) -> dict[str, Any]:
    return {name: media.get(name) for name in ("mime", "name", "size", "state", "reason", "width", "height")} | {
        "url": url,
        "thumbnail": thumbnail,
        "voice": bool(media.get("voice")),
        "animated": bool(media.get("animated")),
    }


def _quote(quoted: Document | None, context: Mapping[str, Any]) -> dict[str, Any] | None:
    if quoted is None:
        # The quoted message may be older than the line; that it was a reply is still worth showing.
        is_reply = context.get("id") or context.get("message_id")
        return {"id": None, "type": None, "preview": None, "author": None} if is_reply else None
    return {
        "id": quoted.key.id,
        "type": quoted.fields["type"],
        "preview": preview(quoted.fields),
        "author": quoted.fields["author"],
    }


def preview(fields: Mapping[str, Any], limit: int | None = 120) -> str | None:
    """Return the first words of a message: its text or its caption. `limit`: how many letters of it."""
    content = fields.get("template") or fields["content"]
    body = content.get("body")
    text = (
        (body.get("text") if isinstance(body, Mapping) else body) or content.get("caption") or content.get("filename")
    )
    return str(text)[:limit] if text else None


def iso(at: float) -> str:
    """Return epoch seconds as an ISO 8601 time in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat()
