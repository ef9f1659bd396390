"""The chat on a card, and the customer's phone."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Route

from tests import every_type
from tests.dark import darken
from tests.every_type import Customer
from tests.open_line import Card, OpenLine, Phone, add_agent, ask_odoo, open_context, records, wrote
from tests.screenshots.studio import DESKTOP, PHONE, card_of, save, save_chat, save_whole

_CUSTOMER, _NAME = "5511912345678", "Ana Souza"
_EVERYTHING, _EVERYTHING_NAME = "447700900456", "Grace Hill"
_TROUBLE, _TROUBLE_NAME = "447700900789", "Alan Reed"

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


def talk(chromium: Browser, line: OpenLine, folder: Path) -> None:
    """The pictures of the README: a phone, a card, a card on a phone."""
    phone = Phone(open_context(chromium, viewport=PHONE, device_scale_factor=2).new_page(), line).be(_CUSTOMER)
    lead = records(line, _NAME)["crm.lead"]
    card = card_of(chromium, line, lead, viewport=DESKTOP)
    picture = folder / "bicycle.png"
    picture.write_bytes(every_type.picture("PNG"))
    _talk(phone, card, picture)
    save(phone.page, "phone")
    save(card.page, "lead")
    save(card_of(chromium, line, lead, viewport=PHONE).page, "lead-phone")


def everything(chromium: Browser, line: OpenLine) -> None:
    """A conversation that holds every type, light and dark."""
    customer = Customer(line.url, _EVERYTHING, _EVERYTHING_NAME)
    every_type.first_words(customer)
    lead = records(line, _EVERYTHING_NAME)["crm.lead"]
    card = card_of(chromium, line, lead, viewport=DESKTOP)
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
    save_whole(card_of(chromium, line, lead, viewport=DESKTOP).page, "every-type-light")
    darken(line)
    save_whole(card_of(chromium, line, lead, dark=True, viewport=DESKTOP).page, "every-type-dark")


def together(chromium: Browser, line: OpenLine) -> None:
    """A search, and a colleague who is faster, in the conversation that holds every type."""
    lead = records(line, _EVERYTHING_NAME)["crm.lead"]
    card = card_of(chromium, line, lead, viewport=DESKTOP)
    card.page.locator(".o_leadline_find").click()
    card.page.keyboard.type("bik")
    card.page.locator(".o_leadline_highlighted").wait_for()
    save_chat(card.page, "search")
    card.page.keyboard.press("Escape")

    add_agent(line, "Paul Second", "paul")
    colleague = Card(open_context(chromium, viewport=DESKTOP).new_page(), line)
    colleague.log_in("paul", "paul")
    colleague.open("crm.lead", lead)
    colleague.page.locator("textarea.o_leadline_input").press_sequentially("It has 21 gears.")
    card.page.locator("textarea.o_leadline_input").fill("I can look up how many gears it has")
    card.page.locator(".o_leadline_colleague_answers").wait_for()
    colleague.page.keyboard.press("Enter")
    card.page.locator(".o_leadline_overtaken").wait_for()
    colleague.page.locator("textarea.o_leadline_input").press_sequentially("And")
    card.page.locator(".o_leadline_colleague_answers").wait_for()
    save_chat(card.page, "answering")


def trouble(chromium: Browser, line: OpenLine, folder: Path) -> None:
    """What failed, what is unknown, a voice note being recorded and a file going up."""
    customer = Customer(line.url, _TROUBLE, _TROUBLE_NAME)
    customer.say("Hi, can you send me the invoice?")
    card = card_of(chromium, line, records(line, _TROUBLE_NAME)["crm.lead"], viewport=DESKTOP)
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
    save_chat(card.page, "failed-and-unknown")

    card.page.locator(".o_leadline_record").click()
    card.page.wait_for_timeout(3000)
    # The stand-in for a microphone beeps once a second.
    card.page.wait_for_function("parseInt(document.querySelector('.o_leadline_voice_level > span').style.width) > 30")
    save_chat(card.page, "voice-recording", wait=0)
    card.page.locator(".o_leadline_voice_cancel").click()

    invoice = folder / "Invoice 2026-118.pdf"
    invoice.write_bytes(b"%PDF-1.4\n" * 500_000)
    network = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 700_000}
    card.page.context.new_cdp_session(card.page).send("Network.emulateNetworkConditions", network)
    card.page.locator("input.o_leadline_file").set_input_files(invoice)
    card.page.locator(".o_leadline_send").click()
    card.page.locator(".progress-bar").wait_for(state="attached")
    card.page.wait_for_timeout(3000)
    save_chat(card.page, "upload")


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
    for suffix, viewport in (("", DESKTOP), ("-phone", PHONE)):
        card = card_of(chromium, line, soon, viewport=viewport)
        save(card.page, f"window{suffix}")
        card.open("crm.lead", closed)
        card.page.locator(".o_leadline_option").first.wait_for()
        save(card.page, f"window-closed{suffix}")
        card.choose_template("order_update")
        card.fill("body.1", "John")
        save(card.page, f"template{suffix}")
        card.open("crm.lead", unwritten)
        card.page.locator(".o_leadline_start_button").wait_for()
        save(card.page, f"write-first{suffix}")
