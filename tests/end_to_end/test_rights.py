"""Who may see the record may see the chat: the running Odoo is asked for grants, and the chat API is shown them."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.end_to_end.test_redelivery import conversations, deliver, wait_for_leads, webhook
from tests.open_line import OdooRefused, OpenLine, ask_odoo

pytestmark = pytest.mark.timeout(300)

AGENT = "agent"
"""The demo's own, whose the lead is; the others are made here: login, group, whether of another company."""
OTHERS = {
    "colleague": ("sales_team.group_sale_salesman", False),
    "manager": ("sales_team.group_sale_manager", False),
    "elsewhere": ("sales_team.group_sale_manager", True),
    "portal": ("base.group_portal", False),
}
ACTIONS = ("grant", "read", "send", "note", "another conversation", "owner", "rules", "consent")
NOTHING: set[str] = set()
MAY: Mapping[str, set[str]] = {
    AGENT: {"grant", "read", "send", "note"},
    "colleague": NOTHING,
    "manager": {"grant", "read", "send", "note"},
    "elsewhere": NOTHING,
    "portal": NOTHING,
}


def _group(line: OpenLine, name: str) -> int:
    module, _, xml_id = name.partition(".")
    [found] = ask_odoo(
        line, "ir.model.data", "search_read", [["module", "=", module], ["name", "=", xml_id]], ["res_id"]
    )
    return int(found["res_id"])


def _people(line: OpenLine) -> None:
    elsewhere = ask_odoo(line, "res.company", "create", {"name": "Elsewhere"})
    for login, (group, foreign) in OTHERS.items():
        companies = {"company_id": elsewhere, "company_ids": [[6, 0, [elsewhere]]]} if foreign else {}
        values = {
            "name": login.title(),
            "login": login,
            "password": login,
            "group_ids": [[6, 0, [_group(line, group)]]],
        }
        ask_odoo(line, "res.users", "create", values | companies)


def _granted(line: OpenLine, login: str, lead: int, conversation: str) -> str | None:
    """Return the grant that Odoo gives somebody, None if it gives none."""
    try:
        given = ask_odoo(line, "leadline.conversation", "chat_grant", "crm.lead", lead, conversation, login=login)
    except OdooRefused as refusal:
        if "AccessError" not in str(refusal):
            raise
        return None
    return str(given["token"])


def _done(line: OpenLine, token: str, conversation: str, other: str, login: str) -> set[str]:
    """Return what a grant is good for, tried against the chat API."""
    one = f"/conversations/{conversation}"
    text = {"client_id": f"client-{login}", "type": "text", "text": {"body": f"Hello from {login}"}}
    note = {"client_id": f"note-{login}", "body": "Only between us"}
    consent = {"value": "resume", "source": "crm", "at": "2026-01-01T00:00:00Z"}
    with httpx.Client(base_url=f"{line.url}/chat/v1", headers={"Authorization": f"Bearer {token}"}) as chat:
        line_id = chat.get(one).json()["line"]["id"]
        calls: Mapping[str, Callable[[], httpx.Response]] = {
            "read": lambda: chat.get(f"{one}/messages"),
            "send": lambda: chat.post(f"{one}/messages", json=text),
            "note": lambda: chat.post(f"{one}/notes", json=note),
            "another conversation": lambda: chat.get(f"/conversations/{other}"),
            "owner": lambda: chat.put(one, json={"owner": {"id": 1, "name": "Me"}}),
            "rules": lambda: chat.put(f"/lines/{line_id}/rules", json={"opt_in": False}),
            "consent": lambda: chat.put(f"{one}/consent", json=consent),
        }
        answers = {name: call() for name, call in calls.items()}
    refused = {name: answer for name, answer in answers.items() if not answer.is_success}
    assert {answer.status_code for answer in refused.values()} <= {403}, refused
    return set(answers) - set(refused)


def _table(found: Mapping[str, set[str]]) -> str:
    rows: list[list[Any]] = [["", *ACTIONS]]
    rows += [[who, *("yes" if action in may else "–" for action in ACTIONS)] for who, may in found.items()]
    return "\n".join("".join(f"{cell:22}" for cell in row) for row in rows)


async def test_grants_are_given_by_the_records_rights_and_are_good_for_no_more(line: OpenLine) -> None:
    webhooks = [
        webhook("12025550310", "Vera Visible", "Is anybody there?"),
        webhook("12025550311", "Olga Other", "Hello"),
    ]
    assert await deliver(line, webhooks) == [200, 200]
    [lead], [_] = wait_for_leads(line, "Vera Visible", 1), wait_for_leads(line, "Olga Other", 1)
    [conversation], [other] = conversations(line, "Vera Visible"), conversations(line, "Olga Other")
    _people(line)

    found: dict[str, set[str]] = {}
    for login in MAY:
        token = _granted(line, login, lead["id"], conversation["id"])
        used = _done(line, token, conversation["id"], other["id"], login) if token else set()
        found[login] = used | ({"grant"} if token else set())
    with httpx.Client(base_url=f"{line.url}/chat/v1") as nobody:
        assert nobody.get(f"/conversations/{conversation['id']}").status_code == 401

    print("\n" + _table(found))
    assert found == MAY
