"""When a text is there to be seen."""

from playwright.sync_api import Page

_IS_DRAWN = "([bubble, text]) => [...document.querySelectorAll(bubble)].some((one) => one.textContent.includes(text))"


def drawn(page: Page, bubble: str, text: str) -> None:
    """Return as soon as a text is drawn in one of the elements of a selector.

    It is asked at each frame. A locator looks after 270 ms, and then only twice a second.
    """
    page.wait_for_function(_IS_DRAWN, arg=[bubble, text])
