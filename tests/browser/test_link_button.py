"""The floating button for websites, on a page that is not ours."""

from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

SCRIPT = Path(__file__).parents[2] / "addon/odoo/leadline/static/button/leadline-button.js"
LINK = "https://chat.example.com/chat/v1/l/spring"


@pytest.fixture
def page(chromium: Browser) -> Page:
    page = chromium.new_page(timezone_id="America/New_York")
    # A Friday: 13:30 in New York, 19:30 in Oslo.
    page.clock.set_fixed_time("2026-11-20T18:30:00Z")
    # It loads nothing else: the page and the script are all that may be asked for.
    page.route("**/*", lambda route: route.abort())
    page.route("https://shop.example/button.js", lambda route: route.fulfill(path=SCRIPT))
    return page


def show(page: Page, **attributes: str) -> None:
    """Open a shop's page that has the button, with these of the script's attributes."""
    given = {"link": LINK, **attributes}
    spelled = " ".join(f'data-{name}="{escape(value)}"' for name, value in given.items())
    style = "a { color: red !important; position: static !important; } span { display: none }"
    html = (
        f"<!doctype html><html lang=en><title>Blue & red bikes</title><style>{style}</style>"
        f"<h1>Shop</h1><script defer src=button.js {spelled}></script>"
    )
    page.route("https://shop.example/", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("https://shop.example/")


def test_the_button_is_a_link_with_a_name_that_the_keyboard_reaches(page: Page) -> None:
    show(page)
    button = page.get_by_role("link", name="Chat on WhatsApp")
    expect(button).to_be_visible()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    box, size = button.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    assert box["height"] >= 44
    assert box["x"] > size["width"] / 2
    assert button.get_attribute("href") == f"{LINK}?page=Blue+%26+red+bikes"
    assert "noopener" in (button.get_attribute("rel") or "")


def test_text_and_side_are_the_shops_and_its_styles_stay_outside(page: Page) -> None:
    show(page, text="<b>Ask us</b>", side="left")
    button = page.get_by_role("link", name="<b>Ask us</b>")
    expect(button).to_have_css("position", "fixed")
    expect(button).to_have_css("left", "20px")
    expect(button).to_have_css("color", "rgb(255, 255, 255)")


@pytest.mark.parametrize(
    ("hours", "zone", "shown"),
    [
        ("Mo-Fr 09:00-18:00, Sa 10:00-14:00", "America/New_York", "Here now"),
        ("Mo-Fr 09:00-18:00", "Europe/Oslo", "Back later"),
        ("Sa-Su 10:00-22:00", "Europe/Oslo", "Back later"),
        ("Fr-Mo 10:00-22:00", "Europe/Oslo", "Here now"),
        ("whenever", "Europe/Oslo", "Back later"),
    ],
)
def test_the_business_hours_are_those_of_the_business(page: Page, hours: str, zone: str, shown: str) -> None:
    show(page, hours=hours, timezone=zone, open="Here now", closed="Back later")
    expect(page.get_by_role("link")).to_contain_text(shown)


def test_it_keeps_nothing_asks_for_nothing_and_weighs_little(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    show(page)
    expect(page.get_by_role("link")).to_be_visible()
    assert [url for url in asked if "favicon" not in url] == ["https://shop.example/", "https://shop.example/button.js"]
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert SCRIPT.stat().st_size < 4096


def test_a_wrong_attribute_costs_the_page_nothing(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    show(page, hours="Mo-Fr 09:00-18:00", timezone="Nowhere/Land")
    expect(page.get_by_role("link")).to_have_text("Chat on WhatsApp")
    show(page, link="javascript:alert(1)")
    expect(page.get_by_role("heading")).to_be_visible()
    expect(page.get_by_role("link")).to_have_count(0)
    assert errors == []


def test_nothing_that_it_is_told_is_read_as_markup_or_style(page: Page) -> None:
    said = "</span><img src=x onerror='window.ran=1'><script>ran=1</script>\u202e\u200b"
    hours = {"hours": "Mo-Su 00:00-24:00", "open": said, "closed": said}
    show(page, text=said, side="left } a { background: url(/ran) ", **hours)
    button = page.get_by_role("link")
    expect(button).to_contain_text("onerror")
    found = "() => [...document.querySelectorAll('div')].map((one) => one.shadowRoot).find(Boolean)"
    tags = page.evaluate(f"[...({found})().querySelectorAll('*')].map((one) => one.tagName.toLowerCase())")
    assert sorted(tags) == ["a", "path", "small", "span", "style", "svg"]
    assert "ran" not in page.evaluate(f"({found})().querySelector('style').textContent")
    assert page.evaluate("window.ran") is None
