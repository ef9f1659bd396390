"""What agents decide of a message whose end nobody knows, or that failed: it is sent again, or let be."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from tests.chaos.people import AGENT, CLOCKS_DIFFER, Said
from tests.chaos.tabs import Desk

_REFUSALS = ("too_early", "settled_already", "window_closed", "opted_out", "not_found")
"""What the chat API may rightly refuse: word has come meanwhile, a colleague was quicker; else as for what is new."""


def open_ends(desk: Desk) -> list[tuple[dict[str, Any], Said]]:
    """Return what an agent may settle, by what the tab shows, and what was said by it."""
    said = {one.name: one for one in desk.person.of(AGENT)}
    return [
        (item, said[item["client_id"]])
        for item in desk.shown.values()
        if item["client_id"] in said and item["status"] in ("unknown", "failed") and not item["settled"]
    ]


async def settle(desk: Desk, item: dict[str, Any], said: Said, decisions: Sequence[Said | None]) -> None:
    """Let as many agents as there are decisions settle a message at once: None lets it be, else it says it again."""
    async with desk.busy:
        await asyncio.gather(*(_settle(desk, item, said, again) for again in decisions))


async def _settle(desk: Desk, item: dict[str, Any], said: Said, again: Said | None) -> None:
    body = {"as": "let_be"}
    if again:
        body = {"as": "send_again", "client_id": again.name}
        desk.sends[again.name] = (desk.person, again)
    answer = await desk.patiently(partial(desk.tab.post, f"{desk.tab.url}/messages/{item['id']}/settle", body))
    early = item["settle"] and datetime.fromisoformat(item["settle"]["from"]).timestamp() - desk.rig.clock().timestamp()
    if not answer.is_success:
        code = answer.json()["code"]
        assert code in _REFUSALS, answer.text
        desk.refused[code] += 1
        if code == "too_early" and early < -CLOCKS_DIFFER:
            desk.wrong.append(f"{said.text} could not be settled in time")
        return
    if early and early > CLOCKS_DIFFER and "failed" not in said.statuses:
        desk.wrong.append(f"{said.text} was settled too early")
    if said.settled and (again or said.settled != "let_be"):
        desk.wrong.append(f"{said.text} was settled twice")
    said.settled = "sent_again" if again else "let_be"
    if again:
        said.again = again
        desk.person.said.append(again)
