"""Takes the pictures of the docs anew: `python -m tests.screenshots [SUBJECT …]`; without one, all of them."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from tests.open_line import OpenLine, ask_odoo, browser, running
from tests.screenshots import chat, inbox, links, marketplace, office, pairing, right_to_left, sessions

SUBJECTS: dict[str, Callable[[Browser, OpenLine, Path], None]] = {
    "talk": chat.talk,
    "everything": lambda chromium, line, _: chat.everything(chromium, line),
    "together": lambda chromium, line, _: chat.together(chromium, line),
    "trouble": chat.trouble,
    "templates": lambda chromium, line, _: chat.templates(chromium, line),
    "links": lambda chromium, line, _: links.links(chromium, line),
    "inbox": lambda chromium, line, _: inbox.inbox(chromium, line),
    "sessions": lambda chromium, line, _: sessions.sessions(chromium, line),
    "office": lambda chromium, line, _: office.office(chromium, line, sessions.NAME),
    "rtl": lambda chromium, line, _: right_to_left.right_to_left(chromium, line),
}
"""In the order in which one leaves to the next what it shows."""


def main(chosen: list[str]) -> None:
    """Play what the pictures show, and take them."""
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        if not chosen or chosen != ["pairing"]:
            with running(Path(folder) / "data") as line:
                # OdooBot would stand over the page of whoever logs in for the first time.
                everybody = ask_odoo(line, "res.users", "search", [])
                ask_odoo(line, "res.users", "write", everybody, {"odoobot_state": "disabled"})
                for name, take in SUBJECTS.items():
                    if not chosen or name in chosen:
                        take(chromium, line, Path(folder))
        if not chosen or "pairing" in chosen:
            pairing.pairing(chromium, Path(folder) / "pairing")
        if not chosen:
            marketplace.marketplace(chromium)


if __name__ == "__main__":
    main(sys.argv[1:])
