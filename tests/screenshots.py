"""Makes the pictures of the docs anew, from the running whole: `python -m tests.screenshots`."""

import base64
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from tests import every_type
from tests.dark import darken, show_dark
from tests.every_type import Customer
from tests.open_line import Card, OpenLine, Phone, add_agent, ask_odoo, browser, open_context, records, running, wrote

IMAGES = Path(__file__).parents[1] / "docs" / "images"
_ADDON = Path(__file__).parents[1] / "addon/odoo/leadline"
MARKETPLACE = _ADDON / "static/description"
_CUSTOMER, _NAME = "5511912345678", "Ana Souza"
_EVERYTHING, _EVERYTHING_NAME = "447700900456", "Grace Hill"
_TROUBLE, _TROUBLE_NAME = "447700900789", "Alan Reed"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
_BUTTON = _ADDON / "static/button/leadline-button.js"
_SHOP = """<!doctype html><html lang="en"><title>Blue bikes</title>
<style>body{font:18px/1.6 sans-serif;margin:48px;max-width:44rem;color:#20405c}h1{font-size:40px;margin:0}</style>
<h1>Blue bikes</h1><p>City, touring and cargo bicycles. Repairs while you wait.</p>
<p>Main Street 12, open Monday to Friday from nine to six.</p></html>"""
_BANNER = """<!doctype html><html lang="en"><style>
body{{margin:0;height:560px;display:flex;align-items:center;gap:56px;padding:0 88px;box-sizing:border-box;color:#173b2f;
font-family:sans-serif;background:linear-gradient(120deg,#f2fbf6,#d9f1e4)}}img{{width:240px}}h1{{font-size:92px;margin:0}}
p{{font-size:38px;line-height:1.3;margin:12px 0 0}}</style><img src="data:image/png;base64,{icon}" alt="">
<div><h1>Leadline</h1><p>Every chat with a customer,<br>on the customer's own card</p></div></html>"""
_DESKTOP, _PHONE = {"width": 1500, "height": 960}, {"width": 390, "height": 844}

# A second and a half of a moving square, as the browser itself makes MP4; null where it can't.
_FILM = """async () => {
    if (!MediaRecorder.isTypeSupported("video/mp4")) {
        return null;
    }
    const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 270 });
    const brush = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: "video/mp4" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    for (let step = 0; step < 25; step++) {
        brush.fillStyle = "#20405c";
        brush.fillRect(0, 0, 480, 270);
        brush.fillStyle = "#f4b942";
        brush.fillRect(20 + step * 14, 95, 80, 80);
        await new Promise((done) => setTimeout(done, 60));
    }
    recorder.stop();
    await new Promise((done) => (recorder.onstop = done));
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}"""


