"""How a picture is taken."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.dark import darken, show_dark
from tests.open_line import Card, OpenLine, ask_odoo, open_context

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ADDON = Path(__file__).parents[2] / "addon/odoo/leadline"
DESKTOP, PHONE = {"width": 1500, "height": 960}, {"width": 390, "height": 844}
# Odoo makes its bundles anew for the first page of each kind (ms).
_PATIENCE = 90_000


def card_of(chromium: Browser, line: OpenLine, lead: int, *, dark: bool = False, **options: object) -> Card:
    context = open_context(chromium, device_scale_factor=1.5, **options)
    if dark:
        show_dark(context, line)
    context.set_default_timeout(_PATIENCE)
    card = Card(context.new_page(), line)
    card.log_in("agent", "agent")
    # From CRM, so that its menu stands above.
    card.open("action-crm.crm_lead_all_leads", lead)
    card.page.locator(".o_leadline_message").first.wait_for()
    return card


@dataclass(frozen=True)
class Look:
    """How a screen is looked at; `suffix` stands behind the picture's name."""

    suffix: str
    viewport: dict[str, int]
    dark: bool = False


LIGHT, DARK, ON_A_PHONE = Look("", DESKTOP), Look("-dark", DESKTOP, dark=True), Look("-phone", PHONE)
LOOKS = (LIGHT, DARK, ON_A_PHONE)


def logged_in(chromium: Browser, line: OpenLine, login: str, look: Look = LIGHT) -> Card:
    """Return a page on which somebody is logged in."""
    context = open_context(chromium, device_scale_factor=1.5, viewport=look.viewport)
    if look.dark:
        darken(line)
        show_dark(context, line)
    context.set_default_timeout(_PATIENCE)
    card = Card(context.new_page(), line)
    card.log_in(login, login)
    return card


def show(card: Card, address: str, ready: str) -> Page:
    """Open one of Odoo's pages, and return when the place is there that `ready` selects."""
    card.page.goto(f"{card.line.odoo}/odoo/{address}")
    card.page.locator(ready).first.wait_for()
    return card.page


def run_cron(line: OpenLine, xmlid: str) -> None:
    """Let a scheduled action run now."""
    ask_odoo(line, "ir.cron", "method_direct_trigger", [id_of(line, xmlid)])


def id_of(line: OpenLine, xmlid: str) -> int:
    """Return the record that Odoo's data call so."""
    module, name = xmlid.split(".")
    [found] = ask_odoo(line, "ir.model.data", "search_read", [("module", "=", module), ("name", "=", name)], ["res_id"])
    return int(found["res_id"])


def save(page: Page, name: str) -> None:
    """Take what is in view, the chat with its tab's name where there is one."""
    page.mouse.move(0, 0)
    chat = page.locator(".o_leadline_chat")
    if chat.count():
        # The tab's name belongs in the picture.
        chat.evaluate("chat => chat.closest('.o_notebook').scrollIntoView()")
    page.wait_for_timeout(1500)  # pictures and fonts
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    shrink(path)


def save_chat(page: Page, name: str, *, wait: float = 300) -> None:
    """Take the chat alone, as it stands after `wait` milliseconds."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(wait)
    path = IMAGES / f"{name}.png"
    page.locator(".o_leadline_chat").screenshot(path=path)
    shrink(path)


def save_whole(page: Page, name: str) -> None:
    """Take the chat alone, grown until all of its messages are in view."""
    page.wait_for_timeout(1500)
    height = page.locator(".o_leadline_chat").evaluate("""chat => {
        const list = chat.querySelector(".o_leadline_list");
        const height = chat.clientHeight + list.scrollHeight - list.clientHeight;
        chat.style.height = `${height}px`;
        return height;
    }""")
    page.set_viewport_size({"width": DESKTOP["width"], "height": height + DESKTOP["height"]})
    page.wait_for_timeout(1000)
    save_chat(page, name)


def shrink(path: Path) -> None:
    with Image.open(path) as shot:
        shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(path, optimize=True)
