"""The errors that Meta answers with: one table, and the exception that carries one of them to the answer.

Source: Meta, "Error codes" (page of 2025-12-12), and bodies seen in public issue threads.
"""

from dataclasses import dataclass
from typing import Any

from functions.local.simulator.identifiers import trace_id


@dataclass(frozen=True, slots=True)
class Kind:
    """What Meta calls an error, the HTTP status it comes with, and what it says beyond its title."""

    title: str
    http: int = 400
    details: str = ""


KINDS: dict[int, Kind] = {
    0: Kind("AuthException", 401),
    1: Kind("An unknown error has occurred.", 400),
    2: Kind("Service temporarily unavailable", 503),
    3: Kind("Application does not have the capability to make this API call.", 500),
    4: Kind("Application request limit reached"),
    10: Kind("Application does not have permission for this action", 403),
    15: Kind("This method must be called with an app access_token."),
    33: Kind("Parameter value is not valid", 400, "The business phone number has been deleted."),
    100: Kind("Invalid parameter"),
    190: Kind("Error validating access token: the session has expired.", 401),
    200: Kind("Permissions error", 403),
    368: Kind("The action attempted has been deemed abusive or is otherwise disallowed", 403),
    80007: Kind("Rate limit issues", 400, "The WhatsApp Business Account has reached its rate limit."),
    130403: Kind("User is blocked", 400, "The business has blocked this user."),
    130429: Kind("Rate limit hit", 400, "Cloud API message throughput has been reached."),
    130472: Kind("User's number is part of an experiment"),
    130497: Kind("Business account is restricted from messaging users in this country.", 403),
    131000: Kind("Something went wrong", 500),
    131005: Kind("Access denied", 403),
    131008: Kind("Required parameter is missing"),
    131009: Kind("Parameter value is not valid"),
    131016: Kind("Service unavailable", 500),
    131021: Kind("Recipient cannot be sender", 400, "Sender and recipient are the same number."),
    131026: Kind("Message undeliverable", 400, "Message Undeliverable."),
    131030: Kind("Recipient phone number not in allowed list"),
    131031: Kind("Business Account locked", 403, "The account is restricted or disabled."),
    131037: Kind("Display name approval needed", 400, "The number needs an approved display name."),
    131042: Kind("Business eligibility payment issue", 400, "There is a problem with the payment method."),
    131044: Kind("Business eligibility payment issue", 400, "There is a problem with the payment method."),
    131045: Kind("Incorrect certificate", 500, "The phone number is not registered correctly."),
    131047: Kind(
        "Re-engagement message", 400, "More than 24 hours have passed since the customer last replied to this number."
    ),
    131048: Kind("Spam rate limit hit", 400, "Too many earlier messages were blocked or flagged as spam."),
    131049: Kind("This message was not delivered to maintain healthy ecosystem engagement."),
    131050: Kind("User has stopped marketing messages", 400, "The recipient stopped marketing messages from you."),
    131051: Kind("Unsupported message type", 400, "Message type is not supported."),
    131052: Kind("Media download error", 400, "The file could not be downloaded."),
    131053: Kind("Media upload error", 400, "The file could not be uploaded."),
    131056: Kind(
        "(Business Account, Consumer Account) pair rate limit hit",
        400,
        "Too many messages from this phone number to the same phone number in a short time.",
    ),
    131057: Kind("Account in maintenance mode", 500, "The account is in maintenance, perhaps for more throughput."),
    131059: Kind("Invalid pagination cursor"),
    131062: Kind("BSUID recipients are not supported for this message"),
    131063: Kind("Marketing messages are not allowed for this recipient"),
    131064: Kind("Template category misuse limit reached"),
    132000: Kind("Number of parameters does not match the expected number of params"),
    132001: Kind("Template name does not exist in the translation", 404),
    132005: Kind("Translated text too long"),
    132007: Kind("Template format character policy violated"),
    132008: Kind("Parameter format is not valid"),
    132012: Kind("Parameter format does not match format in the created template"),
    132015: Kind("Template is paused", 400, "The template is paused for low quality."),
    132016: Kind("Template is disabled", 400, "The template was disabled for low quality."),
    132018: Kind("There was an issue with the parameters in the template"),
    132068: Kind("Flow is blocked"),
    132069: Kind("Flow is throttled"),
    133000: Kind("Incomplete deregistration", 500),
    133004: Kind("Server temporarily unavailable", 503),
    133005: Kind("Two step verification PIN mismatch"),
    133006: Kind("Phone number re-verification needed"),
    133008: Kind("Too many two step verification PIN guesses"),
    133009: Kind("Two step verification PIN guessed too fast"),
    133010: Kind("Phone number not registered"),
    133015: Kind("Please wait a few minutes before registering this number"),
    133016: Kind("Registration attempts exceeded"),
    134100: Kind("Only marketing messages are supported"),
    134101: Kind("Template is still syncing"),
    134102: Kind("Template is not available"),
    135000: Kind("Generic user error"),
    137000: Kind("Identity hash mismatch"),
    2494100: Kind("Account in maintenance mode", 500),
    2200: Kind("Callback verification failed"),
    2635: Kind("This version of the API is no longer available. Call a current one."),
}


_WHATSAPP = 130000
"""Codes below belong to the Graph layer, whose errors carry no `error_data`."""


class GraphError(Exception):
    """A refusal in Meta's words.

    `details` go into `error_data`; `message` replaces the whole "(#code) title" line.
    """

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        message: str = "",
        kind: str = "OAuthException",
        http: int | None = None,
        subcode: int | None = None,
        transient: bool = False,
    ) -> None:
        known = KINDS.get(code, Kind("Unknown error"))
        self.code = code
        self.http = http or known.http
        self.message = message or (known.title if code == 190 else f"(#{code}) {known.title}")
        self.details = details or ("" if message or code < _WHATSAPP else known.details or known.title)
        self._kind, self._subcode, self._transient = kind, subcode, transient
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        error: dict[str, Any] = {"message": self.message, "type": self._kind, "code": self.code}
        if self._subcode:
            error["error_subcode"] = self._subcode
        if self._transient:
            error["is_transient"] = True
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        return {"error": {**error, "fbtrace_id": trace_id()}}


def in_webhook(code: int, details: str = "") -> dict[str, Any]:
    """Return an error as it stands in `statuses[].errors[]` or `messages[].errors[]`."""
    known = KINDS.get(code, Kind("Unknown error"))
    return {
        "code": code,
        "title": known.title,
        "message": known.title,
        "error_data": {"details": details or known.details or known.title},
        "href": "/documentation/business-messaging/whatsapp/support/error-codes",
    }


def unknown_node(node: str, method: str) -> GraphError:
    """Return what Meta says of an id that does not exist or that the token may not see."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation."
    )
    return GraphError(100, message=message, kind="GraphMethodException", subcode=33)
