"""The schema of hashicorp/google, and what in a Terraform module goes against it, without a registry.

`google-6.50-schema.json` describes the types that `infra/` uses; `make_schema.py` makes it again for others.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.infra.module import Body, Module, arguments, is_block

SCHEMA = Path(__file__).with_name("google-6.50-schema.json")

Spec = Mapping[str, Any]
"""What a block may hold: `attributes` (with `type`, `required`, `optional`, `computed`) and `blocks`, again specs."""

_ANYWHERE = frozenset({"count", "for_each", "depends_on", "provider", "lifecycle"})
_KINDS = ("resource", "data")
_REFERENCE = re.compile(r"(?<![\w.])(data\.)?(google_\w+)\.(\w+)(?:\[[^\]]*\])?\.(\w+)")
_LITERALS = {bool: "bool", int: "number", float: "number", list: "list", dict: "map"}
_TAKEN = {"string": {"string", "number", "bool"}, "set": {"list"}}


def load() -> dict[str, Any]:
    """Return the schema: `provider`, `resource` and `data`, each by type."""
    return json.loads(SCHEMA.read_text())  # type: ignore[no-any-return]


def problems(module: Module, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each thing that the provider would not take."""
    declared = {(kind, *labels) for kind in _KINDS for labels, _ in module.blocks(kind)}
    for kind in ("provider", *_KINDS):
        for labels, body in module.blocks(kind):
            if not labels[0].startswith("google"):
                continue
            where = ".".join((kind, *labels))
            spec = schema[kind].get(labels[0])
            if spec is None:
                yield f"{where}: there is no such type{_near(labels[0], schema[kind])}"
            else:
                yield from _against(where, spec, body)
            yield from _references(where, body, schema, declared)


def _against(where: str, spec: Spec, body: Body) -> Iterator[str]:
    present = set()
    for name, value in arguments(body):
        if name == "dynamic":
            blocks = [(block, inner) for each in value for block, inner in arguments(each)]
            present |= {block for block, _ in blocks}
            for block, inner in blocks:
                yield from _block(where, spec, block, inner["content"])
        elif name not in _ANYWHERE:
            present.add(name)
            yield from _block(where, spec, name, value) if is_block(value) else _argument(where, spec, name, value)
    for name, each in (spec["attributes"] | spec["blocks"]).items():
        if each["required"] and name not in present:
            yield f"{where}: {name} is missing"


def _block(where: str, spec: Spec, name: str, bodies: list[Body]) -> Iterator[str]:
    if name not in spec["blocks"]:
        yield f"{where}: there is no block {name}{_near(name, spec['blocks'])}"
        return
    if spec["blocks"][name]["nesting"] == "single" and len(bodies) > 1:
        yield f"{where}: {name} may stand once"
    for body in bodies:
        yield from _against(f"{where}.{name}", spec["blocks"][name], body)


def _argument(where: str, spec: Spec, name: str, value: Any) -> Iterator[str]:
    attribute = spec["attributes"].get(name)
    if attribute is None:
        yield f"{where}: there is no argument {name}{_near(name, spec['attributes'] | spec['blocks'])}"
    elif not attribute["optional"] and not attribute["required"]:
        yield f"{where}: {name} can only be read"
    elif not _fits(attribute["type"], value):
        yield f"{where}: {name} must be a {attribute['type']}"


def _fits(wanted: Any, value: Any) -> bool:
    """Whether a literal is of the wanted type; what an expression gives is not known here."""
    if wanted == "any" or (isinstance(value, str) and "${" in value):
        return True
    kind = wanted if isinstance(wanted, str) else wanted[0]
    return _LITERALS.get(type(value), "string") in _TAKEN.get(kind, {kind})


def _references(where: str, value: Any, schema: Mapping[str, Any], declared: set[tuple[str, ...]]) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _references(where, each, schema, declared)
    elif isinstance(value, list):
        for each in value:
            yield from _references(where, each, schema, declared)
    elif isinstance(value, str) and "${" in value:
        for data, type_, name, attribute in _REFERENCE.findall(value):
            kind = "data" if data else "resource"
            spec = schema[kind].get(type_)
            if (kind, type_, name) not in declared:
                yield f"{where}: {type_}.{name} is not declared"
            elif spec and attribute not in spec["attributes"] and attribute not in spec["blocks"]:
                yield f"{where}: {type_} has no {attribute}"


def _near(name: str, names: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f" (is {near[0]} meant?)" if near else ""