def main() -> None:
    """Play a short talk, one that holds every type and one in trouble, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as line, browser() as chromium:
        talk(chromium, line, Path(folder))
        everything(chromium, line)
        together(chromium, line)
        trouble(chromium, line, Path(folder))
        templates(chromium, line)
        links(chromium, line)
        inbox(chromium, line)
        marketplace(chromium)


def talk(chromium: Browser, line: OpenLine, folder: Path) -> None:
    """The pictures of the README: a phone, a card, a card on a phone."""
    phone = Phone(open_context(chromium, viewport=_PHONE, device_scale_factor=2).new_page(), line).be(_CUSTOMER)
    lead = records(line, _NAME)["crm.lead"]
    card = _card(chromium, line, lead, viewport=_DESKTOP)
    picture = folder / "bicycle.png"
    picture.write_bytes(every_type.picture("PNG"))
    _talk(phone, card, picture)
    _save(phone.page, "phone")
    _save(card.page, "lead")
    _save(_card(chromium, line, lead, viewport=_PHONE).page, "lead-phone")


def everything(chromium: Browser, line: OpenLine) -> None:
    """A conversation that holds every type, light and dark."""
    customer = Customer(line.url, _EVERYTHING, _EVERYTHING_NAME)
    every_type.first_words(customer)
    lead = records(line, _EVERYTHING_NAME)["crm.lead"]
    card = _card(chromium, line, lead, viewport=_DESKTOP)
    film = card.page.evaluate(_FILM)
    card.write("Good morning Grace! Yes, it is. More at https://example.com/bikes")
    card.bubble("Good morning").locator("[data-status=delivered], [data-status=read]").first.wait_for()
    card.record(3)
    card.page.locator("[data-type=audio] [data-status=delivered], [data-type=audio] [data-status=read]").wait_for()
    voice = customer.file_of(customer.received("audio"))
    every_type.files(customer, voice, base64.b64decode(film) if film else None)
    ours = customer.received("text")["id"]
    every_type.cards(customer, ours)
    every_type.changes(customer, ours)
    card.page.locator("[data-type=request_welcome]").wait_for()
    card.page.wait_for_timeout(4000)  # files come after their messages
    _save_whole(_card(chromium, line, lead, viewport=_DESKTOP).page, "every-type-light")
    darken(line)
    _save_whole(_card(chromium, line, lead, dark=True, viewport=_DESKTOP).page, "every-type-dark")


def together(chromium: Browser, line: OpenLine) -> None:
    """A search, and a colleague who is faster, in the conversation that holds every type."""
    lead = records(line, _EVERYTHING_NAME)["crm.lead"]
    card = _card(chromium, line, lead, viewport=_DESKTOP)
    card.page.locator(".o_leadline_find").click()
    card.page.keyboard.type("bik")
    card.page.locator(".o_leadline_highlighted").wait_for()
    _save_chat(card.page, "search")
    card.page.keyboard.press("Escape")

    add_agent(line, "Paul Second", "paul")
    colleague = Card(open_context(chromium, viewport=_DESKTOP).new_page(), line)
    colleague.log_in("paul", "paul")
    colleague.open("crm.lead", lead)
    colleague.page.locator("textarea.o_leadline_input").press_sequentially("It has 21 gears.")
    card.page.locator("textarea.o_leadline_input").fill("I can look up how many gears it has")
    card.page.locator(".o_leadline_colleague_answers").wait_for()
    colleague.page.keyboard.press("Enter")
    card.page.locator(".o_leadline_overtaken").wait_for()
    colleague.page.locator("textarea.o_leadline_input").press_sequentially("And")
    card.page.locator(".o_leadline_colleague_answers").wait_for()
    _save_chat(card.page, "answering")


def trouble(chromium: Browser, line: OpenLine, folder: Path) -> None:
    """What failed, what is unknown, a voice note being recorded and a file going up."""
    customer = Customer(line.url, _TROUBLE, _TROUBLE_NAME)
    customer.say("Hi, can you send me the invoice?")
    card = _card(chromium, line, records(line, _TROUBLE_NAME)["crm.lead"], viewport=_DESKTOP)
    _fault(line, fault="refused", code=131026)
    card.write("Of course, one moment.")
    card.page.locator("[data-status=failed]").first.wait_for()
    httpx.delete(f"{line.url}/simulator/scenarios").raise_for_status()
    _fault(line, fault="statuses_never")
    _fault(line, fault="error_after")
    card.write("Here it comes.")
    card.page.locator("[data-status=unknown]").first.wait_for()
    httpx.delete(f"{line.url}/simulator/scenarios").raise_for_status()
    card.page.route("**/messages*", _ten_minutes_later)
    card.page.reload()
    card.page.get_by_role("tab", name="WhatsApp").click()
    card.page.locator(".o_leadline_choice").first.wait_for()
    _save_chat(card.page, "failed-and-unknown")

    card.page.locator(".o_leadline_record").click()
    card.page.wait_for_timeout(3000)
    # The stand-in for a microphone beeps once a second.
    card.page.wait_for_function("parseInt(document.querySelector('.o_leadline_voice_level > span').style.width) > 30")
    _save_chat(card.page, "voice-recording", wait=0)
    card.page.locator(".o_leadline_voice_cancel").click()

    invoice = folder / "Invoice 2026-118.pdf"
    invoice.write_bytes(b"%PDF-1.4\n" * 500_000)
    network = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 700_000}
    card.page.context.new_cdp_session(card.page).send("Network.emulateNetworkConditions", network)
    card.page.locator("input.o_leadline_file").set_input_files(invoice)
    card.page.locator(".o_leadline_send").click()
    card.page.locator(".progress-bar").wait_for(state="attached")
    card.page.wait_for_timeout(3000)
    _save_chat(card.page, "upload")


def _fault(line: OpenLine, **scenario: object) -> None:
    body = {"customer": _TROUBLE, **scenario}
    httpx.post(f"{line.url}/simulator/scenarios", json=body).raise_for_status()


def _ten_minutes_later(route: Route) -> None:
    """Let an agent decide at once about what is unknown: nobody waits ten minutes for a picture."""
    response = route.fetch()
    page = response.json()
    for message in page.get("items", []):
        if message.get("settle"):
            message["settle"]["from"] = message["at"]
    route.fulfill(response=response, body=json.dumps(page))


def _talk(phone: Phone, lead: Card, picture: Path) -> None:
    lead.write("Good morning Ana! Yes, it is still here.")
    phone.bubble("still here").wait_for()
    lead.send_picture(picture)
    phone.page.locator("[data-testid=message][data-direction=in] img").wait_for()
    phone.write("Beautiful 😍 Can I try it today at five?")
    lead.bubble("try it today").wait_for()
    lead.write("Of course. We are open until six, *Main Street 12*.")
    phone.bubble("until six").wait_for()
    phone.write("See you then!")
    lead.bubble("See you then").wait_for()


def templates(chromium: Browser, line: OpenLine) -> None:
    """Show the countdown, the closed window, a template with a missing value, and a card that writes first."""
    wrote(line, "4915112345678", "Lena Vogel", "Guten Tag! Haben Sie noch Helme?", ago=timedelta(hours=22, minutes=41))
    wrote(line, "12025550123", "John Carter", "Do you repair brakes?", ago=timedelta(hours=30))
    agent = ask_odoo(line, "res.users", "search", [("login", "=", "agent")])[0]
    values = {"name": "Cargo bicycle", "contact_name": "Grace Miller", "phone": "+1 202 555 0166", "user_id": agent}
    unwritten = ask_odoo(line, "crm.lead", "create", values)
    soon, closed = records(line, "Lena Vogel")["crm.lead"], records(line, "John Carter")["crm.lead"]
    for suffix, viewport in (("", _DESKTOP), ("-phone", _PHONE)):
        card = _card(chromium, line, soon, viewport=viewport)
        _save(card.page, f"window{suffix}")
        card.open("crm.lead", closed)
        card.page.locator(".o_leadline_option").first.wait_for()
        _save(card.page, f"window-closed{suffix}")
        card.choose_template("order_update")
        card.fill("body.1", "John")
        _save(card.page, f"template{suffix}")
        card.open("crm.lead", unwritten)
        card.page.locator(".o_leadline_start_button").wait_for()
        _save(card.page, f"write-first{suffix}")


def links(chromium: Browser, line: OpenLine) -> None:
    """The ways in: their list, a new one's form, the sheet to print, what they brought, and the button on a page."""
    wrote(line, "12025550191", "Nora Field", "Hello", ago=timedelta(hours=40))
    records(line, "Nora Field")
    campaign = ask_odoo(line, "utm.campaign", "create", {"title": "Spring sale"})
    poster, button, mail = (
        _link(line, campaign_id=campaign, name=name, source_id=ask_odoo(line, "utm.source", "create", {"name": source}))
        for name, source in (
            ("Spring poster", "Poster"),
            ("Button on the site", "Website"),
            ("May mail", "Mail"),
        )
    )
    names = ("Ben Adler", "Cora Lind", "Dan Okoye", "Eva Rossi", "Finn Berg", "Gita Rao")
    brought = dict(zip(names, (poster, poster, poster, button, button, mail), strict=True))
    for number, (name, link) in enumerate(brought.items(), start=1):
        for _ in range(1 + number % 3):
            httpx.get(link["short_url"], headers={"user-agent": _IPHONE}, follow_redirects=True).raise_for_status()
        wrote(line, f"1202555017{number}", name, link["prefilled"], ago=timedelta(hours=number))
    for name, revenue in (("Ben Adler", 1200), ("Eva Rossi", 480)):
        lead = records(line, name)["crm.lead"]
        ask_odoo(line, "crm.lead", "write", [lead], {"expected_revenue": revenue, "type": "opportunity"})
        ask_odoo(line, "crm.lead", "action_set_won", [lead])
    records(line, names[-1])
    ask_odoo(line, "leadline.link", "action_refresh", [link["id"] for link in (poster, button, mail)])

    marketer = Card(open_context(chromium, viewport=_DESKTOP, device_scale_factor=1.5).new_page(), line)
    marketer.log_in("admin", "admin")
    page = marketer.page
    page.goto(f"{line.odoo}/odoo/action-leadline.leadline_link_action")
    page.locator(".o_data_row").first.wait_for()
    _save(page, "links")
    page.locator(".o_data_row", has_text="Spring poster").locator(".o_data_cell").first.click()
    page.locator("[name=qr_svg_url] img").wait_for()
    text = page.locator("[name=text] textarea")
    text.fill("Hello! I saw your poster and would like to try a bicycle.")
    text.blur()
    _save(page, "link-form")
    page.get_by_role("button", name="Discard all changes").click()
    page.goto(f"{line.odoo}/odoo/action-leadline.leadline_link_report_action")
    page.locator(".o_pivot, .o_graph_view, .o_list_view").first.wait_for()
    _save(page, "link-report")
    page.set_viewport_size({"width": 900, "height": 1200})
    page.goto(f"{line.odoo}/report/html/leadline.report_link_sheet/{poster['id']}")
    _save(page, "link-sheet")
    _website(chromium, button["short_url"])


