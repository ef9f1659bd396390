"""Requests to the chat API, made from its own description: each route with everything in the wrong place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.hostile.inputs import TEXTS, changed, raw, values, written

_KNOWN_IDS = ("{conversation}", "{conversation}", "{message}", "{other}")
"""Filled in with what there is, when the request is made."""

_SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "line": ("line", "100000000000001", "another"),
    "client_id": ("client-one", "client-two", "client-three"),
    "conversation": _KNOWN_IDS,
    "contact": ("{contact}", *_KNOWN_IDS),
    "message": ("{message}", *_KNOWN_IDS),
    "message_id": ("{message}", *_KNOWN_IDS),
    "id": _KNOWN_IDS,
    "phone": ("+5511987654321", "+1 555 010 0002"),
    "at": ("2026-05-29T10:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    "code": ("en_US", "pt_BR", "K7QF-M2XW-9R4T"),
    "claim": ("a-claim-of-twenty-two-letters",),
    "mime": ("image/png", "application/pdf", "text/html"),
    "emoji": ("👍", ""),
    "language": ("en_US", "de"),
    "url": ("https://crm.example.com", "http://169.254.169.254", "https://[::1]:99999", "ftp://x"),
    "after": ("0", "1780000000000000", "1780000000000000~{message}", "1780000000000000~a/b", "0:0~.."),
    "before": ("1780000000000000~{message}", "000001780000000.000001780000000000.0000~{message}", "x~a/b", "1~__x__"),
    "updated_after": ("2026-05-29T10:00:00Z", "0001-01-01T00:00:00+14:00"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its known ids not filled in yet. `path` may hold anything, encoded."""

    method: str
    route: str
    path: str
    body: bytes | None
    type: str


def requests(description: Mapping[str, Any]) -> st.SearchStrategy[Request]:
    """Return requests to every route that is described."""
    operations = [
        (method.upper(), path, operation)
        for path, found in description["paths"].items()
        for method, operation in found.items()
    ]
    schemas = description["components"]["schemas"]
    return st.sampled_from(operations).flatmap(lambda one: _request(*one, schemas))


@st.composite
def _request(
    draw: st.DrawFn, method: str, route: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Request:
    path, query = route.removeprefix("/chat"), dict[str, str]()
    for one in operation.get("parameters", ()):
        name, schema = one["name"], one["schema"]
        if one["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(_plain(draw(_parameter(name, schema))), safe="{}"))
        elif one["in"] == "query" and (one.get("required") or draw(st.booleans())):
            query[name] = _plain(draw(_parameter(name, schema)))
    if draw(st.integers(0, 9)) == 0:
        query[draw(st.sampled_from(["x", "", "limit", "__proto__"]))] = _plain(draw(st.sampled_from(TEXTS)))
    asked = f"?{urlencode(query, safe='{}')}" if query else ""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body, kind = None, "application/json"
    if content:
        valid = _of(content["schema"], schemas)
        body = draw(st.one_of(valid.map(written), changed(valid).map(written), changed(valid).map(written), raw))
        kind = draw(st.sampled_from(["application/json"] * 8 + ["text/plain", "", "application/json; charset=utf-16"]))
    return Request(method, f"{method} {route}", path + asked, body, kind)


def _plain(value: Any) -> str:
    """Return a text that can stand in an address."""
    return str(value).encode("utf-8", "replace").decode()[:4000]


def _parameter(name: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    known = _SAMPLES.get(name, ("1", "50", "svg", "#000000"))
    right = st.sampled_from(known)
    return st.one_of(right, right, right, right, st.sampled_from(TEXTS), st.text(max_size=20))


def _of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Return values that suit a schema, as far as it can be told without its patterns."""
    if reference := schema.get("$ref"):
        return st.deferred(lambda: _of(schemas[reference.rpartition("/")[2]], schemas, name))
    if kinds := schema.get("oneOf") or schema.get("anyOf"):
        return st.one_of(*(_of(kind, schemas, name) for kind in kinds))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema, schemas)
        case "array":
            least, most = schema.get("minItems", 0), min(schema.get("maxItems", 3), 3)
            return st.lists(_of(schema.get("items", {}), schemas, name), min_size=least, max_size=max(least, most))
        case "string":
            return st.sampled_from(_SAMPLES[name]) if name in _SAMPLES else st.sampled_from(["words", "A word", "x"])
        case "integer":
            return st.sampled_from([1, 7, 5, 10**30])
        case "number":
            return st.floats(-90, 90)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return values


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    required = set(schema.get("required", ()))
    fields = {name: _of(one, schemas, name) for name, one in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: one for name, one in fields.items() if name in required},
        optional={name: one for name, one in fields.items() if name not in required},
    )
