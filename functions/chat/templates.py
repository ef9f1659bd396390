"""The templates of a line: listed for the picker, asked for again, and filled in by a message."""

from collections.abc import Callable, Mapping
from typing import Any

from functions.chat.callers import Caller
from functions.chat.cursors import place, sort_place
from functions.chat.desk import Desk, line_of, only_servers
from functions.chat.problems import Problem, faulty
from functions.core.lines import Line
from functions.core.template_values import Filled, Misfit, filled
from functions.core.templates import (
    Definition,
    definition_key,
    listed,
    normal_language,
    of_document,
    resync_task,
    sync_task,
    template_view,
    unsendable,
)

_AT_ONCE = 200


async def templates(
    desk: Desk,
    caller: Caller,
    *,
    line: str | None,
    search: str | None,
    language: str | None,
    after: str | None,
    limit: int,
) -> dict[str, Any]:
    """Return a line's templates, those that can be sent first, then by name; `next` is the following page's `after`."""
    owner = await _line(desk, caller, line)
    fits, found = _filter(search, language), list[tuple[str, str, Definition]]()
    seen = sort_place(after) if after else None
    while len(found) <= limit:
        page = await desk.ports.store.query(listed(owner.waba, seen, _AT_ONCE))
        definitions = [(document.fields["place"], document.key.id, of_document(document)) for document in page]
        found += [one for one in definitions if fits(one[2])]
        if len(page) < _AT_ONCE:
            break
        seen = definitions[-1][:2]
    shown = found[:limit]
    return {
        "items": [template_view(definition) for _, _, definition in shown],
        "next": place(*shown[-1][:2]) if len(found) > limit else None,
    }


async def sync(desk: Desk, caller: Caller, line: str) -> dict[str, Any]:
    """Ask for all templates of a line again; they are there in a moment."""
    only_servers(caller)
    owner = await line_of(desk, caller, line)
    await desk.ports.tasks.enqueue(sync_task(owner.id, owner.waba, desk.ports.now()))
    return {}


async def fill_in(desk: Desk, line: Line, template: Mapping[str, Any]) -> Filled:
    """Return a message's template with its values, checked against the definition.

    Raises `Problem` (`template_unknown`, `template_not_approved`, `template_invalid`).
    """
    name, language = template["name"], template["language"]["code"]
    [document] = await desk.ports.store.get([definition_key(line.waba, name, language)])
    if document is None:
        await desk.ports.tasks.enqueue(
            resync_task(line.id, name, language, f"unknown at {int(desk.ports.now().timestamp()) // 60}")
        )
        unknown = "No template of this name and language is known here. WhatsApp is asked for it now."
        raise faulty("template_unknown", unknown, {"name": unknown})
    definition = of_document(document)
    if why := unsendable(definition):
        raise Problem(422, "template_not_approved", why, template_status=definition.status)
    try:
        return filled(definition, template.get("components", ()))
    except Misfit as misfit:
        field, text = next(iter(misfit.faults.items()))
        raise faulty("template_invalid", f"{field}: {text}", misfit.faults) from None


async def _line(desk: Desk, caller: Caller, name: str | None) -> Line:
    """Return the line that is named, else that of the grant's conversation."""
    if name is not None:
        return await line_of(desk, caller, name)
    if caller.conversation is None:
        raise Problem(422, "invalid", "line: say whose templates are meant.")
    return (await desk.open(caller, caller.conversation, "read")).line


def _filter(search: str | None, language: str | None) -> Callable[[Definition], bool]:
    """Return the test of a definition: every word stands in its name or body, and its language is that one."""
    words = (search or "").casefold().replace("_", " ").split()
    wanted = normal_language(language) if language else None

    def fits(definition: Definition) -> bool:
        text = f"{definition.name.replace('_', ' ')}\n{definition.body}".casefold()
        return all(word in text for word in words) and (
            wanted is None or definition.language == wanted or definition.language.startswith(f"{wanted}_")
        )

    return fits
