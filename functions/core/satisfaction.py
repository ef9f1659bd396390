"""How a customer answers the question how satisfied they were: by a button whose id says which session and how much.

A CRM asks the question as any other message of its own. What is on the button is its affair; the id is ours, so that
the answer reaches the CRM as a fact, and not as a text that somebody wrote.
"""

import re
from collections.abc import Mapping
from typing import Any

_ANSWER = re.compile(r"leadline\.satisfaction\.([0-9]{1,18})\.([1-5])")


def satisfaction(message: Mapping[str, Any]) -> dict[str, int] | None:
    """Return {"session", "rating"} of a message document that answers the question; `rating` from 1 (bad) to 5."""
    if message["direction"] != "in":
        return None
    found = _ANSWER.fullmatch(_pressed(message["type"], message.get("content", {})) or "")
    return {"session": int(found[1]), "rating": int(found[2])} if found else None


def _pressed(type_: str, content: Mapping[str, Any]) -> str | None:
    """Return the id of the button, or of the row of a list, that the customer chose."""
    match type_, content:
        case "button", {"payload": str(chosen)}:
            return chosen
        case "interactive", {"button_reply": {"id": str(chosen)}} | {"list_reply": {"id": str(chosen)}}:
            return chosen
    return None
