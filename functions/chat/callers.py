"""Who asks: a browser with a grant for one conversation, or a CRM server with a signed call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import jwt
from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from functions.chat.problems import Problem
from functions.core.ids import key_of
from functions.core.lines import Connection, Directory
from functions.core.ports import Ports
from functions.core.secrets import Purpose, Seal, derive
from functions.core.signature import ClockWrong, SignatureWrong, verify_call
from functions.core.store import AlreadyExists, Key, create

T = TypeVar("T")

AUDIENCE = "leadline"
LONGEST_GRANT = 300
"""Seconds: rights are checked by the CRM at the moment of asking, so a grant must not outlive that moment by much."""

EVERY_CONVERSATION = "*"
"""What a grant of `leadline token --all` names; only one machine honours it."""

_READS = ("GET", "HEAD")
_REPLAY_KEPT = timedelta(minutes=10)


_GRANT = HTTPBearer(
    scheme_name="grant",
    bearerFormat="JWT",
    description="A browser's: a token for one conversation, which the CRM's server makes (HS256, at most 5 minutes).",
    auto_error=False,
)
_SIGNED = APIKeyHeader(
    name="webhook-signature",
    scheme_name="signed call",
    description=(
        "A CRM server's: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.METHOD path?query.body`, with the headers"
        " `webhook-id`, `webhook-timestamp` and `leadline-connection` beside it."
    ),
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks and what for. `conversation` is None for a CRM server, which may use all of its connection."""

    connection: str
    account: str
    agent: str
    name: str | None
    conversation: str | None
    can: frozenset[str]


class Door:
    """Lets callers in. One per instance."""

    def __init__(self, ports: Ports, directory: Directory, seal: Seal, *, one_machine: bool) -> None:
        self._ports = ports
        self._directory = directory
        self._seal = seal
        self._one_machine = one_machine

    async def caller(
        self,
        request: Request,
        grant: Annotated[object, Security(_GRANT)],
        signature: Annotated[object, Security(_SIGNED)],
    ) -> Caller:
        """Return who asks. Raises `Problem` 401. `grant` and `signature` stand there for the API's description."""
        authorization = request.headers.get("authorization", "")
        if authorization.startswith("Bearer "):
            return await self._browser(authorization.removeprefix("Bearer "))
        if "webhook-signature" in request.headers:
            return await self._server(request)
        raise Problem(401, "unauthenticated", "Send a grant as bearer token, or sign the call.")

    async def _browser(self, token: str) -> Caller:
        def check(connection: Connection) -> dict[str, Any]:
            return _verified(token, self._keys(connection, "grants"), self._ports.now().timestamp())

        try:
            named = jwt.get_unverified_header(token).get("kid")
            connection, claims = await self._checked(named, check, jwt.InvalidSignatureError)
        except jwt.ExpiredSignatureError:
            raise Problem(401, "grant_expired", "The grant has run out; ask the CRM for another one.") from None
        except jwt.PyJWTError:
            raise Problem(401, "grant_invalid", "The grant is not valid.") from None
        conversation = str(claims["conversation"])
        if conversation == EVERY_CONVERSATION and not self._one_machine:
            raise Problem(401, "grant_invalid", "A grant for every conversation is only known on one machine.")
        return Caller(
            connection=connection.id,
            account=connection.account,
            agent=str(claims["sub"]),
            name=str(claims["name"]),
            conversation=None if conversation == EVERY_CONVERSATION else conversation,
            can=frozenset(map(str, claims["can"])),
        )

    async def _server(self, request: Request) -> Caller:
        body = await request.body()

        def check(connection: Connection) -> str:
            return verify_call(
                self._keys(connection, "calls"),
                request.headers,
                request.method,
                request.url.path + (f"?{request.url.query}" if request.url.query else ""),
                body,
                self._ports.now().timestamp(),
            )

        try:
            named = request.headers.get("leadline-connection")
            connection, call_id = await self._checked(named, check, SignatureWrong)
        except SignatureWrong as error:
            code = "clock_wrong" if isinstance(error, ClockWrong) else "signature_wrong"
            raise Problem(401, code, f"The call is not signed rightly: {error}.") from None
        if request.method not in _READS:
            await self._once(connection, call_id)
        return Caller(connection.id, connection.account, "server", None, None, frozenset({"read", "send", "note"}))

    async def _checked(
        self, named: str | None, check: Callable[[Connection], T], wrong: type[Exception]
    ) -> tuple[Connection, T]:
        """Return the connection and what `check` makes of it.

        What is `wrong` is checked again with the connection as it is now: it may just have been paired anew, through
        another instance.
        """
        connection = await self._connection(named)
        try:
            return connection, check(connection)
        except wrong:
            connection = await self._connection(named, fresh=True)
            return connection, check(connection)

    async def _once(self, connection: Connection, call_id: str) -> None:
        key = Key("nonces", key_of("nonce", connection.id, call_id))
        try:
            await self._ports.store.commit([create(key, {"expires_at": self._ports.now() + _REPLAY_KEPT})])
        except AlreadyExists:
            raise Problem(409, "replayed", "A call with this webhook-id was taken before.") from None

    async def _connection(self, connection_id: str | None, *, fresh: bool = False) -> Connection:
        connection = await self._directory.connection(connection_id, fresh=fresh) if connection_id else None
        if connection is None:
            raise Problem(401, "connection_unknown", "No connection of this name is known here.")
        return connection

    def _keys(self, connection: Connection, purpose: Purpose) -> list[bytes]:
        return [derive(self._seal.open(secret), purpose) for secret in connection.secrets]


def _verified(token: str, keys: Sequence[bytes], now: float) -> dict[str, Any]:
    """Return a grant's claims, checked against each key while two are valid. Raises `jwt.PyJWTError`."""
    wrong: jwt.PyJWTError = jwt.InvalidSignatureError("no key")
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={
                    "require": ["aud", "sub", "name", "conversation", "can", "iat", "exp"],
                    # Times are checked below against our own clock, which tests can move.
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError as error:
            wrong = error
            continue
        _check_times(claims, now)
        return claims
    raise wrong


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims["iat"], claims["exp"]
    if not isinstance(issued, int) or not isinstance(expires, int) or not isinstance(claims["can"], list):
        raise jwt.InvalidTokenError("claims of the wrong kind")
    if expires - issued > LONGEST_GRANT or issued > now + 60:
        raise jwt.InvalidTokenError("valid for too long")
    if expires <= now:
        raise jwt.ExpiredSignatureError("run out")
