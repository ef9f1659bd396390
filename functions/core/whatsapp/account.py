"""What Meta says of a business account, its numbers and its templates: separate facts, each with a time and a reason.

Source: Meta, webhook references of the fields below (2026).
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from functions.core.whatsapp.items import listed, mapping, optional, time


class Fact(Struct, frozen=True):
    """One fact of a business account, of one of its numbers, or of a template.

    `number` is the display number as digits, `template` its id as text, `name` and `language` those of the template;
    `at` is None where Meta gives no time.
    """

    phone_number_id: str | None
    waba: str
    number: str | None
    template: str | None
    fact: str
    value: str
    reason: str | None
    at: int | None
    raw: Any
    name: str | None = None
    language: str | None = None


_EVENTS = {
    "DISABLED_UPDATE": ("ban", ("ban_info", "waba_ban_state")),
    "ACCOUNT_VIOLATION": ("violation", ("violation_info", "violation_type")),
}
"""Events of `account_update` that say more than their name, and where."""

_CONNECTION = (
    "PARTNER_ADDED",
    "PARTNER_REMOVED",
    "PARTNER_APP_INSTALLED",
    "PARTNER_APP_UNINSTALLED",
    "ACCOUNT_OFFBOARDED",
    "ACCOUNT_RECONNECTED",
    "ACCOUNT_DELETED",
)

_NUMBER_FIELDS: dict[str, tuple[tuple[str, str, str | None], ...]] = {
    "account_review_update": (("review", "decision", None),),
    "phone_number_name_update": (("name", "decision", "rejection_reason"),),
    "phone_number_quality_update": (("quality", "event", None), ("limit", "current_limit", None)),
    "business_capability_update": (("limit", "max_daily_conversations_per_business", None),),
    "payment_configuration_update": (("payment", "status", None),),
    "partner_solutions": (("partner_solution", "solution_status", None),),
    "flows": (("flow", "event", "message"),),
    "security": (("pin", "event", None),),
    "business_username_update": (("username", "status", None),),
    "business_username_updates": (("username", "status", None),),
}
"""Per field: the facts, where their value stands, and where their reason."""

_TEMPLATE = (
    ("status", ("event",), "reason"),
    ("quality", ("new_quality_score",), None),
    ("category", ("correct_category", "new_category"), None),
    ("components", ("message_template_element",), None),
)

FIELDS = (
    *_NUMBER_FIELDS,
    "account_update",
    "account_alerts",
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
)


def facts(field: str, entry: dict[str, Any], change: dict[str, Any]) -> list[Fact]:
    """Return the facts of a change; none where it says nothing that is understood. Raises ValueError …"""
    value = mapping(change.get("value"))
    waba = optional(mapping(value.get("waba_info")).get("waba_id")) or optional(entry.get("id"))
    if waba is None:
        return []
    at = time(entry["time"]) if "time" in entry else None
    number = optional(value.get("display_phone_number")) or optional(value.get("phone_number"))
    template = value.get("message_template_id")
    return [
        Fact(
            phone_number_id=None,
            waba=waba,
            number=number,
            template=str(template) if template is not None else None,
            fact=fact,
            value=str(said)[:200],
            reason=optional(reason),
            at=at,
            raw=change,
            name=optional(value.get("message_template_name")),
            language=optional(value.get("message_template_language")),
        )
        for fact, said, reason in _said(field, value)
        if said is not None
    ]


def line_errors(number: str | None, waba: str | None, value: Any, *, fact: str = "error") -> Iterator[Fact]:
    """Yield the errors that speak of no message: something is wrong with the line, or with its account."""
    for error in listed(value, "errors"):
        own = mapping(error)
        details = optional(mapping(own.get("error_data")).get("details")) or optional(own.get("title"))
        yield Fact(number, waba or "", None, None, fact, str(own.get("code"))[:200], details, None, error)


def _said(field: str, value: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    if "message_template_id" in value:
        # By shape: Meta's own example of a quality update comes under the name of a status update.
        for fact, places, reason in _TEMPLATE:
            said = next((value[place] for place in places if place in value), None)
            yield fact, said, value.get(reason) if reason else None
    elif field == "account_update":
        yield _account(value)
    elif field == "account_alerts":
        alert = mapping(value.get("alert_info")) or value
        yield "alert", alert.get("alert_type"), alert.get("alert_description")
    else:
        for fact, place, reason in _NUMBER_FIELDS.get(field, ()):
            yield fact, value.get(place), value.get(reason) if reason else None


def _account(value: dict[str, Any]) -> tuple[str, Any, Any]:
    event = optional(value.get("event"))
    if event in _CONNECTION:
        return "connection", event, None
    if event == "ACCOUNT_RESTRICTION":
        kinds = [mapping(one).get("restriction_type") for one in listed(value, "restriction_info")]
        return "restriction", ", ".join(str(kind) for kind in kinds if kind) or event, None
    fact, (holder, name) = _EVENTS.get(event or "", ("account", ("", "")))
    return fact, mapping(value.get(holder)).get(name) or event, None
