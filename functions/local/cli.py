"""The command line."""

import os
import sys
from pathlib import Path

import click
from dotenv import load_dotenv

from functions.core import logs
from functions.core.settings import BadSetting
from functions.local import archive as archives
from functions.local.account_command import account
from functions.local.connect_command import connect
from functions.local.contact_command import contact, retention
from functions.local.doctor_command import doctor
from functions.local.failure import SetUpFailed
from functions.local.keys_command import keys
from functions.local.line_command import line
from functions.local.replay_command import replay

FOLDER = Path(".leadline")


class _Commands(click.Group):
    """Turns what we know can go wrong into one sentence."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (SetUpFailed, BadSetting) as error:
            click.echo(f"Leadline can't go on. {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Leadline: an open line between a business's WhatsApp and its CRM."""
    load_dotenv(Path(".env"))


main.add_command(replay)
main.add_command(doctor)
main.add_command(connect)
main.add_command(account)
main.add_command(line)
main.add_command(keys)
main.add_command(contact)
main.add_command(retention)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, help="Where the data lies.")
def run(folder: Path) -> None:
    """Start everything on this machine: the functions, a simulated WhatsApp, and Odoo (ODOO=0 leaves it out)."""
    from functions.local.run import run as run_everything

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "leadline.log", "a") as log_file:
        logs.set_up(stream=log_file)
        run_everything(folder, os.environ, click.echo)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, help="Where the data lies.")
@click.option("--conversation", help="The conversation that the grant is for.")
@click.option("--all", "every", is_flag=True, help="A grant for every conversation; only one machine honours it.")
def token(folder: Path, conversation: str | None, every: bool) -> None:
    """Print a grant for the chat API that is valid for 5 minutes (one machine)."""
    from functions.local.grants import mint

    if every == bool(conversation):
        raise click.UsageError("Name one conversation with --conversation ID, or take --all.")
    click.echo(mint(folder, conversation))


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/functions.zip"))
def archive(out: Path) -> None:
    """Write the source that the cloud builds the four functions from."""
    click.echo(archives.functions_archive(out))


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/leadline.zip"))
def addon(out: Path) -> None:
    """Write the Odoo module as a zip to install."""
    click.echo(archives.odoo_module(out))
