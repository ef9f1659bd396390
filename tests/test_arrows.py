"""Who may import whom: a function `core` and itself, `core` none of them; `functions` and `addon` never each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FUNCTIONS = ("webhook", "sender", "sync", "chat")
FOLDERS = (*FUNCTIONS, "core", "local")
MAY_IMPORT = {
    **{function: {function, "core"} for function in FUNCTIONS},
    "core": {"core"},
    "local": set(FOLDERS),
}


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything that a file imports, wherever in it and however it says so."""
    package = file.relative_to(PROJECT).parent.parts
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            origin = ".".join((*base, *(node.module or "").split("."))).strip(".")
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            names = (argument for argument in node.args if isinstance(argument, ast.Constant))
            yield from ((node.lineno, str(name.value)) for name in names)


def folder_of(name: str) -> str | None:
    """Return the folder of `functions` that a name leads into; `functions` as a whole is nobody's to import."""
    parts = name.split(".")
    if parts[0] != "functions":
        return None
    return parts[1] if len(parts) > 1 else "everything"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_what_it_may(folder):
    wrong = [
        f"{file.relative_to(PROJECT)}:{line} imports {name}"
        for file in sources(PROJECT / "functions" / folder)
        for line, name in imported(file)
        if folder_of(name) not in (None, *MAY_IMPORT[folder])
    ]
    assert wrong == []


def test_every_folder_is_held_to_it():
    folders = {path.parent.name for path in (PROJECT / "functions").glob("*/__init__.py")}
    assert folders == set(FOLDERS)


def test_the_functions_and_the_addon_never_import_each_other():
    wrong = [
        f"{file.relative_to(PROJECT)}:{line} imports {name}"
        for folder, foreign in (("functions", ("addon", "odoo")), ("addon", ("functions",)))
        for file in sources(PROJECT / folder)
        for line, name in imported(file)
        if name.split(".")[0] in foreign
    ]
    assert wrong == []


def test_nothing_that_runs_imports_the_tests():
    wrong = [
        f"{file.relative_to(PROJECT)}:{line} imports {name}"
        for file in (*sources(PROJECT / "functions"), *sources(PROJECT / "addon"), PROJECT / "main.py")
        for line, name in imported(file)
        if name.split(".")[0] == "tests" and "tests" not in file.parts
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import functions.sender.app", "functions.sender.app"),
        ("from functions import sender", "functions.sender"),
        ("from functions.sender import app", "functions.sender.app"),
        ("from ..sender import app", "functions.sender.app"),
        ("from .. import sender", "functions.sender"),
        ("def late():\n    import functions.sender", "functions.sender"),
        ("importlib.import_module('functions.sender')", "functions.sender"),
    ],
)
def test_an_import_is_noticed_however_it_is_written(text, name, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.test_arrows.PROJECT", tmp_path)
    file = tmp_path / "functions" / "webhook" / "a.py"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert name in [found for _, found in imported(file)]
