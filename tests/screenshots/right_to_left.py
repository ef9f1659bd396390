"""The tab and the inbox of an agent who reads from right to left. Odoo turns its pages around by rtlcss, from npm."""

import shutil
from datetime import timedelta

from playwright.sync_api import Browser

from tests.open_line import OpenLine, ask_odoo, records, wrote
from tests.screenshots.studio import LIGHT, ON_A_PHONE, logged_in, save, show

_LANGUAGE = "he_IL"
_CUSTOMER, _NAME = "972501234567", "נועה לוי"
_CLOSED, _CLOSED_NAME = "201007654321", "سامي منصور"


def right_to_left(chromium: Browser, line: OpenLine) -> None:
    """Show the tab with both directions in it, a closed window and the inbox, where Odoo can turn them around."""
    if not shutil.which("rtlcss"):
        print("No pictures from right to left: rtlcss is missing (npm install -g rtlcss).")
        return
    wrote(line, _CUSTOMER, _NAME, "שלום! האם האופניים הכחולים עדיין למכירה?", ago=timedelta(minutes=50))
    wrote(line, _CLOSED, _CLOSED_NAME, "مرحبا، هل ما زالت الدراجة الزرقاء متاحة؟", ago=timedelta(hours=40))
    talking, closed = records(line, _NAME)["crm.lead"], records(line, _CLOSED_NAME)["crm.lead"]
    _speak(line)
    said = ("כן, הם עדיין כאן. אפשר לנסות אותם היום עד שש?", "Main Street 12, beside the station.")
    for look in (LIGHT, ON_A_PHONE):
        card = logged_in(chromium, line, "agent", look)
        card.open("action-crm.crm_lead_all_leads", talking)
        card.page.locator(".o_leadline_message").first.wait_for()
        for text in said:
            if not card.bubble(text).count():
                card.write(text)
                card.bubble(text).locator("[data-status=delivered], [data-status=read]").wait_for()
        save(card.page, f"rtl{look.suffix}")
        card.open("action-crm.crm_lead_all_leads", closed)
        card.page.locator(".o_leadline_option").first.wait_for()
        save(card.page, f"rtl-window-closed{look.suffix}")
        row = ".o_data_row, .o_kanban_record:not(.o_kanban_ghost)"
        save(show(card, "action-leadline.leadline_conversation_action", row), f"rtl-inbox{look.suffix}")
    _speak(line, "en_US")


def _speak(line: OpenLine, language: str = _LANGUAGE) -> None:
    """Let the agent read Odoo in a language."""
    found = ask_odoo(line, "res.lang", "search", [("code", "=", language), ("active", "in", [True, False])])
    wizard = ask_odoo(line, "base.language.install", "create", [{"lang_ids": [(6, 0, found)], "overwrite": False}])
    ask_odoo(line, "base.language.install", "lang_install", wizard)
    agent = ask_odoo(line, "res.users", "search", [("login", "=", "agent")])
    ask_odoo(line, "res.users", "write", agent, {"lang": language})
