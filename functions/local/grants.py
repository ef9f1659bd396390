"""Grants made by hand, to try the chat API on one machine; a CRM makes its own after it checked the card's rights."""

import asyncio
import os
import time
from pathlib import Path

import jwt

from functions.chat.callers import AUDIENCE, EVERY_CONVERSATION, LONGEST_GRANT
from functions.core.lines import connection_key
from functions.core.secrets import derive
from functions.local import demo, wiring
from functions.local.failure import SetUpFailed


def mint(folder: Path, conversation: str | None) -> str:
    """Return a grant for one conversation, or for all when none is named. Raises `SetUpFailed` before a first run."""
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
    key = derive(asyncio.run(_secret(folder)), "grants")
    return jwt.encode(claims, key, algorithm="HS256", headers={"kid": demo.CONNECTION})


async def _secret(folder: Path) -> str:
    """Return the secret of the demo connection, which another pairing may have changed."""
    async with wiring.opened(os.environ, folder) as ports:
        [connection] = await ports.store.get([connection_key(demo.CONNECTION)])
        if connection is None or not connection.fields["secrets"] or ports.settings.connection_keys is None:
            raise SetUpFailed(f"The demo connection in {folder} has no secret. Start once with `make run`.")
        return ports.settings.connection_keys.open(connection.fields["secrets"][0])
