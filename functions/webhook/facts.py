"""What Meta says of an account, a number or a template: one document per fact, where the newest counts.

Whatever it says of a template is a reason to ask for the definition again.

Nothing is stopped by any of them: messages come in whatever the line's health. A line that may not send tries again
soon after one, whatever it says: that asks Meta, and no list of words has to be kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.events import deliver_task, health_event
from functions.core.health import HEALTH_FACTS, fact_key, hold_key, sooner
from functions.core.ids import key_of
from functions.core.lines import Directory, waba_key
from functions.core.phone import digits
from functions.core.step import Step
from functions.core.store import NOW, Document, Key, Store, Write, create, update
from functions.core.tasks import Task
from functions.core.templates import resync_task
from functions.core.whatsapp import Fact


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a fact is. `line`: of which number it speaks, if of one. `asks`: a line by which Meta can be asked.

    `lines`: all of the business account.
    """

    account: str
    line: str | None
    asks: str | None
    lines: tuple[str, ...] = ()

    @property
    def meant(self) -> tuple[str, ...]:
        """The line of which a fact speaks, or all of the business account."""
        return (self.line,) if self.line else self.lines


async def fact_step(fact: Fact, store: Store, now: datetime, owner: Owner) -> Step:
    """Return what a fact asks for."""
    key = _key(fact, owner.line)
    [there] = await store.get([key])
    at = int(now.timestamp()) if fact.at is None else fact.at
    # Named by the fact, so that a redelivery asks for what its first delivery may not have come to.
    tasks = _resync(fact, owner, f"{fact.fact} {at} {fact.value}")
    if there is not None and (there.fields["at"], there.fields["value"]) >= (at, fact.value):
        return Step(tasks=tasks)
    fields: dict[str, Any] = {
        "account": owner.account,
        "line": owner.line,
        "waba": fact.waba,
        "fact": fact.fact,
        "value": fact.value,
        "reason": fact.reason,
        "at": at,
        "changed": NOW,
    }
    if fact.template is not None:
        fields |= {"template": fact.template}
    written = create(key, fields) if there is None else update(key, fields, version=there.version)
    told, telling = await _told(fact, store, owner, f"{fact.fact} {at} {fact.value}", now)
    return Step([written, *await _sooner(fact, store, owner), *told], [*tasks, *telling])


async def _sooner(fact: Fact, store: Store, owner: Owner) -> list[Write]:
    """Return the writes by which the lines that a fact is about, if they are held, try again."""
    if fact.template is not None or fact.fact == "error":
        return []
    held = await store.get([hold_key(one) for one in owner.meant])
    return [sooner(hold.key) for hold in held if hold]


async def _told(fact: Fact, store: Store, owner: Owner, detail: str, now: datetime) -> tuple[list[Write], list[Task]]:
    """Return what tells the CRMs of the lines that a fact is about, if it is of those that a line's health shows."""
    if fact.template is not None or fact.fact not in HEALTH_FACTS:
        return [], []
    directory = Directory(store)
    lines = [line for one in owner.meant if (line := await directory.line(one))]
    return (
        [health_event(line, detail, now) for line in lines],
        [deliver_task(line.connection, key_of(line.id, detail)) for line in lines],
    )


async def owner_of(fact: Fact, store: Store) -> Owner | None:
    """Return whose business account a fact speaks of; None for a stranger's."""
    [waba] = await store.get([waba_key(fact.waba)])
    if waba is None:
        return None
    return Owner(waba.fields["account"], _line(waba, fact.number), waba.fields.get("line"), _lines(waba))


def _resync(fact: Fact, owner: Owner, cause: str) -> list[Task]:
    if fact.name is None or fact.language is None or owner.asks is None:
        return []
    return [resync_task(owner.asks, fact.name, fact.language, cause)]


def _lines(waba: Document) -> tuple[str, ...]:
    return tuple(str(line) for line in waba.fields.get("lines", {}).values())


def _line(waba: Document, number: str | None) -> str | None:
    found = waba.fields.get("lines", {}).get(digits(number)) if number else None
    return str(found) if found else None


def _key(fact: Fact, line: str | None) -> Key:
    if fact.template is not None:
        return Key("template_facts", key_of("template_fact", fact.waba, fact.template, fact.fact))
    return fact_key(line or fact.waba, fact.fact)
