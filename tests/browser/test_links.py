"""A link, end to end: made in Odoo, tapped on a page, sent from the phone, told on the lead."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.open_line import Card, OpenLine, ask_odoo, open_context, records, wrote

pytestmark = pytest.mark.timeout(600)

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
_FIRST = "5511912345678"
"""Whose phone the simulator shows first."""
_TEXT = "50% off & more? #1 + 2 = 3\nLine two “quoted” 👩‍👩‍👧 مرحبا <b>"


def _link(line: OpenLine, **values: object) -> dict[str, Any]:
    """Make a link in Odoo and return its fields. The demo's line is there once somebody has written."""
    wrote(line, "12025550191", "Nora Field", "Hello", ago=timedelta(minutes=5))
    records(line, "Nora Field")
    campaign = ask_odoo(line, "utm.campaign", "create", {"title": "Spring sale"})
    made = ask_odoo(line, "leadline.link", "create", [{"name": "Spring poster", "campaign_id": campaign, **values}])
    link: dict[str, Any] = ask_odoo(line, "leadline.link", "read", made)[0]
    return link


def _tap(line: OpenLine, chromium: Browser, short: str) -> Page:
    """Tap a short link on a page, and return the phone with the chat that it leads to."""
    page = open_context(chromium, user_agent=_IPHONE).new_page()
    page.goto(f"{line.url}/healthz")
    page.set_content(f'<a href="{short}">Write to us</a>')
    page.get_by_role("link").click()
    page.wait_for_url("**/simulator/**")
    return page


def test_a_lead_says_through_which_link_its_customer_came(line: OpenLine, chromium: Browser) -> None:
    link = _link(line, text=_TEXT, colour="#1a7f4b")

    phone = _tap(line, chromium, link["short_url"])
    expect(phone.get_by_test_id("composer")).to_have_value(link["prefilled"])
    phone.get_by_test_id("send").click()

    [customer] = [one for one in httpx.get(f"{line.url}/simulator/customers").json() if one["wa_id"] == _FIRST]
    lead = records(line, customer["name"])["crm.lead"]
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in("agent", "agent")
    card.open("crm.lead", lead)
    expect(card.page.locator(".o_leadline_came_through")).to_have_text("Came through Spring poster")
    expect(card.bubble("Line two")).to_be_visible()
    expect(card.bubble(link["reference"][:3])).to_have_count(0)
    [told] = ask_odoo(line, "crm.lead", "read", [lead], ["campaign_id", "leadline_link_id"])
    assert (told["campaign_id"][1], told["leadline_link_id"][0]) == ("Spring sale", link["id"])

    ask_odoo(line, "leadline.link", "action_refresh", [link["id"]])
    [counted] = ask_odoo(line, "leadline.link", "read", [link["id"]], ["clicks", "message_count", "lead_count"])
    assert (counted["clicks"], counted["message_count"], counted["lead_count"]) == (1, 1, 1)
