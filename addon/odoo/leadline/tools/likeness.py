"""How alike two names are, with what the standard library has: PostgreSQL's trigrams are not in every database."""

import re
import unicodedata
from difflib import SequenceMatcher

ENOUGH = 80
"""Percent from which two names may be one person's."""

_WORD = re.compile(r"[^\W\d_]+")


def name_key(name: str) -> str:
    """Return a name without accents, capitals and order of words; empty when it is too short to tell people apart.

    >>> name_key("SOUZA, Ána")
    'ana souza'
    """
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    words = sorted(_WORD.findall(plain.casefold()))
    letters = sum(map(len, words))
    return " ".join(words) if letters >= 6 or (len(words) > 1 and letters >= 4) else ""


def likeness(one: str, other: str) -> int:
    """Return how alike two keys are, in percent; 0 where either is empty."""
    if not one or not other:
        return 0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    # Each is an upper bound of the next, and costs far less.
    if min(matcher.real_quick_ratio(), matcher.quick_ratio()) * 100 < ENOUGH:
        return 0
    return round(matcher.ratio() * 100)


def ends(name: str) -> tuple[list[str], list[str]]:
    """Return the first and the last three letters, small, that a name like it may have, its words in any order."""
    words = [*name.lower().split(), name.lower().strip()]
    return sorted({word[:3] for word in words if word}), sorted({word[-3:] for word in words if word})
