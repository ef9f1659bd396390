"""Events as the functions tell them: read, checked and cleaned before anything of them touches the database.

The reader is strict about what decides (ids, counters, times) and lenient about what is only shown (names, numbers):
a strange name must never cost a customer's message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

BATCH_LIMIT = 100
"""Events that one call may carry."""

TYPES = frozenset(
    {
        "message.received",
        "message.sent",
        "message.changed",
        "message.status",
        "conversation.updated",
        "conversation.merged",
        "contact.updated",
    }
)
"""The types that say something about one conversation."""

LINE_TYPES = frozenset({"line.health", "template.updated"})
"""The types that say something about a line or one of its templates."""

ERASED = "contact.erased"
"""The type that says that a person was erased."""

SAID = frozenset((value, source) for value in ("stop", "resume") for source in ("keyword", "whatsapp"))
"""What customers say of marketing, and how: by a word, or by WhatsApp's own switch. What Odoo said is no news."""

NAME_LIMIT = 200

PROBLEM_LIMIT = 20
"""Findings of a checkup that are shown."""

_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""What turns the direction of all that follows, by its code: in a sentence, it would turn our words around too."""

_ID = re.compile(r"[A-Za-z0-9._~-]{1,512}")
_PHONE = re.compile(r"\+[1-9][0-9]{4,19}")
_USER = re.compile(r"[1-9][0-9]{0,8}")


class EventRefused(Exception):
    """The event cannot be applied, now or later. Its text is a sentence for whoever runs the functions."""


@dataclass(frozen=True)
class Line:
    """One WhatsApp number of the business."""

    id: str
    phone_number_id: str
    number: str
    name: str


@dataclass(frozen=True)
class Contact:
    """The person who writes. `phone` is in E.164 or empty; `phones` holds every living form of it."""

    id: str
    name: str
    phone: str
    phones: tuple[str, ...]
    username: str

    @property
    def shown_name(self) -> str:
        """What to call somebody who gave no name, or empty when nothing at all is known."""
        return self.name or self.phone or self.username


@dataclass(frozen=True)
class Touch:
    """One way by which the customer came: through a link of ours, or through an advertisement. `at` is naive UTC.

    `link` is its id, and empty for an advertisement; `owner` an id of a user as the link says it. Of an advertisement
    `place` is its address, `ad` its id and `click` WhatsApp's id of the tap (`ctwa_clid`).
    """

    at: datetime
    link: str
    reference: str
    label: str
    source: str
    medium: str
    campaign: str
    owner: str
    team: str
    tag: str
    place: str
    headline: str
    post: bool
    ad: str
    click: str


@dataclass(frozen=True)
class Attribution:
    """Through what the customer came first, and last."""

    first: Touch
    last: Touch


@dataclass(frozen=True)
class Marketing:
    """What the customer said last of marketing: one of `SAID`, as value and source. `at` is naive UTC.

    `agreed`: whether it makes them somebody who agreed to marketing.
    """

    value: str
    source: str
    at: datetime
    agreed: bool


@dataclass(frozen=True)
class Conversation:
    """The state of a conversation at `version`. Times are naive UTC, as Odoo keeps them.

    `notice`: when the customer was sent the notice about their data.
    """

    id: str
    version: int
    line: Line
    contact: Contact
    received: int
    read: int
    last_in: datetime | None
    last_out: datetime | None
    window_until: datetime | None
    merged_into: str | None
    attribution: Attribution | None
    marketing: Marketing | None
    notice: datetime | None


@dataclass(frozen=True)
class Satisfaction:
    """The answer to the question how satisfied a customer was: which session it was about, and 1 (bad) to 5."""

    session: int
    rating: int


@dataclass(frozen=True)
class Said:
    """What an event tells of its message. `at` is when it was said, in naive UTC; None where that can't be read.

    `kind` is its type, such as "text" or "note"; `by` its author's kind, and `agent` the id of a user when it is one of
    ours. An automatic one goes out by itself.
    """

    kind: str
    at: datetime | None
    by: str
    agent: int | None
    automatic: bool
    satisfaction: Satisfaction | None


@dataclass(frozen=True)
class Event:
    """Something that happened in a conversation. `message` is an id, or None when it was not about one.

    `what` says what of a message changed, such as "reaction"; empty where nothing is said. `status` is a message's of
    ours, such as "failed"; empty for a customer's.
    """

    id: str
    type: str
    conversation: Conversation
    message: str | None
    what: str
    status: str
    said: Said | None


@dataclass(frozen=True)
class Health:
    """How a line's sending fares. While it is held, `reason` says why and `since` from when on.

    `problems` is what the service's last checkup found, `slow` that WhatsApp answers slowly.
    """

    held: bool
    reason: str
    since: datetime | None
    quality: str
    limit: str
    problems: tuple["Problem", ...] = ()
    slow: bool = False


@dataclass(frozen=True)
class Problem:
    """What a checkup found: of which check, whether it stops the line (`bad`), what was seen, and how to mend it."""

    check: str
    bad: bool
    seen: str
    mend: str


@dataclass(frozen=True)
class Template:
    """A message template as WhatsApp sees it; all but its name and language are WhatsApp's own words."""

    name: str
    language: str
    status: str
    category: str
    quality: str
    reason: str


