"""Keep a conversation's ways in within bounds: the first and the latest of them stay."""

from functions.core.conversation import within_bounds
from functions.core.ports import Ports
from functions.core.store import Key, Stale, Unavailable, update

_RACES = 5


async def trim(ports: Ports, conversation: str) -> None:
    """Let go of what came between, if there is too much of it. Raises `Unavailable`."""
    for _ in range(_RACES):
        [found] = await ports.store.get([Key("conversations", conversation)])
        kept = within_bounds(found.fields) if found else {}
        if found is None or not kept:
            return
        try:
            await ports.store.commit([update(found.key, kept, version=found.version)])
        except Stale:
            continue  # The customer is writing.
        return
    raise Unavailable("the conversation changes all the time")
