"""The inbox, probable doubles, a card that learns from its chat."""

from datetime import timedelta

from playwright.sync_api import Browser, Page

from tests.open_line import OpenLine, ask_odoo, records, wrote
from tests.screenshots.studio import LOOKS, ON_A_PHONE, Look, logged_in, run_cron, save, show


def inbox(chromium: Browser, line: OpenLine) -> None:
    """Show the inbox as list and kanban, its counter, a probable double, and a card that learns from its chat."""
    for number, (name, text, ago) in enumerate(
        (
            ("Hanna Berg", "Is the cargo bicycle still for sale? Write to me at hanna@example.com", 0.2),
            ("Ines Faria", "Can you deliver on Saturday?", 3),
            ("Jonas Weber", "The brakes squeak", 22.5),
        )
    ):
        wrote(line, f"1202555015{number}", name, text, ago=timedelta(hours=ago))
    cards = records(line, "Hanna Berg")
    tags = [
        ask_odoo(line, "leadline.tag", "create", {"name": name, "color": color})
        for name, color in (("Workshop", 4), ("Complaint", 1))
    ]
    for name, tag in (("Jonas Weber", tags[0]), ("John Carter", tags[1])):
        rows = ask_odoo(line, "leadline.conversation", "search", [("name", "=", name)])
        ask_odoo(line, "leadline.conversation", "write", rows, {"tag_ids": [(4, tag)]})
    ask_odoo(line, "res.partner", "create", {"name": "Hana Berg", "email": "hana@example.com", "city": "Oslo"})
    run_cron(line, "leadline.ir_cron_doubles")
    for look in LOOKS:
        card = logged_in(chromium, line, "agent", look)
        page = show(
            card, "action-leadline.leadline_conversation_action", ".o_data_row, .o_kanban_record:not(.o_kanban_ghost)"
        )
        if look == ON_A_PHONE:
            save(page, "inbox-phone")
        else:
            _nothing_found(page, look)
            page.locator(".o_leadline_inbox").click()
            page.locator(".o_leadline_inbox_mine").wait_for()
            save(page, f"inbox{look.suffix}")
            page.keyboard.press("Escape")
            page.locator(".o_switch_view.o_kanban").click()
            page.locator(".o_kanban_record:not(.o_kanban_ghost)").first.wait_for()
            save(page, f"inbox-kanban{look.suffix}")
        show(card, "action-leadline.leadline_double_action", ".o_data_row, .o_kanban_record")
        page.locator(".o_data_row, .o_kanban_record").first.click()
        page.locator("[name=comparison] table").wait_for()
        save(page, f"double{look.suffix}")
        # Last, since it reads what was unread.
        card.open("action-crm.crm_lead_all_leads", cards["crm.lead"])
        page.locator(".o_leadline_learnt").first.wait_for()
        save(page, f"learnt{look.suffix}")
        card.open("res.partner", cards["res.partner"])
        save(page, f"contact{look.suffix}")
        row = ask_odoo(line, "leadline.conversation", "search", [("name", "=", "Ines Faria")])[0]
        card.open("action-leadline.leadline_conversation_action", row)
        save(page, f"conversation{look.suffix}")


def _nothing_found(page: Page, look: Look) -> None:
    """Show what the list says while there is nothing in it."""
    search = page.locator("input.o_searchview_input")
    search.fill("nobody of this name")
    search.press("Enter")
    page.locator(".o_view_nocontent").wait_for()
    save(page, f"inbox-empty{look.suffix}")
    page.locator(".o_facet_remove").last.click()
    page.locator(".o_data_row").first.wait_for()
