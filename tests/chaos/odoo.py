"""A real Odoo behind the CRM's door, which is killed and started again while batches come in."""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from functions.core.ids import key_of
from functions.core.secrets import derive
from functions.core.signature import sign_call
from functions.local.odoo.database import Databases
from functions.local.odoo.install import ensure_odoo
from functions.local.odoo.server import OdooServer
from functions.local.postgres import Postgres
from tests.rig import CONNECTION, PUBLIC_URL

DATABASE = "chaos"
_PATH = "/leadline/events"

_CONNECT = """
env.company.country_id = env.ref("base.us")
env["leadline.connection"].create({{"identifier": {connection!r}, "url": {url!r}, "secret": {secret!r}}})
"""

_MIRRORED = """
SELECT row.identifier, row.received_count, row.read_count, row.contact,
       (SELECT count(*) FROM leadline_conversation_lead_rel rel WHERE rel.conversation_id = row.id)
  FROM leadline_conversation row WHERE row.merged_into IS NULL
"""


@dataclass
class RealOdoo:
    """Takes batches at Odoo's own time, since its clock can't be moved; `kill` ends it in the middle of one."""

    server: OdooServer
    postgres: Postgres
    secret: str
    client: httpx.AsyncClient
    restarts: int = 0
    seconds: float = 0.0
    _restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Hand a batch to Odoo, which takes it even if whoever asked for it dies meanwhile.

        A connection that nobody holds any more would stay open: Odoo takes it for a request that never ends, and
        starts itself anew.
        """
        return await asyncio.shield(asyncio.create_task(self._posted(request)))

    async def _posted(self, request: httpx.Request) -> httpx.Response:
        """Hand a batch to Odoo, signed for its clock."""
        body, now = request.content, int(time.time())
        call = key_of("chaos", str(time.perf_counter_ns()))
        headers = sign_call(derive(self.secret, "events"), call, now, "POST", _PATH, body)
        headers |= {"Content-Type": "application/json", "Leadline-Connection": CONNECTION}
        began = time.monotonic()
        try:
            return await self.client.post(self.server.url + _PATH, content=body, headers=headers)
        finally:
            self.seconds += time.monotonic() - began

    async def kill(self, request: httpx.Request) -> None:
        """Hand over a batch, end Odoo while it is at it, every other time without a word, and start it again."""
        # Whoever asked for it may die meanwhile; Odoo comes back all the same.
        await asyncio.shield(asyncio.create_task(self._killed(request)))

    async def _killed(self, request: httpx.Request) -> None:
        async with self._restarting:
            await self._restarted(request)

    async def _restarted(self, request: httpx.Request) -> None:
        self.restarts += 1
        at_it = asyncio.create_task(self._posted(request))
        await asyncio.sleep(0.02 * (self.restarts % 7))
        if self.restarts % 2:
            self._strike_dead()
        await asyncio.to_thread(self.server.stop)
        with contextlib.suppress(httpx.HTTPError):
            await at_it
        await asyncio.to_thread(self.server.start)
        await asyncio.to_thread(self.server.wait_until_ready)

    def _strike_dead(self) -> None:
        for one in psutil.net_connections("tcp4"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == self.server.port and one.pid:
                psutil.Process(one.pid).kill()

    def mirrored(self) -> dict[str, dict[str, Any]]:
        """Return what Odoo has of each conversation that lives, by its id."""
        rows = self.postgres.sql(f"SELECT json_agg(one) FROM ({_MIRRORED}) one", DATABASE)
        return {
            one["identifier"]: {
                "received": one["received_count"],
                "read": one["read_count"],
                "leads": one["count"],
                "contact": one["contact"],
            }
            for one in json.loads("".join(rows) or "[]")
        }


@asynccontextmanager
async def real_odoo(secret: str) -> AsyncIterator[RealOdoo]:
    """Run an Odoo of its own with the add-on, connected."""
    with contextlib.ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        postgres = parts.enter_context(Postgres(folder / "postgres"))
        databases = Databases(ensure_odoo(None, print), postgres, folder / "odoo")
        databases.create(DATABASE, ["leadline"])
        databases.run_script(DATABASE, _CONNECT.format(connection=CONNECTION, url=PUBLIC_URL, secret=secret))
        server = parts.enter_context(OdooServer(databases, DATABASE, cron_threads=0))
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            yield RealOdoo(server, postgres, secret, client)