def inbox(chromium: Browser, line: OpenLine) -> None:
    """Show the inbox as list and kanban, its counter, a probable double, and a card that learns from its chat."""
    for number, (name, text, ago) in enumerate(
        (
            ("Hanna Berg", "Is the cargo bicycle still for sale? Write to me at hanna@example.com", 0.2),
            ("Ines Faria", "Can you deliver on Saturday?", 3),
            ("Jonas Weber", "The brakes squeak", 22.5),
        )
    ):
        wrote(line, f"1202555015{number}", name, text, ago=timedelta(hours=ago))
    cards = records(line, "Hanna Berg")
    tags = [
        ask_odoo(line, "leadline.tag", "create", {"name": name, "color": color})
        for name, color in (("Workshop", 4), ("Complaint", 1))
    ]
    for name, tag in (("Jonas Weber", tags[0]), ("John Carter", tags[1])):
        rows = ask_odoo(line, "leadline.conversation", "search", [("name", "=", name)])
        ask_odoo(line, "leadline.conversation", "write", rows, {"tag_ids": [(4, tag)]})
    ask_odoo(line, "res.partner", "create", {"name": "Hana Berg", "email": "hana@example.com", "city": "Oslo"})
    ask_odoo(line, "ir.cron", "method_direct_trigger", _cron(line, "leadline.ir_cron_doubles"))
    darken(line)
    for suffix, dark, viewport in (("", False, _DESKTOP), ("-dark", True, _DESKTOP), ("-phone", False, _PHONE)):
        page = _card(chromium, line, cards["crm.lead"], dark=dark, viewport=viewport).page
        page.locator(".o_leadline_learnt").first.wait_for()
        _save(page, f"learnt{suffix}")
        page.goto(f"{line.odoo}/odoo/action-leadline.leadline_conversation_action")
        page.locator(".o_data_row, .o_kanban_record:not(.o_kanban_ghost)").first.wait_for()
        if viewport == _DESKTOP:
            page.locator(".o_leadline_inbox").click()
            page.locator(".o_leadline_inbox_mine").wait_for()
            _save(page, f"inbox{suffix}")
            page.keyboard.press("Escape")
            page.locator(".o_switch_view.o_kanban").click()
            page.locator(".o_kanban_record:not(.o_kanban_ghost)").first.wait_for()
            _save(page, f"inbox-kanban{suffix}")
        else:
            _save(page, f"inbox{suffix}")
        page.goto(f"{line.odoo}/odoo/action-leadline.leadline_double_action")
        page.locator(".o_data_row, .o_kanban_record").first.click()
        page.locator("[name=comparison] table").wait_for()
        _save(page, f"double{suffix}")


