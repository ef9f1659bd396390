"""The add-on's own tests, inside real Odoo 19: transactions, HTTP, browser tours and Hoot."""

import contextlib
import zipfile
from pathlib import Path

import pytest

from functions.local.archive import odoo_module
from functions.local.odoo.database import Databases, TestRun
from functions.local.postgres import Postgres
from tests.personal import know
from tests.translations import exported, read, template_file

pytestmark = pytest.mark.timeout(1200)

_PERSONAL = ("12025550143", "Ada Example", "5521976543210", "Verônica Quitéria", "vera.quit")
"""Whom the add-on's own tests make up: Odoo's log is searched for them."""


@pytest.fixture(scope="module")
def by_itself(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> TestRun:
    """The add-on's own tests, in a database with CRM and the add-on."""
    know(*_PERSONAL)
    databases.create("tested", template="base")
    log = tmp_path_factory.mktemp("tested") / "odoo.log"
    return databases.run_tests("tested", "/leadline", log, modules=["leadline"])


@pytest.fixture(scope="module")
def with_website(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> TestRun:
    """The tests of the website's button, in a database with the add-on and Website."""
    databases.create("website", template="base")
    log = tmp_path_factory.mktemp("website") / "odoo.log"
    return databases.run_tests("website", "/leadline_website", log, modules=["leadline", "website"])


def test_the_addons_own_tests_pass_without_a_warning(by_itself: TestRun, counted_inside: dict[str, int]) -> None:
    counted_inside["inside Odoo"] = by_itself.tests
    assert by_itself.passed, by_itself.log.read_text(errors="replace")[-20000:]
    assert not by_itself.warnings


def test_the_websites_button_comes_by_itself_where_there_is_a_website(
    with_website: TestRun, counted_inside: dict[str, int]
) -> None:
    counted_inside["inside Odoo, with a website"] = with_website.tests
    assert with_website.passed, with_website.log.read_text(errors="replace")[-20000:]
    assert with_website.tests
    assert not with_website.warnings


@pytest.mark.parametrize(
    ("installed", "database", "module"),
    [("by_itself", "tested", "leadline"), ("with_website", "website", "leadline_website")],
)
def test_translators_have_all_that_it_says(
    request: pytest.FixtureRequest, databases: Databases, installed: str, database: str, module: str
) -> None:
    request.getfixturevalue(installed)
    said = {entry.msgid for entry in exported(databases, database, module)}
    known = {entry.msgid for entry in read(template_file(module))}
    assert (said - known, known - said) == (set(), set()), "python -m tests.translations writes the templates anew"


def test_the_zip_installs_into_a_bare_odoo(databases: Databases, postgres: Postgres, tmp_path: Path) -> None:
    with zipfile.ZipFile(odoo_module(tmp_path / "leadline.zip")) as archive:
        archive.extractall(tmp_path / "addons")
    bare = Databases(databases.odoo, postgres, databases.folder, (tmp_path / "addons",))
    with contextlib.ExitStack() as clean:
        clean.callback(bare.drop, "bare")
        bare.create("bare", ["leadline"])
        assert postgres.sql("SELECT state FROM ir_module_module WHERE name = 'leadline'", "bare") == ["installed"]
