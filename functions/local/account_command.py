"""The commands `leadline account …`."""

import re
from pathlib import Path

import click

from functions.local.failure import SetUpFailed
from functions.local.ports_command import folder_option, opened, run

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@click.group()
def account() -> None:
    """Add a business, look at it, take it away. Most deployments have one."""


@account.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--name", help="Its name for people; by default as the id.")
@folder_option
def add(account_id: str, name: str | None, folder: Path) -> None:
    """Add a business as ACCOUNT (small letters, digits, dashes), or give it another name."""
    if not _ID.fullmatch(account_id):
        raise SetUpFailed(f"{account_id} can't be an account's id: small letters, digits and dashes, up to 40.")
    run(_add(folder, account_id, name))


@account.command("list")
@folder_option
def list_(folder: Path) -> None:
    """List the accounts and how many lines each has."""
    run(_list(folder))


@account.command()
@click.argument("account_id", metavar="ACCOUNT")
@folder_option
def show(account_id: str, folder: Path) -> None:
    """Show an account's lines and connections."""
    run(_show(folder, account_id))


@account.command()
@click.argument("account_id", metavar="ACCOUNT")
@folder_option
def remove(account_id: str, folder: Path) -> None:
    """Take an account away that has no line and no connection any more."""
    run(_remove(folder, account_id))


async def _add(folder: Path, account_id: str, name: str | None) -> None:
    from functions.core.accounts import Account, account_key, account_of, account_write
    from functions.local.acts import note

    async with opened(folder) as ports:
        [there] = await ports.store.get([account_key(account_id)])
        given = Account(account_id, name or (account_of(there).name if there else account_id))
        await ports.store.commit([account_write(given)])
        await note(ports, account_id, "account named" if there else "account added")
    click.echo(f"✓ account {account_id}: {given.name}. Next: leadline line add NAME --account {account_id}")


async def _list(folder: Path) -> None:
    from functions.core.accounts import every_account
    from functions.core.lines import every_line

    async with opened(folder) as ports:
        accounts, lines = await every_account(ports.store), await every_line(ports.store)
    if not accounts:
        click.echo("There is no account yet. Add one with `leadline account add NAME`.")
    for one in accounts:
        count = sum(line.account == one.id for line in lines)
        click.echo(f"{one.id}  {one.name}  {count} {'line' if count == 1 else 'lines'}")


async def _show(folder: Path, account_id: str) -> None:
    from functions.core.accounts import account_key, account_of
    from functions.core.lines import every_connection, every_line

    async with opened(folder) as ports:
        [there] = await ports.store.get([account_key(account_id)])
        if there is None:
            raise SetUpFailed(f"There is no account {account_id}. `leadline account list` shows them.")
        lines = [line for line in await every_line(ports.store) if line.account == account_id]
        connections = [one for one in await every_connection(ports.store) if one.account == account_id]
    click.echo(f"{account_id}  {account_of(there).name}")
    for line in lines:
        click.echo(f"  line        {line.id}  {line.number}  {line.name}")
    for connection in connections:
        click.echo(f"  connection  {connection.id}  {connection.kind}  {connection.url or 'no address'}")


async def _remove(folder: Path, account_id: str) -> None:
    from functions.core.accounts import account_key
    from functions.core.lines import every_connection, every_line
    from functions.core.store import REMOVE, update
    from functions.local.acts import note

    async with opened(folder) as ports:
        [there] = await ports.store.get([account_key(account_id)])
        if there is None:
            raise SetUpFailed(f"There is no account {account_id}.")
        left = [one.id for one in await every_line(ports.store) if one.account == account_id]
        left += [one.id for one in await every_connection(ports.store) if one.account == account_id]
        if left:
            raise SetUpFailed(f"{account_id} still has {', '.join(left)}: take them off first.")
        # What else stands there, such as how long it keeps what was said, holds until that is gone.
        await ports.store.commit([update(account_key(account_id), {"listed": REMOVE, "name": REMOVE})])
        await note(ports, account_id, "account removed")
    click.echo(f"✓ account {account_id}: gone from the list. What its customers wrote is kept.")
