"""The simulated WhatsApp: its parts put together, and its life."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from functions.local.simulator import api, graph
from functions.local.simulator.customers import Changes, Customer, Customers, Line, Message
from functions.local.simulator.database import Database
from functions.local.simulator.limits import pair_allowance, throughput_allowance
from functions.local.simulator.media import Media
from functions.local.simulator.numbers import Numbers
from functions.local.simulator.phones import Phones
from functions.local.simulator.scenarios import Scenario, Scenarios
from functions.local.simulator.sends import Sends
from functions.local.simulator.templates import Templates
from functions.local.simulator.webhooks import Webhooks


class Simulator:
    """Stands in for Meta: `app` answers `/graph/…` and `/simulator/…`, webhooks go out between `start` and `stop`.

    The methods are for tests; over HTTP the same is under `/simulator/…`.
    """

    def __init__(
        self,
        *,
        path: Path | str,
        webhook: str,
        app_secret: str,
        verify_token: str,
        public_url: str,
        lines: Sequence[Line],
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
        auto_read: bool = False,
        first_retry: float = 1.0,
        seed: int = 0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._ahead, self._verify_token = clock, 0.0, verify_token
        self._own_client = httpx.AsyncClient() if client is None else None
        path = Path(path)
        self.changes = Changes()
        self.stopping = asyncio.Event()
        self._database = Database(path)
        self.app_secret, self.pause = app_secret, pause
        self.numbers = Numbers(self._database, self.now, lines)
        self.lines = self.numbers.lines
        self.scenarios = Scenarios(self._database, self.now, seed)
        self.customers = Customers(self._database, self.now, self.changes, auto_read=auto_read)
        self.templates = Templates(self._database, sorted({line.waba for line in self.lines.values()}))
        folder = path.with_name(path.stem + "-media")
        self.media = Media(self._database, folder, self.now, public_url=public_url.rstrip("/"), secret=app_secret)
        self.webhooks = Webhooks(
            self._database,
            self.now,
            self.scenarios,
            client or self._own_client or httpx.AsyncClient(),
            url=webhook,
            app_secret=app_secret,
            first_retry=first_retry,
            on_delivered=lambda body: self.phones.arrived(body),
        )
        throughput = throughput_allowance()
        self.phones = Phones(
            self._database,
            self.now,
            self.lines,
            self.customers,
            self.media,
            self.scenarios,
            self.webhooks,
            throughput,
        )
        self.sends = Sends(
            self._database,
            self.now,
            self.customers,
            self.phones,
            self.media,
            self.templates,
            self.scenarios,
            self.numbers,
            pair_allowance(),
            throughput,
            self.stopping,
        )
        self._deliveries: asyncio.Task[None] | None = None
        self.app = Starlette(routes=[*graph.routes(self), *api.routes(self)])

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        return self._clock() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the simulated clock forward."""
        self._ahead += seconds
        self.webhooks.wake()

    async def start(self) -> None:
        """Begin to deliver webhooks, with what an earlier run left undelivered."""
        self.stopping.clear()
        self.media.sweep()
        self._deliveries = asyncio.create_task(self.webhooks.run())

    async def stop(self) -> None:
        """End deliveries, open pages and held answers. The state stays in the file."""
        self.stopping.set()
        self.changes.close()
        if self._deliveries:
            self._deliveries.cancel()
            with suppress(asyncio.CancelledError):
                await self._deliveries
        if self._own_client:
            await self._own_client.aclose()
        self._database.close()

    async def settled(self) -> None:
        """Wait until every webhook that is due was answered; what is to be tried again later does not count."""
        await self.webhooks.settled()

    async def verify_webhook(self) -> bool:
        """Make Meta's GET handshake with the webhook; say whether it passed."""
        return await self.webhooks.verify(self._verify_token)

    def write(self, wa_id: str, message: Mapping[str, Any] | str, line: str = "", name: str | None = None) -> Message:
        """Let a customer write: a text, or a message of any type in the inbound shape."""
        shaped = {"type": "text", "text": {"body": message}} if isinstance(message, str) else message
        return self.phones.write(wa_id, shaped, line or next(iter(self.lines)), name)

    def add_line(self, line: Line) -> None:
        """Add a number that nobody has registered yet, with its account."""
        self.numbers.add(line)
        self.templates.seed(line.waba)

    def meet(self, wa_id: str, name: str | None = None) -> Customer:
        """Return the customer, made if need be."""
        return self.customers.meet(wa_id, name)

    def scenario(self, fault: str, **figures: Any) -> Scenario:
        """Put a fault in force; see `scenarios.FAULTS`."""
        return self.scenarios.set(Scenario(fault=fault, **figures))
