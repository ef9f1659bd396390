"""The commands `leadline connect …`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.local.ports_command import folder_option, opened, run

if TYPE_CHECKING:
    from functions.local.connecting import Wanted

_URL = "Where the CRM is, if it can't say so itself."


@click.group()
def connect() -> None:
    """Connect a CRM: make a pairing code for it, list what is connected, take a connection back."""


@connect.command()
@folder_option
@click.option("--account", help="Whose connection it is; may be left out while there is one account.")
@click.option("--connection", help="Its name; may be left out unless the account has several.")
@click.option("--url", help=_URL)
@click.option("--database", help="The CRM's database, if it can't say so itself.")
@click.option("--line", "lines", multiple=True, help="A line that leads to it, by id or phone number id. Repeatable.")
@click.option("--undo", is_flag=True, help="Take the connection back, as `leadline connect remove` does.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def odoo(
    folder: Path,
    account: str | None,
    connection: str | None,
    url: str | None,
    database: str | None,
    lines: tuple[str, ...],
    undo: bool,
    yes: bool,
) -> None:
    """Print a code with which an Odoo is paired, after making what is missing of its connection.

    Repeat it as often as you like: each time there is another code, good for 30 minutes and once. Pairing another Odoo
    with the same connection shuts the one before out.
    """
    from functions.local.connecting import Wanted

    wanted = Wanted(account, connection, url, database, lines)
    run(_undo(folder, wanted, sure=yes) if undo else _connect(folder, wanted))


@connect.command("list")
@folder_option
def list_(folder: Path) -> None:
    """Show every connection, its lines, and whether its events are pushed or pulled."""
    run(_list(folder))


@connect.command()
@folder_option
@click.argument("connection")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(folder: Path, connection: str, yes: bool) -> None:
    """Take a connection back: its CRM is shut out at once. What was said stays in the store."""
    run(_remove(folder, connection, sure=yes))


async def _connect(folder: Path, wanted: "Wanted") -> None:
    from functions.local import connecting
    from functions.local.acts import note

    async with opened(folder) as ports:
        made = await connecting.connect(ports, wanted)
        await note(ports, made.connection.account, f"connection {made.connection.id} made, or its code renewed")
        public_url = ports.settings.public_url
    lines = ", ".join(f"{line.name} ({line.number})" for line in made.lines) or "none yet (add one with --line)"
    click.echo(f"Connection {made.connection.id} of {made.connection.account}; lines: {lines}.")
    if made.paired:
        click.echo("An Odoo is paired with it already. Who uses this code takes its place.")
    click.echo(
        f"\n  Service address   {public_url}"
        f"\n  Pairing code      {made.code}   (once, until {made.until:%H:%M} UTC)"
        "\n\nIn Odoo, as an administrator: CRM → Configuration → WhatsApp → Pair."
    )


async def _undo(folder: Path, wanted: "Wanted", *, sure: bool) -> None:
    from functions.local import connecting

    async with opened(folder) as ports:
        connection = await connecting.chosen(ports.store, wanted)
    await _remove(folder, connection, sure=sure)


async def _remove(folder: Path, connection: str, *, sure: bool) -> None:
    from functions.core.lines import Directory
    from functions.local import connecting
    from functions.local.acts import note

    if not sure:
        click.confirm(f"Shut the CRM of the connection {connection} out?", abort=True)
    async with opened(folder) as ports:
        known = await Directory(ports.store).connection(connection)
        removed = await connecting.remove(ports, connection)
        if known is not None:
            await note(ports, known.account, f"CRM of connection {connection} shut out")
    if removed.lines:
        names = ", ".join(line.id for line in removed.lines)
        click.echo(
            f"The CRM of {connection} is shut out. The connection stays as long as lines lead to it ({names}): "
            "their messages are stored, and its events wait for 8 days. Pair another CRM with it, or give the lines "
            "to another connection with --line and remove it again."
        )
    else:
        click.echo(f"The connection {connection} is gone, and so is its queue.")


async def _list(folder: Path) -> None:
    from functions.local import connecting

    async with opened(folder) as ports:
        found = await connecting.listed(ports)
    if not found:
        click.echo("There is no connection yet. Make one with `leadline connect odoo --account NAME`.")
    for one in found:
        lines = ", ".join(line.id for line in one.lines) or "no line"
        why = f" ({one.reason})" if one.reason else ""
        click.echo(f"{one.connection.id}  account {one.connection.account}  {lines}  {one.way}{why}")
