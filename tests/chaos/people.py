"""Who talks, and what was said: the truth that store, CRM, phones and tabs are held to."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.payloads import Customer

CUSTOMER, PHONE, SYSTEM, AGENT, NOTE = "customer", "phone", "system", "agent", "note"
"""Who says something; a note is an agent's too, and nobody outside ever sees it."""

CLOCKS_DIFFER = 8
"""Seconds: two of our clocks may be stepped, one to and one fro."""

_LONG_AGO = 90 * 86400

BUSINESS = "business"
"""Who reacts from a tab."""


@dataclass
class File:
    """A file of a message. `fate`: whether WhatsApp has it (`stored`), has lost it (`gone`) or spoiled it."""

    content: bytes
    mime: str
    fate: str = "stored"


@dataclass
class Said:
    """One thing said. `name` is its wamid, or the client's id where an agent said it.

    Of what goes out, `fate` is what WhatsApp made of it: taken (maybe later), lost on the way, refused, or never asked
    since the customer wants none of it (unwanted); `statuses` is what it said of it then. `settled`: what an agent
    decided when its end was unknown, and `again` what says it once more. `past`: only a chat of the past tells of it.
    """

    name: str
    by: str
    at: int
    kind: str
    text: str
    revoked: bool = False
    reactions: dict[str, tuple[int, str]] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    wamid: str | None = None
    accepted: int = 0
    fate: str = "taken"
    file: File | None = None
    target: "Said | None" = None
    marketing: bool = False
    settled: str | None = None
    again: "Said | None" = None
    past: bool = False

    @property
    def emoji(self) -> dict[str, str]:
        """Who shows which reaction at the end."""
        return {by: emoji for by, (_, emoji) in self.reactions.items() if emoji}


class Wish(NamedTuple):
    """What a customer said of marketing, and how; `exact`: at that very second."""

    at: int
    value: str
    source: str
    exact: bool = True


@dataclass
class Person:
    """A customer, with every identity they ever had. `moves`: how often another one came in place of the last.

    `heard`: in which round and at what time a wish was surely taken, by the wish. `closed`: WhatsApp once said that the
    window is closed, and is believed. `phone`: the names of what it got. `strange`: why what nobody understands was
    put aside that names this person. `erased`: when (epoch seconds) the CRM asked for it; `ours`: by which ids we knew
    them. `anew`: somebody of this name was erased before; `booked`: and stood in the phone's address book after it.
    """

    name: str
    identities: list[Customer]
    at: int = 0
    moves: int = 0
    said: list[Said] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    closed: bool = False
    heard: dict[Wish, tuple[int, float]] = field(default_factory=dict)
    phone: list[str] = field(default_factory=list)
    phone_reactions: dict[str, str] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    erased: float = 0.0
    anew: bool = False
    booked: bool = False
    past_at: int = 0
    ours: set[str] = field(default_factory=set)

    @property
    def now(self) -> Customer:
        return self.identities[-1]

    @property
    def names(self) -> set[str]:
        """Every number and user id."""
        return {name for one in self.identities for name in (one.wa_id, one.bsuid) if name}

    @property
    def wish(self) -> Wish | None:
        """What holds at the end; of the same second, stop."""
        return max(self.wishes, key=lambda one: (one.at, one.value == "stop", one.source), default=None)

    def of(self, *by: str) -> list[Said]:
        return [one for one in self.said if one.by in by]

    def is_reached(self, body: dict[str, Any]) -> bool:
        """Tell whether a send goes to an identity that this person has now."""
        if "to" in body:
            return bool(body["to"].removeprefix("+") == self.now.wa_id)
        return bool(body["recipient"] == self.now.bsuid)

    @property
    def live(self) -> list[Said]:
        """What the customer said since we listen."""
        return [one for one in self.of(CUSTOMER) if not one.past]

    def past_moment(self, now: int) -> int:
        """Return a second before this day that nothing of this person has yet."""
        self.past_at = max(self.past_at, now - _LONG_AGO) + 1
        return self.past_at

    def moment(self, now: int) -> int:
        """Return a second that nothing of this person has yet, so that their order is known."""
        self.at = max(self.at + 1, now)
        return self.at
