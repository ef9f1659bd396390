"""What the add-on costs a real Odoo with two workers: events taken in, and the inbox opened, against Odoo's own pages.

    python -m bench.odoo_events

Messages are posted as `sync` posts them, in signed batches of a hundred, each about another conversation.
`GET /web/health` of the same server is the floor: a request that does nothing. The inbox is opened in Chromium with 200
conversations, in turns with Odoo's own list of the 200 leads that came of them.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from functions.core.secrets import derive
from functions.core.signature import sign_call
from functions.local.odoo.database import Databases
from functions.local.odoo.install import ensure_odoo
from functions.local.odoo.server import OdooServer
from functions.local.postgres import Postgres
from tests.open_line import browser, chromium_path, open_context

CONVERSATIONS = 200
_WORKERS = 2
_BATCH = 100
_SECONDS = 12
"""How long each rate is measured; opening the lists takes less."""

_OPENINGS = 5
_SECRET = "c2VjcmV0LW9mLXRoZS1iZW5jaG1hcmstb2YtbGVhZGw"
_DATABASE = "bench"

# Two connections, as their deliveries don't wait for each other; one lets one worker rest.
_PREPARE = """
company = env.company
company.country_id = env.ref("base.us")
env.ref("base.group_user").implied_ids += env.ref("crm.group_use_lead")
for number in range({workers}):
    env["leadline.connection"].create({{
        "name": "Bench", "identifier": f"bench-{{number}}", "url": "http://127.0.0.1:9", "secret": {secret!r},
    }})
actions = {{}}
for name, model in (("inbox", "leadline.conversation"), ("leads", "crm.lead")):
    actions[name] = env["ir.actions.act_window"].create({{
        "name": name, "res_model": model, "view_mode": "list,form", "limit": {conversations},
    }}).id
print(actions)
"""

_serial = count(1)


def rows() -> list[tuple[str, str]]:
    """Return the table's rows."""
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "postgres") as postgres:
        databases = Databases(ensure_odoo(None, lambda _: None), postgres, Path(folder) / "odoo")
        databases.create(_DATABASE, ["leadline"])
        script = _PREPARE.format(workers=_WORKERS, secret=_SECRET, conversations=CONVERSATIONS)
        actions = json.loads(databases.run_script(_DATABASE, script).splitlines()[-1].replace("'", '"'))
        with OdooServer(databases, _DATABASE, cron_threads=0, workers=_WORKERS) as odoo:
            return [*asyncio.run(_rates(odoo.url)), *_openings(odoo.url, actions)]


async def _rates(url: str) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        await _health(client, seconds=1)
        floor = await _health(client, seconds=_SECONDS / 3)
        first = await _first_messages(client)
        known = await _known_messages(client)
        floor = statistics.mean((floor, await _health(client, seconds=_SECONDS / 3)))
    return [
        (
            "messages of known customers taken in, each an event",
            f"{known:.0f}/s, {known / floor:.2f} × GET /web/health ({floor:.0f}/s); aim: 400/s",
        ),
        ("first messages, each a new contact and lead", f"{first:.0f}/s, {first / floor:.2f} × GET /web/health"),
    ]


async def _health(client: httpx.AsyncClient, *, seconds: float) -> float:
    """Return requests per second, asked for by as many callers as there are workers."""
    until, asked = time.perf_counter() + seconds, count()

    async def ask() -> None:
        while time.perf_counter() < until:
            (await client.get("/web/health")).raise_for_status()
            next(asked)

    await asyncio.gather(*(ask() for _ in range(_WORKERS)))
    return next(asked) / seconds


async def _first_messages(client: httpx.AsyncClient) -> float:
    """Let every customer write for the first time, and return the messages per second."""
    started = time.perf_counter()

    async def meet(connection: int) -> None:
        for customers in _in_batches(connection, 25):
            await _post(client, connection, [_event(connection, customer, 1) for customer in customers])

    await asyncio.gather(*(meet(connection) for connection in range(_WORKERS)))
    return CONVERSATIONS / (time.perf_counter() - started)


