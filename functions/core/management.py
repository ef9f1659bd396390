"""What an admin asks of the Graph API: tokens, the app and its webhooks, accounts, and registering numbers.

Source: Meta, "Debug token", "App subscriptions", "Subscribed apps", "Business phone numbers", "Webhook overrides".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.graph import Graph, expected_shape

MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"
PERMISSIONS = (MESSAGING, MANAGEMENT)
"""What a line's token must allow: the first to send and receive, the second for all else."""

NEEDED_FIELD = "messages"
USEFUL_FIELDS = (
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "template_category_update",
    "user_preferences",
)
"""Webhook fields by which changes are known at once that the poll would find hours later, or never."""

NUMBER_FACTS = (
    "verified_name,display_phone_number,quality_rating,status,name_status,code_verification_status,platform_type,"
    "is_on_biz_app,throughput,whatsapp_business_manager_messaging_limit,health_status,webhook_configuration"
)

_OBJECT = "whatsapp_business_account"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What Meta says of a token. `expires`: epoch seconds, None for one that never does."""

    valid: bool
    app: str
    expires: int | None
    scopes: frozenset[str]
    why_not: str | None = None

    @property
    def missing(self) -> list[str]:
        """The permissions that a line needs and this token does not have."""
        return [scope for scope in PERMISSIONS if scope not in self.scopes]


@dataclass(frozen=True, slots=True)
class AppWebhook:
    """Where an app's webhooks go, and which fields it gets."""

    callback: str
    fields: frozenset[str]
    active: bool


class Management(Graph):
    """Everything raises `NotSent`, `Uncertain` or `Refused`, and may be repeated."""

    async def token_facts(self, token: str) -> TokenFacts:
        """Ask about a token, with itself: an admin's own may always be asked about."""
        answer = await self._call("GET", "debug_token", token, params={"input_token": token})
        with expected_shape():
            told = answer["data"]
            ends = [at for name in ("expires_at", "data_access_expires_at") if (at := int(told.get(name) or 0))]
            return TokenFacts(
                valid=bool(told["is_valid"]),
                app=str(told.get("app_id", "")),
                expires=min(ends, default=None),
                scopes=frozenset(map(str, told.get("scopes") or ())),
                why_not=(told.get("error") or {}).get("message"),
            )

    async def number_facts(self, number: str, token: str) -> dict[str, Any]:
        """Return what Meta says of a number (`NUMBER_FACTS`)."""
        return await self._call("GET", number, token, params={"fields": NUMBER_FACTS})

    async def numbers_of(self, waba: str, token: str) -> list[str]:
        """Return the `phone_number_id`s of a business account."""
        found: list[str] = []
        after: str | None = None
        while True:
            parameters = {"fields": "id", "limit": "100"} | ({"after": after} if after else {})
            answer = await self._call("GET", f"{waba}/phone_numbers", token, params=parameters)
            with expected_shape():
                found += [str(one["id"]) for one in answer["data"]]
                paging = answer.get("paging") or {}
                after = paging["cursors"]["after"] if paging.get("next") else None
            if after is None:
                return found

    async def subscribed_apps(self, waba: str, token: str) -> list[str]:
        """Return the ids of the apps to which a business account's webhooks go."""
        answer = await self._call("GET", f"{waba}/subscribed_apps", token)
        with expected_shape():
            return [str(one["whatsapp_business_api_data"]["id"]) for one in answer["data"]]

    async def subscribe(self, waba: str, token: str) -> None:
        """Let a business account's webhooks come to the token's app."""
        await self._post(f"{waba}/subscribed_apps", token)

    async def unsubscribe(self, waba: str, token: str) -> None:
        """End that."""
        await self._call("DELETE", f"{waba}/subscribed_apps", token)

    async def register(self, number: str, token: str, pin: str) -> None:
        """Register a number for the Cloud API. The PIN must be the number's own, or becomes it. At most 10 in 72 h."""
        await self._post(f"{number}/register", token, json={"messaging_product": "whatsapp", "pin": pin})

    async def deregister(self, number: str, token: str) -> None:
        """Take a number off the Cloud API."""
        await self._post(f"{number}/deregister", token)

    async def override(self, number: str, token: str, callback: str, verify_token: str) -> None:
        """Let a number's messages go to another callback than the app's; to the app's again with an empty one."""
        wanted = {"override_callback_uri": callback} | ({"verify_token": verify_token} if callback else {})
        await self._post(number, token, json={"webhook_configuration": wanted})

    async def app_webhook(self, app: str, app_secret: str) -> AppWebhook | None:
        """Return where the app's WhatsApp webhooks go; None if it has none."""
        answer = await self._call("GET", f"{app}/subscriptions", f"{app}|{app_secret}")
        with expected_shape():
            told = next((one for one in answer["data"] if one["object"] == _OBJECT), None)
            if told is None:
                return None
            fields = frozenset(str(field["name"]) for field in told.get("fields") or ())
            return AppWebhook(str(told["callback_url"]), fields, bool(told.get("active")))

    async def set_app_webhook(
        self, app: str, app_secret: str, callback: str, verify_token: str, fields: Sequence[str]
    ) -> None:
        """Let the app's WhatsApp webhooks go to a callback, with these fields. Meta shakes hands with it first."""
        wanted = {
            "object": _OBJECT,
            "callback_url": callback,
            "verify_token": verify_token,
            "fields": ",".join(sorted(fields)),
        }
        await self._post(f"{app}/subscriptions", f"{app}|{app_secret}", json=wanted)


def callback_of(facts: dict[str, Any]) -> str | None:
    """Return where a number's messages go: its own callback, its account's, or the app's."""
    configured = facts.get("webhook_configuration")
    if not isinstance(configured, dict):
        return None
    places = (configured.get(name) for name in ("phone_number", "whatsapp_business_account", "application"))
    return next((str(place) for place in places if place), None)
