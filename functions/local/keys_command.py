"""The commands `leadline keys …`: data keys, and the secrets that CRMs share with us."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.local.ports_command import folder_option, opened, run

if TYPE_CHECKING:
    from functions.core.ports import Ports


@click.group(invoke_without_command=True)
@click.pass_context
def keys(context: click.Context) -> None:
    """Print a new data key for LEADLINE_TOKEN_KEYS or LEADLINE_CONNECTION_KEYS, or rotate keys and secrets."""
    from functions.local.keys import data_key

    if context.invoked_subcommand is None:
        click.echo(data_key())


@keys.command()
@folder_option
def rotate(folder: Path) -> None:
    """Seal what lies in the store with the newest data keys; the older ones may be dropped a minute later.

    First put the new key in front of the old one, for the functions and here, so that both are valid.
    """
    run(_rotate(folder))


@keys.command()
@click.argument("connection")
@click.option("--retire", is_flag=True, help="The CRM has the new one: let the old one be valid no longer.")
@folder_option
def secret(connection: str, retire: bool, folder: Path) -> None:
    """Print another secret for CONNECTION. Both are valid until it is repeated with --retire.

    Pairing the CRM again (`leadline connect odoo`) needs no secret to be typed, but shuts the old one out at once.
    """
    run(_retire(folder, connection) if retire else _secret(folder, connection))


async def _rotate(folder: Path) -> None:
    from functions.core.accounts import every_account
    from functions.local import rotation
    from functions.local.acts import note

    async with opened(folder) as ports:
        done = await rotation.reseal(ports)
        for account in await every_account(ports.store):
            await note(ports, account.id, "sealed anew with the newest data keys")
    click.echo(f"✓ {done.all} lines and connections are sealed with the newest keys ({done.before} were before).")
    click.echo("Functions remember what they read for a minute: drop the older keys after that.")


async def _secret(folder: Path, connection: str) -> None:
    from functions.local import rotation

    async with opened(folder) as ports:
        made = await rotation.add_secret(ports, connection)
        await _note_of(ports, connection, "second secret made")
    click.echo("Both secrets are valid. Put this one into the CRM's connection, then repeat with --retire.", err=True)
    click.echo("It is shown only now:", err=True)
    click.echo(made)


async def _retire(folder: Path, connection: str) -> None:
    from functions.local import rotation

    async with opened(folder) as ports:
        retired = await rotation.retire_secrets(ports, connection)
        if retired:
            await _note_of(ports, connection, "older secrets retired")
    click.echo(
        f"✓ only the newest secret of {connection} is valid" if retired else f"{connection} has one secret only."
    )


async def _note_of(ports: "Ports", connection: str, what: str) -> None:
    from functions.core.lines import Directory
    from functions.local.acts import note

    known = await Directory(ports.store).connection(connection)
    if known is not None:
        await note(ports, known.account, f"{what} for connection {connection}")
