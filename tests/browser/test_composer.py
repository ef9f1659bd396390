"""What an agent sends besides text, from the real composer to the customer's phone."""

import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.ogg import read_opus
from tests.open_line import Card, OpenLine, Phone, open_context, records

pytestmark = pytest.mark.timeout(600)

_CUSTOMER, _NAME = "447700900123", "Tom Baker"


def test_voice_notes_replies_and_reactions_reach_the_phone(line: OpenLine, chromium: Browser) -> None:
    httpx.post(f"{line.url}/simulator/customers", json={"wa_id": _CUSTOMER, "name": _NAME}).raise_for_status()
    phone = Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(_CUSTOMER)
    phone.write("Which size is it?")
    lead = records(line, _NAME)["crm.lead"]
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in("agent", "agent")
    card.open("crm.lead", lead)

    question = card.bubble("Which size is it?").first
    question.hover()
    question.locator(".o_leadline_reply").click()
    card.write("A small one")
    expect(card.bubble("A small one").locator(".o_leadline_quote_text")).to_have_text("Which size is it?")
    phone.bubble("A small one").wait_for()
    assert _received(line, "text")["context"]["id"] == _on_the_phone(line)[0]["id"]

    question.hover()
    question.locator(".o_leadline_react").click()
    card.page.locator(".o_leadline_reaction").first.click()
    expect(question.locator(".o_leadline_reactions")).to_have_text("👍")
    assert _received(line, "reaction")["reaction"]["emoji"] == "👍"

    # Chromium's stand-in for a microphone beeps.
    card.record(2.5)
    note = card.page.locator(".o_leadline_message[data-type=audio][data-direction=out]")
    expect(note.locator(".o_leadline_tick")).to_have_attribute("data-status", "read", timeout=15000)
    received = _received(line, "audio")
    assert received["audio"]["voice"] is True
    assert received["media"]["mime"].startswith("audio/ogg")
    file = httpx.get(f"{line.url}{received['media']['url']}").raise_for_status()
    opus = read_opus(file.content)
    assert opus.channels == 1
    assert 2 < opus.seconds < 5
    expect(note.locator(".o_leadline_length")).to_have_text("0:03")
    expect(note.get_by_role("img", name="Voice note")).to_be_visible()


def _on_the_phone(line: OpenLine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{line.url}/simulator/customers/{_CUSTOMER}/messages").json()
    return found


def _received(line: OpenLine, type_: str) -> dict[str, Any]:
    """Return the newest message of a type that the phone got from the business, waiting for one."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = [one for one in _on_the_phone(line) if one["type"] == type_ and one["from"] != "customer"]
        if found:
            return found[-1]
        time.sleep(0.1)
    raise AssertionError(f"no {type_} on the phone after 15 s")
