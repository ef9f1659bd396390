"""Ids as Meta forms them, and numbers as people write them."""

import base64
import hashlib
import secrets

import phonenumbers

from functions.core.phone import digits


def wamid(number: str, *, inbound: bool) -> str:
    """Return a new message id. As at Meta, its base64 holds the customer's digits in clear.

    >>> base64.b64decode(wamid("16505551234", inbound=True)[6:])[3:14]
    b'16505551234'
    """
    # The frame of real ids: field tags, the peer's digits, then a random name (inbound ones begin with 3A).
    name = ("3A" + secrets.token_hex(9) if inbound else secrets.token_hex(9)).upper().encode()
    frame = b"\x1c\x18" + bytes([len(number)]) + number.encode() + b"\x15\x02\x00"
    tail = bytes([0x12 if inbound else 0x11, 0x18, len(name)]) + name + b"\x00"
    return "wamid." + base64.b64encode(frame + tail).decode()


def bsuid(wa_id: str) -> str:
    """Return the business-scoped user id of a customer: always the same one for the same number."""
    tail = int.from_bytes(hashlib.sha256(wa_id.encode()).digest()[:8])
    return f"{_region(wa_id)}.{tail:020d}"


def node_id() -> str:
    """Return a new id of a Graph node, such as a file or a template."""
    return str(10**15 + secrets.randbelow(9 * 10**15))


def trace_id() -> str:
    """Return a new `fbtrace_id`."""
    return "A" + secrets.token_urlsafe(16)


def international(wa_id: str) -> str:
    """Return a `wa_id` as people write the number: +55 11 91234-5678.

    >>> international("5215512345678")
    '+52 55 1234 5678'
    """
    # Mexico's wa_id keeps a 1 after the country code that nobody dials any more.
    dialled = "52" + wa_id[3:] if wa_id.startswith("521") and len(wa_id) == 13 else wa_id
    try:
        number = phonenumbers.parse("+" + dialled)
    except phonenumbers.NumberParseException:
        return "+" + wa_id
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def dialled(number: str) -> str | None:
    """Return the digits of a number as a business may write it (+, spaces, dashes, brackets), or None."""
    plain = digits(number)
    only_number = not number.strip("+0123456789 -.()") and "+" not in number[1:]
    return plain if only_number and 7 <= len(plain) <= 15 else None


def _region(wa_id: str) -> str:
    try:
        code = phonenumbers.parse("+" + wa_id).country_code or 0
    except phonenumbers.NumberParseException:
        return "ZZ"
    region: str = phonenumbers.region_code_for_country_code(code)
    return region
