"""No text makes a regular expression of ours go back and forth: its length is a stranger's choice."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from functions.core.reference import spelled, without
from tests.hostile.backtracking import grows, has_no_end

ROOT = Path(__file__).parents[2]

METHODS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
AT_THE_BEGINNING = {"match", "fullmatch"}

SHORT = {
    # What is searched for in a text that is short, or our own, or takes its most for each letter. Why it is:
    "functions/local/": "what Debian's and Odoo's own programs print, and what an admin types",
    "functions/core/settings.py": "what an admin sets",
    "addon/odoo/leadline/static/src/chat/api.js": "the service's address, from Odoo",
    "addon/odoo/leadline/static/src/chat/learnt.js": "an e-mail address: 64 letters before its @ are tried, no more",
}
ELSEWHERE = {
    # Put together in a function. Where it is held to be linear:
    "functions/core/reference.py": "test_spaces_around_a_reference_cost_nothing",
}


@dataclass(frozen=True)
class Expression:
    where: str
    pattern: "re.Pattern[Any]"
    whole: bool


def _expressions() -> Iterator[Expression]:
    for part in ("functions", "addon/odoo"):
        for file in sorted((ROOT / part).rglob("*.py")):
            if "tests" not in file.parts and not str(file.relative_to(ROOT)).startswith(tuple(SHORT)):
                yield from _of_file(file)


def _of_file(file: Path) -> Iterator[Expression]:
    where, tree = str(file.relative_to(ROOT)), ast.parse(file.read_text())
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=method)) if method in METHODS:
                pattern = _pattern(node, where, method)
                if pattern is not None:
                    used = _uses(tree, node) if method == "compile" else {method}
                    yield Expression(f"{where}:{node.lineno}", pattern, bool(used) and used <= AT_THE_BEGINNING)


def _pattern(call: ast.Call, where: str, method: str) -> "re.Pattern[Any] | None":
    try:
        said = _worked_out(call.args[0], where)
    except NameError:
        assert where in ELSEWHERE, f"{where}:{call.lineno} is put together where no test sees it"
        return None
    flags = [one for one in (*call.args[1:], *(keyword.value for keyword in call.keywords)) if _is_flag(one)]
    return re.compile(said, *(_worked_out(flag, where) for flag in flags))


def _is_flag(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr.isupper() for one in ast.walk(node))


def _worked_out(node: ast.expr, where: str) -> Any:
    """Return what an expression is in its module; one that needs a function's own names belongs in `ELSEWHERE`."""
    names = {"re": re}
    if where.startswith("functions/"):
        names |= vars(importlib.import_module(where.removesuffix(".py").replace("/", ".")))
    return eval(compile(ast.Expression(node), where, "eval"), names)


def _uses(tree: ast.Module, call: ast.Call) -> set[str]:
    """Return the methods by which the file uses what is compiled; nothing if another file does too."""
    [name] = [
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and any(one is call for one in ast.walk(node.value))
    ] or [""]
    if not name.startswith("_"):
        return set()
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }


# In the browser

_LITERAL = re.compile(r"(?<=[=(\[,]) ?/((?![/*])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/([a-z]*)(?=[\s.,;)])")
_IN_PYTHON = (
    # What browsers write otherwise; sets of letters as one of them.
    (r"\[\^\]", r"[\\s\\S]"),
    (r"\\p\{Extended_Pictographic\}", "\u263a"),
    (r"\\p\{Emoji_Modifier\}", "\U0001f3fb"),
    (r"\\p\{Script=\w+\}", "\u05d0"),
    (r"\\p\{[LN]\}", r"\\w"),
    (r"\\u\{(\w+)\}", lambda found: chr(int(found[1], 16))),
)


def _scripts() -> Iterator[Expression]:
    for part in ("addon/odoo/leadline/static/src", "addon/odoo/leadline/static/button"):
        for file in sorted((ROOT / part).rglob("*.js")):
            where = str(file.relative_to(ROOT))
            if where in SHORT:
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                for said, flags in [] if line.lstrip().startswith(("*", "//", "/*")) else _LITERAL.findall(line):
                    for written, here in _IN_PYTHON:
                        said = re.sub(written, here, said)
                    yield Expression(f"{where}:{number}", re.compile(said, re.IGNORECASE if "i" in flags else 0), False)


FOUND = [*_expressions(), *_scripts()]


def test_they_are_all_found():
    assert len([*_expressions()]) > 40
    assert {where.rpartition(":")[0] for where in (one.where for one in FOUND)} > {
        "functions/core/media.py",
        "addon/odoo/leadline/tools/event.py",
        "addon/odoo/leadline/static/src/chat/formatting.js",
        "addon/odoo/leadline/static/src/template/template.js",
    }
    assert len([*_scripts()]) > 20


@pytest.mark.parametrize("expression", [one for one in FOUND if has_no_end(one.pattern)], ids=lambda one: one.where)
def test_no_text_makes_it_go_back_and_forth(expression):
    assert grows(expression.pattern, whole=expression.whole) is None


@pytest.mark.parametrize(
    ("pattern", "whole"),
    [(r"(a+)+b", True), (r"(a|a)*b", True), (r"\s*[(]?\s*x", False), (r"\w+@", False), (r"a.*b.*c.*d", True)],
)
def test_what_goes_back_and_forth_is_seen(pattern, whole):
    assert grows(re.compile(pattern), whole=whole)


@pytest.mark.parametrize("pattern", [r"a+b", r"[\w-]+/[\w-]+(;\w+)*", r"(?:\d{3}-)+x"])
def test_what_does_not_is_not_suspected(pattern):
    assert grows(re.compile(pattern), whole=True) is None


def test_spaces_around_a_reference_cost_nothing():
    """Some thousand spaces before it once took the chat API minutes to read the conversation."""
    text = " " * 1_000_000 + "(" + " " * 1_000_000 + spelled("K7M4PW") + " " * 1_000_000
    assert without(text, "K7M4PW") == ""
