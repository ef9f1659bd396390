"""Whatever comes to the add-on's doors, Odoo answers, logs no fault and lets nobody in: the short run."""

import re
from collections.abc import Iterator

import pytest

from functions.local.odoo.database import ADDONS
from tests.hostile.odoo import DOORS, METHODS, ROUTES, Door, Doors, attack_door, doors
from tests.open_line import OpenLine

pytestmark = pytest.mark.timeout(300)

EXAMPLES = 30


@pytest.fixture(scope="module")
def here(line: OpenLine) -> Iterator[Doors]:
    with doors(line) as here:
        yield here


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_nothing_breaks_and_nobody_is_let_in(here: Doors, door: Door) -> None:
    tally = attack_door(here, door, EXAMPLES)
    assert not tally.wrong, "\n".join(tally.wrong[:3])
    assert tally.statuses.total() >= EXAMPLES / 2


def test_no_door_is_forgotten() -> None:
    code = "\n".join(file.read_text() for file in ADDONS.rglob("*.py") if "tests" not in file.parts)
    assert set(re.findall(r"http\.route\(\s*\"([^\"]+)\"", code)) == ROUTES
    assert set(re.findall(r"def ((?:chat|inbox)_\w+)\(self", code)) == METHODS
