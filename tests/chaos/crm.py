"""The CRM at its worst: away for a day, restarted in the middle of a batch. Played, or a real Odoo behind this door."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from functions.core.secrets import derive
from functions.core.signature import verify_call
from tests.chaos.faults import Calamity, SteppedClock


class Crm(Protocol):
    """What stands behind the door."""

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take a batch."""
        ...

    async def kill(self, request: httpx.Request) -> None:
        """Die in the middle of a batch, and be there again."""
        ...

    def mirrored(self) -> dict[str, dict[str, Any]]:
        """Return what the CRM has of each living conversation: received, read, how many leads, the contact."""
        ...


@dataclass
class CrmDoor:
    """Stands before a CRM: lets batches through, or not, or loses its answers."""

    secret: str
    clock: SteppedClock
    calamity: Calamity
    crm: Crm
    away: bool = False
    batches: int = 0
    events: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        keys, now = [derive(self.secret, "events")], self.clock().timestamp()
        verify_call(keys, request.headers, request.method, request.url.raw_path.decode(), request.content, now)
        if self.away:
            self.calamity.struck["CRM away"] += 1
            raise httpx.ConnectError("nobody there")
        if self.calamity.strikes("CRM answered 502", 0.02):
            return httpx.Response(502)
        if self.calamity.strikes("CRM restarted in the middle of a batch", 0.02):
            await self.crm.kill(request)
            raise httpx.ReadError("the server is gone")
        answer = await self.crm(request)
        self.batches += 1
        self.events += len(json.loads(request.content)["events"])
        if self.calamity.strikes("CRM's answer lost", 0.02):
            raise httpx.ReadTimeout("late")
        return answer


@dataclass
class Mirror:
    """What the CRM has of one conversation."""

    version: int = -1
    told: dict[str, Any] = field(default_factory=dict)


@dataclass
class PlayedCrm:
    """Takes events as the add-on promises: older versions are ignored, the customer's first words make a lead."""

    mirrors: dict[str, Mirror] = field(default_factory=dict)
    leads: dict[str, list[str]] = field(default_factory=dict)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        events = json.loads(request.content)["events"]
        return httpx.Response(200, json={"results": [self._take(event) for event in events]})

    async def kill(self, request: httpx.Request) -> None:
        body = json.loads(request.content)
        half = body | {"events": body["events"][: len(body["events"]) // 2]}
        await self(httpx.Request("POST", request.url, content=json.dumps(half).encode()))

    def mirrored(self) -> dict[str, dict[str, Any]]:
        return {
            id_: {
                "received": mirror.told["received"],
                "read": mirror.told["read"],
                "leads": len(self.leads.get(mirror.told["contact"]["id"], [])),
                "contact": mirror.told["contact"]["id"],
            }
            for id_, mirror in self.mirrors.items()
            if not mirror.told["merged_into"]
        }

    def _take(self, event: dict[str, Any]) -> dict[str, Any]:
        told = event["conversation"]
        if event["type"] == "contact.erased":
            for id_ in event["erased"]["conversations"]:
                self.mirrors.pop(id_, None)
        if told is None:
            return {"id": event["id"], "ok": True}
        mirror = self.mirrors.setdefault(told["id"], Mirror())
        if told["version"] > mirror.version:
            mirror.version, mirror.told = told["version"], told
        if told["received"] and not told["merged_into"]:
            known = self.leads.setdefault(told["contact"]["id"], [])
            known[:] = known or [f"lead {len(self.leads)}"]
        lead = {"model": "crm.lead", "id": 7, "name": "A lead"}
        return {"id": event["id"], "ok": True, "records": [lead], "owner": {"id": 2, "name": "Marc"}}
