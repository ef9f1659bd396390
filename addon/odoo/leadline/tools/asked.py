"""What browsers ask with, brought to what a method takes: anybody who is logged in may send any JSON at all.

What is none becomes what names nothing, so that it is refused with the same words as what is missing.
"""

import re

LARGEST = 2**31 - 1
"""The largest id that PostgreSQL's columns hold."""

_NUMBER = re.compile(r"[0-9]{1,10}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._~-]{1,512}")


def id_of(value: object) -> int:
    """Return the id of a record, 0 for what is none."""
    # `True` is an int in Python, and none in JSON.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST else 0


def id_in(text: object) -> int:
    """Return the id that a text spells, as forms and names of channels have it, 0 for what is none."""
    return id_of(int(text)) if isinstance(text, str) and _NUMBER.fullmatch(text) else 0


def ids_of(values: object, most: int) -> list[int]:
    """Return those of up to so many values that are ids of records."""
    return [found for value in values[:most] if (found := id_of(value))] if isinstance(values, list) else []


def identifier_of(value: object) -> str:
    """Return an id of the service's, such as a conversation's; empty for what is none."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else ""


def text_of(value: object) -> str:
    """Return a text as PostgreSQL takes it, without NUL and half surrogates; empty for what is none."""
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def line_of(value: object) -> str:
    """Return a text as one line of a log or a notice: nothing in it ends the line or moves a terminal's cursor."""
    return "".join(letter for letter in " ".join(text_of(value).split()) if letter.isprintable())


def fields_of(value: object) -> dict:
    """Return an object's fields; none for what is no object."""
    return value if isinstance(value, dict) else {}
