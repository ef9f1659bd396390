"""What webhooks say, in Meta's shapes (webhook version v24 and later: statuses without `conversation`)."""

import json
from collections.abc import Iterable
from typing import Any

from functions.core.phone import digits
from functions.local.simulator.customers import Customer, Line, Message
from functions.local.simulator.errors import in_webhook


def entry(waba: str, field: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return one update of one account."""
    return {"id": waba, "changes": [{"value": value, "field": field}]}


def envelope(entries: list[dict[str, Any]]) -> str:
    """Return the body of a POST. Meta escapes non-ASCII and slashes; who re-serialises breaks the signature."""
    body = {"object": "whatsapp_business_account", "entry": entries}
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/")


def merged(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join updates as Meta does in a batch: an entry per account, a change per field and number, lists joined."""
    accounts: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for one in entries:
        for change in one["changes"]:
            number = change["value"].get("metadata", {}).get("phone_number_id", "")
            changes = accounts.setdefault(one["id"], {})
            known = changes.setdefault((change["field"], number), {"value": {}, "field": change["field"]})
            _join(known["value"], change["value"])
    return [{"id": waba, "changes": list(changes.values())} for waba, changes in accounts.items()]


def message_ids(body: Any) -> list[str]:
    """Return the ids of the messages in a webhook, which may be one that a test wrote by hand."""
    changes = [change for one in _listed(body, "entry") for change in _listed(one, "changes")]
    values = [change["value"] for change in changes if isinstance(change, dict) and "value" in change]
    messages = [message for value in values for message in _listed(value, "messages")]
    return [str(message["id"]) for message in messages if isinstance(message, dict) and "id" in message]


def inbound(line: Line, customer: Customer, message: Message) -> dict[str, Any]:
    """Return the value for a message of a customer."""
    value: dict[str, Any] = _value(line)
    if message.type != "system":  # Meta leaves `contacts` out there
        value["contacts"] = [_contact(customer)]
    sender: dict[str, Any] = {"from": customer.wa_id} if customer.shares_phone else {}
    sender["from_user_id"] = customer.bsuid
    item = {**sender, "id": message.id, "timestamp": str(int(message.at)), "type": message.type}
    value["messages"] = [{**item, **message.content}]
    return value


def status(line: Line, customer: Customer, message: Message, state: str, at: float, code: int) -> dict[str, Any]:
    """Return the value for a status of a message that the business sent; `code` is the error of a failed one."""
    value: dict[str, Any] = _value(line)
    item: dict[str, Any] = {"id": message.id, "status": state, "timestamp": str(int(at))}
    if customer.shares_phone or not message.by_bsuid:
        item["recipient_id"] = customer.wa_id
    if state != "failed" or message.by_bsuid:
        item["recipient_user_id"] = customer.bsuid
    if message.callback is not None:
        item["biz_opaque_callback_data"] = message.callback
    if state == "failed":
        item["errors"] = [in_webhook(code)]
    else:
        value["contacts"] = [_contact(customer)]
    if state in ("sent", "delivered"):
        item["pricing"] = _pricing(message.category)
    value["statuses"] = [item]
    return value


def preference(line: Line, customer: Customer, at: float) -> dict[str, Any]:
    """Return the value of `user_preferences`: the customer stopped or resumed marketing messages."""
    choice = "resume" if customer.marketing else "stop"
    item = {
        "wa_id": customer.wa_id,
        "user_id": customer.bsuid,
        "detail": f"User requested to {choice} marketing messages",
        "category": "marketing_messages",
        "value": choice,
        "timestamp": int(at),
    }
    return {**_value(line), "contacts": [_contact(customer)], "user_preferences": [item]}


def template_status(template_id: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Return the value of `message_template_status_update`."""
    return {
        "event": definition["status"],
        "message_template_id": int(template_id),
        "message_template_name": definition["name"],
        "message_template_language": definition["language"],
        "message_template_category": definition["category"],
        "reason": "NONE",
    }


def _value(line: Line) -> dict[str, Any]:
    metadata = {"display_phone_number": digits(line.number), "phone_number_id": line.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": metadata}


def _contact(customer: Customer) -> dict[str, Any]:
    profile = {"name": customer.name}
    if customer.username:
        profile["username"] = customer.username
    number = {"wa_id": customer.wa_id} if customer.shares_phone else {}
    return {"profile": profile, **number, "user_id": customer.bsuid}


def _pricing(category: str | None) -> dict[str, Any]:
    # Inside the 1,000 free service messages of a number's month; templates are always billed.
    kind = "regular" if category else "free_customer_service"
    return {
        "billable": category is not None,
        "pricing_model": "PMP",
        "type": kind,
        "category": category or "service",
    }


def _listed(holder: Any, key: str) -> list[Any]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _join(value: dict[str, Any], more: dict[str, Any]) -> None:
    for key, item in more.items():
        if isinstance(item, list):
            known = value.setdefault(key, [])
            known.extend(one for one in item if key != "contacts" or one not in known)
        else:
            value[key] = item
