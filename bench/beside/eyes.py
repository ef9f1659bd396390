"""From the webhook to the eyes: the text is drawn in a browser that has the chat open, Leadline's tab or OCA's channel.

Both Odoos run as one threaded process for this, so that their pages reach the bus without a proxy between.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from bench.beside import oca
from bench.beside.world import Side, World
from bench.drawn import drawn
from functions.core.signature import sign_meta
from functions.local import demo
from tests.open_line import Card, OpenLine, browser, chromium_path, open_context
from tests.payloads import Customer, inbound_text, webhook

ROUNDS = 20
_WARM = 2
_LONGEST = 60
_PERSON = Customer("491559000001", "DE.90000000000000000001", "Open chat")
_WRITER = oca.Writer(990_001, "Open chat")

Eyes = dict[str, list[float]] | str
"""Seconds of each round, by the side's name; or why that was not measured."""


def measure(world: World) -> Eyes:
    """Return what was measured, the sides in turns. Both servers are restarted, and stay so until it ends."""
    if chromium_path() is None:
        return "there is no Chromium here"
    try:
        return _measured(world)
    except PlaywrightError as error:
        return error.message.splitlines()[0]


def _measured(world: World) -> dict[str, list[float]]:
    with ExitStack() as stack:
        for side in world.sides:
            stack.enter_context(side.odoo.threaded())
        chromium = stack.enter_context(browser())
        pages = (
            (world.leadline, _said, _card(_page(chromium), world), ".o_leadline_message"),
            (world.oca, _updated, _channel(_page(chromium), world), ".o-mail-Message"),
        )
        took: dict[str, list[float]] = {side.name: [] for side in world.sides}
        for turn in range(_WARM + ROUNDS):
            for side, said, page, bubble in pages[:: -1 if turn % 2 else 1]:
                page.bring_to_front()
                seconds = _seen(side, said, page, bubble, f"round {turn} of {side.name}.")
                if turn >= _WARM:
                    took[side.name].append(seconds)
        return took


def _page(chromium: Browser) -> Page:
    context = open_context(chromium)
    # A machine that has only just started both Odoos takes its time.
    context.set_default_timeout(_LONGEST * 1000)
    return context.new_page()


def _card(page: Page, world: World) -> Page:
    """Open the lead of somebody who writes now, at its chat."""
    odoo = world.leadline.odoo
    _post(world.leadline, _said("Hello"))
    lead = _soon(lambda: odoo.sql(f"SELECT id FROM crm_lead WHERE contact_name = '{_PERSON.name}'"))
    card = Card(page, OpenLine(world.leadline.service.url, odoo.server.url, world.folder, "leadline"))
    card.log_in("admin", "admin")
    card.open("crm.lead", int(lead))
    card.bubble("Hello").first.wait_for()
    return page


def _channel(page: Page, world: World) -> Page:
    """Open the channel of somebody who writes now."""
    odoo = world.oca.odoo
    _post(world.oca, _updated("Hello"))
    channel = _soon(lambda: odoo.sql(f"SELECT id FROM discuss_channel WHERE gateway_channel_token = '{_WRITER.id}'"))
    Card(page, OpenLine("", odoo.server.url, world.folder, "oca")).log_in("admin", "admin")
    page.goto(f"{odoo.server.url}/odoo/discuss?active_id=discuss.channel_{channel}")
    page.locator(".o-mail-Message", has_text="Hello").first.wait_for()
    return page


def _said(text: str) -> tuple[bytes, str]:
    body = webhook(inbound_text(_PERSON, text))
    return body, sign_meta(body, demo.APP_SECRET)


def _updated(text: str) -> tuple[bytes, str]:
    return oca.update(_WRITER, text=text), oca.SECRET


def _seen(side: Side, said: Callable[[str], tuple[bytes, str]], page: Page, bubble: str, text: str) -> float:
    """Return the seconds from the POST until the text is drawn."""
    post = said(text)
    started = time.perf_counter()
    _post(side, post)
    drawn(page, bubble, text)
    return time.perf_counter() - started


def _post(side: Side, post: tuple[bytes, str]) -> None:
    body, value = post
    headers = {side.header: value, "Content-Type": "application/json"}
    httpx.post(side.url, content=body, headers=headers, trust_env=False, timeout=30).raise_for_status()


def _soon(ask: Callable[[], list[str]]) -> str:
    """Return the first row of what is there soon. Raises TimeoutError."""
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until:
        if found := ask():
            return found[0]
        time.sleep(0.2)
    raise TimeoutError("a first message became no card")
