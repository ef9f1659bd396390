"""Two agents in two browsers on one conversation, and the customer's phone: what each of them sees."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.open_line import Card, OpenLine, Phone, add_agent, ask_odoo, open_context, records, wrote

pytestmark = pytest.mark.timeout(600)

_CUSTOMER, _NAME = "447700900321", "Ada Field"
_API = re.compile(r"/chat/v1/conversations/")


@pytest.fixture(scope="module")
def lead(line: OpenLine) -> int:
    """A lead with a message of yesterday and one that is unread, and a second agent beside the demo's own."""
    add_agent(line, "Paul Second", "paul")
    wrote(line, _CUSTOMER, _NAME, "Good evening!", ago=timedelta(hours=20))
    wrote(line, _CUSTOMER, _NAME, "Is the blue bicycle still there?", ago=timedelta(minutes=5))
    return records(line, _NAME)["crm.lead"]


def _agent(chromium: Browser, line: OpenLine, login: str, lead: int) -> Card:
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in(login, login)
    card.open("crm.lead", lead)
    return card


def _texts(card: Card) -> list[str]:
    return card.page.locator(".o_leadline_body").all_inner_texts()


def _input(card: Card) -> Locator:
    return card.page.locator("textarea.o_leadline_input")


def test_two_agents_on_one_conversation(line: OpenLine, lead: int, chromium: Browser) -> None:
    maria = _agent(chromium, line, "agent", lead)
    unread = maria.page.locator(".o_leadline_unread")
    expect(unread).to_have_count(1)
    expect(maria.page.locator(".o_leadline_unread + .o_leadline_message")).to_contain_text("Good evening!")
    expect(maria.page.locator(".o_leadline_day")).to_have_count(2)
    paul = _agent(chromium, line, "paul", lead)
    both = (maria, paul)
    for card in both:
        expect(card.bubble("Is the blue bicycle still there?")).to_be_visible()
        expect(card.page.locator(".o_leadline_window")).to_have_text(re.compile("Free text until .*, 23 h left"))
    # What Maria has seen is read for Paul, too.
    expect(paul.page.locator(".o_leadline_unread")).to_have_count(0)

    phone = Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(_CUSTOMER)
    phone.write("I could come by today.")
    for card in both:
        expect(card.bubble("I could come by today.")).to_have_attribute("data-direction", "in")

    # Paul sees Maria answering, she does not see herself, and then he sees the answer, whose ticks move for both.
    _input(maria).press_sequentially("It is. Come before six!", delay=20)
    expect(paul.page.locator(".o_leadline_colleague_answers")).to_have_text("Maria Agent is answering…")
    expect(maria.page.locator(".o_leadline_colleague_answers")).to_have_count(0)
    _input(paul).press_sequentially("Yes, ", delay=20)
    expect(maria.page.locator(".o_leadline_colleague_answers")).to_have_text("Paul Second is answering…")
    _input(maria).press("Enter")
    for card in both:
        answer = card.bubble("It is. Come before six!")
        expect(answer).to_have_attribute("data-direction", "out")
        expect(answer.locator(".o_leadline_author")).to_have_text("Maria Agent")
        expect(answer.locator(".o_leadline_tick")).to_have_attribute("data-status", "read")
    expect(paul.page.locator(".o_leadline_colleague_answers")).to_have_count(0)
    expect(paul.page.locator(".o_leadline_overtaken")).to_contain_text("Maria Agent has just answered.")
    expect(_input(paul)).to_have_value("Yes, ")
    _input(paul).fill("And the helmet is free.")
    _input(paul).press("Enter")
    expect(paul.page.locator(".o_leadline_overtaken")).to_have_count(0)
    for card in both:
        expect(card.bubble("And the helmet is free.").locator(".o_leadline_author")).to_have_text("Paul Second")
    expect(phone.bubble("And the helmet is free.")).to_be_visible()

    # A note is for colleagues, and both see it; the phone does not.
    maria.page.locator(".o_leadline_note_toggle").click()
    maria.write("Loyal customer, ten percent")
    for card in both:
        expect(card.page.locator(".o_leadline_note .o_leadline_body")).to_have_text("Loyal customer, ten percent")
    phone.write("Great!")
    for card in both:
        expect(card.bubble("Great!")).to_be_visible()
    expect(phone.bubble("Loyal customer")).to_have_count(0)
    assert _texts(maria) == _texts(paul)
    assert _texts(maria)[-4:] == [
        "It is. Come before six!",
        "And the helmet is free.",
        "Loyal customer, ten percent",
        "Great!",
    ]
    # Read by who looks at it: the mirror in Odoo, which the inbox lists, has nothing unread.
    expect(maria.page.locator(".o_leadline_jump")).to_have_count(0)
    for _ in range(50):
        [row] = ask_odoo(line, "leadline.conversation", "search_read", [("lead_ids", "in", [lead])], ["unread_count"])
        if not row["unread_count"]:
            break
        maria.page.wait_for_timeout(100)
    assert row["unread_count"] == 0


