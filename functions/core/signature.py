"""The two signature checks: Meta's on webhooks, and Standard Webhooks' on calls between us and a CRM server."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence

TOLERANCE = 300
"""Seconds that a signed call may be old, or ahead of our clock."""

_META = re.compile(r"sha256=([0-9a-fA-F]{64})")
_SECONDS = re.compile(r"[0-9]{1,12}")


class SignatureWrong(Exception):
    """The request is not from whom it says; the text names the reason and nothing of the content."""


class ClockWrong(SignatureWrong):
    """A signed call is too old or too new: a replay, or one of the two clocks is wrong."""


def verify_meta(body: bytes, header: str | None, secrets: Sequence[str]) -> None:
    """Check `X-Hub-Signature-256` over the raw body against any of the app secrets, and fail closed.

    Source: Meta, "Create a webhook endpoint". Raises `SignatureWrong`.
    """
    if not secrets:
        raise SignatureWrong("no app secret is set")
    match = _META.fullmatch(header or "")
    if match is None:
        raise SignatureWrong("no signature of Meta's form")
    expected = [hmac.digest(secret.encode(), body, "sha256") for secret in secrets]
    if not _any_equal(bytes.fromhex(match[1]), expected):
        raise SignatureWrong("the signature does not match")


def sign_meta(body: bytes, secret: str) -> str:
    """Return the header value that Meta would send for this body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_call(
    key: bytes, call_id: str, timestamp: int, method: str, target: str, body: bytes, *, older: Sequence[bytes] = ()
) -> dict[str, str]:
    """Return the headers of a signed call. `target` is the path with its query, as it goes over the wire.

    `older`: keys that the other side may still have while they rotate; the call is signed with each.
    """
    macs = [_call_mac(one, call_id, str(timestamp), method, target, body) for one in (key, *older)]
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join("v1," + base64.b64encode(mac).decode() for mac in macs),
    }


def verify_call(
    keys: Sequence[bytes], headers: Mapping[str, str], method: str, target: str, body: bytes, now: float
) -> str:
    """Check a signed call against any of the keys and return its id, which the caller keeps against replay.

    Several signatures may stand in the header while keys rotate. Raises `SignatureWrong`.
    """
    call_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not call_id or not _SECONDS.fullmatch(stamp):
        raise SignatureWrong("webhook-id or webhook-timestamp is missing or malformed")
    if abs(now - int(stamp)) > TOLERANCE:
        raise ClockWrong("the timestamp is more than 5 minutes away from this clock")
    expected = [_call_mac(key, call_id, stamp, method, target, body) for key in keys]
    for signature in headers.get("webhook-signature", "").split():
        version, _, text = signature.partition(",")
        if version == "v1" and _any_equal(_decoded(text), expected):
            return call_id
    raise SignatureWrong("no signature matches")


def _call_mac(key: bytes, call_id: str, stamp: str, method: str, target: str, body: bytes) -> bytes:
    # The standard signs `id.timestamp.body`; method and target are added so that a body can't be sent elsewhere.
    return hmac.digest(key, f"{call_id}.{stamp}.{method} {target}.".encode() + body, "sha256")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _any_equal(given: bytes, expected: Iterable[bytes]) -> bool:
    found = False
    for mac in expected:
        found |= hmac.compare_digest(given, mac)
    return found
