"""The check of V4 signed URLs (cloud.google.com/storage/docs/authentication/signatures), as Cloud Storage makes it."""

import datetime
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers

from tests.google.keys import ServiceAccount

_ALGORITHM = "GOOG4-RSA-SHA256"
_CREDENTIAL = re.compile(r"(?P<email>[^/]+)/(?P<scope>(?P<day>\d{8})/[^/]+/storage/goog4_request)")
_SIGNATURE = "X-Goog-Signature"
_LONGEST_S = 7 * 86400


class SignedUrlRefused(Exception):
    """The URL is not accepted: HTTP status, and the code and message of the XML error document."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class SignedRequest:
    """A request as it came over the wire: path still percent-encoded, query without the question mark."""

    method: str
    path: str
    query: str
    headers: Headers

    def check(self, accounts: Mapping[str, ServiceAccount], now: float) -> None:
        """Raise SignedUrlRefused unless an account of `accounts` (by email) signed this request and it is in time."""
        parameters = dict(parse_qsl(self.query, keep_blank_values=True))
        if _SIGNATURE not in parameters:
            raise SignedUrlRefused(403, "AccessDenied", "Access denied.")
        credential = _CREDENTIAL.fullmatch(parameters.get("X-Goog-Credential", ""))
        if parameters.get("X-Goog-Algorithm") != _ALGORITHM or not credential:
            raise _malformed()
        _check_time(parameters, now)
        account = accounts.get(credential["email"])
        text = self._text_to_sign(parameters, credential["scope"])
        if not account or not account.signed(text, _unhex(parameters[_SIGNATURE])):
            raise _mismatch()

    def _text_to_sign(self, parameters: Mapping[str, str], scope: str) -> bytes:
        names = parameters.get("X-Goog-SignedHeaders", "").split(";")
        unsigned = [name for name in self.headers if name.startswith("x-goog-") and name not in names]
        if "host" not in names or unsigned:
            raise _mismatch()
        canonical = "\n".join(
            [
                self.method,
                self.path,
                self._canonical_query(),
                *(f"{name}:{_collapsed(self.headers.getlist(name))}" for name in names),
                "",
                ";".join(names),
                self.headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"),
            ]
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return "\n".join([_ALGORITHM, parameters["X-Goog-Date"], scope, digest]).encode()

    def _canonical_query(self) -> str:
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return urlencode(sorted(pair for pair in pairs if pair[0] != _SIGNATURE), quote_via=quote, safe="~")


def _check_time(parameters: Mapping[str, str], now: float) -> None:
    try:
        signed = datetime.datetime.strptime(parameters["X-Goog-Date"], "%Y%m%dT%H%M%S%z").timestamp()
        lasts = int(parameters["X-Goog-Expires"])
    except (KeyError, ValueError):
        raise _malformed() from None
    if not 0 < lasts <= _LONGEST_S:
        raise _malformed()
    if now >= signed + lasts:
        raise SignedUrlRefused(400, "ExpiredToken", "The provided token has expired.")


def _malformed() -> SignedUrlRefused:
    return SignedUrlRefused(400, "MalformedSecurityHeader", "Your request has a malformed header.")


def _mismatch() -> SignedUrlRefused:
    return SignedUrlRefused(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your Google secret key and signing method.",
    )


def _collapsed(values: Iterable[str]) -> str:
    return ",".join(" ".join(value.split()) for value in values)


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
