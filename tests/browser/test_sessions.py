"""A session from its first word to the customer's rating, by two agents, with buttons and with commands."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.open_line import Card, OpenLine, Phone, add_agent, ask_odoo, open_context, records, wrote

pytestmark = pytest.mark.timeout(600)

_WA_ID, _NAME = "447700900654", "Iris Long"
_MARIA, _NINA = "Maria Agent", "Nina Third"


@pytest.fixture
def workshop(line: OpenLine) -> str:
    """Let the line ask at the end, and add another one whose only agent is Nina; returns its name."""
    [demo] = ask_odoo(line, "leadline.line", "search_read", [["identifier", "=", "demo-line"]], ["connection_id"])
    ask_odoo(line, "leadline.line", "write", demo["id"], {"asks_satisfaction": True})
    add_agent(line, _NINA, "nina")
    [nina] = ask_odoo(line, "res.users", "search", [["login", "=", "nina"]])
    other = {"name": "Workshop", "identifier": "workshop", "connection_id": demo["connection_id"][0]}
    ask_odoo(
        line, "leadline.line", "create", other | {"member_ids": [[0, 0, {"user_id": nina}]], "existing_done": True}
    )
    return "Workshop"


def _agent(chromium: Browser, line: OpenLine, login: str, lead: int) -> Card:
    card = Card(open_context(chromium, viewport={"width": 1280, "height": 900}).new_page(), line)
    card.log_in(login, login)
    card.open("crm.lead", lead)
    return card


def _buttons(card: Card) -> Locator:
    """Return what the head offers to do with the session."""
    return card.page.locator(".o_leadline_session .btn")


def _has(name: str, *cards: Card) -> None:
    """See that everybody's head says who has the chat."""
    for card in cards:
        expect(card.page.locator(".o_leadline_owner")).to_have_text(name)


def _command(card: Card, text: str, chosen: str | None = None) -> None:
    """Type a command, and choose from what it offers."""
    box = card.page.locator("textarea.o_leadline_input")
    box.click()
    card.page.keyboard.type(text)
    if chosen:
        expect(card.page.locator(".o_leadline_suggestion", has_text=chosen)).to_be_visible()
    else:
        # The list says the same as the word; Escape leaves the word alone.
        card.page.keyboard.press("Escape")
    card.page.keyboard.press("Enter")
    expect(box).to_have_value("")


def _told(card: Card, sentence: str) -> None:
    expect(card.page.locator(".o_notification", has_text=sentence).last).to_be_visible()


def test_a_session_goes_from_hand_to_hand_and_ends_with_a_rating(
    line: OpenLine, workshop: str, chromium: Browser
) -> None:
    wrote(line, _WA_ID, _NAME, "My brakes squeal.", ago=timedelta(seconds=5))
    lead = records(line, _NAME)["crm.lead"]
    maria, nina = _agent(chromium, line, "agent", lead), _agent(chromium, line, "nina", lead)
    phone = Phone(open_context(chromium, viewport={"width": 420, "height": 800}).new_page(), line).be(_WA_ID)

    # By button, and what the other one sees of it at once.
    for card in (maria, nina):
        expect(card.bubble("My brakes squeal.")).to_be_visible()
    if "Take" in " ".join(_buttons(maria).all_inner_texts()):
        _buttons(maria).filter(has_text="Take").click()
    _has(_MARIA, maria, nina)
    expect(_buttons(maria)).to_have_text(["Close"])
    expect(_buttons(nina)).to_have_text(["Take over", "Close"])
    _buttons(nina).filter(has_text="Take over").click()
    _has(_NINA, maria, nina)
    expect(_buttons(nina)).to_have_text(["Close"])

    # By command: back to Maria, who hands it to a colleague and gets it from there again.
    _command(maria, "/take")
    _told(maria, "The conversation is yours.")
    _has(_MARIA, maria, nina)
    _command(maria, "/transfer nina", chosen=_NINA)
    _told(maria, f"The conversation was given to {_NINA}.")
    _has(_NINA, maria, nina)
    _command(nina, "/transfer maria", chosen=_MARIA)
    _has(_MARIA, maria, nina)
    # To another line: its only agent is here, and gets it.
    _command(maria, "/transfer work", chosen=workshop)
    _told(maria, f"The conversation was given to {workshop}.")
    _has(_NINA, maria, nina)
    _command(nina, "/invite maria", chosen=_MARIA)
    _told(nina, f"{_MARIA} was asked to join")
    _command(nina, "/lead")
    _told(nina, "The customer's lead is")

    # Closed, opened again, answered, and closed for good: only then is the customer asked.
    _command(nina, "/close")
    _told(nina, "The session is closed.")
    for card in (maria, nina):
        expect(_buttons(card)).to_have_text(["Reopen"])
    _command(nina, "/reopen")
    _has(_NINA, maria, nina)
    expect(_buttons(nina)).to_have_text(["Close"])
    nina.write("Bring it in, we look at it at once.")
    expect(phone.bubble("Bring it in")).to_be_visible()
    expect(nina.bubble("Bring it in").locator(".o_leadline_tick")).to_have_attribute("data-status", "read")
    _answered(line, lead)
    _buttons(nina).filter(has_text="Close").click()
    expect(_buttons(maria)).to_have_text(["Reopen"])

    # Scheduled actions look after it within the minute.
    choices = phone.page.get_by_test_id("choice")
    expect(choices).to_have_text(["😊 Good", "😐 Okay", "😞 Bad"], timeout=150_000)
    choices.first.click()
    for card in (maria, nina):
        expect(card.bubble("Good").last).to_have_attribute("data-direction", "in")
        # An answer opens nothing.
        expect(_buttons(card)).to_have_text(["Reopen"])
    session = _session(line, lead)
    assert (session["state"], session["satisfaction"], session["score"]) == ("closed", "rated", 5)
    assert session["user_id"][1] == _NINA

    phone.write("One more thing!")
    for card in (maria, nina):
        expect(_buttons(card).filter(has_text="Close")).to_be_visible()
    assert _session(line, lead)["id"] != session["id"]


def _session(line: OpenLine, lead: int) -> dict[str, Any]:
    fields = ["state", "satisfaction", "score", "user_id", "out_count"]
    found: list[dict[str, Any]] = ask_odoo(
        line, "leadline.session", "search_read", [["lead_id", "=", lead]], fields, 0, 1, "id desc"
    )
    return found[0]


def _answered(line: OpenLine, lead: int) -> None:
    """Wait until Odoo has heard of the answer: who was not answered is not asked."""
    for _ in range(300):
        if _session(line, lead)["out_count"]:
            return
    raise AssertionError("Odoo has not heard of the answer")
