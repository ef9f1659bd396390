"""Meta's error codes: what to do about each, and what the agent reads.

Source: Meta, "Cloud API error codes" (2025-12-12), "Status webhooks" and "Business-scoped user IDs" (2026).
Decisions hang on the code alone: titles and subcodes are deprecated, and the HTTP status is unreliable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Decision(Enum):
    """What a refused send asks for."""

    RETRY = "retry"
    """Surely not sent: try again later, and let what is behind wait."""

    AMBIGUOUS = "ambiguous"
    """It may have been sent: never repeat it blindly."""

    TEMPLATE_NEEDED = "template needed"
    RECIPIENT = "recipient"
    TEMPLATE = "template"

    ACCOUNT = "account"
    """The line can't send at all until somebody mends it."""

    OURS = "ours"
    """We built a request that Meta does not take."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code's decision, the sentence for the agent, and the least pause in seconds before the next try, if any.

    `line`: a pause of the whole line, not of the one conversation that met it.
    """

    decision: Decision
    plain: str
    pause: int = 0
    line: bool = False


_R, _A, _D, _T, _F, _G = (
    Decision.RETRY,
    Decision.AMBIGUOUS,
    Decision.RECIPIENT,
    Decision.TEMPLATE,
    Decision.ACCOUNT,
    Decision.OURS,
)

_BUSY = "WhatsApp is busy; the message is tried again by itself."
_MAYBE = "WhatsApp did not say whether it took the message."
_ACCESS = "This line may not send just now: its access to WhatsApp needs an admin."
_LOCKED = "WhatsApp has restricted this business's account; an admin must look at it in Meta's account quality page."
_REGISTER = "This number is not registered for sending; an admin must register it."
_BUILT = "WhatsApp refused the form of this message. Please report it to your admin."

PAIR_LIMIT = 131056
WINDOW_CLOSED = 131047
OPTED_OUT = 131050
TEMPLATE_CHANGED = frozenset({132000, 132001})
"""Our copy of the template is not Meta's."""

_LIMIT_PAUSE = 3600
"""Seconds before a line tries again that is limited for its quality: trying makes it worse."""

