"""The real thing, end to end: a customer's phone on one page, the lead card in Odoo on the other."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.open_line import Card, OpenLine, Phone, open_context, records

pytestmark = pytest.mark.timeout(600)

_CUSTOMER = "12025550123"
_NAME = "John Carter"


def test_a_customer_and_an_agent_talk(line: OpenLine, chromium: Browser, picture: Path) -> None:
    phone = Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(_CUSTOMER)
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in("agent", "agent")

    phone.write("Is the blue bicycle still there?")
    lead = records(line, _NAME)["crm.lead"]
    card.open("crm.lead", lead)
    expect(card.bubble("Is the blue bicycle still there?")).to_have_attribute("data-direction", "in")

    # Live, without a reload, both ways.
    phone.write("I could come by today.")
    expect(card.bubble("I could come by today.")).to_be_visible()
    card.write("It is. Come before six!")
    expect(phone.bubble("It is. Come before six!")).to_be_visible()
    answer = card.bubble("It is. Come before six!")
    expect(answer).to_have_attribute("data-direction", "out")
    expect(answer.locator(".o_leadline_tick")).to_have_attribute("data-status", "read")
    expect(answer.locator(".o_leadline_author")).to_have_text("Maria Agent")

    phone.send_picture(picture)
    received = card.page.locator(".o_leadline_message[data-direction=in] img.o_leadline_picture")
    expect(received).to_be_visible()
    assert received.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
    card.send_picture(picture)
    shown = phone.page.locator("[data-testid=message][data-direction=in] img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320


def test_the_chat_is_on_the_contact_too_and_stays_when_the_lead_is_converted(line: OpenLine, chromium: Browser) -> None:
    phone = Phone(open_context(chromium).new_page(), line).be("5215512345678")
    phone.write("¿Tienen casco?")
    found = records(line, "Lucía Gómez")
    card = Card(open_context(chromium).new_page(), line)
    card.log_in("agent", "agent")
    card.open("res.partner", found["res.partner"])
    expect(card.bubble("¿Tienen casco?")).to_be_visible()

    card.open("crm.lead", found["crm.lead"])
    card.page.get_by_role("button", name="Convert to Opportunity").first.click()
    card.page.locator(".modal").get_by_role("button", name="Create Opportunity").click()
    expect(card.page.locator(".modal")).to_have_count(0)
    card.open("crm.lead", found["crm.lead"])
    expect(card.bubble("¿Tienen casco?")).to_be_visible()
