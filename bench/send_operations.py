"""What the store does for a message that goes out, counted while the real functions handle it."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bench.cost import Bill, Meter, warm
from tests.payloads import definition, status
from tests.rig import Rig, Tab, rigged

_UNITS = ("reads", "writes", "deletes", "commits")

Bills = dict[str, Bill]
"""By what was at work."""


async def rows() -> list[tuple[str, str]]:
    """Return the rows. Everybody knows the line and nobody the conversation, as for most messages."""
    with tempfile.TemporaryDirectory() as folder:
        async with rigged(Path(folder)) as rig:
            return [(f"store operations, {name}", _shown(bills)) async for name, bills in _happenings(Meter(rig))]


def _shown(bills: Bills) -> str:
    return "; ".join(f"{part}: {', '.join(f'{unit} {bill[unit]}' for unit in _UNITS)}" for part, bill in bills.items())


async def _happenings(meter: Meter) -> AsyncIterator[tuple[str, Bills]]:
    rig = meter.rig
    await rig.holds_templates(definition("hello", "Good day"))
    tab = await warm(meter)
    yield "text in a quiet conversation", await _sent(meter, tab, {"type": "text", "text": {"body": "Hello!"}})
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    delivered = status("delivered", f"wamid.out.{len(rig.whatsapp.messages)}", callback=callback)
    yield "a status of it", {"webhook": await meter.alone(rig.deliver(delivered)), "to the CRM": await _crm(meter)}
    tab = await warm(meter)
    template = {"type": "template", "template": {"name": "hello", "language": {"code": "en_US"}}}
    yield "template", await _sent(meter, tab, template)
    tab = await warm(meter)
    await tab.say("The one in front")
    chat = await meter.alone(tab.say("The one behind"))
    front, *rest = [await meter.alone(_run(rig, "sender", 1)) for _ in range(3)]
    yield "text with one more behind it", {"chat": chat, "sender": front}
    yield "the one behind, and an empty dispatch", dict(zip(("sender", "empty dispatch"), rest, strict=True))


async def _sent(meter: Meter, tab: Tab, message: dict[str, object]) -> Bills:
    return {
        "chat": await meter.alone(tab.send(message)),
        "sender": await meter.alone(_run(meter.rig, "sender", 1)),
        "to the CRM": await _crm(meter),
    }


async def _crm(meter: Meter) -> Bill:
    return await meter.alone(meter.rig.drain())


async def _run(rig: Rig, function: str, times: int) -> None:
    """Run so many of a function's due tasks; there must be as many."""
    for task in [task for task in rig.tasks.due() if task.function == function][:times]:
        rig.tasks.waiting.remove(task)
        answer = await rig.run(task)
        assert answer.status_code == 200, answer.text
        times -= 1
    assert not times, "a task is missing"
