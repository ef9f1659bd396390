"""What Terraform must know of the functions, read from their source: queries, collections, log messages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from functions.core.store import Query

FUNCTIONS = Path(__file__).parents[2] / "functions"
DEPLOYED = ("core", "webhook", "sender", "sync", "chat")


class Call(NamedTuple):
    """A call as it is written, in the function (or the file) that it stands in."""

    place: str
    node: ast.Call
    scope: ast.AST


def queries() -> Iterator[tuple[str, Query]]:
    """Yield each query of the code with its place, once for each set of fields that it may ask by."""
    for call in calls("Query", imported_from="functions.core.store"):
        options = {option.arg: option.value for option in call.node.keywords}
        collection, where = call.node.args
        for fields in _fields(where, call):
            yield (
                call.place,
                Query(
                    _constant(collection, call),
                    dict.fromkeys(fields, ""),
                    order=_constant(options["order"], call),
                    descending=_constant(options["descending"], call) if "descending" in options else False,
                ),
            )


def collections() -> set[str]:
    """Return the collections that the code names."""
    return {_constant(call.node.args[0], call) for call in calls("Key") if isinstance(call.node.args[0], ast.Constant)}


def logged(*levels: str) -> set[str]:
    """Return the texts of the messages that are logged at these levels (`warning` …)."""
    return {_constant(call.node.args[0], call) for level in levels for call in calls(f"log.{level}")}


def calls(name: str, imported_from: str | None = None) -> Iterator[Call]:
    """Yield the calls of a name, only in files that import it from there if that is said."""
    for folder in DEPLOYED:
        for path in sorted((FUNCTIONS / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            if imported_from is None or _imports(tree, imported_from, name):
                yield from _calls(tree, tree, name, str(path.relative_to(FUNCTIONS)))


def _imports(tree: ast.Module, module: str, name: str) -> bool:
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == module]
    return any(alias.name == name for node in imports for alias in node.names)


def _calls(node: ast.AST, scope: ast.AST, name: str, file: str) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and ast.unparse(child.func) == name:
            yield Call(f"{file}:{child.lineno}", child, scope)
        inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        yield from _calls(child, inner, name, file)


def _fields(where: ast.expr, call: Call) -> Iterator[tuple[str, ...]]:
    match where:
        case ast.Dict():
            yield tuple(_constant(key, call) for key in where.keys)
        case ast.IfExp():
            yield from _fields(where.body, call)
            yield from _fields(where.orelse, call)
        case ast.Name():
            values = [node.value for node in ast.walk(call.scope) if _assigns(node, where.id)]  # type: ignore[attr-defined]
            assert values, f"{call.place}: where {where.id} comes from can't be read"
            for value in values:
                yield from _fields(value, call)
        case _:
            raise AssertionError(f"{call.place}: a query's fields must be written out")


def _assigns(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name


def _constant(node: ast.AST | None, call: Call) -> Any:
    assert isinstance(node, ast.Constant), f"{call.place}: {ast.unparse(node) if node else '**'} must be written out"
    return node.value
