import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.module import INFRA, Module


@pytest.fixture(scope="session")
def module() -> Module:
    return Module()


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Module]:
    """The module with one text replaced in one of its files."""

    def change(file: str, old: str, new: str) -> Module:
        folder = shutil.copytree(INFRA, tmp_path / "infra", ignore=shutil.ignore_patterns(".terraform*"))
        text = (folder / file).read_text()
        assert text.count(old) == 1, f"{old!r} must stand once in {file}"
        (folder / file).write_text(text.replace(old, new))
        return Module(folder)

    return change
