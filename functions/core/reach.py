"""How a connection's CRM is reached: events are pushed to it, or it pulls them where we can't reach it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.core.lines import Connection
from functions.core.store import Key

WHY: Mapping[str, str] = {
    "no_address": "No address of the CRM is known here.",
    "dns": "The name in the CRM's address leads nowhere.",
    "private": "The CRM's address is inside a private network, which can't be reached from here.",
    "insecure": "The CRM's address begins with http://, so that anyone on the way could read along. It must be https://.",
    "refused": "The CRM's host refuses the connection.",
    "timeout": "The CRM's host does not answer.",
    "tls": "The CRM's certificate is not valid for its address.",
    "interrupted": "The connection to the CRM broke off.",
    "redirected": "The CRM's address leads on to another one.",
    "not_found": "There is a server, but no Leadline module in the database that answers.",
    "clock": "The CRM says that the call is too old or too new: one of the two clocks is wrong.",
    "signature": "The CRM does not take our signature.",
    "connection_unknown": "The CRM's database does not know this connection.",
    "forbidden": "Something before the CRM refuses the call.",
    "error": "The CRM answers with an error.",
    "not_leadline": "Something answers, but not the Leadline module.",
    "ours": "This service can't open the connection's secret: a data key is missing in its settings.",
}
"""Why a CRM can't be reached: a code for programs, and a sentence."""

PULLING = timedelta(minutes=30)
"""A CRM that pulled within this time gets its events that way, so it need not be called often."""

_LONGEST_PAUSE = timedelta(seconds=60)
_LONGEST_WHILE_PULLED = timedelta(minutes=15)


def reach_key(connection: str) -> Key:
    """Return the key of what is known of how a connection's deliveries fare; nothing is known while all goes well."""
    return Key("deliveries", connection)


def pause(fields: Mapping[str, Any], now: datetime) -> timedelta:
    """Return how long to wait after a failed delivery: longer each time, and longer still for a CRM that pulls."""
    pulled = fields.get("pulled", 0) > (now - PULLING).timestamp()
    longest = _LONGEST_WHILE_PULLED if pulled else _LONGEST_PAUSE
    return min(timedelta(seconds=2 ** fields.get("failures", 0)), longest)


def reach_view(connection: Connection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a connection's CRM is reached, as the CRM sees it. `check` names the last check that was asked for."""
    code = "no_address" if not connection.url else fields.get("code") if fields.get("failures") else None
    return {
        "way": "pulled" if code else "pushed",
        "code": code,
        "reason": (fields.get("reason") or WHY[code]) if code else None,
        "check": fields.get("check"),
    }
