"""What Meta's redeliveries and races do to the CRM: nothing. Through the running whole, into the real Odoo."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from functions.core.signature import sign_meta
from functions.local.demo import APP_SECRET, NUMBER, PHONE_NUMBER_ID, WABA
from tests.open_line import OpenLine, ask_odoo, chat_api
from tests.personal import know

pytestmark = pytest.mark.timeout(300)

CUSTOMERS, DELIVERIES = 20, 4


def webhook(wa_id: str, name: str, text: str) -> bytes:
    know(wa_id, name, text)
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": NUMBER, "phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"profile": {"name": name}, "wa_id": wa_id, "user_id": f"US.{wa_id}"}],
        "messages": [
            {
                "id": f"wamid.{wa_id}",
                "from": wa_id,
                "from_user_id": f"US.{wa_id}",
                "timestamp": str(int(time.time())),
                "type": "text",
                "text": {"body": text},
            }
        ],
    }
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [change]}]}).encode()


async def deliver(line: OpenLine, bodies: list[bytes]) -> list[int]:
    """Deliver all at once and return the answers' statuses."""
    async with httpx.AsyncClient(timeout=30) as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    f"{line.url}/webhook",
                    content=body,
                    headers={"X-Hub-Signature-256": sign_meta(body, APP_SECRET)},
                )
                for body in bodies
            )
        )
    return [answer.status_code for answer in answers]


def conversations(line: OpenLine, prefix: str) -> list[dict[str, Any]]:
    with chat_api(line) as chat:
        items = chat.get("/conversations", params={"limit": 200}).raise_for_status().json()["items"]
    return [item for item in items if item["contact"]["name"].startswith(prefix)]


def leads(line: OpenLine, prefix: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask_odoo(
        line, "crm.lead", "search_read", [["contact_name", "=like", f"{prefix}%"]], ["contact_name", "partner_id"]
    )
    return found


def wait_for_leads(line: OpenLine, prefix: str, number: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 90
    while len(found := leads(line, prefix)) < number and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


async def test_the_same_webhook_three_times_is_one_message_and_one_lead(line: OpenLine) -> None:
    body = webhook("12025550300", "Rita Repeat", "Once is enough.")
    for _ in range(3):
        assert await deliver(line, [body]) == [200]
    found = await asyncio.to_thread(wait_for_leads, line, "Rita", 1)
    assert len(found) == 1
    [conversation] = conversations(line, "Rita")
    assert conversation["unread"] == 1
    with chat_api(line) as chat:
        items = chat.get(f"/conversations/{conversation['id']}/messages").raise_for_status().json()["items"]
    assert [item["text"]["body"] for item in items] == ["Once is enough."]


async def test_twenty_strangers_each_delivered_four_times_at_once_are_twenty(line: OpenLine) -> None:
    bodies = [
        webhook(f"1202555{400 + number:04}", f"Stranger {number:02}", "Hello!") for number in range(CUSTOMERS)
    ] * DELIVERIES
    assert await deliver(line, bodies) == [200] * (CUSTOMERS * DELIVERIES)
    found = await asyncio.to_thread(wait_for_leads, line, "Stranger", CUSTOMERS)
    assert len(found) == CUSTOMERS
    assert len({lead["partner_id"][0] for lead in found}) == CUSTOMERS
    assert len(conversations(line, "Stranger")) == CUSTOMERS
    assert all(conversation["unread"] == 1 for conversation in conversations(line, "Stranger"))
