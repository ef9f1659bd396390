"""The add-on's own tests, inside real Odoo 19: transactions, HTTP, browser tours and Hoot."""

import contextlib
import zipfile
from pathlib import Path

import pytest

from functions.local.archive import odoo_module
from functions.local.odoo.database import Databases
from functions.local.postgres import Postgres
from tests.personal import know

pytestmark = pytest.mark.timeout(1200)

_PERSONAL = ("12025550143", "Ada Example", "5521976543210", "Verônica Quitéria", "vera.quit")
"""Whom the add-on's own tests make up: Odoo's log is searched for them."""


def test_the_addons_own_tests_pass_without_a_warning(
    databases: Databases, tmp_path: Path, counted_inside: dict[str, int]
) -> None:
    know(*_PERSONAL)
    databases.create("tested", template="base")
    run = databases.run_tests("tested", "/leadline", tmp_path / "odoo.log", modules=["leadline"])
    counted_inside["inside Odoo"] = run.tests
    assert run.passed, run.log.read_text(errors="replace")[-20000:]
    assert not run.warnings


def test_the_websites_button_comes_by_itself_where_there_is_a_website(
    databases: Databases, tmp_path: Path, counted_inside: dict[str, int]
) -> None:
    databases.create("website", template="base")
    run = databases.run_tests("website", "/leadline_website", tmp_path / "odoo.log", modules=["leadline", "website"])
    counted_inside["inside Odoo, with a website"] = run.tests
    assert run.passed, run.log.read_text(errors="replace")[-20000:]
    assert run.tests
    assert not run.warnings


def test_the_zip_installs_into_a_bare_odoo(databases: Databases, postgres: Postgres, tmp_path: Path) -> None:
    with zipfile.ZipFile(odoo_module(tmp_path / "leadline.zip")) as archive:
        archive.extractall(tmp_path / "addons")
    bare = Databases(databases.odoo, postgres, databases.folder, (tmp_path / "addons",))
    with contextlib.ExitStack() as clean:
        clean.callback(bare.drop, "bare")
        bare.create("bare", ["leadline"])
        assert postgres.sql("SELECT state FROM ir_module_module WHERE name = 'leadline'", "bare") == ["installed"]
