"""The pairing wizard, in an Odoo that knows nothing yet."""

from pathlib import Path

from playwright.sync_api import Browser

from functions.local.odoo.install import ensure_odoo
from tests.fresh_odoo import NOWHERE, Wizard, unpaired
from tests.screenshots.studio import LIGHT, LOOKS, Look, logged_in, save


def pairing(chromium: Browser, folder: Path) -> None:
    """Show the code, a chain with a broken link, one without, and the first message."""
    folder.mkdir()
    with unpaired(ensure_odoo(None, print), folder) as both:
        both.sql("UPDATE res_users SET odoobot_state = 'disabled'")

        def wizard(look: Look) -> Wizard:
            card = logged_in(chromium, both.line, "admin", look)
            return Wizard(card.page, both.line).open()

        for look in LOOKS:
            opened = wizard(look)
            save(opened.page, f"pairing-code{look.suffix}")
        shown = wizard(LIGHT)
        shown.pair(*both.code(), NOWHERE)
        shown.link("odoo", "warn").wait_for()
        save(shown.page, "pairing-broken")
        for number, look in enumerate(LOOKS):
            shown = wizard(look)
            shown.pair(*both.code(), both.line.odoo)
            for link in ("service", "odoo", "browser", "lines"):
                shown.link(link, "ok").wait_for()
            save(shown.page, f"pairing-chain{look.suffix}")
            both.write(f"44770090012{number}", ("Grace Hill", "Alan Reed", "Iris Vale")[number], "Hello!")
            shown.link("message", "ok").wait_for()
            shown.page.locator("[data-link=message]").scroll_into_view_if_needed()
            save(shown.page, f"pairing-message{look.suffix}")
