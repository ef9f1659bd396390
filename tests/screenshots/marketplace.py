"""What the marketplace shows, made of the other pictures."""

import base64

from PIL import Image
from playwright.sync_api import Browser

from tests.open_line import open_context
from tests.screenshots.studio import ADDON, IMAGES, shrink

MARKETPLACE = ADDON / "static/description"
_BANNER = """<!doctype html><html lang="en"><style>
body{{margin:0;height:560px;display:flex;align-items:center;gap:56px;padding:0 88px;box-sizing:border-box;color:#173b2f;
font-family:sans-serif;background:linear-gradient(120deg,#f2fbf6,#d9f1e4)}}img{{width:240px}}h1{{font-size:92px;margin:0}}
p{{font-size:38px;line-height:1.3;margin:12px 0 0}}</style><img src="data:image/png;base64,{icon}" alt="">
<div><h1>Leadline</h1><p>Every chat with a customer,<br>on the customer's own card</p></div></html>"""


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
    shrink(path)
    page.set_viewport_size({"width": 1140, "height": 900})
    page.goto((MARKETPLACE / "index.html").as_uri())
    page.screenshot(path=IMAGES / "marketplace.png", full_page=True)
    shrink(IMAGES / "marketplace.png")
