"""What Meta says of an account, a number or a template: one document per fact, where the newest counts.

Nothing is stopped by any of them: messages come in whatever the line's health.
"""

from datetime import datetime
from typing import Any

from functions.core.ids import key_of
from functions.core.lines import waba_key
from functions.core.phone import digits
from functions.core.store import NOW, Document, Key, Store, create, update
from functions.core.whatsapp import Fact
from functions.webhook.step import Step


async def fact_step(fact: Fact, store: Store, now: datetime, *, line: str | None = None, account: str | None) -> Step:
    """Return what a fact asks for. `line` and `account`: whose it is."""
    key = _key(fact, line)
    [there] = await store.get([key])
    at = int(now.timestamp()) if fact.at is None else fact.at
    if there is not None and (there.fields["at"], there.fields["value"]) >= (at, fact.value):
        return Step()
    fields: dict[str, Any] = {
        "account": account,
        "line": line,
        "waba": fact.waba,
        "fact": fact.fact,
        "value": fact.value,
        "reason": fact.reason,
        "at": at,
        "changed": NOW,
    }
    if fact.template is not None:
        fields |= {"template": fact.template}
    return Step([create(key, fields) if there is None else update(key, fields, version=there.version)])


async def owner(fact: Fact, store: Store) -> tuple[str, str | None] | None:
    """Return the account whose WABA this is, and the line if the fact is of one number; None for a stranger's."""
    [waba] = await store.get([waba_key(fact.waba)])
    if waba is None:
        return None
    return waba.fields["account"], _line(waba, fact.number)


def _line(waba: Document, number: str | None) -> str | None:
    found = waba.fields.get("lines", {}).get(digits(number)) if number else None
    return str(found) if found else None


def _key(fact: Fact, line: str | None) -> Key:
    if fact.template is not None:
        return Key("template_facts", key_of("template_fact", fact.waba, fact.template, fact.fact))
    return Key("line_facts", key_of("fact", line or fact.waba, fact.fact))
