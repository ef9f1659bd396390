"""Sessions: what agents do with them, how they are counted, and what the customer is asked."""

from datetime import timedelta
from typing import Any

import httpx
from playwright.sync_api import Browser

from tests.open_line import Card, OpenLine, Phone, add_agent, ask_odoo, open_context, records, wrote
from tests.screenshots.studio import LOOKS, ON_A_PHONE, PHONE, logged_in, run_cron, save, save_chat, show

_CUSTOMER, NAME = "12025550141", "Theo Marsh"
_OTHERS = (("Uma Stone", 7, "agent"), ("Vito Sala", 30, "paul"), ("Wanda Kull", 3, "agent"), ("Yara Pinto", 55, "paul"))


def sessions(chromium: Browser, line: OpenLine) -> None:
    """Show a session in hand, what is offered while one writes, the question at the end, lists and figures."""
    [demo] = ask_odoo(line, "leadline.line", "search", [["identifier", "=", "demo-line"]])
    [agent] = ask_odoo(line, "res.users", "search", [["login", "=", "agent"]])
    paul = add_agent(line, "Paul Second", "paul")
    members = [[0, 0, {"user_id": agent}], [0, 0, {"user_id": paul, "capacity": 5}]]
    settings = {"asks_satisfaction": True, "answer_within": 15, "member_ids": members, "capacity": 8}
    ask_odoo(line, "leadline.line", "write", demo, settings)
    for number, (name, ago, login) in enumerate(_OTHERS):
        wrote(line, f"1202555013{number}", name, "Hello, are you open today?", ago=timedelta(minutes=ago))
        _answer(line, name, login, "Yes, until six.")
    wrote(line, _CUSTOMER, NAME, "Can you fix my brakes before Saturday?", ago=timedelta(minutes=4))
    cards = records(line, NAME)
    canned = {
        "source": "hours",
        "substitution": "We are open Monday to Friday from nine to six.",
        "group_ids": [[4, 1]],
    }
    ask_odoo(line, "mail.canned.response", "create", canned)
    for look in LOOKS:
        card = logged_in(chromium, line, "agent", look)
        card.open("action-crm.crm_lead_all_leads", cards["crm.lead"])
        card.page.locator(".o_leadline_session .btn").first.wait_for()
        save(card.page, f"session{look.suffix}")
        _offered(card, look.suffix)
    customer = Phone(open_context(chromium, viewport=PHONE, device_scale_factor=2).new_page(), line).be(_CUSTOMER)
    _answer(line, NAME, "agent", "Bring it in on Thursday and you have it on Friday.")
    customer.bubble("Bring it in").wait_for()
    customer.write("Wonderful, thank you!")
    card.bubble("Wonderful").wait_for()
    card.page.locator("[data-command=close]").click()
    card.page.locator("[data-command=reopen]").wait_for()
    run_cron(line, "leadline.ir_cron_tend_sessions")
    customer.page.get_by_test_id("choice").first.wait_for()
    save(customer.page, "satisfaction")
    customer.page.get_by_test_id("choice").first.click()
    card.bubble("Good").wait_for()
    for name, _ago, _login in _OTHERS[:3]:
        row = _conversation(line, name)
        ask_odoo(line, "leadline.conversation", "chat_close", "crm.lead", row["lead_ids"][0], row["identifier"])
    _lists(chromium, line)


def _offered(card: Card, suffix: str) -> None:
    """Show what is offered after a slash, two colons and an at sign."""
    page, text = card.page, card.page.locator("textarea.o_leadline_input")
    for name, typed in (("commands", "/"), ("canned", "::h"), ("transfer", "/transfer ")):
        text.fill("")
        text.press_sequentially(typed)
        page.locator(".o_leadline_suggestion").first.wait_for()
        save_chat(page, f"{name}{suffix}")
        page.keyboard.press("Escape")
    text.fill("")
    page.locator(".o_leadline_note_toggle").click()
    text.press_sequentially("Who has the spare parts? @")
    page.locator(".o_leadline_suggestion").first.wait_for()
    save_chat(page, f"mention{suffix}")
    page.keyboard.press("Escape")
    text.fill("")
    page.locator(".o_leadline_note_toggle").click()


def _lists(chromium: Browser, line: OpenLine) -> None:
    for look in LOOKS:
        manager = logged_in(chromium, line, "admin", look)
        page = show(manager, "action-leadline.leadline_session_open_action", ".o_data_row, .o_kanban_record")
        save(page, f"sessions{look.suffix}")
        [closed] = ask_odoo(
            line, "leadline.session", "search", [["conversation_id.name", "=", NAME], ["state", "=", "closed"]]
        )
        show(manager, f"action-leadline.leadline_session_action/{closed}", "[name=step_ids]")
        save(page, f"session-form{look.suffix}")
        # On a phone these are cards as well.
        if look != ON_A_PHONE:
            show(manager, "action-leadline.leadline_session_action", ".o_pivot table")
            save(page, f"session-pivot{look.suffix}")
            page.locator(".o_switch_view.o_graph").click()
            page.locator(".o_graph_renderer canvas").wait_for()
            save(page, f"session-graph{look.suffix}")


def _conversation(line: OpenLine, name: str) -> dict[str, Any]:
    records(line, name)
    domain = [["name", "=", name]]
    found: list[dict[str, Any]] = ask_odoo(
        line, "leadline.conversation", "search_read", domain, ["identifier", "lead_ids"]
    )
    return found[0]


def _answer(line: OpenLine, name: str, login: str, text: str) -> None:
    """Let an agent answer a customer of this name."""
    row = _conversation(line, name)
    asked = ("chat_grant", "crm.lead", row["lead_ids"][0], row["identifier"])
    grant = ask_odoo(line, "leadline.conversation", *asked, login=login)["token"]
    message = {"client_id": f"answer-{login}-{len(text)}", "type": "text", "text": {"body": text}}
    with httpx.Client(base_url=f"{line.url}/chat/v1", headers={"Authorization": f"Bearer {grant}"}) as chat:
        chat.post(f"/conversations/{row['identifier']}/messages", json=message).raise_for_status()