async def _known_messages(client: httpx.AsyncClient) -> float:
    """Let every customer write again and again, and return the messages per second."""
    taken = 0
    started = time.perf_counter()
    until = started + _SECONDS

    async def write(connection: int) -> None:
        nonlocal taken
        version = 1
        while time.perf_counter() < until:
            version += 1
            for customers in _in_batches(connection, _BATCH):
                await _post(client, connection, [_event(connection, customer, version) for customer in customers])
                taken += len(customers)

    await asyncio.gather(*(write(connection) for connection in range(_WORKERS)))
    return taken / (time.perf_counter() - started)


def _in_batches(connection: int, size: int) -> list[range]:
    """Return the customers of a connection, so many at a time."""
    customers = range(connection, CONVERSATIONS, _WORKERS)
    return [customers[start : start + size] for start in range(0, len(customers), size)]


async def _post(client: httpx.AsyncClient, connection: int, events: Sequence[dict[str, Any]]) -> None:
    body = json.dumps({"connection": f"bench-{connection}", "events": list(events)}).encode()
    headers = sign_call(
        derive(_SECRET, "events"), f"call-{next(_serial)}", int(time.time()), "POST", "/leadline/events", body
    )
    answer = await client.post("/leadline/events", content=body, headers=headers | _headers(connection))
    results = answer.raise_for_status().json()["results"]
    if not all(result["ok"] for result in results):
        raise RuntimeError(f"Odoo refused events: {[result for result in results if not result['ok']][:1]}")


def _headers(connection: int) -> dict[str, str]:
    return {"Content-Type": "application/json", "Leadline-Connection": f"bench-{connection}"}


def _event(connection: int, customer: int, version: int) -> dict[str, Any]:
    """Return a customer's message as an event says it: this is the only one of the conversation's that is unread."""
    at = f"2026-11-20T{10 + version // 3600:02}:{version // 60 % 60:02}:{version % 60:02}Z"
    phone = f"+1202555{customer:04}"
    return {
        "id": f"event-{next(_serial)}",
        "type": "message.received",
        "at": at,
        "conversation": {
            "id": f"conversation-{customer}",
            "version": version,
            "line": {
                "id": f"line-{connection}",
                "phone_number_id": f"10000000000000{connection}",
                "number": f"+1 555 010 000{connection}",
                "name": f"Line {connection}",
            },
            "contact": {
                "id": f"contact-{customer}",
                "name": f"Customer {customer}",
                "phone": phone,
                "phone_variants": [phone],
            },
            "received": version,
            "read": version - 1,
            "last_in": at,
            "last_out": None,
            "window_until": "2026-11-22T10:00:00Z",
            "merged_into": None,
        },
        "message": {"id": f"message-{next(_serial)}", "direction": "in", "type": "text", "status": "received"},
    }


def _openings(url: str, actions: dict[str, int]) -> list[tuple[str, str]]:
    """Open the inbox and the list of leads in turns, from the address to the last row drawn."""
    title = f"inbox of {CONVERSATIONS} conversations opened in Chromium"
    if chromium_path() is None:
        return [(title, "not measured: there is no Chromium here")]
    with browser() as chromium:
        page = open_context(chromium).new_page()
        page.goto(f"{url}/web/login")
        page.locator("input[name=login]").fill("admin")
        page.locator("input[name=password]").fill("admin")
        page.locator("button[type=submit]").first.click()
        page.locator(".o_main_navbar").wait_for()
        for action in actions.values():
            _opened(page, url, action)
        seconds: dict[str, list[float]] = {name: [] for name in actions}
        for turn in range(_OPENINGS):
            for name in list(actions)[:: -1 if turn % 2 else 1]:
                seconds[name].append(_opened(page, url, actions[name]))
    inbox, leads = (statistics.median(seconds[name]) for name in ("inbox", "leads"))
    return [
        (title, f"{inbox / leads:.2f} × Odoo's own list of {CONVERSATIONS} leads ({inbox:.2f} against {leads:.2f} s)")
    ]


def _opened(page: Page, url: str, action: int) -> float:
    page.goto("about:blank")
    started = time.perf_counter()
    page.goto(f"{url}/odoo/action-{action}", wait_until="commit")
    page.wait_for_function(f"document.querySelectorAll('.o_data_row').length === {CONVERSATIONS}", timeout=60_000)
    return time.perf_counter() - started


if __name__ == "__main__":
    for name, figure in rows():
        print(f"  {name:<58} {figure}", flush=True)
