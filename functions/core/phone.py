"""Phone numbers that are the same person's although they are written differently.

WhatsApp's `wa_id` is not always the number that a person would dial: Brazil (the ninth digit), Mexico (a `1` after
52) and Argentina (a `9` after 54) have two living forms, which neither E.164 nor libphonenumber's matching joins.
Source: Meta, "Send messages" (wa_id and phone number may differ, by design).
"""

import re

_DIGITS = re.compile(r"\D+")
_BRAZIL = re.compile(r"55([1-9]\d)(9?)([6-9]\d{7})")
_MEXICO = re.compile(r"52(1?)(\d{10})")
_ARGENTINA = re.compile(r"54(9?)(\d{10})")


def digits(number: str) -> str:
    """Return only the digits of a number."""
    return _DIGITS.sub("", number)


def e164(wa_id: str) -> str:
    """Return a `wa_id` as a person writes it internationally: with a plus in front."""
    return "+" + digits(wa_id)


def variants(wa_id: str) -> tuple[str, ...]:
    """Return the number's living forms as digits, the given one first.

    Symmetric: whichever form one begins with, the same set comes out.

    >>> variants("553188887777")
    ('553188887777', '5531988887777')
    """
    given = digits(wa_id)
    return (given, *(form for form in _forms(given) if form != given))


def _forms(given: str) -> tuple[str, ...]:
    if match := _BRAZIL.fullmatch(given):
        # A landline (2-5 after the area code) never gets the ninth digit.
        return (f"55{match[1]}{match[3]}", f"55{match[1]}9{match[3]}")
    if match := _MEXICO.fullmatch(given):
        return (f"52{match[2]}", f"521{match[2]}")
    if match := _ARGENTINA.fullmatch(given):
        return (f"54{match[2]}", f"549{match[2]}")
    return ()
