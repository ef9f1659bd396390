"""Prints what pywa's verifying and parsing of a text message cost, as JSON in µs of CPU.

Run by pywa's own interpreter: `python -m bench.peers.pywa_cpu BODY SIGNATURE SECRET`.
"""

import json
import sys

from pywa import WhatsApp
from pywa.types import Message, RawUpdate

from bench.stopwatch import Repeated, floor, microseconds


def main(text: str, signature: str, secret: str) -> None:
    """Print the table. `parse` ends with pywa's message, `dispatch` with a handler that does nothing."""
    body = text.encode()
    # It would skip a body that it saw before.
    client = WhatsApp(token="-", app_secret=secret, verify_token="-", skip_duplicate_updates=False)
    client.on_message(_nothing)
    works = {
        "floor": floor(body, signature, secret),
        "parse": _parse(client, body, signature),
        "dispatch": _dispatch(client, body, signature),
    }
    print(json.dumps(microseconds(works)))


def _parse(client: WhatsApp, body: bytes, signature: str) -> Repeated:
    def work(times: int) -> None:
        for _ in range(times):
            assert client.webhook_update_validator(body, signature) is None
            raw = RawUpdate(body, hmac_header=None, update_hash="")
            assert Message.from_update(client, raw).text

    return work


def _dispatch(client: WhatsApp, body: bytes, signature: str) -> Repeated:
    def work(times: int) -> None:
        for _ in range(times):
            assert client.webhook_update_validator(body, signature) is None
            assert client.webhook_update_handler(body) == ("ok", 200)

    return work


def _nothing(_: WhatsApp, message: Message) -> None:
    assert message.text


if __name__ == "__main__":
    main(*sys.argv[1:])