def _cron(line: OpenLine, xmlid: str) -> list[int]:
    module, name = xmlid.split(".")
    found = ask_odoo(line, "ir.model.data", "search_read", [("module", "=", module), ("name", "=", name)], ["res_id"])
    return [found[0]["res_id"]]


def marketplace(chromium: Browser) -> None:
    """Make what the marketplace shows: some of the pictures, smaller, a banner, and a look at the whole page."""
    for name in ("lead", "lead-phone", "inbox", "inbox-kanban", "window-closed", "learnt", "links"):
        with Image.open(IMAGES / f"{name}.png") as shot:
            small = shot.convert("RGB")
            small.thumbnail((1100, 1100))
            small.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(
                MARKETPLACE / f"{name}.png", optimize=True
            )
    icon = base64.b64encode((MARKETPLACE / "icon.png").read_bytes()).decode()
    page = open_context(chromium, viewport={"width": 1120, "height": 560}).new_page()
    page.set_content(_BANNER.format(icon=icon))
    path = MARKETPLACE / "banner.png"
    page.screenshot(path=path)
    _shrink(path)
    page.set_viewport_size({"width": 1140, "height": 900})
    page.goto((MARKETPLACE / "index.html").as_uri())
    page.screenshot(path=IMAGES / "marketplace.png", full_page=True)
    _shrink(IMAGES / "marketplace.png")


