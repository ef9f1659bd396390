"""Text from outside stays text on every screen: nothing of it runs, and nothing of it is read as markup."""

import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from functions.core.signature import sign_meta
from functions.local.demo import APP_SECRET
from tests.open_line import Card, OpenLine, Phone, add_agent, ask_odoo, open_context, records, wrote
from tests.payloads import Customer, echo, error, inbound, inbound_text, status, webhook

pytestmark = pytest.mark.timeout(600)

_WATCH = """
window.hostile = [];
window.ran = (place) => window.hostile.push("ran: " + place);
const wrong = (element) => {
    if (element.matches("[data-hostile]")) window.hostile.push("read as markup: " + element.outerHTML.slice(0, 200));
    for (const name of ["href", "src", "action", "xlink:href"]) {
        const address = element.getAttribute(name);
        if (/^[\\s\\u0000-\\u001f]*(javascript|vbscript|data:text)/i.test(address || "")) {
            window.hostile.push("leads to a script: " + element.outerHTML.slice(0, 200));
        }
    }
};
new MutationObserver((changes) => {
    for (const { target, addedNodes, type } of changes) {
        if (type === "attributes") wrong(target);
        for (const node of addedNodes) {
            if (node instanceof Element) [node, ...node.querySelectorAll("*")].forEach(wrong);
        }
    }
}).observe(document, { subtree: true, childList: true, attributes: true });
"""

_SEEN = """(text) => document.body.innerText.includes(text)
    || [...document.querySelectorAll("input, textarea")].some((field) => field.value.includes(text))"""


_TURN = "\u202e\u200b"
"""Turns what follows around, and is not seen."""

_TURNED = """() => {
    const found = [];
    for (const chat of document.querySelectorAll(".o_leadline_chat")) {
        const texts = document.createTreeWalker(chat, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const around = texts.currentNode.parentElement;
            // What is read out only has no direction.
            const bounds = around.closest("bdi, [dir], .visually-hidden");
            if (texts.currentNode.data.includes("\u202e") && !(bounds && chat.contains(bounds))) {
                found.push(around.outerHTML.slice(0, 200));
            }
        }
    }
    return found;
}"""
"""Texts in our own chat that turn what stands beside them around."""


def text(place: str) -> str:
    """Return what would run, or at least ask for an address, wherever it is not shown as the text that it is."""
    # Short: names are cut at 200 letters.
    return (
        f"<img src=/ran/{place} onerror=ran('{place}') data-hostile>\"'><b data-hostile>{place}</b>{{{{7*7}}}}{_TURN}"
    )


_RUN = secrets.token_hex(4)
_SCRIPT = "javascript:ran('an address')"
_WA_ID, _NAME = "12025550193", text("name")
_HANNAH = Customer(_WA_ID, None, _NAME)


class Watched:
    """A page that notes what no text may do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        page.add_init_script(_WATCH)
        page.on("request", lambda request: self.asked.append(request.url) if "/ran/" in request.url else None)

    def is_clean(self, *places: str) -> None:
        """Fail unless the texts of these places are seen as they are, and none of them did anything."""
        for place in places:
            try:
                self.page.wait_for_function(_SEEN, arg=f"onerror=ran('{place}')")
            except PlaywrightTimeout:
                raise AssertionError(f"nothing of {place} is to be seen on {self.page.url}") from None
        assert (self.page.evaluate("window.hostile"), self.asked) == ([], [])
        assert self.page.evaluate(_TURNED) == []


@pytest.fixture(scope="module")
def cards(line: OpenLine) -> dict[str, int]:
    """Let a hostile customer write all that one can, and the business's phone answer."""
    card = {
        "name": {"formatted_name": text("card"), "first_name": text("card")},
        "phones": [{"phone": text("number"), "type": text("type")}],
        "emails": [{"email": text("email"), "type": "WORK"}],
        "urls": [{"url": _SCRIPT, "type": "WORK"}],
        "org": {"company": text("company")},
    }
    place = {"latitude": 1.5, "longitude": 2.5, "name": text("place"), "address": text("address"), "url": _SCRIPT}
    ad = {"source_type": "ad", "source_id": "1", "source_url": _SCRIPT, "headline": text("headline"), "body": "b"}
    reply = {"type": "list_reply", "list_reply": {"id": "1", "title": text("choice"), "description": text("more")}}
    wrote(line, _WA_ID, _NAME, "Hello", ago=timedelta(minutes=1))
    deliver(
        line,
        inbound_text(_HANNAH, text("words"), referral=ad),
        inbound_text(_HANNAH, f"{_SCRIPT} https://example.com/{text('link')} *{text('bold')}* ```{text('code')}```"),
        inbound(_HANNAH, "contacts", [card]),
        inbound(_HANNAH, "location", place),
        inbound(_HANNAH, "interactive", reply),
        inbound(_HANNAH, "button", {"text": text("button"), "payload": text("payload")}),
        inbound(_HANNAH, "unsupported", {"type": text("unknown")}, errors=[error(131051, text("title"), text("why"))]),
        echo(_HANNAH, "text", {"body": text("echo")}, id="wamid.echo"),
        status("failed", "wamid.echo", to=_HANNAH, errors=[error(131026, text("failed"), text("details"))]),
    )
    return records(line, _NAME.replace("\u202e", ""))