MEANINGS: Mapping[int, Meaning] = {
    4: Meaning(_R, _BUSY, 60, line=True),
    80007: Meaning(_R, _BUSY, 60, line=True),
    130429: Meaning(_R, _BUSY, 2, line=True),
    131056: Meaning(_R, "Too many messages to this customer at once; the rest follow by themselves.", 1),
    131057: Meaning(
        _R, "The number is being upgraded by WhatsApp; the message is tried again by itself.", 60, line=True
    ),
    133015: Meaning(_R, "The number was just removed; the message is tried again by itself.", 300, line=True),
    134101: Meaning(_R, "The template is still being prepared; the message is tried again by itself.", 600),
    1: Meaning(_A, _MAYBE),
    2: Meaning(_A, _MAYBE),
    131000: Meaning(_A, _MAYBE),
    131016: Meaning(_A, _MAYBE),
    133004: Meaning(_A, _MAYBE),
    2494100: Meaning(_A, _MAYBE),
    131047: Meaning(
        Decision.TEMPLATE_NEEDED,
        "More than 24 hours have passed since the customer last wrote: only a template can be sent.",
    ),
    131026: Meaning(_D, "The customer can't receive this: not on WhatsApp, an old app, or terms not accepted."),
    131050: Meaning(_D, "The customer has opted out of marketing messages."),
    131049: Meaning(_D, "WhatsApp limits marketing to this customer; try again in 24 hours at the earliest."),
    130472: Meaning(_D, "WhatsApp withholds marketing from this customer as part of an experiment."),
    130403: Meaning(_D, "You have blocked this customer."),
    131021: Meaning(_D, "Sender and recipient are the same number."),
    131030: Meaning(_D, "This is a test number: the recipient must be on its list in Meta's console."),
    131062: Meaning(_D, "This template can't be sent to a customer whose number is hidden."),
    131063: Meaning(_D, "Marketing messages are not allowed for this customer."),
    # Meta counts it among the account's; but a line that waited for it would keep every other country waiting too.
    130497: Meaning(_D, "This business may not write to customers in that country."),
    137000: Meaning(_D, "The customer's identity has changed; confirm it before sending."),
    132000: Meaning(_T, "The template was given the wrong number of values."),
    132001: Meaning(_T, "The template does not exist in this language, or is not approved."),
    132005: Meaning(_T, "The filled-in template is too long."),
    132007: Meaning(_T, "The template breaks WhatsApp's policy."),
    132008: Meaning(_T, "A value does not fit the template."),
    132012: Meaning(_T, "A value does not have the form the template wants."),
    132015: Meaning(_T, "The template is paused because of its quality."),
    132016: Meaning(_T, "The template was paused too often and is disabled."),
    132018: Meaning(_T, "A value does not have the form the template wants."),
    132068: Meaning(_T, "The template's flow is blocked."),
    132069: Meaning(_T, "The template's flow is throttled."),
    134102: Meaning(_T, "The template can't be used for marketing messages."),
    0: Meaning(_F, _ACCESS),
    3: Meaning(_F, _ACCESS),
    10: Meaning(_F, _ACCESS),
    33: Meaning(_F, "This number no longer exists at WhatsApp."),
    190: Meaning(_F, "The line's access token has expired or was withdrawn; an admin must renew it."),
    368: Meaning(_F, _LOCKED),
    131005: Meaning(_F, _ACCESS),
    131031: Meaning(_F, _LOCKED),
    131037: Meaning(_F, "The number's display name must be approved before it can send."),
    131042: Meaning(_F, "WhatsApp stopped sending because of the payment method; an admin must mend it."),
    131044: Meaning(_F, "WhatsApp stopped because of the payment method; an admin must mend it."),
    131045: Meaning(_F, _REGISTER),
    131048: Meaning(_F, "WhatsApp limits this number because messages were reported as spam.", _LIMIT_PAUSE),
    131064: Meaning(_F, "WhatsApp limits this business because templates were in the wrong category.", _LIMIT_PAUSE),
    133000: Meaning(_F, _REGISTER),
    133005: Meaning(_F, "The number's two-step PIN is wrong; an admin must set it."),
    133006: Meaning(_F, _REGISTER),
    133008: Meaning(_F, "Too many wrong two-step PINs; an admin must wait and try again."),
    133009: Meaning(_F, "Two-step PINs were entered too fast; an admin must wait and try again."),
    133010: Meaning(_F, _REGISTER),
    133016: Meaning(_F, "The number was registered too often; WhatsApp blocks it for 72 hours."),
    100: Meaning(_G, _BUILT),
    131008: Meaning(_G, _BUILT),
    131009: Meaning(_G, _BUILT),
    131051: Meaning(_G, "WhatsApp does not support this type of message."),
    131053: Meaning(_G, "WhatsApp does not take this file: its type or encoding is not supported."),
    131059: Meaning(_G, _BUILT),
    135000: Meaning(_G, _BUILT),
    131052: Meaning(_D, "The customer's file could not be fetched, or is over 100 MB."),
    131060: Meaning(_D, "The message is not available here; open it on the phone."),
    2593107: Meaning(_D, "The phone app's earlier chats can't be brought over."),
    2593108: Meaning(_D, "The phone app's earlier chats can't be brought over."),
    2593109: Meaning(_D, "The owner of the phone app did not share its earlier chats."),
}

_PERMISSIONS = range(200, 300)

_PAIR_LONGEST = 300


def pair_pause(tries: int) -> float:
    """Return the seconds to wait after so many earlier refusals for the pair limit (Meta: 4^n)."""
    return min(4.0 ** min(tries, 8), _PAIR_LONGEST)


def meaning(code: int, transient: bool = False) -> Meaning:
    """Return what a code means. An unknown one is ambiguous when Meta calls it transient, else the request's fault."""
    if code in MEANINGS:
        return MEANINGS[code]
    if code in _PERMISSIONS:
        return Meaning(_F, _ACCESS)
    if transient:
        return Meaning(_A, _MAYBE)
    return Meaning(_G, "WhatsApp refused the message.")


def own_error(title: str, plain: str, decision: Decision = Decision.OURS) -> dict[str, Any]:
    """Return what went wrong on our side in the shape of `error_view`."""
    return {"code": None, "title": title, "details": None, "plain": plain, "decision": decision.value}


def error_view(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return an error object of Meta's, whole in substance, with a sentence for the agent.

    Older payloads carry `details` on top, newer ones inside `error_data`.
    """
    data = error.get("error_data")
    said = error.get("code")
    code = said if isinstance(said, int) else None
    known = meaning(code, bool(error.get("is_transient"))) if code is not None else None
    return {
        "code": code,
        "title": _text(error, "title") or _text(error, "message"),
        "details": (_text(data, "details") if isinstance(data, dict) else None) or _text(error, "details"),
        "plain": known.plain if known else "WhatsApp refused the message.",
        "decision": (known.decision if known else Decision.OURS).value,
    }


def _text(error: Mapping[str, Any], name: str) -> str | None:
    said = error.get(name)
    return said if isinstance(said, str) else None