@dataclass(frozen=True)
class LineEvent:
    """Something that happened to a line: it has a `health`, or one of its templates changed. `at` is naive UTC."""

    id: str
    type: str
    at: datetime
    line: Line
    health: Health | None
    template: Template | None


@dataclass(frozen=True)
class Erasure:
    """A person was erased: the ids under which they and their conversations were known."""

    id: str
    type: str
    contacts: tuple[str, ...]
    conversations: tuple[str, ...]


def event_id(raw: object) -> str:
    """Return the id of an event that may be malformed otherwise, for naming it in the answer, or an empty text."""
    found = raw.get("id") if isinstance(raw, Mapping) else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def read_event(raw: object) -> Event | LineEvent | Erasure:
    """Return the event that a JSON value stands for. Raises `EventRefused`."""
    fields = _object(raw, "event")
    type_ = fields.get("type")
    if type_ == ERASED:
        return _erasure(fields)
    if isinstance(type_, str) and type_ in LINE_TYPES:
        return _line_event(fields, type_)
    if not isinstance(type_, str) or type_ not in TYPES:
        raise EventRefused("This version of the add-on does not handle this type of event.")
    message = fields.get("message")
    said = {} if message is None else _object(message, "message")
    return Event(
        id=_identifier(fields, "id"),
        type=type_,
        conversation=_conversation(_object(fields.get("conversation"), "conversation")),
        message=None if message is None else _identifier(said, "id"),
        what=_shown(said.get("what")),
        status=_shown(said.get("status")) if said.get("direction") == "out" else "",
        said=None if message is None else _said(message, fields),
    )


def _erasure(fields: Mapping[str, Any]) -> Erasure:
    erased = _object(fields.get("erased"), "erased")
    return Erasure(
        id=_identifier(fields, "id"),
        type=ERASED,
        contacts=_identifiers(erased, "contacts"),
        conversations=_identifiers(erased, "conversations"),
    )


def read_line(raw: object) -> Line:
    """Return the line that a JSON value stands for. Raises `EventRefused`."""
    return _line(_object(raw, "line"))


def _said(message: Mapping[str, Any], event: Mapping[str, Any]) -> Said:
    author = _part(message, "author")
    by, named = _shown(author.get("kind")), author.get("id")
    return Said(
        kind=_shown(message.get("type")),
        at=_time_or_none(message, "at") or _time_or_none(event, "at"),
        by=by,
        agent=int(named) if by == "agent" and isinstance(named, str) and _USER.fullmatch(named) else None,
        automatic=message.get("automatic") is True,
        satisfaction=_satisfaction(_part(message, "satisfaction")),
    )


def _satisfaction(fields: Mapping[str, Any]) -> Satisfaction | None:
    try:
        session, rating = _count(fields, "session"), _count(fields, "rating", limit=6)
    except EventRefused:
        return None
    return Satisfaction(session, rating) if session and rating else None


def _line_event(fields: Mapping[str, Any], type_: str) -> LineEvent:
    at = _time(fields, "at")
    if at is None:
        raise EventRefused("The field 'at' is missing.")
    about_health = type_ == "line.health"
    return LineEvent(
        id=_identifier(fields, "id"),
        type=type_,
        at=at,
        line=_line(_object(fields.get("line"), "line")),
        health=_health(_object(fields.get("health"), "health")) if about_health else None,
        template=None if about_health else _template(_object(fields.get("template"), "template")),
    )


def _health(fields: Mapping[str, Any]) -> Health:
    error = fields.get("error")
    said = error if isinstance(error, Mapping) else {}
    return Health(
        held=fields.get("sending") == "held",
        reason=next(filter(None, (_shown(said.get(key)) for key in ("plain", "details", "title"))), ""),
        since=_time(fields, "since"),
        quality=_shown(fields.get("quality")),
        limit=_shown(fields.get("limit")),
        problems=_problems(fields.get("problems")),
        slow=fields.get("graph") == "slow",
    )


def _problems(told: object) -> tuple[Problem, ...]:
    found = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    return tuple(
        Problem(
            check=_shown(one.get("check")),
            bad=one.get("state") == "bad",
            seen=_shown(one.get("seen")),
            mend=_shown(one.get("mend")),
        )
        for one in found[:PROBLEM_LIMIT]
    )


def _template(fields: Mapping[str, Any]) -> Template:
    shown = {key: _shown(fields.get(key)) for key in ("status", "category", "quality", "reason")}
    return Template(name=_identifier(fields, "name"), language=_identifier(fields, "language"), **shown)


