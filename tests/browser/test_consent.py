"""Consent, end to end: missing, recorded from the list of templates, taken back by STOP, which is confirmed once."""

import time
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.open_line import Card, OpenLine, Phone, ask_odoo, open_context, records, wrote

pytestmark = pytest.mark.timeout(600)

_WA_ID, _NAME = "12025550168", "Paula Quist"
_GOODBYE = "You will get no more offers or automatic messages from us."


def test_an_offer_waits_for_consent_and_stop_ends_it(line: OpenLine, chromium: Browser) -> None:
    wrote(line, _WA_ID, _NAME, "Do you sell helmets?", ago=timedelta(hours=30))
    cards = records(line, _NAME)
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in("agent", "agent")
    card.open("crm.lead", cards["crm.lead"])
    offer = card.page.locator(".o_leadline_option", has=card.page.get_by_text("spring_offer", exact=True)).first
    expect(offer).to_contain_text(f"{_NAME} has not agreed to marketing. Record their consent first.")
    expect(offer).to_have_attribute("aria-disabled", "true")

    card.page.locator(".o_leadline_record_consent").click()
    form = card.page.get_by_role("dialog")
    form.locator("[name=evidence] textarea").fill("Said on the telephone that she would like our offers.")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    expect(offer).to_have_attribute("aria-disabled", "false")
    expect(card.page.locator(".o_leadline_record_consent")).to_have_count(0)

    page = open_context(chromium, viewport={"width": 420, "height": 800}).new_page()
    phone = Phone(page, line).be(_WA_ID)
    phone.write("STOP")
    expect(phone.bubble(_GOODBYE)).to_be_visible()
    expect(card.page.locator(".o_leadline_consent")).to_have_text("Said STOP")
    phone.write("stop")
    expect(card.bubble("stop")).to_have_count(2)
    expect(phone.bubble(_GOODBYE)).to_have_count(1)

    # The tab has it from the service; the CRM hears of it by its own task, of what was said in one second as of one.
    deadline = time.monotonic() + 60
    while len(said := _consents(line, cards["res.partner"])) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (set(said[:-1]), said[-1]) == ({("withdrawn", "keyword")}, ("given", "note"))
    [told] = ask_odoo(line, "res.partner", "read", [cards["res.partner"]], ["phone_blacklisted"])
    assert told["phone_blacklisted"]


def _consents(line: OpenLine, partner: int) -> list[tuple[str, str]]:
    fields = ["state", "way"]
    found = ask_odoo(line, "leadline.consent", "search_read", [("partner_id", "=", partner)], fields)
    return [(one["state"], one["way"]) for one in found]
