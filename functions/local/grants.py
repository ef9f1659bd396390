"""Grants made by hand, to try the chat API on one machine; a CRM makes its own after it checked the card's rights."""

import time
from pathlib import Path

import jwt

from functions.chat.callers import AUDIENCE, EVERY_CONVERSATION, LONGEST_GRANT
from functions.core.secrets import derive
from functions.local import demo
from functions.local.failure import SetUpFailed
from functions.local.keys import Keys


def mint(folder: Path, conversation: str | None) -> str:
    """Return a grant for one conversation, or for all when none is named. Raises `SetUpFailed` before a first run."""
    if not (folder / "keys.json").exists():
        raise SetUpFailed(f"There are no keys in {folder}. Start once with `make run`.")
    now = int(time.time())
    claims = {
        "aud": AUDIENCE,
        "sub": "command-line",
        "name": "Command line",
        "conversation": conversation or EVERY_CONVERSATION,
        "can": ["read", "send", "note"],
        "iat": now,
        "exp": now + LONGEST_GRANT,
    }
    key = derive(Keys.of(folder).connection_secret, "grants")
    return jwt.encode(claims, key, algorithm="HS256", headers={"kid": demo.CONNECTION})
