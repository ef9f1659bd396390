"""What `make run` begins with, so that anyone can try the interfaces: one account, one line, one connection."""

from functions.core.accounts import Account, account_write
from functions.core.lines import Connection, Line, connection_key, connection_writes, line_writes
from functions.core.reach import reach_key
from functions.core.secrets import Seal
from functions.core.store import Store, delete

ACCOUNT = "demo"
LINE = "demo-line"
CONNECTION = "demo-odoo"
PHONE_NUMBER_ID = "100000000000001"
WABA = "100000000000000"
NUMBER = "+1 555 010 0001"
NAME = "Leadline Demo"
TOKEN = "demo-access-token"  # noqa: S105 - only the simulator takes it
APP_SECRET = "demo-app-secret"  # noqa: S105 - printed in the docs; only the simulator signs with it
VERIFY_TOKEN = "demo-verify-token"  # noqa: S105


async def seed(
    store: Store, *, crm_url: str | None, crm_database: str, connection_secret: str, tokens: Seal, connections: Seal
) -> None:
    """Write the demo line and connection, as they must be for this start's addresses and keys.

    Without an Odoo of our own (`crm_url` None) one that was paired by `leadline connect` stays.
    """
    line = Line(
        id=LINE,
        account=ACCOUNT,
        connection=CONNECTION,
        phone_number_id=PHONE_NUMBER_ID,
        number=NUMBER,
        name=NAME,
        waba=WABA,
        token=tokens.close(TOKEN),
    )
    await store.commit([account_write(Account(ACCOUNT, NAME)), *line_writes(line)])
    [there] = await store.get([connection_key(CONNECTION)])
    if crm_url or not there:
        connection = Connection(
            id=CONNECTION,
            account=ACCOUNT,
            kind="odoo",
            url=crm_url or "",
            secrets=(connections.close(connection_secret),),
            database=crm_database,
        )
        await store.commit([*connection_writes(connection), delete(reach_key(CONNECTION))])
