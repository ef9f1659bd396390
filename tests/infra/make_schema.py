"""Make the provider's schema again, for the types that `infra/` uses: `python -m tests.infra.make_schema PACKAGE`.

PACKAGE is `@cdktf/provider-google` 16.12.1 as `npm pack` fetches it; it describes hashicorp/google 6.50.0 and is the
last one of its kind. Each of its files carries the TypeScript that it was made from, in which every argument is
announced by a comment (`name - computed: …, optional: …, required: …`) and told apart from blocks (`isBlock`).
"""

import base64
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.module import Module
from tests.infra.schema import SCHEMA

_SOURCE = re.compile(r"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)")
_CLASS = re.compile(r"^export (?:abstract )?class (\w+) extends cdktf\.(\w+)", re.M)
_FLAGS = ("computed", "optional", "required")
_NOTE = re.compile(r"^\s*// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\s*$", re.M)
_NESTED = re.compile(r'= new (\w+)\(this, "[^"]+"(?:, (true|false))?\)')
_GETTER = re.compile(r"this\.get(\w*?)Attribute\('[^']+'\)")
_TO_HCL = re.compile(r"export function (\w+)ToHclTerraform\(struct\?: [^)]*\)[^{]*\{(.*?)\n\}\n", re.S)
_TOP_TO_HCL = re.compile(r"synthesizeHclAttributes\(\).*?\n  \}\n", re.S)
_IS_BLOCK = r"^{indent}(\w+): \{{\n\s+value:.*?\n\s+isBlock: (true|false)"
_TYPES: dict[str, Any] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    **{f"{kind}Map": ["map", type_] for kind, type_ in (("String", "string"), ("Number", "number"), ("Any", "string"))},
}
_KINDS = {"TerraformResource": "resource", "TerraformDataSource": "data", "TerraformProvider": "provider"}


class Source:
    """The TypeScript of one type."""

    def __init__(self, text: str) -> None:
        marks = [*_CLASS.finditer(text)]
        ends = [*(mark.start() for mark in marks[1:]), len(text)]
        self._bases = {mark[1]: mark[2] for mark in marks}
        self._bodies = {mark[1]: text[mark.start() : end] for mark, end in zip(marks, ends, strict=False)}
        self._blocks = {name[0].upper() + name[1:]: _are_blocks(body, indent=4) for name, body in _TO_HCL.findall(text)}
        top = _TOP_TO_HCL.search(text)
        self._blocks[""] = _are_blocks(top[0], indent=6) if top else set()

    def described(self) -> Iterator[tuple[str, str, str]]:
        """Yield the kind, the name and the class of each type that the text describes."""
        for class_, base in self._bases.items():
            type_ = re.search(r'static readonly tfResourceType = "(\w+)"', self._bodies[class_])
            if base in _KINDS and type_:
                yield _KINDS[base], type_[1], class_

    def spec(self, class_: str, owner: str = "") -> dict[str, Any]:
        """Return what may stand in the type of this class."""
        attributes: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        for name, flags, text in _members(self._bodies.get(class_, "")):
            nested = _NESTED.search(text)
            if not nested or nested[1] not in self._bases:
                attributes[name] = {"type": ["map", "string"] if nested else _type(text), **flags}
                continue
            set_ = nested[2] == "true"
            inner = re.sub(r"(OutputReference|List|Map)$", "", nested[1])
            spec = self.spec(f"{inner}OutputReference", inner)
            if name in self._blocks.get(owner, ()) and (flags["optional"] or flags["required"]):
                many = self._bases[nested[1]] in ("ComplexList", "ComplexMap")
                nesting = ("set" if set_ else "list") if many else "single"
                blocks[name] = {"nesting": nesting, "required": flags["required"], **spec}
            else:
                attributes[name] = {"type": ["set" if set_ else "list", "object"], "of": spec, **flags}
        return {"attributes": attributes, "blocks": blocks}


def _are_blocks(text: str, indent: int) -> set[str]:
    found = re.findall(_IS_BLOCK.format(indent=" " * indent), text, re.M)
    return {name for name, is_block in found if is_block == "true"}


def _members(body: str) -> Iterator[tuple[str, dict[str, bool], str]]:
    """Yield each argument's name, flags, and text up to the next one's."""
    notes = [*_NOTE.finditer(body)]
    ends = [*(note.start() for note in notes[1:]), len(body)]
    for note, end in zip(notes, ends, strict=False):
        flags = {name: value == "true" for name, value in zip(_FLAGS, note.groups()[1:], strict=True)}
        yield note[1], flags, body[note.end() : end]


def _type(text: str) -> Any:
    getter = _GETTER.search(text)
    type_ = _TYPES.get(getter[1], "any") if getter else ["map", "string"] if "cdktf.StringMap" in text else "any"
    return ["set", type_[1]] if isinstance(type_, list) and "Fn.tolist(" in text else type_


def _sources(package: Path) -> Iterator[Source]:
    with tarfile.open(package) as files:
        for file in files:
            if re.fullmatch(r"package/lib/[^/]+/index\.js", file.name):
                script = files.extractfile(file)
                assert script
                map_ = _SOURCE.search(script.read().decode())
                assert map_, f"{file.name} has no source map"
                yield Source(json.loads(base64.b64decode(map_[1]))["sourcesContent"][0])


def main(package: Path) -> None:
    """Write the schema of what `infra/` uses."""
    module = Module()
    used = {(kind, labels[0]) for kind in _KINDS.values() for labels, _ in module.blocks(kind)}
    schema: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS.values()}
    for source in _sources(package):
        for kind, type_, class_ in source.described():
            if (kind, type_) in used:
                schema[kind][type_] = source.spec(class_)
    SCHEMA.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
