"""A folder of Terraform files as Python reads it: blocks as dictionaries, expressions as text in `${…}`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
from hcl2.utils import SerializationOptions

INFRA = Path(__file__).parents[2] / "infra"

_AS_WRITTEN = SerializationOptions(with_comments=False, strip_string_quotes=True)

Body = dict[str, Any]


class Module:
    """The blocks of a folder's files. Raises a lark error for a file that does not parse."""

    def __init__(self, folder: Path = INFRA) -> None:
        self._files = [parsed(path) for path in sorted(folder.glob("*.tf"))]

    def blocks(self, kind: str) -> Iterator[tuple[tuple[str, ...], Body]]:
        """Yield the labels and the body of each block of a kind: `resource` has two labels, `variable` one."""
        for file in self._files:
            for block in file.get(kind, []):
                yield from _unlabelled(block, ())

    def resource(self, type_: str, name: str) -> Body:
        """Return the body of a resource. Raises KeyError."""
        return dict(self.blocks("resource"))[type_, name]

    @property
    def locals(self) -> Body:
        """The values under `locals`, of all files."""
        return {name: value for _, body in self.blocks("locals") for name, value in body.items()}


def parsed(path: Path) -> Body:
    """Return what a file says, block kind by block kind."""
    with path.open() as file:
        return hcl2.load(file, serialization_options=_AS_WRITTEN)


def is_block(value: Any) -> bool:
    """Return whether a value was written as a block (or several), not as an argument."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and _MARK in each for each in value)


def arguments(body: Body) -> Iterator[tuple[str, Any]]:
    """Yield what stands in a body, without the parser's own mark."""
    return ((name, value) for name, value in body.items() if name != _MARK)


_MARK = "__is_block__"


def _unlabelled(block: Body, labels: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Body]]:
    if _MARK in block:
        yield labels, dict(arguments(block))
        return
    for label, inner in block.items():
        yield from _unlabelled(inner, (*labels, label))
