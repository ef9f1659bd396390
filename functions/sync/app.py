"""The sync function's tasks: deliver events to the CRM, take in the past, carry joined conversations over, sweep."""

import httpx

from functions.core import work
from functions.core.erasure import finish
from functions.core.http import Handler
from functions.core.joining import carry, carry_person
from functions.core.ports import Ports
from functions.core.settings import BadSetting
from functions.sync.courtesies import Courtesies
from functions.sync.deliver import Delivery
from functions.sync.health import check_lines
from functions.sync.imports import work_off
from functions.sync.odoo import Odoo
from functions.sync.retention import retain
from functions.sync.sweep import sweep
from functions.sync.ways_in import trim


def create(ports: Ports, client: httpx.AsyncClient | None = None) -> Handler:
    """Return the function's handler. `client`: another way to the CRMs, for tests. Raises `BadSetting`."""
    settings = ports.settings
    if settings.connection_keys is None:
        raise BadSetting("LEADLINE_CONNECTION_KEYS is missing: it opens the secrets of the CRM connections.")
    odoo = Odoo(
        client or httpx.AsyncClient(),
        lambda: ports.now().timestamp(),
        allow_private=settings.allow_private_crm,
    )
    delivery = Delivery(ports, settings.connection_keys, {"odoo": odoo})
    courtesies = Courtesies(ports)
    return work.handler(
        ports,
        "sync",
        {
            "events": lambda task: delivery.deliver(task["connection"], retry="retry" in task),
            "check": lambda task: delivery.check(task["connection"], task["check"]),
            "carry": lambda task: carry(ports, task["conversation"]),
            "carry_person": lambda task: carry_person(ports, task["contact"]),
            "import": lambda task: work_off(ports, task["import"], int(task["start"])),
            "goodbye": lambda task: courtesies.goodbye(task["conversation"], task.get("message")),
            "notice": lambda task: courtesies.notice(task["conversation"]),
            "trim": lambda task: trim(ports, task["conversation"]),
            "health": lambda task: check_lines(ports),
            "erase": lambda task: _erase(ports, task["contact"]),
            "retention": lambda task: retain(ports, task["account"], task.get("behind", "")),
            "sweep": lambda task: sweep(ports, task.get("part"), task.get("behind", "")),
        },
    )


async def _erase(ports: Ports, contact: str) -> None:
    await finish(ports, contact)
