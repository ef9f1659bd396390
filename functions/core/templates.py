"""Templates: what an account may send outside the window. Their definitions are Meta's; ours are copies kept in step.

A definition is known by its account at Meta, its name and its language. What Meta says of it (status, quality,
category) is kept and shown in Meta's own words. Source: Meta, "Templates", "Components", "Template management" (2026).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.ids import key_of
from functions.core.store import NOW, REMOVE, Document, Key, Query
from functions.core.tasks import Task

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")

MARKETING = "MARKETING"
DELETED = "DELETED"

_SENDABLE = frozenset({"APPROVED", "FLAGGED", "REINSTATED"})
"""Meta still sends a flagged one, and tells of a reinstated one by that name only in its webhook."""

_STATUS = {
    "PENDING": "WhatsApp is still reviewing this template.",
    "IN_APPEAL": "WhatsApp is reviewing this template again.",
    "REJECTED": "WhatsApp has rejected this template.",
    "PAUSED": "WhatsApp has paused this template because customers reacted badly to it.",
    "DISABLED": "WhatsApp has disabled this template.",
    "LIMIT_EXCEEDED": "The account has too many templates; this one waits for room.",
    "ARCHIVED": "This template is archived in WhatsApp Manager.",
    "PENDING_DELETION": "This template is being deleted.",
    DELETED: "This template was deleted.",
}

_HEADERS = frozenset({"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"})
_PLAIN_BUTTONS = frozenset({"QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "VOICE_CALL", "REQUEST_CONTACT_INFO"})
_PARTS = frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS"})
_UNSUPPORTED = {
    "CAROUSEL": "A carousel needs a file and values for each card, which can't be given here.",
    "LIMITED_TIME_OFFER": "An offer with an end needs a time, which can't be given here.",
    "FLOW": "Its button opens a form, whose answers can't be received here.",
    "CATALOG": "Its button opens a catalogue, which can't be chosen here.",
    "MPM": "Its button shows products of a catalogue, which can't be chosen here.",
    "SPM": "Its button shows a product of a catalogue, which can't be chosen here.",
    "GIF": "A header with a GIF can only be sent through WhatsApp's marketing API.",
}
_AUTHENTICATION = "It carries one-time codes, which a program must make and send."

FIELDS = "name,status,category,language,components,quality_score,parameter_format,rejected_reason"
"""What is asked of Meta for each definition."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a send must give. `field` names its place: `header`, `header.1`, `body.first_name`, `buttons.0`.

    `kind` is `text`, `image`, `video`, `document`, `location`, `url_suffix` or `copy_code`.
    """

    field: str
    kind: str
    example: str | None

    def view(self) -> dict[str, str | None]:
        return {"field": self.field, "kind": self.kind, "example": self.example}


@dataclass(frozen=True, slots=True)
class Definition:
    """A template as Meta describes it; `components` are Meta's own objects. `id` is Meta's."""

    id: str
    name: str
    language: str
    status: str
    category: str
    quality: str | None
    reason: str | None
    parameter_format: str
    components: tuple[Mapping[str, Any], ...]

    @property
    def named(self) -> bool:
        """Whether variables have names instead of numbers."""
        return self.parameter_format == "named"

    @property
    def body(self) -> str:
        return str(self.part("BODY").get("text") or "")

    @property
    def footer(self) -> str | None:
        return self.part("FOOTER").get("text")

    @property
    def buttons(self) -> list[Mapping[str, Any]]:
        return [button for button in self.part("BUTTONS").get("buttons") or () if isinstance(button, Mapping)]

    @property
    def header_format(self) -> str | None:
        """`TEXT`, `IMAGE` … as Meta writes it; None without a header."""
        header = self.part("HEADER")
        return str(header.get("format") or "TEXT").upper() if header else None

    def part(self, type_: str) -> Mapping[str, Any]:
        """Return the component of this type; an empty one where there is none."""
        return next((one for one in self.components if _upper(one, "type") == type_), {})


def definition_key(waba: str, name: str, language: str) -> Key:
    return Key("templates", key_of("template", waba, name, normal_language(language)))


def normal_language(code: str) -> str:
    """Return a language's code as sends want it.

    >>> normal_language("en-us")
    'en_US'
    """
    language, separator, region = code.strip().replace("-", "_").partition("_")
    return language.lower() + separator + region.upper()


def of_graph(item: Mapping[str, Any]) -> Definition:
    """Return the definition that Meta's template object describes. Raises ValueError for something else."""
    name, language = item.get("name"), item.get("language")
    components = item.get("components") or []
    if not isinstance(name, str) or not isinstance(language, str) or not isinstance(components, list):
        raise ValueError("not a template")
    quality = item.get("quality_score")
    return Definition(
        id=str(item.get("id", "")),
        name=name,
        language=normal_language(language),
        status=str(item.get("status", "")),
        category=str(item.get("category", "")),
        quality=_stated(quality.get("score") if isinstance(quality, Mapping) else quality),
        reason=_stated(item.get("rejected_reason")),
        parameter_format="named" if _upper(item, "parameter_format") == "NAMED" else "positional",
        components=tuple(part for part in components if isinstance(part, Mapping)),
    )


