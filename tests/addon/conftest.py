"""One PostgreSQL and one database with CRM for all that is tried in real Odoo."""

from collections.abc import Iterator

import pytest

from functions.local.odoo.database import Databases
from functions.local.odoo.install import OdooHome
from functions.local.postgres import Postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as postgres:
        yield postgres


@pytest.fixture(scope="session")
def databases(odoo: OdooHome, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Databases with a template that has CRM."""
    made = Databases(odoo, postgres, tmp_path_factory.mktemp("odoo"))
    made.create("base", ["crm"])
    return made
