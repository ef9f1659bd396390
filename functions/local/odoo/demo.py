"""The Odoo of `make run`: a database with the add-on, paired, and an agent to log in as."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from functions.local.odoo.database import Databases
from functions.local.odoo.install import ensure_odoo
from functions.local.odoo.progress import Progress
from functions.local.odoo.server import OdooServer
from functions.local.postgres import Postgres

DATABASE = "leadline"
LOGIN = "agent"
PASSWORD = "agent"  # noqa: S105 - printed in the terminal; the server listens on loopback only

_MODULES = ("leadline",)

# Runs in Odoo's shell, where `env` is. It may run again at each start: addresses and keys can have changed.
_PAIR = """
pairing = {pairing!r}
company = env.ref("base.main_company")
if not company.country_id:
    # Without a country Odoo can't read phone numbers.
    company.write({{"name": "Leadline Demo", "country_id": env.ref("base.us").id}})
env.ref("base.group_user").write({{"implied_ids": [(4, env.ref("crm.group_use_lead").id)]}})
connection = env["leadline.connection"].search([("identifier", "=", pairing["connection"])])
values = {{"url": pairing["functions"], "secret": pairing["secret"]}}
if connection:
    connection.write(values)
else:
    connection = env["leadline.connection"].create({{"identifier": pairing["connection"], **values}})
groups = [env.ref("sales_team.group_sale_salesman_all_leads").id, env.ref("base.group_partner_manager").id]
if not env["res.users"].search([("login", "=", pairing["login"])]):
    agent = env["res.users"].with_context(no_reset_password=True).create({{
        "name": "Maria Agent",
        "login": pairing["login"],
        "password": pairing["password"],
        # The default would try to send e-mail, and OdooBot would open a window over the card.
        "notification_type": "inbox",
        "odoobot_state": "disabled",
        "group_ids": [(6, 0, [env.ref("base.group_user").id, *groups])],
    }})
    # Leads without a salesperson go to the team's leader.
    env.ref("sales_team.team_sales_department").user_id = agent
"""


@dataclass(frozen=True, slots=True)
class Pairing:
    """What Odoo must know of the functions: their address, and the connection's id and secret."""

    connection: str
    functions: str
    secret: str
    login: str = LOGIN
    password: str = PASSWORD


@contextmanager
def odoo_running(
    folder: Path, port: Callable[[], int | None], pairing: Pairing, progress: Progress
) -> Iterator[OdooServer]:
    """Run the demo's Odoo while the block runs; it may still be starting when the block begins.

    `port` is asked when the server is about to start: one that was free before the set-up may be taken after it.

    The first time it is fetched and its database made, which takes some minutes. Raises `SetUpFailed`.
    """
    odoo = ensure_odoo(None, progress)
    with Postgres(folder / "postgres") as postgres:
        databases = Databases(odoo, postgres, folder / "odoo")
        if databases.exists(DATABASE):
            databases.update(DATABASE, _MODULES)
        else:
            (folder / "odoo" / "paired").unlink(missing_ok=True)
            progress("Making Odoo's database with CRM and the add-on (half a minute, once) …")
            databases.create(DATABASE, _MODULES)
        _pair(databases, pairing, folder / "odoo" / "paired", progress)
        progress("Starting Odoo …")
        server = OdooServer(databases, DATABASE, port=port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _pair(databases: Databases, pairing: Pairing, mark: Path, progress: Progress) -> None:
    """Tell Odoo of the functions, unless it was told the same before: Odoo's shell takes some seconds to start."""
    script = _PAIR.format(pairing=asdict(pairing))
    told = hashlib.sha256(script.encode()).hexdigest()
    if mark.exists() and mark.read_text() == told:
        return
    progress("Pairing Odoo with the functions …")
    databases.run_script(DATABASE, script)
    mark.write_text(told)
