"""The parties of the simulator's tests: a clock, the business's webhook and Graph client, a customer's phone."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from functions.local.simulator import Simulator

NUMBER, WABA, TOKEN = "100000000000001", "100000000000000", "demo-access-token"
ANA, LUCIA = "5511912345678", "5215512345678"
OTHER_NUMBER = "100000000000002"
START = 1_780_000_000.0


@dataclass
class Clock:
    """Epoch seconds that stand still until a test moves them."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Endpoint:
    """The business's webhook: keeps what it got and answers what it was told to, 200 otherwise."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/webhook", self._receive, methods=["POST"]), Route("/webhook", _handshake)])

    async def _receive(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        self.headers.append(dict(request.headers))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    @property
    def posts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @property
    def values(self) -> list[dict[str, Any]]:
        return [change["value"] for post in self.posts for one in post["entry"] for change in one["changes"]]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [item for value in self.values for item in value.get("messages", [])]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [item for value in self.values for item in value.get("statuses", [])]

    def states(self, wamid: str) -> list[str]:
        return [item["status"] for item in self.statuses if item["id"] == wamid]


async def _handshake(request: Request) -> Response:
    query = request.query_params
    fits = query["hub.mode"] == "subscribe" and query["hub.verify_token"] == "verify-me"
    return PlainTextResponse(query["hub.challenge"] if fits else "no", 200 if fits else 403)


@dataclass
class Business:
    """Calls the Graph API as the owner of the demo line does."""

    http: httpx.AsyncClient
    simulator: Simulator

    async def post(self, body: Any, number: str = NUMBER) -> httpx.Response:
        return await self.http.post(f"/graph/v26.0/{number}/messages", json=body)

    async def send(self, to: str = ANA, **content: Any) -> httpx.Response:
        """Send `text="…"`, or `type=…` with its object."""
        if "type" not in content:
            content = {**content, "type": "text", "text": {"body": content["text"]}}
        return await self.post({"messaging_product": "whatsapp", "to": f"+{to}", **content})

    async def sent(self, to: str = ANA, **content: Any) -> str:
        """Send what must be accepted and return its wamid, once every webhook is through."""
        answer = await self.send(to, **content)
        assert answer.status_code == 200, answer.text
        await self.simulator.settled()
        wamid: str = answer.json()["messages"][0]["id"]
        return wamid

    async def upload(self, content: bytes, mime: str = "image/png", name: str = "picture.png") -> httpx.Response:
        return await self.http.post(
            f"/graph/v26.0/{NUMBER}/media",
            data={"messaging_product": "whatsapp", "type": mime},
            files={"file": (name, content, mime)},
        )


@dataclass
class Phone:
    """Uses `/simulator/…` as a stranger, or the phone page, does."""

    http: httpx.AsyncClient
    simulator: Simulator
    wa_id: str = ANA

    async def write(self, body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/simulator/customers/{self.wa_id}/messages", json=body)
        assert answer.status_code == 201, answer.text
        await self.simulator.settled()
        written: dict[str, Any] = answer.json()
        return written

    async def shows(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/simulator/customers/{self.wa_id}/messages", params=query)
        shown: list[dict[str, Any]] = answer.json()
        return shown

    async def read(self, **body: Any) -> None:
        await self.http.post(f"/simulator/customers/{self.wa_id}/read", json=body)
        await self.simulator.settled()

    async def switch(self, **switches: Any) -> None:
        answer = await self.http.patch(f"/simulator/customers/{self.wa_id}", json=switches)
        assert answer.status_code == 200, answer.text
        await self.simulator.settled()

    async def scenario(self, fault: str, **figures: Any) -> int:
        answer = await self.http.post("/simulator/scenarios", json={"fault": fault, **figures})
        assert answer.status_code == 201, answer.text
        scenario_id: int = answer.json()["id"]
        return scenario_id
