"""The floor of a webhook: a bare ASGI app that checks the HMAC, reads the JSON and answers 200.

With `BARE_STORE`, a file, it commits the body to SQLite before it answers: each in a transaction of its own, with the
durability of `functions.local.sqlite`.
"""

import hashlib
import hmac
import json
import os
import sqlite3
from typing import Any

_KEY = os.environ["WHATSAPP_APP_SECRET"].encode()
_STORE: sqlite3.Connection | None = None
if path := os.environ.get("BARE_STORE"):
    _STORE = sqlite3.connect(path, isolation_level=None)
    _STORE.execute("PRAGMA journal_mode = WAL")
    _STORE.execute("PRAGMA synchronous = FULL")
    _STORE.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        part = await receive()
        body += part.get("body", b"")
        more = part.get("more_body", False)
    given = dict(scope["headers"]).get(b"x-hub-signature-256", b"")
    expected = b"sha256=" + hmac.new(_KEY, body, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(given, expected):
        return await _answer(send, 401)
    json.loads(body)
    if _STORE:
        _STORE.execute("INSERT INTO bodies (body) VALUES (?)", (body,))
    return await _answer(send, 200)


async def _answer(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"OK"})
