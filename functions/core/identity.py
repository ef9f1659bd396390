"""Who a person is: identities lead to a contact through alias documents, never through one phone string.

An alias is (account, kind, value) → contact, created only by Meta's own words (a webhook, or the answer to a send).
`bsuid` and `parent_bsuid` are WhatsApp's own ids, `wa_id` is the number as WhatsApp writes it. A username can change
hands, so it is shown and never looked up.
"""

from collections.abc import Mapping

from msgspec import Struct

from functions.core.ids import key_of
from functions.core.phone import variants
from functions.core.store import NOW, Document, Key, Maximum, Write, create, update
from functions.core.whatsapp import Person

_NEVER: Mapping["Alias", int] = {}


class Alias(Struct, frozen=True):
    """One identity of a person within an account."""

    account: str
    kind: str
    value: str

    @property
    def key(self) -> Key:
        return Key("aliases", key_of("alias", self.account, self.kind, self.value))


class Known(Struct, frozen=True):
    """What an alias document says: its contact, and the BSUID that was seen together with it.

    `left`: since when (epoch seconds) the contact has another number, by WhatsApp's word; 0 if it has not. `erased`:
    when whoever was known under it before was erased (`core.erased`); 0 for never.
    """

    contact: str
    bsuid: str | None
    left: int = 0
    erased: int = 0

    @classmethod
    def of(cls, document: Document) -> "Known":
        fields = document.fields
        left = int(fields.get("left", 0))
        return cls(
            fields["contact"],
            fields.get("bsuid"),
            left if left > fields.get("back", 0) else 0,
            int(fields.get("erased", 0)),
        )


class Resolution(Struct, frozen=True):
    """Whom an update speaks of, maybe for the first time. `missing`: aliases to be created for the contact.

    `bsuid` is kept with them: the one that the update shows, else the one that led to this contact. `learnt`: number
    aliases that this update shows with a BSUID for the first time. `doubts`: contacts that an identity also leads to,
    who may be the same person or not. `erased`: when the person was erased, which new aliases keep on saying.
    """

    contact: str
    bsuid: str | None
    missing: tuple[Alias, ...] = ()
    learnt: tuple[Alias, ...] = ()
    doubts: tuple[str, ...] = ()
    erased: int = 0


class Nameless(Exception):
    """The update names nobody: no BSUID and no number."""


def stated(account: str, person: Person) -> tuple[Alias, ...]:
    """Return the aliases that Meta stated, the surest first."""
    return tuple(
        Alias(account, kind, value)
        for kind, value in (("bsuid", person.bsuid), ("parent_bsuid", person.parent_bsuid), ("wa_id", person.wa_id))
        if value
    )


def candidates(account: str, person: Person) -> tuple[Alias, ...]:
    """Return every alias under which this person may be known: the stated ones, then the number's other forms."""
    other_forms = variants(person.wa_id)[1:] if person.wa_id else ()
    return (*stated(account, person), *(Alias(account, "wa_id", form) for form in other_forms))


def seen(account: str, person: Person, at: int) -> dict[str, Maximum]:
    """Return the contact's field that says when each of a person's identities was last seen."""
    return {alias.key.id: Maximum(at) for alias in stated(account, person) if alias.kind != "parent_bsuid"}


def resolve(
    account: str, person: Person, known: Mapping[Alias, Known], at: int = 0, erased: Mapping[Alias, int] = _NEVER
) -> Resolution:
    """Decide whose update of that time this is from the aliases that exist.

    `erased`: when people were erased who were known under these identities; whoever comes after them is new.

    A BSUID decides. A number, in any of its forms, decides unless it was seen with another BSUID, or its owner had left
    it before: then it has changed hands and the two stay two people, because people are never joined by a guess.
    Raises `Nameless`.
    """
    own = stated(account, person)
    if not own:
        raise Nameless("neither BSUID nor number")
    missing = tuple(alias for alias in own if alias not in known)
    gone = erased_last(account, person, known, erased)
    for alias in candidates(account, person):
        hit = known.get(alias)
        if hit is None or (alias.kind == "wa_id" and _is_anothers(hit, person, at)):
            continue
        doubts = _others(account, person, hit.contact, known, at)
        learnt = _learnt(person, hit.contact, known)
        return Resolution(hit.contact, person.bsuid or hit.bsuid, missing, learnt, doubts, gone)
    # The next owner of a number that was left is known by it and by since when it is theirs: its alias stays.
    left = next((str(hit.left) for alias in own if (hit := known.get(alias)) and _was_left(hit, at)), None)
    named = ("wa_id", person.wa_id or "", left) if left else (own[0].kind, own[0].value)
    contact = key_of("contact", account, *named, *erased_suffix(gone))
    return Resolution(contact, person.bsuid, missing, (), _others(account, person, contact, known, at), gone)


def erased_last(account: str, person: Person, known: Mapping[Alias, Known], erased: Mapping[Alias, int]) -> int:
    """Return when a person was erased last, by what is known of their identities; 0 for never."""
    own = candidates(account, person)
    return max((max(erased.get(alias, 0), known[alias].erased if alias in known else 0) for alias in own), default=0)


def erased_suffix(at: int) -> tuple[str, ...]:
    """Return the part of a contact's natural key that tells who begins anew from whoever was erased."""
    return ("erased", str(at)) if at else ()


def _is_anothers(hit: Known, person: Person, at: int) -> bool:
    """Tell whether a number is somebody else's by now than the contact's to which it leads."""
    if person.bsuid and hit.bsuid is not None:
        return hit.bsuid != person.bsuid
    return _was_left(hit, at)


def _was_left(hit: Known, at: int) -> bool:
    return 0 < hit.left < at


def _others(account: str, person: Person, contact: str, known: Mapping[Alias, Known], at: int) -> tuple[str, ...]:
    hits = (known[alias] for alias in candidates(account, person) if alias in known)
    return tuple(dict.fromkeys(hit.contact for hit in hits if hit.contact != contact and not _was_left(hit, at)))


def _learnt(person: Person, contact: str, known: Mapping[Alias, Known]) -> tuple[Alias, ...]:
    if person.bsuid is None:
        return ()
    return tuple(
        alias for alias, hit in known.items() if alias.kind == "wa_id" and hit.contact == contact and hit.bsuid is None
    )


def alias_writes(resolution: Resolution) -> list[Write]:
    """Return what a resolution teaches. Aliases are created: two who race for one make one of the commits fail."""
    learnt = [update(alias.key, {"bsuid": resolution.bsuid}) for alias in resolution.learnt]
    return learnt + [
        create(
            alias.key,
            {
                "account": alias.account,
                "kind": alias.kind,
                "value": alias.value,
                "contact": resolution.contact,
                "bsuid": resolution.bsuid,
                "created": NOW,
                **({"erased": resolution.erased} if resolution.erased else {}),
            },
        )
        for alias in resolution.missing
    ]
