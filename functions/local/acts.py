"""What an admin does at the command line is noted in the account's audit trail, under the name of who is logged in."""

import getpass

from functions.core.audit import Actor, Once, happened
from functions.core.lines import Directory
from functions.core.ports import Ports


def admin() -> Actor:
    """Return who sits at the command line."""
    return Actor("cli", getpass.getuser())


async def note(ports: Ports, account: str, what: str | None, act: Once = "set", contact: str | None = None) -> None:
    """Note what was done. `what` names settings and ids, never a secret, a number or a customer."""
    policy, now = await Directory(ports.store).policy(account), ports.now()
    written = happened(act, admin(), account=account, contact=contact, what=what, now=now, policy=policy)
    await ports.store.commit([written])
