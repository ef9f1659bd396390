"""What is read from Odoo's log and an add-on's files, without an Odoo."""

from pathlib import Path

import pytest

from functions.local.odoo import database
from functions.local.odoo.database import test_run as read_run

GOOD = """\
2026-11-22 00:10:10,481 8215 INFO t1 odoo.addons.crm.tests.test_crm_lead: Starting TestCRMLead.test_x ...
2026-11-22 00:10:10,741 8215 INFO t1 odoo.tests.result: 0 failed, 0 error(s) of 12 tests when loading database 't1'
"""
BAD = """\
2026-11-22 00:10:10,481 8215 WARNING t1 odoo.addons.base.models.ir_model: The model x has no access rules
2026-11-22 00:10:10,600 8215 ERROR t1 odoo.addons.leadline.tests.test_a: FAIL: TestA.test_x
Traceback (most recent call last):
AssertionError: 1 != 2
2026-11-22 00:10:10,741 8215 ERROR t1 odoo.tests.result: 1 failed, 2 error(s) of 12 tests when loading database 't1'
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "odoo.log"


def test_a_good_run_passed_without_warnings(log: Path) -> None:
    log.write_text(GOOD)
    run = read_run(0, log)
    assert run.passed
    assert (run.tests, run.failed, run.errors, run.warnings) == (12, 0, 0, ())


def test_a_bad_run_tells_counts_and_warnings(log: Path) -> None:
    log.write_text(BAD)
    run = read_run(1, log)
    assert not run.passed
    assert (run.tests, run.failed, run.errors) == (12, 1, 2)
    assert run.warnings[0] == "WARNING odoo.addons.base.models.ir_model: The model x has no access rules"


@pytest.mark.parametrize("text", ["", GOOD.replace("12 tests", "0 tests")])
def test_a_run_without_tests_did_not_pass(log: Path, text: str) -> None:
    log.write_text(text)
    assert not read_run(0, log).passed


def test_a_run_that_odoo_did_not_end_well_did_not_pass(log: Path) -> None:
    log.write_text(GOOD)
    assert not read_run(137, log).passed


def test_an_add_on_has_changed_when_any_of_its_files_has(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = database._checksum(tmp_path)
    (tmp_path / "a.pyc").write_text("compiled")
    assert database._checksum(tmp_path) == before
    (tmp_path / "b.xml").touch()
    added = database._checksum(tmp_path)
    (tmp_path / "a.py").write_text("2")
    assert len({before, added, database._checksum(tmp_path)}) == 3
