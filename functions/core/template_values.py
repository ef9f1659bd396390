"""A template filled in: the values that a send gives are checked against the definition before anything is queued.

Source: Meta, "Components", "Template messages" and "Error codes" (132000, 132005, 132012, 132018).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.templates import (
    VARIABLE,
    Definition,
    Parameter,
    button_view,
    normal_language,
    parameters,
    variables,
)

LONGEST = {"body": 1024, "header": 60}
"""Characters of a part with its values in it."""

LONGEST_URL = 2000
LONGEST_CODE = 20
LONGEST_PAYLOAD = 256

MEDIA_HEADERS = ("image", "video", "document")

_FORBIDDEN = re.compile(r"[\n\r\t]| {5,}")
_KIND_SENT = {"url_suffix": "text", "copy_code": "coupon_code"}
_VALUE = {"text": "text", "coupon_code": "coupon_code"}


class Misfit(Exception):
    """The values do not fit the template; `faults` holds a sentence for each field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its values: what the customer sees, and Graph's object for the send.

    `file`: kind and upload id of a header's file, whose id at Meta is put into `content` when it is sent.
    """

    view: dict[str, Any]
    content: dict[str, Any]
    file: tuple[str, str] | None


def filled(definition: Definition, components: Sequence[Mapping[str, Any]]) -> Filled:
    """Return a template with the values of a send in Graph's shape. Raises `Misfit`."""
    needed = {parameter.field: parameter for parameter in parameters(definition)}
    given, payloads, faults = _given(definition, components)
    faults |= dict.fromkeys(given.keys() - needed.keys(), "The template has no such variable.")
    for field, parameter in needed.items():
        if fault := _fault(parameter, given.get(field)):
            faults.setdefault(field, fault)
    view = _view(definition, given)
    faults |= {field: fault for field, fault in _too_long(definition, view).items() if field not in faults}
    if faults:
        raise Misfit(faults)
    return Filled(view, _content(definition, needed, given, payloads), _file(definition, given))


_Given = dict[str, Mapping[str, Any]]


def _given(
    definition: Definition, components: Sequence[Mapping[str, Any]]
) -> tuple[_Given, dict[int, str], dict[str, str]]:
    """Return each field's parameter as it was sent, the payloads of quick replies by button, and what is unreadable."""
    given: _Given = {}
    payloads: dict[int, str] = {}
    faults: dict[str, str] = {}
    for component in components:
        type_, sent = component["type"], component.get("parameters") or []
        if type_ == "button":
            _read_button(definition, component, given, payloads, faults)
        elif type_ == "header" and definition.header_format not in (None, "TEXT"):
            given |= {"header" if index == 0 else f"header.{index + 1}": one for index, one in enumerate(sent)}
        else:
            names = variables(str(definition.part(type_.upper()).get("text") or ""))
            for index, one in enumerate(sent):
                given[f"{type_}.{_name(definition, names, index, one)}"] = one
    return given, payloads, faults


def _name(definition: Definition, names: Sequence[str], index: int, parameter: Mapping[str, Any]) -> str:
    if definition.named:
        return str(parameter.get("parameter_name") or index + 1)
    return names[index] if index < len(names) else str(index + 1)


def _read_button(
    definition: Definition,
    component: Mapping[str, Any],
    given: _Given,
    payloads: dict[int, str],
    faults: dict[str, str],
) -> None:
    index = component["index"]
    field, sent = f"buttons.{index}", component.get("parameters") or [{}]
    if index >= len(definition.buttons):
        faults[field] = "The template has no such button."
        return
    kind = str(definition.buttons[index].get("type", "")).lower()
    if component["sub_type"] != kind:
        faults[field] = f"This button is of type {kind}."
    elif kind == "quick_reply":
        payloads[index] = str(sent[0].get("payload") or "")
    else:
        given[field] = sent[0]


def _fault(parameter: Parameter, sent: Mapping[str, Any] | None) -> str | None:
    """Return what is wrong with a value, as a sentence for the agent."""
    kind = _KIND_SENT.get(parameter.kind, parameter.kind)
    if sent is None:
        return "A value is missing." if kind in _VALUE else f"The header needs a {kind}."
    if sent.get("type") != kind:
        return f"This must be of type {kind}."
    value = sent.get(kind)
    if kind not in _VALUE:
        return None if value else f"The header needs a {kind}."
    if not isinstance(value, str) or not value.strip():
        return "A value is missing."
    return _text_fault(parameter.kind, value)