def test_who_has_scrolled_up_is_not_disturbed_and_has_read_nothing(
    line: OpenLine, lead: int, chromium: Browser
) -> None:
    for number in range(12):
        wrote(line, _CUSTOMER, _NAME, f"Question {number}\nwith\nfour\nlines", ago=timedelta(seconds=0))
    maria = _agent(chromium, line, "agent", lead)
    expect(maria.bubble("Question 11").last).to_be_visible()
    top = maria.bubble("Question 2").last
    top.scroll_into_view_if_needed()
    before = top.bounding_box()
    phone = Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(_CUSTOMER)
    phone.write("One more thing")
    expect(maria.page.locator(".o_leadline_unseen")).to_have_text("1")
    after = top.bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) < 2
    maria.page.locator(".o_leadline_jump").click()
    expect(maria.bubble("One more thing").last).to_be_in_viewport()
    expect(maria.page.locator(".o_leadline_unread")).to_have_count(1)


def test_while_leadline_is_out_of_reach_the_text_is_kept_and_goes_by_itself(
    line: OpenLine, lead: int, chromium: Browser
) -> None:
    card = _agent(chromium, line, "agent", lead)
    expect(card.bubble("Good evening!").first).to_be_attached()
    card.page.route(_API, _refuse)
    card.write("Are you there?")
    trouble = card.page.locator(".o_leadline_trouble")
    expect(trouble).to_contain_text("Can't reach Leadline. Your text is kept.")
    _input(card).fill("half a sentence")
    waiting = card.bubble("Are you there?")
    expect(waiting).to_have_attribute("data-status", "queued")

    # Another tab of the card and back: nothing is lost.
    card.page.get_by_role("tab", name="Notes").click()
    expect(card.page.locator(".o_leadline_chat")).to_have_count(0)
    card.page.get_by_role("tab", name="WhatsApp").click()
    expect(trouble).to_be_visible()
    expect(_input(card)).to_have_value("half a sentence")
    expect(waiting).to_have_attribute("data-status", "queued")

    card.page.unroute(_API, _refuse)
    expect(trouble).to_have_count(0, timeout=15000)
    expect(waiting.locator("[data-status=delivered], [data-status=read]")).to_be_visible(timeout=15000)
    expect(waiting).to_have_count(1)
    expect(_input(card)).to_have_value("half a sentence")


def _refuse(route: Route) -> None:
    route.abort("connectionrefused")


def test_the_keyboard_alone_reads_and_answers(line: OpenLine, lead: int, chromium: Browser) -> None:
    card = _agent(chromium, line, "agent", lead)
    expect(card.bubble("Good evening!").first).to_be_attached()
    page = card.page
    page.locator(".o_leadline_list").focus()
    page.keyboard.press("ArrowUp")
    assert _focused(page) == "article"
    page.keyboard.press("Home")
    first = page.evaluate("document.activeElement.dataset.messageId")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "btn o_leadline_react"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    # Out of the list, past all of its other messages.
    assert page.evaluate("document.activeElement.closest('.o_leadline_list')") is None
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".o_leadline_answering .o_leadline_quote_text")).to_have_text("Good evening!")
    expect(_input(card)).to_be_focused()
    page.keyboard.type("Good morning to you!")
    page.keyboard.press("Enter")
    expect(card.bubble("Good morning to you!").locator(".o_leadline_quote_text")).to_have_text("Good evening!")

    page.locator(".o_leadline_list").focus()
    page.keyboard.press("/")
    expect(page.locator(".o_leadline_search_input")).to_be_focused()
    page.keyboard.type("good evening")
    expect(page.locator(".o_leadline_search_count")).to_have_text("1 of 1")
    expect(page.locator(f"[data-message-id='{first}']")).to_be_in_viewport()
    assert page.evaluate("[...CSS.highlights.get('leadline-match-here')].map(String)") == ["Good evening"]
    page.keyboard.press("Escape")
    expect(page.locator(".o_leadline_search")).to_have_count(0)


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('role')"))
