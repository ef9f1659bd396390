"""Makes the pictures of the README anew, from the running whole: `python -m tests.screenshots`."""

import tempfile
from datetime import timedelta
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from tests.open_line import Card, OpenLine, Phone, ask_odoo, browser, open_context, records, running, wrote

IMAGES = Path(__file__).parents[1] / "docs" / "images"
_CUSTOMER, _NAME = "5511912345678", "Ana Souza"
_DESKTOP, _PHONE = {"width": 1500, "height": 960}, {"width": 390, "height": 844}


def main() -> None:
    """Play a short talk and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as line, browser() as chromium:
        phone = Phone(open_context(chromium, viewport=_PHONE, device_scale_factor=2).new_page(), line).be(_CUSTOMER)
        found = records(line, _NAME)
        lead = _card(chromium, line, "crm.lead", found["crm.lead"], viewport=_DESKTOP)
        _talk(phone, lead, _picture(Path(folder) / "bicycle.png"))
        _save(phone.page, "phone")
        _save(lead.page, "lead")
        _save(_card(chromium, line, "crm.lead", found["crm.lead"], viewport=_PHONE).page, "lead-phone")
        _templates(chromium, line)


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


def _templates(chromium: Browser, line: OpenLine) -> None:
    """Show the countdown, the closed window, a template with a missing value, and a card that writes first."""
    wrote(line, "4915112345678", "Lena Vogel", "Guten Tag! Haben Sie noch Helme?", ago=timedelta(hours=22, minutes=41))
    wrote(line, "12025550123", "John Carter", "Do you repair brakes?", ago=timedelta(hours=30))
    agent = ask_odoo(line, "res.users", "search", [("login", "=", "agent")])[0]
    values = {"name": "Cargo bicycle", "contact_name": "Grace Miller", "phone": "+1 202 555 0166", "user_id": agent}
    unwritten = ask_odoo(line, "crm.lead", "create", values)
    soon, closed = records(line, "Lena Vogel")["crm.lead"], records(line, "John Carter")["crm.lead"]
    for suffix, viewport in (("", _DESKTOP), ("-phone", _PHONE)):
        card = _card(chromium, line, "crm.lead", soon, viewport=viewport)
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


def _card(chromium: Browser, line: OpenLine, model: str, record: int, **options: object) -> Card:
    card = Card(open_context(chromium, device_scale_factor=1.5, **options).new_page(), line)
    card.log_in("agent", "agent")
    card.open(model, record)
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
    with Image.open(path) as shot:
        shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(path, optimize=True)


def _picture(path: Path) -> Path:
    """Draw a blue bicycle."""
    image = Image.new("RGB", (900, 600), (238, 232, 220))
    draw = ImageDraw.Draw(image)
    blue, dark = (38, 99, 184), (50, 50, 54)
    for x in (250, 650):
        draw.ellipse((x - 140, 270, x + 140, 550), outline=dark, width=14)
    for line in (
        ((250, 410), (430, 410)),
        ((250, 410), (370, 230)),
        ((370, 230), (590, 230)),
        ((430, 410), (590, 230)),
        ((430, 410), (350, 190)),
        ((650, 410), (575, 180)),
    ):
        draw.line(line, fill=blue, width=18)
    draw.line(((310, 185), (400, 185)), fill=dark, width=20)
    draw.line(((575, 180), (650, 165)), fill=dark, width=16)
    image.save(path)
    return path


if __name__ == "__main__":
    main()