def _link(line: OpenLine, **values: object) -> dict[str, Any]:
    made = ask_odoo(line, "leadline.link", "create", [{"text": "Hello, I have a question.", **values}])
    link: dict[str, Any] = ask_odoo(line, "leadline.link", "read", made)[0]
    return link


def _website(chromium: Browser, short: str) -> None:
    """Show the button on a page of somebody's shop."""
    page = open_context(chromium, viewport={"width": 1000, "height": 560}, device_scale_factor=1.5).new_page()
    page.set_content(_SHOP)
    page.evaluate(
        """([source, link]) => {
            const script = document.createElement("script");
            Object.assign(script.dataset, { link, text: "Chat on WhatsApp", side: "right" });
            script.textContent = source;
            document.body.append(script);
        }""",
        [_BUTTON.read_text(), short],
    )
    page.get_by_role("link", name="Chat on WhatsApp").wait_for()
    _save(page, "link-button")


def _card(chromium: Browser, line: OpenLine, lead: int, *, dark: bool = False, **options: object) -> Card:
    context = open_context(chromium, device_scale_factor=1.5, **options)
    if dark:
        show_dark(context, line)
    card = Card(context.new_page(), line)
    card.log_in("agent", "agent")
    card.open("crm.lead", lead)
    card.page.locator(".o_leadline_message").first.wait_for()
    return card


def _save(page: Page, name: str) -> None:
    chat = page.locator(".o_leadline_chat")
    if chat.count():
        # The tab's name belongs in the picture.
        chat.evaluate("chat => chat.closest('.o_notebook').scrollIntoView()")
    page.wait_for_timeout(1500)  # pictures and fonts
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    _shrink(path)


def _save_chat(page: Page, name: str, *, wait: float = 300) -> None:
    """Take the chat alone, as it stands after `wait` milliseconds."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(wait)
    path = IMAGES / f"{name}.png"
    page.locator(".o_leadline_chat").screenshot(path=path)
    _shrink(path)


def _save_whole(page: Page, name: str) -> None:
    """Take the chat alone, grown until all of its messages are in view."""
    page.wait_for_timeout(1500)
    height = page.locator(".o_leadline_chat").evaluate("""chat => {
        const list = chat.querySelector(".o_leadline_list");
        const height = chat.clientHeight + list.scrollHeight - list.clientHeight;
        chat.style.height = `${height}px`;
        return height;
    }""")
    page.set_viewport_size({"width": _DESKTOP["width"], "height": height + _DESKTOP["height"]})
    page.wait_for_timeout(1000)
    _save_chat(page, name)


def _shrink(path: Path) -> None:
    with Image.open(path) as shot:
        shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(path, optimize=True)


if __name__ == "__main__":
    main()
