"""The customer's phone in a real browser: what a person sees and does there."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright, expect

from functions.local.simulator import Simulator
from tests.local.simulator.parties import ANA, Business
from tests.local.simulator.test_media import PNG

ADD = "#adding summary"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
async def address(simulator: Simulator) -> AsyncIterator[str]:
    """Serve the simulator over real HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(simulator.app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with contextlib.redirect_stdout(None):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    simulator.changes.close()
    server.should_exit = True
    await serving


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        await page.goto(f"{address}/simulator/")
        yield page
        await browser.close()
    assert complaints == []


async def test_a_chat_goes_both_ways_live_and_is_read(page: Page, business: Business) -> None:
    message = page.get_by_test_id("message")
    await page.get_by_test_id("composer").fill("Do you have <b>monstera</b>?")
    await page.keyboard.press("Enter")
    own = message.filter(has_text="Do you have <b>monstera</b>?")
    await expect(own).to_have_attribute("data-status", "delivered")
    await expect(own).to_have_attribute("data-direction", "out")

    wamid = await business.sent(text="Three came in this morning")
    theirs = page.locator(f'[data-id="{wamid}"]')
    await expect(theirs).to_contain_text("Three came in this morning")
    await expect(theirs).to_have_attribute("data-status", "read")

    written = await own.get_attribute("data-id")
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": written}
    await business.post({**mark, "typing_indicator": {"type": "text"}})
    await expect(own).to_have_attribute("data-status", "read")
    await expect(page.get_by_test_id("typing")).to_be_visible()


async def test_pictures_go_both_ways(page: Page, business: Business, tmp_path: Path) -> None:
    picture = tmp_path / "leaf.png"
    picture.write_bytes(PNG)
    await page.get_by_test_id("file").set_input_files(picture)
    await page.get_by_test_id("composer").fill("look")
    await page.get_by_test_id("send").click()
    own = page.locator("[data-type=image][data-direction=out]")
    await expect(own).to_contain_text("look")
    media_id = (await business.upload(PNG)).json()["id"]
    await business.sent(type="image", image={"id": media_id, "caption": "and here"})
    theirs = page.locator("[data-type=image][data-direction=in]")
    await expect(theirs).to_contain_text("and here")
    for row in (own, theirs):
        await expect(row.locator("img")).to_have_js_property("naturalWidth", 1)


async def test_a_link_opens_its_chat_with_the_text_ready(page: Page, address: str) -> None:
    link = "https://wa.me/15550100001?text=" + quote("Hello, 1+1 = 2 & more\nthank you")
    await page.goto(f"{address}/simulator/?customer={ANA}&link={quote(link, safe='')}")
    await expect(page.get_by_test_id("composer")).to_have_value("Hello, 1+1 = 2 & more\nthank you")
    await expect(page.get_by_test_id("composer")).to_be_focused()
    await page.get_by_test_id("panel-open").click()
    await page.get_by_test_id("link").fill("wa.me/15550100002?text=Wholesale")
    await page.get_by_test_id("link-open").click()
    await expect(page.get_by_test_id("chat-title")).to_have_text("Green Leaf Wholesale")
    await expect(page.get_by_test_id("composer")).to_have_value("Wholesale")
    await page.get_by_test_id("panel-open").click()
    await page.get_by_test_id("link").fill("https://wa.me/447700900123")
    await page.get_by_test_id("link-open").click()
    await expect(page.get_by_role("alert")).to_contain_text("No business with that number")


async def test_customers_can_be_chosen_and_added(page: Page, business: Business) -> None:
    await business.sent(to="12025550123", text="Good morning John")
    await page.get_by_test_id("panel-open").click()
    john = page.get_by_test_id("customer").filter(has_text="John Carter")
    await expect(john.get_by_test_id("unread")).to_have_text("1")
    await john.click()
    await expect(page.get_by_test_id("message")).to_contain_text("Good morning John")
    await page.get_by_test_id("panel-open").click()
    await page.locator(ADD).click()
    await page.get_by_test_id("new-name").fill("Maria Rossi")
    await page.get_by_test_id("new-number").fill("+39 312 345 6789")
    await page.get_by_test_id("new-save").click()
    await expect(page.get_by_test_id("chip").filter(has_text="Maria")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_test_id("message")).to_have_count(0)


async def test_a_tapped_button_answers(page: Page, business: Business) -> None:
    buttons = [{"type": "reply", "reply": {"id": day, "title": day}} for day in ("Thursday", "Friday")]
    interactive = {"type": "button", "body": {"text": "Which day?"}, "action": {"buttons": buttons}}
    await business.sent(type="interactive", interactive=interactive)
    await page.get_by_test_id("choice").filter(has_text="Friday").click()
    answer = page.locator("[data-direction=out]")
    await expect(answer).to_contain_text("Friday")
    await expect(answer.locator(".quote")).to_contain_text("Which day?")


async def test_nothing_sticks_out_at_any_width(page: Page, business: Business) -> None:
    await business.sent(text="https://shop.example/" + "a-very-long-address" * 20)
    await expect(page.get_by_test_id("message")).to_have_count(1)
    for width in (360, 390, 768, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        for part in ("html", "#messages"):
            assert await page.locator(part).evaluate("node => node.scrollWidth <= node.clientWidth"), (width, part)
        await expect(page.get_by_test_id("send")).to_be_in_viewport()
