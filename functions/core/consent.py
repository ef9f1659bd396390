"""Whether a customer wants marketing: by WhatsApp's own switch, by a word that everyone understands, or as a CRM says.

Kept as times, so that it is written blind and in any order: the last word counts. Who says it is its source:
`keyword` and `whatsapp` come from the customer, `crm` is consent that the CRM has on record, `blacklist` its list of
numbers that get nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from functions.core.store import Maximum

STOP_WORDS = {
    "en": ("stop", "unsubscribe", "opt out", "stop all"),
    "es": ("baja", "darme de baja", "cancelar"),
    "pt": ("parar", "pare", "sair", "cancelar"),
    "fr": ("arrêt", "arret", "arrêter", "arreter", "stop pub", "désabonner", "desabonner"),
    "de": ("stopp", "abmelden", "abbestellen"),
    "it": ("basta", "annulla", "cancellami"),
}
"""A message that is one of these and nothing else. French capitals are often written without their accents."""

RESUME_WORDS = {
    "en": ("start", "unstop", "subscribe", "opt in"),
    "es": ("alta", "darme de alta"),
    "pt": ("começar", "comecar", "voltar a receber"),
    "fr": ("reprendre", "réabonner", "reabonner"),
    "de": ("anmelden",),
    "it": ("riprendi", "iscrivimi"),
}
"""What takes a STOP back, likewise."""

EVERYWHERE = "stop"
"""The word that people of every language write, which says nothing of theirs."""

_BETWEEN = re.compile(r"[\W_]+")


def _plain(text: str) -> str:
    # Keyboards differ in how they write an accent or a wide letter, and people in what they put between words.
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


_STOPS = frozenset(word for words in STOP_WORDS.values() for word in words)
_RESUMES = frozenset(word for words in RESUME_WORDS.values() for word in words)


def is_stop(text: Any, more: Sequence[str] = ()) -> bool:
    """Tell whether a text asks for no more marketing. `more`: the business's own words beside everybody's."""
    return _is_one_of(text, _STOPS, more)


def is_resume(text: Any, more: Sequence[str] = ()) -> bool:
    """Tell whether a text takes a STOP back."""
    return _is_one_of(text, _RESUMES, more)


def _is_one_of(text: Any, words: Iterable[str], more: Sequence[str]) -> bool:
    known = {*words, *(plain for word in more if (plain := _plain(word)))}
    # A long text is not looked at in full.
    if not isinstance(text, str) or len(text) > 2 * max(map(len, known)):
        return False
    return _plain(text) in known


def language_of(text: Any, otherwise: str) -> str:
    """Return the language of a STOP word; `otherwise` where it could be that one as well, or any."""
    word = _plain(text) if isinstance(text, str) else ""
    languages = [language for language, words in STOP_WORDS.items() if word in words]
    return languages[0] if languages and word != EVERYWHERE and otherwise not in languages else otherwise


def stated(value: str, source: str, at: int) -> dict[str, Any]:
    """Return the contact's field for a `stop` or `resume`, by one of the sources."""
    return {"marketing": {value: {source: Maximum(at)}}}


def _said(contact: Mapping[str, Any]) -> Mapping[str, Mapping[str, int]]:
    said: Mapping[str, Mapping[str, int]] = contact.get("consent", {}).get("marketing", {})
    return said


def marketing(contact: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return {"value": "stop" | "resume", "source", "at"} as was said last; None if never."""
    said = _said(contact)
    # At the same second, stop counts.
    last = max(
        ((at, value == "stop", source, value) for value in said for source, at in said[value].items()), default=None
    )
    return last and {"value": last[3], "source": last[2], "at": last[0]}


def opted_out(contact: Mapping[str, Any]) -> bool:
    """Tell whether a contact wants no marketing."""
    said = marketing(contact)
    return said is not None and said["value"] == "stop"


def agreed(contact: Mapping[str, Any]) -> bool:
    """Tell whether a contact agreed to marketing, and took it back in no way."""
    said = marketing(contact)
    if said is None or said["value"] == "stop" or said["source"] == "blacklist":
        # A number that left a blacklist has agreed to nothing.
        return False
    # START answers a STOP. Who writes it out of the blue may mean anything.
    return said["source"] != "keyword" or "stop" in _said(contact)


def resumed(contact: Mapping[str, Any]) -> int:
    """Return when (epoch s) a stop was last taken back; 0 if never."""
    return max(_said(contact).get("resume", {}).values(), default=0)


def stopped(contact: Mapping[str, Any]) -> bool:
    """Tell whether a contact said STOP or is blacklisted, and nobody took it back: then nothing goes by itself."""
    stops = _said(contact).get("stop", {})
    word = max((at for source, at in stops.items() if source in ("keyword", "blacklist")), default=None)
    return word is not None and word >= resumed(contact)


def consent_view(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a contact wants, as the chat API and the CRM see it. `notice`: when their data notice was sent."""
    said = marketing(contact)
    return {
        "marketing": said and {**said, "at": _iso(said["at"])},
        "agreed": agreed(contact),
        "stopped": stopped(contact),
        "notice": _iso(contact.get("notice", {}).get("sent")),
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
