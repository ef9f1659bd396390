"""Templates, end to end: the window closes and opens, and a card writes to somebody who never wrote."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.open_line import Card, OpenLine, Phone, ask_odoo, open_context, records, wrote

pytestmark = pytest.mark.timeout(600)


def _phone(chromium: Browser, line: OpenLine, wa_id: str) -> Phone:
    return Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(wa_id)


def _card(chromium: Browser, line: OpenLine, lead: int) -> Card:
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in("agent", "agent")
    card.open("crm.lead", lead)
    return card


def test_a_closed_window_leaves_templates_until_the_customer_writes(line: OpenLine, chromium: Browser) -> None:
    wrote(line, "12025550177", "Omar Reed", "Do you repair brakes?", ago=timedelta(hours=30))
    card = _card(chromium, line, records(line, "Omar Reed")["crm.lead"])
    expect(card.page.locator(".o_leadline_closed")).to_contain_text("Free text is closed until Omar Reed writes again.")

    card.choose_template("order_update")
    card.fill("body.1", "Omar")
    card.send_template()
    # Marked in the preview, and told at its field.
    expect(card.page.locator(".o_leadline_template_body mark")).to_have_text("{{2}}")
    expect(card.page.locator(".o_leadline_field[data-field='body.2'] .o_leadline_fault")).to_be_visible()
    card.fill("body.2", "#77")
    card.fill("buttons.0", "77")
    card.send_template()

    phone = _phone(chromium, line, "12025550177")
    expect(phone.bubble("Hi Omar, your order #77 has left our workshop")).to_be_visible()
    expect(card.bubble("Hi Omar, your order #77 has left our workshop")).to_be_visible()

    phone.write("Great!")
    expect(card.bubble("Great!")).to_be_visible()
    expect(card.page.locator(".o_leadline_picker")).to_have_count(0)
    card.write("See you!")
    expect(phone.bubble("See you!")).to_be_visible()


def test_a_card_writes_first_and_has_the_chat_at_once(line: OpenLine, chromium: Browser) -> None:
    binding = {"template": "order_update", "parameter": "body.1", "expression": "contact_name"}
    ask_odoo(line, "leadline.template.binding", "create", binding)
    agent = ask_odoo(line, "res.users", "search", [("login", "=", "agent")])[0]
    values = {"name": "Cargo bicycle", "contact_name": "Grace Miller", "phone": "+1 202 555 0166", "user_id": agent}
    lead = ask_odoo(line, "crm.lead", "create", values)
    card = _card(chromium, line, lead)
    expect(card.page.locator(".o_leadline_start")).to_contain_text("Grace Miller +12025550166")

    card.page.locator(".o_leadline_start_button").click()
    card.choose_template("order_update")
    expect(card.page.locator(".o_leadline_field[data-field='body.1'] input")).to_have_value("Grace Miller")
    card.fill("body.2", "#9")
    card.fill("buttons.0", "9")
    card.send_template()
    expect(card.bubble("Hi Grace Miller, your order #9")).to_be_visible()
    phone = _phone(chromium, line, "12025550166")
    expect(phone.bubble("Hi Grace Miller, your order #9")).to_be_visible()

    phone.write("Who is this?")
    expect(card.bubble("Who is this?")).to_be_visible()
    expect(card.page.locator("textarea.o_leadline_input")).to_be_enabled()
    # The answer belongs to the card that wrote first.
    assert ask_odoo(line, "crm.lead", "search", [("phone_sanitized", "=", "+12025550166")]) == [lead]
