"""A rig with the simulated WhatsApp in the recorder's place: as strict as Meta, with phones that show what came."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from functions.local.simulator import Line, Simulator
from tests.payloads import NUMBER, WABA
from tests.rig import APP_SECRET, LINE_NUMBER, PUBLIC_URL, TOKEN, VERIFY_TOKEN, Rig, rigged


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[tuple[Rig, Simulator]]:
    """Put the simulated WhatsApp in the place of the recorder, with its own templates."""
    async with rigged(folder) as rig:
        simulator = Simulator(
            path=folder / "simulator.db",
            webhook=f"{PUBLIC_URL}/",
            app_secret=APP_SECRET,
            verify_token=VERIFY_TOKEN,
            public_url="https://graph.test",
            lines=[Line(NUMBER, WABA, LINE_NUMBER, "Shop", TOKEN)],
            client=rig.webhook,
            clock=lambda: rig.clock().timestamp(),
        )
        graph = httpx.AsyncClient(transport=httpx.ASGITransport(simulator.app), base_url="https://graph.test")

        async def play(request: httpx.Request) -> httpx.Response:
            headers = {
                name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers
            }
            return await graph.request(
                request.method, "/graph" + request.url.raw_path.decode(), content=request.content, headers=headers
            )

        rig.whatsapp.plays(play)
        await simulator.start()
        await rig.holds_templates()
        yield rig, simulator
        await simulator.stop()
        await graph.aclose()
