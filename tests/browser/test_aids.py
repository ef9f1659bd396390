"""What helps an agent to write and to work with colleagues: commands, canned responses, emoji, notes, saved files."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.open_line import Card, OpenLine, Phone, ask_odoo, open_context, records

pytestmark = pytest.mark.timeout(600)

_CUSTOMER, _NAME = "447700900188", "Vera Lind"
_COLLEAGUE = "Rita Reader"
_PDF = b"%PDF-1.4\n%an offer\n%%EOF\n"


def _colleague(line: OpenLine) -> int:
    """Make a colleague who may read every lead; returns the user."""
    group = ask_odoo(line, "ir.model.data", "search_read", [["name", "=", "group_sale_salesman_all_leads"]], ["res_id"])
    values = {
        "name": _COLLEAGUE,
        "login": "rita",
        "password": "rita",
        "notification_type": "inbox",
        "group_ids": [[4, group[0]["res_id"]]],
    }
    return int(ask_odoo(line, "res.users", "create", values))


def _alerts(line: OpenLine, user: int) -> list[dict[str, Any]]:
    """Return what a user was notified of, oldest first."""
    [partner] = ask_odoo(line, "res.users", "read", [user], ["partner_id"])
    to_them = [["notified_partner_ids", "in", [partner["partner_id"][0]]], ["message_type", "=", "user_notification"]]
    fields = ["subject", "body", "model", "res_id"]
    asked = ("mail.message", "search_read", to_them, fields, 0, 0, "id")
    # Nobody else may read them, not even the administrator.
    found: list[dict[str, Any]] = ask_odoo(line, *asked, login="rita")
    return found


def test_an_agent_writes_with_help_and_works_with_a_colleague(line: OpenLine, chromium: Browser) -> None:
    httpx.post(f"{line.url}/simulator/customers", json={"wa_id": _CUSTOMER, "name": _NAME}).raise_for_status()
    phone = Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(_CUSTOMER)
    phone.write("Is the offer still good?")
    lead = records(line, _NAME)["crm.lead"]
    rita = _colleague(line)
    canned = {"source": "thanks", "substitution": "Thank you for your patience!", "group_ids": [[4, 1]]}
    response = ask_odoo(line, "mail.canned.response", "create", canned)
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in("agent", "agent")
    card.open("crm.lead", lead)
    expect(card.bubble("Is the offer still good?")).to_be_visible()
    page, text = card.page, card.page.locator("textarea.o_leadline_input")
    option = page.locator(".o_leadline_suggestion")

    # A canned response in place, an emoji at the caret, all by keyboard.
    text.click()
    page.keyboard.type("Dear Vera, ::tha")
    expect(option).to_have_text([r"thanksThank you for your patience!"])
    page.keyboard.press("Enter")
    expect(text).to_have_value("Dear Vera, Thank you for your patience!")
    text.evaluate("element => element.setSelectionRange(9, 9)")
    page.locator(".o_leadline_tool[title=Emoji]").focus()
    page.keyboard.press("Enter")
    page.locator(".o-EmojiPicker-search input").fill("grinning")
    page.keyboard.press("Enter")
    expect(text).to_have_value("Dear Vera😀, Thank you for your patience!")
    expect(text).to_be_focused()
    page.keyboard.press("Enter")
    expect(phone.bubble("Dear Vera😀, Thank you for your patience!")).to_be_visible()
    expect(text).to_have_value("")
    assert ask_odoo(line, "mail.canned.response", "read", [response], ["last_used"])[0]["last_used"]

    # A mistyped command does not reach the customer.
    page.keyboard.type("/clsoe")
    page.keyboard.press("Enter")
    expect(page.locator(".o_leadline_question")).to_contain_text("There is no command /clsoe.")
    page.keyboard.press("Escape")
    text.fill("")

    # A note that mentions a colleague: she hears of it, of what it says she does not.
    page.keyboard.type("/no")
    expect(option).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.type("Discount? @rita")
    expect(option).to_have_text([_COLLEAGUE])
    page.keyboard.press("Tab")
    expect(text).to_have_value(f"Discount? @{_COLLEAGUE} ")
    page.keyboard.press("Enter")
    expect(card.bubble(f"Discount? @{_COLLEAGUE}")).to_have_attribute("data-type", "note")
    expect(phone.bubble("Discount?")).to_have_count(0)
    page.locator(".o_leadline_note_toggle").click()

    # Inviting her makes her follow the card.
    text.fill("")
    page.keyboard.type("/invite rit")
    expect(option).to_have_text([_COLLEAGUE])
    page.keyboard.press("Enter")
    expect(page.locator(".o_notification", has_text="was asked to join")).to_be_visible()
    mention, invitation = _alerts(line, rita)
    assert (mention["model"], mention["res_id"]) == ("crm.lead", lead)
    assert "mentioned you" in mention["subject"]
    assert "Discount" not in mention["body"]
    assert "asks you to join" in invitation["subject"]
    followers = ask_odoo(line, "mail.followers", "search_read", [["res_id", "=", lead]], ["display_name"])
    assert any(_COLLEAGUE in one["display_name"] for one in followers)

    # A received file is kept with the lead, once.
    phone.page.get_by_test_id("file").set_input_files(
        {"name": "signed offer.pdf", "mimeType": "application/pdf", "buffer": _PDF}
    )
    phone.page.get_by_test_id("send").click()
    received = page.locator(".o_leadline_message[data-type=document]")
    received.wait_for()
    for _ in range(2):
        received.hover()
        received.locator(".o_leadline_save_file").click()
        expect(received.locator(".o_leadline_save_file")).to_have_attribute("title", "Saved with this card")
        # The chatter below counts it at once, and once.
        expect(page.locator(".o-mail-Chatter-topbar button[aria-label='Attach files']")).to_have_text("1")
        card.open("crm.lead", lead)
    where = [["res_model", "=", "crm.lead"], ["res_id", "=", lead], ["leadline_message", "!=", False]]
    [kept] = ask_odoo(line, "ir.attachment", "search_read", where, ["name", "mimetype", "file_size"])
    assert (kept["name"], kept["mimetype"], kept["file_size"]) == ("signed offer.pdf", "application/pdf", len(_PDF))
