"""Who may see the record may see the chat: asked of the running Odoo, for a conversation that is really there."""

import pytest

from tests.end_to_end.test_redelivery import conversations, deliver, wait_for_leads, webhook
from tests.open_line import OdooRefused, OpenLine, ask_odoo

pytestmark = pytest.mark.timeout(300)

COLLEAGUE = "colleague"


async def test_a_grant_for_a_lead_is_given_to_who_may_read_it_and_to_nobody_else(line: OpenLine) -> None:
    assert await deliver(line, [webhook("12025550310", "Vera Visible", "Is anybody there?")]) == [200]
    [lead] = wait_for_leads(line, "Vera", 1)
    [conversation] = conversations(line, "Vera")
    [group] = ask_odoo(line, "ir.model.data", "search_read", [["name", "=", "group_sale_salesman"]], ["res_id"])
    ask_odoo(
        line,
        "res.users",
        "create",
        {"name": "Carl Colleague", "login": COLLEAGUE, "password": COLLEAGUE, "group_ids": [[4, group["res_id"]]]},
    )
    asked = ("leadline.conversation", "chat_grant", "crm.lead", lead["id"], conversation["id"])

    assert ask_odoo(line, *asked, login="agent")["token"]
    with pytest.raises(OdooRefused, match="AccessError"):
        ask_odoo(line, *asked, login=COLLEAGUE)
