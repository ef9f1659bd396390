"""What managers and admins see: lines, connections, templates, consent, the audit trail, an erasure."""

from playwright.sync_api import Browser

from tests.open_line import OpenLine, ask_odoo, records
from tests.screenshots.studio import LOOKS, logged_in, run_cron, save, show

_TABS = (
    ("Routing", "routing"),
    ("Hours", "hours"),
    ("Service Level", "service-level"),
    ("Satisfaction", "satisfaction"),
)


def office(chromium: Browser, line: OpenLine, name: str) -> None:
    """Show the managers' pages; `name` is that of a customer who was answered and is about to be erased."""
    [demo] = ask_odoo(line, "leadline.line", "search", [["identifier", "=", "demo-line"]])
    [connection] = ask_odoo(line, "leadline.connection", "search", [])
    partner = records(line, name)["res.partner"]
    consents = (
        {"state": "given", "way": "note", "evidence": "Said on the telephone that she would like our offers."},
        {"state": "withdrawn", "way": "note", "evidence": "Wrote by mail that once a month is enough."},
    )
    for values in consents:
        ask_odoo(line, "leadline.consent", "create", {"partner_id": partner, "purpose": "marketing", **values})
    run_cron(line, "leadline.ir_cron_fetch_audit")
    for look in LOOKS:
        manager = logged_in(chromium, line, "admin", look)
        row = ".o_data_row, .o_kanban_record:not(.o_kanban_ghost)"
        page = show(manager, "action-leadline.leadline_line_action", row)
        save(page, f"lines{look.suffix}")
        show(manager, f"action-leadline.leadline_line_action/{demo}", ".o_form_view .o_notebook")
        save(page, f"line{look.suffix}")
        for tab, short in _TABS:
            page.get_by_role("tab", name=tab).click()
            page.locator(".o_notebook").scroll_into_view_if_needed()
            save(page, f"line-{short}{look.suffix}")
        show(manager, f"action-leadline.leadline_connection_action/{connection}", ".o_form_view .o_notebook")
        save(page, f"connection{look.suffix}")
        show(manager, "action-leadline.leadline_template_action", ".o_list_renderer, .o_kanban_renderer")
        save(page, f"templates{look.suffix}")
        show(manager, "action-leadline.leadline_audit_open_action", row)
        save(page, f"audit{look.suffix}")
        show(manager, f"res.partner/{partner}", ".o_notebook")
        page.get_by_role("tab", name="Consent").click()
        page.locator("[name=leadline_consent_ids]").wait_for()
        page.locator(".o_notebook").evaluate("one => one.scrollIntoView()")
        save(page, f"consent{look.suffix}")
        page.get_by_role("tab", name="WhatsApp").click()
        page.get_by_role("button", name="Erase WhatsApp Data").click()
        page.locator(".modal .alert-danger").wait_for()
        save(page, f"erase{look.suffix}")
