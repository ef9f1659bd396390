"""Whether a customer wants marketing: by WhatsApp's own switch, or by a word that everyone understands.

Kept as times, so that it is written blind and in any order: the last word counts.
"""

import re
import unicodedata
from collections.abc import Mapping
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

_ALL = frozenset(word for words in STOP_WORDS.values() for word in words)
_LONGEST = max(len(word) for word in _ALL)
_BETWEEN = re.compile(r"[\W_]+")


def is_stop(text: Any) -> bool:
    """Tell whether a text asks for no more marketing."""
    if not isinstance(text, str) or len(text) > 2 * _LONGEST:
        return False
    # Keyboards differ in how they write an accent or a wide letter, and people in what they put between words.
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold() in _ALL


def stated(value: str, source: str, at: int) -> dict[str, Any]:
    """Return the contact's field for a `stop` or `resume`, from `whatsapp` or by `keyword`."""
    return {"marketing": {value: {source: Maximum(at)}}}


def marketing(contact: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return {"value": "stop" | "resume", "source", "at"} as the contact said last; None if never."""
    said = contact.get("consent", {}).get("marketing", {})
    # At the same second, stop counts.
    last = max(
        ((at, value == "stop", source, value) for value in said for source, at in said[value].items()), default=None
    )
    return last and {"value": last[3], "source": last[2], "at": last[0]}


def opted_out(contact: Mapping[str, Any]) -> bool:
    """Tell whether a contact wants no marketing."""
    said = marketing(contact)
    return said is not None and said["value"] == "stop"


def stopped(contact: Mapping[str, Any]) -> bool:
    """Tell whether a contact said STOP, and took it back in no way: then nothing goes out by itself."""
    said = contact.get("consent", {}).get("marketing", {})
    word = said.get("stop", {}).get("keyword")
    return word is not None and word >= max(said.get("resume", {}).values(), default=0)


def consent_view(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a contact wants, as the chat API and the CRM see it."""
    said = marketing(contact)
    at = said and datetime.fromtimestamp(said["at"], UTC).isoformat()
    return {"marketing": said and {**said, "at": at}, "stopped": stopped(contact)}
