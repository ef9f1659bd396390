"""Odoo: batches of events to the add-on's signed controller."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from functions.core.addresses import NoAddress, PrivateAddress, public_address
from functions.core.ids import key_of
from functions.core.lines import Connection
from functions.core.results import Answer, Result
from functions.core.secrets import derive
from functions.core.signature import sign_call
from functions.sync.crm import CrmUnreachable

_TIMEOUT = httpx.Timeout(55, connect=5)
_LONGEST = 60
"""Seconds for all of a call: whoever sends a byte now and then would else hold it for ever."""

_LARGEST = 4 * 1024 * 1024
"""Bytes of an answer: 100 results with 50 cards each are far less, and an instance serves many accounts."""

_PATH = "/leadline/events"

_CODES: Mapping[str, str] = {
    "signature_timestamp_away": "clock",
    "signature_wrong": "signature",
    "signature_header_missing": "forbidden",
    "connection_unknown": "connection_unknown",
    "connection_without_secret": "signature",
}
"""What the add-on's refusals mean; see its controller."""


class _Results(BaseModel):
    results: list[Result]


class Odoo:
    """Speaks to the add-on of any connection of kind `odoo`."""

    def __init__(self, client: httpx.AsyncClient, now: Callable[[], float], *, allow_private: bool) -> None:
        self._client = client
        self._now = now
        self._allow_private = allow_private

    async def deliver(
        self, connection: Connection, secrets: Sequence[str], events: Sequence[dict[str, Any]]
    ) -> list[Answer]:
        """Post a batch. The same batch may come again; its events' ids and versions make that harmless."""
        body = json.dumps({"connection": connection.id, "events": list(events)}).encode()
        try:
            async with asyncio.timeout(_LONGEST):
                answer, said = await self._answer(connection, secrets, body)
        except TimeoutError:
            raise CrmUnreachable("timeout") from None
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer, said)
        try:
            results = _Results.model_validate_json(said).results
        except ValidationError:
            raise CrmUnreachable("not_leadline") from None
        return [result.answer() for result in results]

    async def _answer(
        self, connection: Connection, secrets: Sequence[str], body: bytes
    ) -> tuple[httpx.Response, bytes]:
        try:
            request = await self._request(connection, secrets, body)
        except (httpx.InvalidURL, ValueError):
            raise CrmUnreachable("no_address", "The connection's address or secret is not one.") from None
        except PrivateAddress as error:
            raise CrmUnreachable("private", str(error)) from None
        except NoAddress as error:
            raise CrmUnreachable("dns", str(error)) from None
        try:
            answer = await self._client.send(request, follow_redirects=False, stream=True)
            try:
                return answer, await _read(answer)
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            raise CrmUnreachable(_code_of_error(error)) from None

    async def _request(self, connection: Connection, secrets: Sequence[str], body: bytes) -> httpx.Request:
        """Return the signed call. A CRM that must be public is called at the address that was found to be so."""
        request = self._client.build_request(
            "POST",
            connection.url + _PATH,
            content=body,
            # Packed, a small answer may hide a large one.
            headers={**self._headers(connection, secrets, body), "Accept-Encoding": "identity"},
            timeout=_TIMEOUT,
        )
        if not self._allow_private:
            if request.url.scheme != "https":
                raise CrmUnreachable("insecure" if request.url.scheme == "http" else "no_address")
            host = request.url.host
            # The Host header names the host already; the certificate must be the host's too.
            request.url = request.url.copy_with(host=await public_address(host))
            request.extensions["sni_hostname"] = host
            # Kept open, it might serve another host at the same address, whose certificate nobody has checked.
            request.headers["Connection"] = "close"
        return request

    def _headers(self, connection: Connection, secrets: Sequence[str], body: bytes) -> dict[str, str]:
        timestamp = int(self._now())
        target = urlsplit(connection.url + _PATH).path
        call_id = key_of("call", connection.id, str(timestamp), body.decode())
        key, *older = (derive(secret, "events") for secret in secrets)
        headers = sign_call(key, call_id, timestamp, "POST", target, body, older=older)
        headers |= {"Content-Type": "application/json", "Leadline-Connection": connection.id}
        if connection.database:
            # A host of several databases can't tell by the address which one is meant.
            headers["X-Odoo-Database"] = connection.database
        return headers


async def _read(answer: httpx.Response) -> bytes:
    """Return an answer as it was sent. Raises `CrmUnreachable` for one that is too long, without reading on."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise CrmUnreachable("not_leadline", "The CRM's answer is packed, which was not asked for.")
    said = bytearray()
    async for chunk in answer.aiter_bytes():
        said += chunk
        if len(said) > _LARGEST:
            raise CrmUnreachable("not_leadline", f"The CRM's answer is over {_LARGEST >> 20} MiB.")
    return bytes(said)


def _code_of_error(error: httpx.HTTPError) -> str:
    """Return why there was no answer, by what lies at the bottom of the error."""
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "dns"
    return "refused" if isinstance(error, httpx.ConnectError) else "interrupted"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refusal(answer: httpx.Response, text: bytes) -> CrmUnreachable:
    """Return what an answer other than 200 means; the add-on's own refusals carry a code."""
    said = _CODES.get(_code(text))
    if said:
        return CrmUnreachable(said)
    status = answer.status_code
    if answer.is_redirect:
        return CrmUnreachable("redirected")
    if status == httpx.codes.NOT_FOUND:
        return CrmUnreachable("not_found")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return CrmUnreachable("forbidden", f"Something before the CRM refuses the call (status {status}).")
    return CrmUnreachable("error", f"The CRM answers with an error (status {status}).")


def _code(text: bytes) -> str:
    try:
        problem = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return str(problem.get("code", "")) if isinstance(problem, dict) else ""