def deliver(line: OpenLine, *values: dict[str, Any]) -> None:
    for value in values:
        # As no other test names them, nor this one when it is run again on the same line.
        body = webhook(value).replace(b'"wamid.', f'"wamid.{_RUN}.'.encode())
        signed = {"X-Hub-Signature-256": sign_meta(body, APP_SECRET)}
        httpx.post(f"{line.url}/webhook", content=body, headers=signed, timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def agent(line: OpenLine, chromium: Browser) -> Iterator[Watched]:
    yield from _logged_in(line, chromium, "agent")


@pytest.fixture(scope="module")
def admin(line: OpenLine, chromium: Browser) -> Iterator[Watched]:
    yield from _logged_in(line, chromium, "admin")


@pytest.fixture(scope="module")
def phone(line: OpenLine, chromium: Browser) -> Iterator[Watched]:
    page = open_context(chromium, viewport={"width": 420, "height": 800}).new_page()
    watched = Watched(page)
    Phone(page, line).be(_WA_ID)
    yield watched
    page.context.close()


def _logged_in(line: OpenLine, chromium: Browser, login: str) -> Iterator[Watched]:
    page = open_context(chromium, viewport={"width": 1280, "height": 900}).new_page()
    watched = Watched(page)
    Card(page, line).log_in(login, login)
    yield watched
    page.context.close()


def test_the_tab_and_the_phone_show_it(line: OpenLine, cards: dict[str, int], agent: Watched, phone: Watched) -> None:
    page = phone.page
    file = {"name": "<img src=x onerror=ran('file') data-hostile>.pdf", "mimeType": "application/pdf"}
    page.get_by_test_id("file").set_input_files([{**file, "buffer": b"%PDF-1.4"}])  # type: ignore[list-item]
    page.get_by_test_id("composer").fill(text("caption"))
    page.get_by_test_id("send").click()

    card = Card(agent.page, line)
    card.open("crm.lead", cards["crm.lead"])
    agent.is_clean(*["words", "code", "card", "place", "choice", "button", "file", "caption", "echo"])
    # What agents write is text as well: to the customer, and to each other.
    card.write(text("answer"))
    agent.is_clean("answer")
    phone.is_clean("answer", "caption", "file")


def test_templates_show_it(
    line: OpenLine, cards: dict[str, int], agent: Watched, admin: Watched, phone: Watched
) -> None:
    """In the picker, in the preview with what an agent fills in, and as the customer gets it."""
    define(line, "hostile_offer")
    define(line, "hostile_refused", status="REJECTED")
    card = Card(agent.page, line)
    card.open("crm.lead", cards["crm.lead"])
    option = agent.page.locator(".o_leadline_option", has_text="hostile_refused")
    for _ in range(20):
        # The service copies what it hears of a moment later.
        agent.page.locator(".o_leadline_templates").click()
        agent.page.locator(".o_leadline_option").first.wait_for()
        if option.count():
            break
        agent.page.locator(".o_leadline_picker .oi-close").first.click()
    agent.is_clean("body")
    card.choose_template("hostile_offer")
    card.fill("body.1", text("filled"))
    card.fill("buttons.1", "';ran('address');'")
    card.fill("buttons.2", "<b data-hostile>")
    agent.is_clean("h", "body", "foot", "reply", "visit", "filled")
    card.send_template()
    agent.page.locator(".o_leadline_picker").wait_for(state="detached")
    agent.is_clean("h", "body", "foot", "filled")
    phone.is_clean("h", "body", "foot", "reply", "visit", "filled")

    _shown(line, admin, "leadline_template_action")
    expect(admin.page.get_by_text("hostile_refused").first).to_be_visible()


def define(line: OpenLine, name: str, **stated: str) -> None:
    """Let the business have a template in which everything is hostile."""
    address = {"type": "URL", "text": text("visit"), "url": f"{_SCRIPT}//{{{{1}}}}", "example": [text("example")]}
    buttons = [
        {"type": "QUICK_REPLY", "text": text("reply")},
        address,
        {"type": "COPY_CODE", "text": "Copy", "example": text("code")},
    ]
    components = [
        # A heading has up to 60 letters.
        {"type": "HEADER", "format": "TEXT", "text": "<img src=/ran/h onerror=ran('h') data-hostile>"},
        {"type": "BODY", "text": f"{text('body')} {{{{1}}}}", "example": {"body_text": [[text("a")]]}},
        {"type": "FOOTER", "text": text("foot")},
        {"type": "BUTTONS", "buttons": buttons},
    ]
    template = {"name": name, "language": "en_US", "components": components, "rejected_reason": text("why"), **stated}
    httpx.post(f"{line.url}/simulator/templates", json=template, timeout=30).raise_for_status()


def test_a_session_shows_it(
    line: OpenLine, cards: dict[str, int], agent: Watched, admin: Watched, phone: Watched, hostile_line: None
) -> None:
    """Who had it and where it waits, and what the customer is asked at its end."""
    colleague = add_agent(line, text("colleague"), "hostile_colleague")
    [row] = ask_odoo(
        line, "leadline.conversation", "search_read", [["name", "like", "onerror=ran('name')"]], ["identifier"]
    )
    lead, identifier = cards["crm.lead"], row["identifier"]
    card = Card(agent.page, line)
    card.open("crm.lead", lead)
    card.write(f"Goodbye {_RUN}")
    expect(card.bubble(f"Goodbye {_RUN}")).to_be_visible()
    # Who was not answered is not asked either.
    assert _found(line, "leadline.session", [["conversation_id", "=", row["id"]], ["first_response_at", "!=", False]])
    ask_odoo(line, "leadline.conversation", "chat_transfer", "crm.lead", lead, identifier, "user", colleague)
    ask_odoo(line, "leadline.conversation", "chat_close", "crm.lead", lead, identifier)

    phone.is_clean("question")
    agent.is_clean("question")
    [session, *_] = ask_odoo(line, "leadline.session", "search", [["conversation_id", "=", row["id"]]])
    admin.page.goto(f"{line.odoo}/odoo/leadline.session/{session}")
    admin.is_clean("name", "colleague", "line")
    _shown(line, admin, "leadline_session_action", "name", "line")
    _shown(line, admin, "leadline_line_action", "line")


@pytest.fixture
def hostile_line(line: OpenLine) -> Iterator[None]:
    """Let the demo's line have a hostile name, and a hostile question for its customers; put it right afterwards."""
    where = [["phone_number_id", "=", "100000000000001"]]
    said = ["name", "asks_satisfaction", "satisfaction_question"]
    [before] = ask_odoo(line, "leadline.line", "search_read", where, said)
    number = before.pop("id")
    hostile = {"name": text("line"), "asks_satisfaction": True, "satisfaction_question": text("question")}
    ask_odoo(line, "leadline.line", "write", [number], hostile)
    yield
    ask_odoo(line, "leadline.line", "write", [number], before)


def _shown(line: OpenLine, watched: Watched, action: str, *places: str, view: str = "list") -> None:
    """Open an action's list, and the form of its first row."""
    watched.page.goto(f"{line.odoo}/odoo/action-leadline.{action}?view_type={view}")
    watched.page.locator(".o_content").wait_for()
    watched.is_clean(*places)


def test_the_inbox_shows_it(line: OpenLine, cards: dict[str, int], agent: Watched) -> None:
    for view in ("kanban", "list"):
        _shown(line, agent, "leadline_conversation_action", "name", view=view)
    agent.page.goto(f"{line.odoo}/odoo/res.partner/{cards['res.partner']}")
    agent.is_clean("name")


def test_the_lists_of_managers_show_it(line: OpenLine, cards: dict[str, int], admin: Watched) -> None:
    [row] = ask_odoo(line, "leadline.line", "search_read", [["phone_number_id", "=", "100000000000001"]], ["id"])
    campaign = ask_odoo(line, "utm.campaign", "create", {"title": text("campaign")})
    [link] = ask_odoo(
        line,
        "leadline.link",
        "create",
        [{"name": text("label"), "text": text("prefilled"), "campaign_id": campaign, "line_id": row["id"]}],
    )
    other = ask_odoo(line, "res.partner", "create", {"name": text("double"), "email": text("mail")})
    double = _double(line, cards["res.partner"], other)

    ask_odoo(line, "crm.lead", "write", [cards["crm.lead"]], {"leadline_link_id": link})

    _shown(line, admin, "leadline_link_action", "label", "campaign")
    for view in ("pivot", "list", "graph"):
        _shown(
            line, admin, "leadline_link_report_action", *(["label", "campaign"] if view != "graph" else []), view=view
        )
    _shown(line, admin, "leadline_double_action", "name", "double")
    _shown(line, admin, "leadline_session_action", "name")
    _shown(line, admin, "leadline_audit_action")
    admin.page.goto(f"{line.odoo}/odoo/leadline.link/{link}")
    admin.is_clean("label", "prefilled")
    admin.page.goto(f"{line.odoo}/odoo/leadline.double/{double}")
    admin.is_clean("name", "double", "mail")
    admin.page.goto(f"{line.odoo}/report/html/leadline.report_link_sheet/{link}")
    admin.is_clean("label")
    admin.page.goto(f"{line.odoo}/report/html/leadline.report_consent/{cards['res.partner']}")
    admin.is_clean("name")


def test_what_agents_are_told_of_it_shows_it(line: OpenLine, cards: dict[str, int], agent: Watched) -> None:
    """The owner's notifications, and what stands in the lead's own log."""
    owner = ask_odoo(line, "res.users", "search", [["login", "=", "agent"]])[0]
    ask_odoo(line, "crm.lead", "write", [cards["crm.lead"]], {"user_id": owner, "name": text("lead")})
    deliver(line, inbound_text(_HANNAH, text("again")))
    [partner] = ask_odoo(line, "res.users", "read", [owner], ["partner_id"])
    assert _found(line, "mail.notification", [["res_partner_id", "=", partner["partner_id"][0]]])
    agent.page.goto(f"{line.odoo}/odoo/crm.lead/{cards['crm.lead']}")
    agent.page.locator(".o-mail-Chatter").wait_for()
    agent.is_clean("lead")
    agent.page.goto(f"{line.odoo}/odoo/action-mail.action_discuss?active_id=mail.box_inbox")
    agent.page.locator(".o-mail-Discuss").wait_for()
    agent.is_clean()


def _double(line: OpenLine, one: int, other: int) -> int:
    """Note two contacts as probable doubles, which only Odoo itself may."""
    model = ask_odoo(line, "ir.model", "search", [["model", "=", "leadline.double"]])[0]
    row = f"{{'partner_id': {one}, 'other_id': {other}, 'reason': 'name', 'company_id': env.company.id}}"
    code = f"model.sudo().create({row})"
    action = {"name": "Note doubles", "model_id": model, "state": "code", "code": code}
    ask_odoo(line, "ir.actions.server", "run", ask_odoo(line, "ir.actions.server", "create", [action]))
    return int(ask_odoo(line, "leadline.double", "search", [["other_id", "=", other]])[0])


def _found(line: OpenLine, model: str, domain: list[Any]) -> list[int]:
    """Return the records that Odoo makes a moment later."""
    deadline = time.monotonic() + 90
    while not (ids := ask_odoo(line, model, "search", domain)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return list(ids)


def test_what_would_run_is_seen(line: OpenLine, chromium: Browser) -> None:
    """Without this, a watch that sees nothing would pass everything."""
    page = open_context(chromium).new_page()
    watched = Watched(page)
    # Our own pages would let nothing run.
    page.route("**/unsafe", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto(f"{line.url}/unsafe")
    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)", text("nowhere") + f"<a href={_SCRIPT}>"
    )
    page.wait_for_function("window.hostile.some((one) => one.startsWith('ran'))")
    kinds = {one.partition(":")[0] for one in page.evaluate("window.hostile")}
    assert kinds == {"ran", "read as markup", "leads to a script"}
    assert watched.asked
    page.context.close()
