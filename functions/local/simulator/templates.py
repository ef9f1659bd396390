"""Message templates: the definitions an account holds, and how a send must fit one of them.

Source: Meta, "Templates" (components, parameter formats) and "Error codes" (132xxx).
"""

import json
import re
from typing import Any

from functions.local.simulator.database import Database
from functions.local.simulator.errors import GraphError
from functions.local.simulator.identifiers import node_id
from functions.local.simulator.shapes import Component, Parameter, Template

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FORBIDDEN = re.compile(r"[\n\t]| {5,}")
_LONGEST_BODY = 1024
_NOT_SENDABLE = {"PAUSED": 132015, "DISABLED": 132016}

SEEDS: list[dict[str, Any]] = [
    {
        "name": "hello_world",
        "language": "en_US",
        "category": "UTILITY",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            {"type": "BODY", "text": "Welcome, and thank you for trying this line."},
            {"type": "FOOTER", "text": "A sample template"},
        ],
    },
    {
        "name": "order_update",
        "language": "en_US",
        "category": "UTILITY",
        "components": [
            {
                "type": "BODY",
                "text": "Hi {{1}}, your order {{2}} has left our workshop. It should be with you soon.",
                "example": {"body_text": [["Ana", "#42"]]},
            },
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "URL",
                        "text": "Track it",
                        "url": "https://shop.example/orders/{{1}}",
                        "example": ["https://shop.example/orders/42"],
                    }
                ],
            },
        ],
    },
    {
        "name": "order_update",
        "language": "pt_BR",
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": "Olá {{1}}, o seu pedido {{2}} saiu da nossa oficina. Chega em breve."},
            {
                "type": "BUTTONS",
                "buttons": [{"type": "URL", "text": "Acompanhar", "url": "https://shop.example/orders/{{1}}"}],
            },
        ],
    },
    {
        "name": "appointment_reminder",
        "language": "en_US",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "HEADER",
                "format": "TEXT",
                "text": "See you soon, {{first_name}}",
                "example": {"header_text_named_params": [{"param_name": "first_name", "example": "Ana"}]},
            },
            {
                "type": "BODY",
                "text": "Your appointment is on {{day}} at {{time}}. Does that still suit you?",
                "example": {
                    "body_text_named_params": [
                        {"param_name": "day", "example": "Friday"},
                        {"param_name": "time", "example": "10:00"},
                    ]
                },
            },
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "QUICK_REPLY", "text": "Yes, see you"},
                    {"type": "QUICK_REPLY", "text": "Another time"},
                ],
            },
        ],
    },
    {
        "name": "spring_offer",
        "language": "en_US",
        "category": "MARKETING",
        "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Hello {{1}}, everything with green leaves is a little cheaper this week."},
            {"type": "FOOTER", "text": "Reply STOP to hear no more offers"},
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "COPY_CODE", "text": "Copy offer code", "example": ["LEAF10"]},
                    {"type": "QUICK_REPLY", "text": "Tell me more"},
                ],
            },
        ],
    },
    {
        "name": "autumn_offer",
        "language": "en_US",
        "category": "MARKETING",
        "status": "PAUSED",
        "components": [{"type": "BODY", "text": "Hello {{1}}, the leaves are falling and so are our prices."}],
    },
]
"""What a new account holds: positional and named variables, a media header, each kind of button, and a paused one."""


class Templates:
    """The templates of each account, keyed by name and language."""

    def __init__(self, database: Database, wabas: list[str]) -> None:
        self._database = database
        for waba in wabas:
            self.seed(waba)

    def seed(self, waba: str) -> None:
        """Give an account that has no templates its first ones."""
        if not self._database.one("SELECT 1 FROM templates WHERE waba = ?", waba):
            for definition in SEEDS:
                self.put(waba, definition)

    def put(self, waba: str, definition: dict[str, Any]) -> str:
        """Add or replace a definition; return its id."""
        known = self._row(waba, definition["name"], definition["language"])
        template_id: str = known["id"] if known else node_id()
        whole = {"status": "APPROVED", "parameter_format": "POSITIONAL", "category": "UTILITY", **definition}
        whole.setdefault("quality_score", {"score": "GREEN"})
        self._database.run(
            "INSERT OR REPLACE INTO templates (id, waba, name, language, definition) VALUES (?, ?, ?, ?, ?)",
            *(template_id, waba, whole["name"], whole["language"], json.dumps(whole)),
        )
        return template_id

    def all(self, waba: str) -> list[dict[str, Any]]:
        """Return an account's definitions with their ids, in the order of their making."""
        rows = self._database.all("SELECT * FROM templates WHERE waba = ? ORDER BY name, language", waba)
        return [_whole(row) for row in rows]

    def get(self, template_id: str) -> tuple[str, dict[str, Any]] | None:
        """Return the account and definition of a template id."""
        row = self._database.one("SELECT * FROM templates WHERE id = ?", template_id)
        return (row["waba"], _whole(row)) if row else None

    def remove(self, waba: str, name: str) -> bool:
        """Delete a name in all its languages; say whether there was one."""
        return self._database.run("DELETE FROM templates WHERE waba = ? AND name = ?", waba, name).rowcount > 0

    def definition(self, waba: str, template: Template) -> dict[str, Any]:
        """Return the definition that a send names. Raises `GraphError` when it can't be sent."""
        row = self._row(waba, template.name, template.language.code)
        found = json.loads(row["definition"]) if row else {"status": "MISSING"}
        if found["status"] in _NOT_SENDABLE:
            raise GraphError(_NOT_SENDABLE[found["status"]])
        if found["status"] != "APPROVED":
            name, language = template.name, template.language.code
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        return dict(found)

    def _row(self, waba: str, name: str, language: str) -> Any:
        return self._database.one(
            "SELECT * FROM templates WHERE waba = ? AND name = ? AND language = ?", waba, name, language
        )