def _stated(value: Any) -> str | None:
    """Return what Meta says, which writes NONE for nothing."""
    return value if isinstance(value, str) and value not in ("", "NONE") else None


def of_document(document: Document) -> Definition:
    """Return the definition that the store keeps."""
    fields = document.fields
    return Definition(
        id=fields["template"],
        name=fields["name"],
        language=fields["language"],
        status=fields["status"],
        category=fields["category"],
        quality=fields["quality"],
        reason=fields["reason"],
        parameter_format=fields["parameter_format"],
        components=tuple(json.loads(fields["components"])),
    )


def definition_fields(definition: Definition, *, account: str, waba: str) -> dict[str, Any]:
    """Return the document of a definition. Its components are kept as text: Meta's examples hold lists in lists."""
    return {
        "account": account,
        "waba": waba,
        "template": definition.id,
        "name": definition.name,
        "language": definition.language,
        "status": definition.status,
        "category": definition.category,
        "quality": definition.quality,
        "reason": definition.reason,
        "parameter_format": definition.parameter_format,
        "components": json.dumps(definition.components, sort_keys=True),
        "place": _place(definition),
        "changed": NOW,
    }


def deleted_fields() -> dict[str, Any]:
    """Return the fields of a definition that Meta no longer has: it is kept, and in no list."""
    return {"status": DELETED, "place": REMOVE, "changed": NOW}


def _place(definition: Definition) -> str:
    """Return the place in the list: what can be sent first, then by name and language."""
    return f"{int(unsendable(definition) is not None)}.{definition.name}.{definition.language}"


def listed(waba: str, after: tuple[str, str] | None, limit: int) -> Query:
    """Return the query for the definitions of an account in their order."""
    return Query("templates", {"waba": waba}, order="place", after=after, limit=limit)


def in_state(waba: str, status: str, limit: int) -> Query:
    """Return the query for an account's definitions of a status, such as `REJECTED`."""
    return Query("templates", {"waba": waba, "status": status}, order="place", limit=limit)


def unsendable(definition: Definition) -> str | None:
    """Return why a template can't be sent from here, as a sentence for the agent; None if it can."""
    if definition.status not in _SENDABLE:
        return _STATUS.get(definition.status, f"WhatsApp shows this template as {definition.status or 'unknown'}.")
    if definition.category == "AUTHENTICATION":
        return _AUTHENTICATION
    for word in _words(definition):
        return _UNSUPPORTED.get(word, f"It has a part that can't be filled in here ({word}).")
    return None


def _words(definition: Definition) -> Iterator[str]:
    """Yield Meta's names of the parts that can't be filled in."""
    yield from (part for one in definition.components if (part := _upper(one, "type")) not in _PARTS)
    if definition.header_format not in (None, *_HEADERS):
        yield str(definition.header_format)
    yield from (kind for button in definition.buttons if (kind := _upper(button, "type")) not in _PLAIN_BUTTONS)


def variables(text: str) -> list[str]:
    """Return the names of a text's variables; numbers in their order, as Meta counts them."""
    found = list(dict.fromkeys(VARIABLE.findall(text)))
    return sorted(found, key=int) if all(name.isdigit() for name in found) else found