def _text_fault(kind: str, text: str) -> str | None:
    if _FORBIDDEN.search(text):
        return "WhatsApp allows no line breaks, no tabs and no more than 4 spaces in a row here."
    if kind == "url_suffix" and re.search(r"\s", text):
        return "An address can't hold spaces."
    if kind == "copy_code" and len(text) > LONGEST_CODE:
        return f"A code has at most {LONGEST_CODE} characters; this one has {len(text)}."
    return None


def _view(definition: Definition, given: _Given) -> dict[str, Any]:
    """Return what the customer sees; a variable without a value stays as it is."""
    return {
        "name": definition.name,
        "language": definition.language,
        "category": definition.category,
        "header": _header(definition, given),
        "body": _hydrated("body", definition.body, given),
        "footer": definition.footer,
        "buttons": [_button(index, button, given) for index, button in enumerate(definition.buttons)],
    }


def _header(definition: Definition, given: _Given) -> dict[str, Any] | None:
    format_ = definition.header_format
    if format_ is None:
        return None
    if format_ == "TEXT":
        return {"type": "text", "text": _hydrated("header", str(definition.part("HEADER").get("text") or ""), given)}
    kind = format_.lower()
    place = given.get("header", {}).get("location")
    return {"type": kind, **({"location": place} if kind == "location" and place else {})}


def _hydrated(place: str, text: str, given: _Given) -> str:
    def value(match: re.Match[str]) -> str:
        return str(given.get(f"{place}.{match[1]}", {}).get("text") or match[0])

    return VARIABLE.sub(value, text)


def _button(index: int, button: Mapping[str, Any], given: _Given) -> dict[str, Any]:
    shown, value = button_view(button), given.get(f"buttons.{index}", {})
    if "url" in shown:
        shown["url"] = VARIABLE.sub(lambda match: str(value.get("text") or match[0]), shown["url"])
    if value.get("coupon_code"):
        shown["code"] = value["coupon_code"]
    return shown


def _too_long(definition: Definition, view: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts that are too long with their values; nobody can tell which value is to blame."""
    faults = {}
    texts = {"body": view["body"], "header": (view["header"] or {}).get("text", "")}
    for place, text in texts.items():
        if (longest := LONGEST[place]) < len(text):
            faults[place] = f"With its values it has {len(text)} characters; WhatsApp takes at most {longest}."
    for index, button in enumerate(view["buttons"]):
        if len(button.get("url", "")) > LONGEST_URL:
            faults[f"buttons.{index}"] = f"WhatsApp takes addresses of at most {LONGEST_URL} characters."
    return faults


def _content(
    definition: Definition, needed: Mapping[str, Parameter], given: _Given, payloads: Mapping[int, str]
) -> dict[str, Any]:
    """Return Graph's object, with the parts in the definition's order."""
    components: list[dict[str, Any]] = []
    for place in ("header", "body"):
        fields = [field for field in needed if field.partition(".")[0] == place]
        if fields:
            components.append({"type": place, "parameters": [_parameter(definition, f, given[f]) for f in fields]})
    for index, button in enumerate(definition.buttons):
        parameter = given.get(f"buttons.{index}")
        if payload := payloads.get(index):
            parameter = {"type": "payload", "payload": payload}
        if parameter is not None:
            kind = str(button.get("type", "")).lower()
            components.append({"type": "button", "sub_type": kind, "index": index, "parameters": [_bare(parameter)]})
    return {
        "name": definition.name,
        "language": {"code": normal_language(definition.language)},
        "components": components,
    }


def _parameter(definition: Definition, field: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    name = {"parameter_name": field.partition(".")[2]} if definition.named and "." in field else {}
    return {**_bare(sent), **name}


def _bare(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter with only its type and value; a file's id here is none at Meta."""
    kind = sent["type"]
    value = sent[kind]
    if kind in MEDIA_HEADERS:
        value = {name: one for name, one in value.items() if name != "id"}
    return {"type": kind, kind: value}


def _file(definition: Definition, given: _Given) -> tuple[str, str] | None:
    header = given.get("header")
    if header is None or header["type"] not in MEDIA_HEADERS:
        return None
    return header["type"], str(header[header["type"]]["id"])


def with_file(content: Mapping[str, Any], media_id: str) -> dict[str, Any]:
    """Return Graph's object with the id that Meta gave the header's file."""
    [header] = [one for one in content["components"] if one["type"] == "header"]
    [parameter] = header["parameters"]
    kind = parameter["type"]
    sent = {"type": kind, kind: {**parameter[kind], "id": media_id}}
    rest = [one for one in content["components"] if one is not header]
    return {**content, "components": [{**header, "parameters": [sent]}, *rest]}