def _conversation(fields: Mapping[str, Any]) -> Conversation:
    return Conversation(
        id=_identifier(fields, "id"),
        version=_count(fields, "version", limit=2**63),
        line=_line(_object(fields.get("line"), "line")),
        contact=_contact(_object(fields.get("contact"), "contact")),
        received=_count(fields, "received"),
        read=_count(fields, "read"),
        last_in=_time(fields, "last_in"),
        last_out=_time(fields, "last_out"),
        window_until=_time(fields, "window_until"),
        merged_into=_identifier(fields, "merged_into") if fields.get("merged_into") is not None else None,
        attribution=_attribution(fields.get("attribution")),
        marketing=_marketing(_part(fields, "consent")),
        notice=_time_or_none(_part(fields, "consent"), "notice"),
    )


def _marketing(consent: Mapping[str, Any]) -> Marketing | None:
    """Return what the customer said of marketing; None where that can't be read, which must not cost the message."""
    fields = _part(consent, "marketing")
    value, source = fields.get("value"), fields.get("source")
    if not isinstance(value, str) or not isinstance(source, str) or (value, source) not in SAID:
        return None
    at = _time_or_none(fields, "at")
    return at and Marketing(value, source, at, value == "resume" and consent.get("agreed") is not False)


def _attribution(value: object) -> Attribution | None:
    """Return through what the customer came; None where that can't be read, which must not cost the message."""
    told = value if isinstance(value, Mapping) else {}
    first, last = _touch(told.get("first")), _touch(told.get("last"))
    return Attribution(first, last) if first and last else None


def _touch(value: object) -> Touch | None:
    fields = value if isinstance(value, Mapping) else {}
    link, referral = (_part(fields, name) for name in ("link", "referral"))
    identifier = _optional_id(link.get("link"))
    if not identifier and not referral:
        return None
    at = _time_or_none(fields, "at")
    said = {name: _shown(link.get(name)) for name in ("reference", "label", "source", "medium", "campaign")}
    return at and Touch(
        at=at,
        link=identifier,
        **said,
        owner=_optional_id(_part(link, "owner").get("id")),
        team=_shown(link.get("team")),
        tag=_shown(link.get("tag")),
        place=_shown(referral.get("source_url")),
        headline=_shown(referral.get("headline")),
        post=referral.get("source_type") == "post",
        ad=_optional_id(referral.get("source_id")),
        click=_optional_id(referral.get("ctwa_clid")),
    )


def _part(fields: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = fields.get(key)
    return value if isinstance(value, Mapping) else {}


def _optional_id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _line(fields: Mapping[str, Any]) -> Line:
    return Line(
        id=_identifier(fields, "id"),
        phone_number_id=_shown(fields.get("phone_number_id")),
        number=_shown(fields.get("number")),
        name=_shown(fields.get("name")),
    )


def _contact(fields: Mapping[str, Any]) -> Contact:
    phone = _phone(fields.get("phone"))
    variants = fields.get("phone_variants")
    phones = [phone, *(_phone(form) for form in variants)] if isinstance(variants, list) else [phone]
    return Contact(
        id=_identifier(fields, "id"),
        name=_shown(fields.get("name")),
        phone=phone,
        phones=tuple(dict.fromkeys(form for form in phones if form)),
        username=_shown(fields.get("username")),
    )


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise EventRefused(f"The {what} is missing or not an object.")
    return value


def _identifier(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise EventRefused(f"The field '{key}' is missing or not an id.")
    return value


def _identifiers(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = fields.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) and _ID.fullmatch(value) for value in values):
        raise EventRefused(f"The field '{key}' is missing or not a list of ids.")
    return tuple(values)


def _count(fields: Mapping[str, Any], key: str, limit: int = 2**31) -> int:
    value = fields.get(key)
    # `True` is an int in Python, and none in JSON. The limits are those of the columns.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise EventRefused(f"The field '{key}' is missing or not a count.")
    return value


def _time(fields: Mapping[str, Any], key: str) -> datetime | None:
    value = fields.get(key)
    if value is None:
        return None
    try:
        # Python 3.10, which Odoo 19 still allows, does not know the letter Z.
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)
    except (AttributeError, ValueError, OverflowError):
        raise EventRefused(f"The field '{key}' is not a time in ISO 8601 with its zone.") from None


def _time_or_none(fields: Mapping[str, Any], key: str) -> datetime | None:
    """Return a time, None also where it can't be read: what must not cost the message."""
    try:
        return _time(fields, key)
    except EventRefused:
        return None


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return ""
    # PostgreSQL takes neither NUL nor lone surrogates; line breaks have no place in a name.
    storable = value.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return " ".join(storable.translate(_TURNING).split())[:NAME_LIMIT]


def _phone(value: object) -> str:
    return value if isinstance(value, str) and _PHONE.fullmatch(value) else ""