def parameters(definition: Definition) -> list[Parameter]:
    """Return what a send must give, in the order in which an agent fills it in."""
    found = [*_header_parameters(definition)]
    found += _text_parameters("body", definition.part("BODY"), definition.named)
    for index, button in enumerate(definition.buttons):
        kind, example = _upper(button, "type"), _first(button.get("example"))
        fixed, variable, _ = str(button.get("url") or "").partition("{{")
        if kind == "URL" and variable:
            found.append(Parameter(f"buttons.{index}", "url_suffix", example and example.removeprefix(fixed)))
        elif kind == "COPY_CODE":
            found.append(Parameter(f"buttons.{index}", "copy_code", example))
    return found


def _header_parameters(definition: Definition) -> list[Parameter]:
    header = definition.part("HEADER")
    if not header:
        return []
    if definition.header_format == "TEXT":
        return _text_parameters("header", header, definition.named)
    return [Parameter("header", str(definition.header_format).lower(), None)]


def _text_parameters(place: str, part: Mapping[str, Any], named: bool) -> list[Parameter]:
    names = variables(str(part.get("text") or ""))
    examples = _examples(part.get("example"), f"{place}_text", named)
    return [
        Parameter(f"{place}.{name}", "text", examples.get(name if named else str(index)))
        for index, name in enumerate(names)
    ]


def _examples(example: Any, name: str, named: bool) -> dict[str, str]:
    """Return the examples by a variable's name, or by its place. Those of a body stand in a list of lists."""
    if not isinstance(example, Mapping):
        return {}
    if named:
        pairs = [one for one in example.get(f"{name}_named_params") or () if isinstance(one, Mapping)]
        return {str(one.get("param_name")): str(one.get("example")) for one in pairs}
    values = example.get(name) or []
    inner = values[0] if values and isinstance(values[0], list) else values
    return {str(index): str(value) for index, value in enumerate(inner)}


def _first(example: Any) -> str | None:
    value = example[0] if isinstance(example, list) and example else example
    return value if isinstance(value, str) else None


def template_view(definition: Definition) -> dict[str, Any]:
    """Return a definition as the chat API shows it."""
    why = unsendable(definition)
    return {
        **summary(definition),
        "parameter_format": definition.parameter_format,
        "header": _header_view(definition),
        "body": definition.body,
        "footer": definition.footer,
        "buttons": [button_view(button) for button in definition.buttons],
        "parameters": [parameter.view() for parameter in parameters(definition)] if why is None else [],
        "sendable": why is None,
        "why": why,
    }


def summary(definition: Definition) -> dict[str, Any]:
    """Return what Meta says of a template, in its own words: also what an event tells."""
    return {
        "name": definition.name,
        "language": definition.language,
        "status": definition.status,
        "category": definition.category,
        "quality": definition.quality,
        "reason": definition.reason,
    }


def _header_view(definition: Definition) -> dict[str, Any] | None:
    format_ = definition.header_format
    if format_ is None:
        return None
    return {"format": format_.lower(), **({"text": definition.part("HEADER").get("text")} if format_ == "TEXT" else {})}


def button_view(button: Mapping[str, Any]) -> dict[str, Any]:
    """Return a button as a customer sees it, its variables unfilled."""
    url = button.get("url")
    return {
        "type": str(button.get("type", "")).lower(),
        "text": button.get("text"),
        **({"url": url} if url else {}),
        **({"phone_number": button["phone_number"]} if button.get("phone_number") else {}),
    }


def _upper(part: Mapping[str, Any], name: str) -> str:
    return str(part.get(name) or "").upper()


def sync_task(line: str, waba: str, now: datetime) -> Task:
    """Return the task that brings all definitions of a line's account into step; many asks of a minute make one."""
    return Task(
        queue="housekeeping",
        function="sender",
        payload={"kind": "templates", "line": line},
        name=key_of("templates", waba, str(int(now.timestamp()) // 60)),
    )


def resync_task(line: str, name: str, language: str, cause: str, at: datetime | None = None) -> Task:
    """Return the task that asks Meta for one definition again. `cause`: what made it needed, which asks once."""
    return Task(
        queue="housekeeping",
        function="sender",
        payload={"kind": "template", "line": line, "name": name, "language": normal_language(language)},
        name=key_of("template", line, name, normal_language(language), cause),
        at=at,
    )
