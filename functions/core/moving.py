"""The writes by which a line takes another number id or business account, or is taken off.

A line keeps its id, and with it its conversations, its outbox and its queue. Meta's old number id goes on leading to
it: what was said to it, and how what was sent with it fared, may still come.
"""

from functions.core.lines import Line, line_key, line_writes, number_key, waba_key
from functions.core.phone import digits
from functions.core.store import NOW, REMOVE, Document, Union, Write, delete, merge, update

FORMER = "former"
"""The field of a line with the number ids that it had before."""


def arriving(line: Line, phone_number_id: str) -> Write:
    """Return the write after which what comes to another number id is the line's, which still sends with its own."""
    return merge(number_key(phone_number_id), {"account": line.account, "line": line.id})


def moved(line: Line, to: Line, old_account: Document | None) -> list[Write]:
    """Return the writes that let a line be what it is to be. `old_account`: the document of its account at Meta."""
    former = {FORMER: Union((line.phone_number_id,))} if line.phone_number_id != to.phone_number_id else {}
    writes = [*line_writes(to), merge(line_key(line.id), {**former, "updated": NOW})]
    if line.waba != to.waba and old_account is not None:
        writes.append(_without(line, old_account) or update(old_account.key, {"polled": False}))
    return writes


def removed(line: Line, document: Document, account: Document | None) -> list[Write]:
    """Return the writes that take a line off: nothing comes in or goes out, and what was said stays to be read."""
    numbers = [line.phone_number_id, *document.fields.get(FORMER, [])]
    writes = [delete(number_key(number)) for number in numbers]
    if account is not None:
        writes.append(_without(line, account) or delete(account.key))
    return [*writes, update(line_key(line.id), {"token": "", "pin": REMOVE, "removed": NOW, "updated": NOW})]


def alone_in(line: Line, account: Document | None) -> bool:
    """Tell whether a line is the last one of its account at Meta."""
    return account is None or not _others(line, account)


def _without(line: Line, account: Document) -> Write | None:
    """Return the write that takes a line out of its account at Meta; None if it was the last one."""
    others = _others(line, account)
    if not others:
        return None
    return update(waba_key(line.waba), {"lines": {digits(line.number): REMOVE}, "line": others[0]})


def _others(line: Line, account: Document) -> list[str]:
    return [str(one) for one in (account.fields.get("lines") or {}).values() if one != line.id]
