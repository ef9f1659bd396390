"""The ways in: links, their sheet, their report, and the button on a page."""

from datetime import timedelta
from typing import Any

import httpx
from playwright.sync_api import Browser

from tests.open_line import Card, OpenLine, ask_odoo, open_context, records, wrote
from tests.screenshots.studio import ADDON, DESKTOP, save

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
_BUTTON = ADDON / "static/button/leadline-button.js"
_SHOP = """<!doctype html><html lang="en"><title>Blue bikes</title>
<style>body{font:18px/1.6 sans-serif;margin:48px;max-width:44rem;color:#20405c}h1{font-size:40px;margin:0}</style>
<h1>Blue bikes</h1><p>City, touring and cargo bicycles. Repairs while you wait.</p>
<p>Main Street 12, open Monday to Friday from nine to six.</p></html>"""


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

    marketer = Card(open_context(chromium, viewport=DESKTOP, device_scale_factor=1.5).new_page(), line)
    marketer.log_in("admin", "admin")
    page = marketer.page
    page.goto(f"{line.odoo}/odoo/action-leadline.leadline_link_action")
    page.locator(".o_data_row").first.wait_for()
    save(page, "links")
    page.locator(".o_data_row", has_text="Spring poster").locator(".o_data_cell").first.click()
    page.locator("[name=qr_svg_url] img").wait_for()
    text = page.locator("[name=text] textarea")
    text.fill("Hello! I saw your poster and would like to try a bicycle.")
    text.blur()
    save(page, "link-form")
    page.get_by_role("button", name="Discard all changes").click()
    page.goto(f"{line.odoo}/odoo/action-leadline.leadline_link_report_action")
    page.locator(".o_pivot, .o_graph_view, .o_list_view").first.wait_for()
    save(page, "link-report")
    page.set_viewport_size({"width": 900, "height": 1200})
    page.goto(f"{line.odoo}/report/html/leadline.report_link_sheet/{poster['id']}")
    save(page, "link-sheet")
    _website(chromium, button["short_url"])


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
    save(page, "link-button")
