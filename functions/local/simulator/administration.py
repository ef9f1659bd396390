"""What an admin asks of the Graph API: tokens, the app and its webhooks, accounts, and registering numbers.

Source: Meta, "Debug token", "App subscriptions", "Subscribed apps", "Business phone numbers" (2026).
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions.local.simulator.customers import Line
from functions.local.simulator.door import Door, body_of, token_of
from functions.local.simulator.errors import GraphError, unknown_node

APP_ID, APP_NAME = "100000000000009", "Leadline"

_DONE = {"success": True}
_OBJECT = "whatsapp_business_account"
_MESSAGING, _MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"


class Administration(Door):
    """The endpoints."""

    async def debug_token(self, request: Request) -> Response:
        """Tell of a token whether it is valid, for how long, and what it may do."""
        self._check_version(request)
        asked_with = token_of(request)
        if asked_with != self._app_token():
            self._bearer(request)
        given = request.query_params.get("input_token", "")
        lines = [line for line in self._all.lines.values() if line.token == given]
        if not lines:
            error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
            return JSONResponse({"data": {"error": error, "is_valid": False, "scopes": []}})
        number = lines[0].phone_number_id
        expiring = self._struck("token_expiring", number)
        scopes = [_MANAGEMENT] if self._struck("permission_missing", number) else [_MANAGEMENT, _MESSAGING]
        targets = sorted({line.waba for line in lines})
        told = {
            "app_id": APP_ID,
            "type": "SYSTEM_USER",
            "application": APP_NAME,
            "expires_at": int(self._all.now() + expiring.figure("seconds")) if expiring else 0,
            "is_valid": True,
            "scopes": scopes,
            "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in scopes],
            "user_id": "100000000000008",
        }
        return JSONResponse({"data": told})

    async def app(self, request: Request) -> Response:
        """Tell which app a token belongs to."""
        self._check_version(request)
        self._bearer(request)
        return JSONResponse({"name": APP_NAME, "id": APP_ID})

    async def subscriptions(self, request: Request) -> Response:
        """Tell where the app's webhooks go and which fields it gets; only the app itself may ask."""
        self._check_app(request)
        webhooks = self._all.webhooks
        fields = [{"name": field, "version": "v26.0"} for field in sorted(webhooks.fields)]
        told = {"object": _OBJECT, "callback_url": webhooks.url, "active": True, "fields": fields}
        return JSONResponse({"data": [told]})

    async def set_subscriptions(self, request: Request) -> Response:
        """Let the app's webhooks go somewhere, with these fields, after the handshake."""
        self._check_app(request)
        body = await body_of(request)
        fields = body.get("fields")
        wanted = fields.split(",") if isinstance(fields, str) else fields
        if body.get("object") != _OBJECT or not isinstance(body.get("callback_url"), str):
            raise GraphError(100, message="(#100) The parameters object and callback_url are required.")
        if not isinstance(wanted, list) or not all(isinstance(field, str) and field for field in wanted):
            raise GraphError(100, message="(#100) The parameter fields is required.")
        await self._shake_hands(body["callback_url"], body.get("verify_token"))
        self._all.webhooks.configure(body["callback_url"], wanted)
        return JSONResponse(_DONE)

    async def subscribed_apps(self, request: Request) -> Response:
        waba = self._waba(request)
        app: dict[str, Any] = {"whatsapp_business_api_data": {"id": APP_ID, "name": APP_NAME, "link": ""}}
        if uri := self._all.numbers.override(waba):
            app["override_callback_uri"] = uri
        return JSONResponse({"data": [app] if self._all.webhooks.subscribed(waba) else []})

    async def subscribe(self, request: Request) -> Response:
        """Subscribe the app to an account; its webhooks go to the app's callback unless another is named."""
        waba, body = self._waba(request), await body_of(request)
        uri = str(body.get("override_callback_uri") or "")
        if uri:
            await self._shake_hands(uri, body.get("verify_token"))
        self._all.numbers.set_override(waba, uri)
        self._all.webhooks.subscribe(waba, on=True)
        return JSONResponse(_DONE)

    async def unsubscribe(self, request: Request) -> Response:
        waba = self._waba(request)
        self._all.webhooks.subscribe(waba, on=False)
        self._all.numbers.set_override(waba, "")
        return JSONResponse(_DONE)

    async def register(self, request: Request) -> Response:
        line, body = self._line(request), await body_of(request)
        if body.get("messaging_product") != "whatsapp":
            raise GraphError(100, message="(#100) The parameter messaging_product is required.")
        self._all.numbers.register(line, str(body.get("pin", "")))
        return JSONResponse(_DONE)

    async def deregister(self, request: Request) -> Response:
        self._all.numbers.deregister(self._line(request))
        return JSONResponse(_DONE)

    async def change(self, request: Request) -> Response:
        """Set a number's PIN, or where its webhooks go."""
        line, body = self._line(request), await body_of(request)
        webhook = body.get("webhook_configuration")
        if "pin" in body:
            self._all.numbers.set_pin(line, str(body["pin"]))
        elif isinstance(webhook, dict) and "override_callback_uri" in webhook:
            uri = str(webhook["override_callback_uri"])
            if uri:
                await self._shake_hands(uri, webhook.get("verify_token"))
            self._all.numbers.set_override(line.phone_number_id, uri)
        else:
            raise GraphError(100, message="(#100) Invalid parameter")
        return JSONResponse(_DONE)

    def facts(self, line: Line) -> dict[str, Any]:
        """Return all that Meta tells of a number."""
        number, registered = line.phone_number_id, self._all.numbers.registered(line)
        entities = self._health(line)
        states = [entity["can_send_message"] for entity in entities]
        whole = next((state for state in ("BLOCKED", "LIMITED") if state in states), "AVAILABLE")
        return {
            "id": number,
            "verified_name": line.name,
            "display_phone_number": line.number,
            "code_verification_status": "VERIFIED",
            "quality_rating": "RED" if self._struck("quality_low", number) else "GREEN",
            "status": "DISCONNECTED"
            if self._struck("number_disconnected", number)
            else ("CONNECTED" if registered else "PENDING"),
            "name_status": "APPROVED",
            "platform_type": "CLOUD_API" if registered else "NOT_APPLICABLE",
            "account_mode": "LIVE",
            "is_on_biz_app": False,
            "throughput": {"level": "STANDARD"},
            "webhook_configuration": self._callbacks(line),
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
            "health_status": {"can_send_message": whole, "entities": entities},
        }

    def _callbacks(self, line: Line) -> dict[str, str]:
        own = self._all.numbers.override
        every = {
            "application": self._all.webhooks.url,
            "whatsapp_business_account": own(line.waba),
            "phone_number": own(line.phone_number_id),
        }
        return {name: uri for name, uri in every.items() if uri}

    def _health(self, line: Line) -> list[dict[str, Any]]:
        number = line.phone_number_id
        entities: list[dict[str, Any]] = [
            {"entity_type": "PHONE_NUMBER", "id": number, "can_send_message": "AVAILABLE"},
            {"entity_type": "WABA", "id": line.waba, "can_send_message": "AVAILABLE"},
            {"entity_type": "BUSINESS", "id": "100000000000007", "can_send_message": "AVAILABLE"},
        ]
        if self._struck("account_locked", number):
            entities[1]["can_send_message"] = "BLOCKED"
            entities[1]["errors"] = [
                {
                    "error_code": 141000,
                    "error_description": "The account violated a policy.",
                    "possible_solution": "Ask for a review in the account quality page.",
                }
            ]
        if self._struck("limit_reached", number):
            entities[2]["can_send_message"] = "LIMITED"
            entities[2]["additional_info"] = ["The messaging limit of 2000 customers in 24 hours is reached."]
        return entities

    def _struck(self, fault: str, number: str) -> Any:
        """Return the scenario that is in force for a number, without counting it: a state is no happening."""
        in_force = self._all.scenarios.all()
        return next((one for one in in_force if one.fault == fault and one.strikes(number, None)), None)

    def _app_token(self) -> str:
        return f"{APP_ID}|{self._all.app_secret}"

    def _check_app(self, request: Request) -> None:
        self._check_version(request)
        given = token_of(request)
        if request.path_params["node"] != APP_ID:
            raise unknown_node(request.path_params["node"], request.method)
        if given.startswith(f"{APP_ID}|") and given != self._app_token():
            raise GraphError(190, message="Invalid OAuth access token signature.")
        if given != self._app_token():
            self._bearer(request)
            raise GraphError(15, message="(#15) This method must be called with an app access_token.", http=400)

    async def _shake_hands(self, uri: str, verify_token: object) -> None:
        status = await self._all.webhooks.handshake(uri, str(verify_token or ""))
        if status != 200:
            said = f"HTTP Status Code = {status}" if status else "The URL couldn't be reached."
            raise GraphError(2200, message=f"(#2200) Callback verification failed with the following errors: {said}")
