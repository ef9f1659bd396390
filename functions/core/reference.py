"""References: the short code in a link's prefilled text by which a customer's first message names the link.

A reference is five letters or digits and a check character, written `K7M-4PW`. Customers edit the text around it,
retype it and read it aloud: letters that look like digits are never used, and mean the digit where they are read. The
check character (ISO 7064 Mod 37,36) tells a mistyped one; that the link exists is for the caller to see.
"""

import re
import secrets
import unicodedata

from stdnum.iso7064 import mod_37_36

LENGTH = 6

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS = "0123456789"
_MEANT = str.maketrans("OIL", "011")
_TAKEN_FOR = {"0": "0Oo", "1": "1IiLl"}

# These may stand between any two characters: people space a code out, and WhatsApp's markup gets into it.
_BETWEEN = r"[\s\-\u2010-\u2015\u2212_.·*~/]{0,3}"
_CANDIDATE = re.compile(rf"(?<![0-9A-Z])(?=((?:[0-9A-Z]{_BETWEEN}){{{LENGTH - 1}}}[0-9A-Z])(?![0-9A-Z]))")
_GLUED = re.compile(r"(?=([0-9A-Z]{3}[\-\u2010-\u2015\u2212][0-9A-Z]{3}))")
"""With its dash in place it is seen even where words were typed right at it."""
_DIGIT = re.compile(r"\d")
_UNSEEN = ("Cf", "Mn")
_OPENING, _CLOSING = ("(", "[", "{", "*", "_", "~"), (")", "]", "}", "*", "_", "~")
"""What is taken away along with a reference that stands in it."""


def new_reference() -> str:
    """Return a random reference, one of some 30 million, with a letter and a digit, so that no word is one."""
    while True:
        stem = "".join(secrets.choice(_LETTERS + _DIGITS) for _ in range(LENGTH - 1))
        reference = stem + mod_37_36.calc_check_digit(stem)
        if _is_reference(reference):
            return reference


def spelled(reference: str) -> str:
    """Return a reference as people see it: `K7M-4PW`."""
    return f"{reference[:3]}-{reference[3:]}"


def references_in(text: str) -> list[str]:
    """Return what may be references in a text, the last one first, because a prefilled text ends with its own.

    Case, width, dashes and spaces inside of one don't matter, nor does what stands around it.
    """
    if not _DIGIT.search(text):
        return []
    plain = _plain(text)
    found = [match for form in (_CANDIDATE, _GLUED) for match in form.finditer(plain)]
    candidates = (_canonical(match[1]) for match in sorted(found, key=lambda match: match.start(), reverse=True))
    return list(dict.fromkeys(one for one in candidates if _is_reference(one)))


def without(text: str, reference: str) -> str:
    """Return a text without a reference and the brackets around it: the agent sees a chip in its place."""
    spellings = _BETWEEN.join(f"[{re.escape(_TAKEN_FOR.get(one, one + one.lower()))}]" for one in reference)
    found = re.search(spellings, text)
    if found is None:
        return text
    # Not part of the pattern: it would try each space on either side of a bracket, for minutes where there are many.
    before, after = text[: found.start()].rstrip(), text[found.end() :]
    if before.endswith(_OPENING):
        before = before[:-1].rstrip()
    if after.lstrip().startswith(_CLOSING):
        after = after.lstrip()[1:]
    return (before + after).strip()


def _plain(text: str) -> str:
    """Return a text in capitals, full-width forms narrowed, without marks that nobody sees."""
    narrow = unicodedata.normalize("NFKC", text)
    return "".join(one for one in narrow if unicodedata.category(one) not in _UNSEEN).upper()


def _canonical(candidate: str) -> str:
    return "".join(one for one in candidate if one.isalnum()).translate(_MEANT)


def _is_reference(candidate: str) -> bool:
    return (
        set(candidate) <= set(_LETTERS + _DIGITS)
        and any(one in _LETTERS for one in candidate)
        and any(one in _DIGITS for one in candidate)
        and bool(mod_37_36.is_valid(candidate))
    )
