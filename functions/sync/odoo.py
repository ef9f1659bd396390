"""Odoo: batches of events to the add-on's signed controller."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from functions.core.addresses import NoAddress, PrivateAddress, public_address
from functions.core.ids import key_of
from functions.core.lines import Connection
from functions.core.secrets import derive
from functions.core.signature import sign_call
from functions.sync.crm import NOBODY, Answer, CrmUnreachable

_TIMEOUT = httpx.Timeout(55, connect=5)
_PATH = "/leadline/events"


class _Record(BaseModel):
    model: str
    id: int
    name: str


class _Owner(BaseModel):
    id: int
    name: str


class _Result(BaseModel):
    id: str
    ok: bool
    records: list[_Record] | None = None
    owner: _Owner | Literal[False] | None = None
    refused: str | None = None


class _Results(BaseModel):
    results: list[_Result]


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
            request = await self._request(connection, secrets, body)
        except (PrivateAddress, NoAddress) as error:
            raise CrmUnreachable(str(error)) from None
        except (httpx.InvalidURL, ValueError):
            raise CrmUnreachable("the connection's URL or secret is not one") from None
        try:
            answer = await self._client.send(request, follow_redirects=False)
        except httpx.HTTPError as error:
            raise CrmUnreachable(type(error).__name__) from None
        if answer.status_code != httpx.codes.OK:
            raise CrmUnreachable(f"answered {answer.status_code}")
        try:
            results = _Results.model_validate_json(answer.content).results
        except ValidationError:
            raise CrmUnreachable("answered something else than results") from None
        return [_answer(result) for result in results]

    async def _request(self, connection: Connection, secrets: Sequence[str], body: bytes) -> httpx.Request:
        """Return the signed call. A CRM that must be public is called at the address that was found to be so."""
        request = self._client.build_request(
            "POST",
            connection.url + _PATH,
            content=body,
            headers=self._headers(connection, secrets, body),
            timeout=_TIMEOUT,
        )
        if not self._allow_private:
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


def _answer(result: _Result) -> Answer:
    if not result.ok:
        return Answer(result.id, refused=result.refused or "refused without a reason")
    return Answer(
        result.id,
        records=[record.model_dump() for record in result.records] if result.records is not None else None,
        owner=result.owner.model_dump() if result.owner else NOBODY if "owner" in result.model_fields_set else None,
    )