def _whole(row: Any) -> dict[str, Any]:
    return {"rejected_reason": "NONE", **json.loads(row["definition"]), "id": row["id"]}


def filled(definition: dict[str, Any], template: Template) -> dict[str, Any]:
    """Return what the phone shows: `header`, `body`, `footer`, `buttons`. Raises `GraphError` where a send misfits."""
    named = definition["parameter_format"].upper() == "NAMED"
    parts = {part["type"].upper(): part for part in definition["components"]}
    shown: dict[str, Any] = {"body": ""}
    if header := parts.get("HEADER"):
        shown["header"] = _header(header, _component(template, "header"), named)
    elif _component(template, "header"):
        raise GraphError(132000, "header: the template has none")
    if body := parts.get("BODY"):
        shown["body"] = _hydrated("body", body["text"], _component(template, "body"), named)
        if len(shown["body"]) > _LONGEST_BODY:
            raise GraphError(132005, f"body: {len(shown['body'])} characters, at most {_LONGEST_BODY}")
    if footer := parts.get("FOOTER"):
        shown["footer"] = footer["text"]
    shown["buttons"] = _buttons(parts.get("BUTTONS", {}).get("buttons", []), template)
    return shown


def _component(template: Template, kind: str) -> list[Parameter]:
    return [p for part in template.components if part.type.lower() == kind for p in part.parameters]


def _header(header: dict[str, Any], parameters: list[Parameter], named: bool) -> dict[str, Any]:
    wanted = header["format"].upper()
    if wanted == "TEXT":
        return {"type": "text", "text": _hydrated("header", header["text"], parameters, named)}
    received = parameters[0].type.upper() if parameters else "UNKNOWN"
    if received != wanted or len(parameters) > 1:
        raise GraphError(132012, f"header: Format mismatch, expected {wanted}, received {received}")
    kind = wanted.lower()
    return {"type": kind, kind: getattr(parameters[0], kind).model_dump(exclude_none=True)}


def _hydrated(place: str, text: str, parameters: list[Parameter], named: bool) -> str:
    """Put the parameters into a text."""
    variables = list(dict.fromkeys(_VARIABLE.findall(text)))
    if len(parameters) != len(variables):
        raise GraphError(
            132000,
            f"{place}: number of localizable_params ({len(parameters)}) does not match the expected number of params "
            f"({len(variables)})",
        )
    values = _named(parameters, variables) if named else dict(zip(variables, _texts(parameters), strict=True))
    return _VARIABLE.sub(lambda match: values[match[1]], text)


def _named(parameters: list[Parameter], variables: list[str]) -> dict[str, str]:
    if not all(parameter.parameter_name for parameter in parameters):
        raise GraphError(100, "Parameter name is missing or empty")
    values = {str(p.parameter_name): text for p, text in zip(parameters, _texts(parameters), strict=True)}
    if set(values) != set(variables):
        raise GraphError(132012, f"Unknown parameter name; the template has {', '.join(variables)}")
    return values


def _texts(parameters: list[Parameter]) -> list[str]:
    return [_text(parameter) for parameter in parameters]


def _text(parameter: Parameter) -> str:
    if parameter.type in ("currency", "date_time"):
        return str((parameter.currency or parameter.date_time or {}).get("fallback_value", ""))
    if parameter.type != "text":
        raise GraphError(132012, f"Format mismatch, expected TEXT, received {parameter.type.upper()}")
    text = parameter.text or ""
    if not text:
        raise GraphError(131008, "Parameter of type text is missing text value")
    if _FORBIDDEN.search(text):
        raise GraphError(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return text


def _buttons(buttons: list[dict[str, Any]], template: Template) -> list[dict[str, Any]]:
    sent = {part.index: part for part in template.components if part.type.lower() == "button"}
    if unknown := [index for index in sent if index is None or index >= len(buttons)]:
        raise GraphError(132000, f"buttons: there is no button at index {unknown[0]}")
    return [_button(index, button, sent.get(index)) for index, button in enumerate(buttons)]


def _button(index: int, button: dict[str, Any], sent: Component | None) -> dict[str, Any]:
    kind = button["type"].upper()
    shown = {"type": kind, "text": button["text"]}
    parameter = sent.parameters[0] if sent and sent.parameters else None
    if sent and (sent.sub_type or "").upper() != kind:
        raise GraphError(132012, f"buttons: the button at index {index} is of type {kind}")
    if kind == "URL":
        return {**shown, "url": _url(index, button["url"], parameter)}
    if kind == "COPY_CODE":
        if parameter is None or parameter.type != "coupon_code":
            raise GraphError(131008, f"buttons: Button at index {index} of type CopyCode requires a parameter")
        return {**shown, "code": parameter.coupon_code}
    if kind == "QUICK_REPLY":
        return {**shown, "payload": parameter.payload if parameter and parameter.payload else button["text"]}
    return shown


def _url(index: int, url: str, parameter: Parameter | None) -> str:
    if not _VARIABLE.search(url):
        return url
    if parameter is None or parameter.type != "text":
        raise GraphError(131008, f"buttons: Button at index {index} of type Url requires a parameter")
    return _VARIABLE.sub(lambda _: parameter.text or "", url)
