"""The commands `leadline line …`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.local.failure import SetUpFailed
from functions.local.ports_command import folder_option, opened, run
from functions.local.secret_text import HELP, handed_over

if TYPE_CHECKING:
    from functions.core.management import Management
    from functions.core.ports import Ports
    from functions.local.lines import Setup, Wanted

_ASKED = "Access token of the system user"

token_option = click.option("--token-from", metavar="SOURCE", help=f"The access token. {HELP}")
pin_option = click.option("--pin-from", metavar="SOURCE", help="The number's own two-step PIN; as the token.")


@click.group()
def line() -> None:
    """Connect a WhatsApp number, look at it, move it, give it another token, take it off.

    Each command may be repeated and stopped at any time: it looks first what is done already.
    """


@line.command()
@click.argument("line_id", metavar="LINE")
@click.option("--account", help="Whose it is; may be left out while there is one account.")
@click.option("--connection", help="The CRM connection that it leads to; may be left out while the account has one.")
@click.option("--phone-number-id", help="From WhatsApp → API setup in Meta's console.")
@click.option("--waba", help="The WhatsApp Business Account id, from the same page.")
@click.option("--test", "test_to", metavar="NUMBER", help="Send a test message to this number at the end.")
@click.option("--template", default="hello_world", show_default=True, help="What is sent as a test.")
@click.option("--language", default="en_US", show_default=True, help="Its language.")
@token_option
@pin_option
@folder_option
@click.pass_context
def add(
    context: click.Context,
    line_id: str,
    account: str | None,
    connection: str | None,
    phone_number_id: str | None,
    waba: str | None,
    test_to: str | None,
    template: str,
    language: str,
    token_from: str | None,
    pin_from: str | None,
    folder: Path,
) -> None:
    """Connect a number as LINE, step by step; the token is asked for without being shown.

    LINE is your own name for it: small letters, digits and dashes. Repeated, it goes on where it stopped, and asks for
    nothing that it knows.
    """
    from functions.local.lines import Wanted

    wanted = Wanted(line_id, account, connection, phone_number_id, waba)
    test = (test_to, template, language) if test_to else None
    context.exit(run(_add(folder, wanted, token_from, pin_from, test)))


@line.command("list")
@click.option("--account", help="Only of this account.")
@folder_option
def list_(account: str | None, folder: Path) -> None:
    """List the lines that are connected."""
    run(_list(folder, account))


@line.command()
@click.argument("line_id", metavar="LINE")
@folder_option
def show(line_id: str, folder: Path) -> None:
    """Show what is known of a line; `leadline doctor` looks whether it is right."""
    run(_show(folder, line_id))


@line.command()
@click.argument("line_id", metavar="LINE")
@click.option("--phone-number-id", help="The new one, if it has changed.")
@click.option("--waba", help="The business account that it is in now, if that has changed.")
@click.option("--token-from", metavar="SOURCE", help=f"Another access token, if the old one can't see it. {HELP}")
@click.option("--ask-token", is_flag=True, help="Ask for another access token.")
@pin_option
@folder_option
@click.pass_context
def move(
    context: click.Context,
    line_id: str,
    phone_number_id: str | None,
    waba: str | None,
    token_from: str | None,
    ask_token: bool,
    pin_from: str | None,
    folder: Path,
) -> None:
    """Let LINE follow its number to another business account or number id; its conversations stay its own."""
    token = handed_over(token_from, _ASKED) if token_from or ask_token else None
    context.exit(run(_move(folder, line_id, phone_number_id, waba, token, pin_from)))


@line.command()
@click.argument("line_id", metavar="LINE")
@token_option
@folder_option
def token(line_id: str, token_from: str | None, folder: Path) -> None:
    """Give LINE another access token. What waits to be sent goes out with it; delete the old one a minute later."""
    run(_token(folder, line_id, handed_over(token_from, _ASKED)))


@line.command()
@click.argument("line_id", metavar="LINE")
@folder_option
def pin(line_id: str, folder: Path) -> None:
    """Show the two-step PIN with which LINE was registered: registering it elsewhere asks for it."""
    run(_pin(folder, line_id))


@line.command()
@click.argument("line_id", metavar="LINE")
@click.option("--deregister", is_flag=True, help="Also take the number off WhatsApp's Cloud API.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@folder_option
def remove(line_id: str, deregister: bool, yes: bool, folder: Path) -> None:
    """Take LINE off: nothing comes in or goes out any more. Conversations stay, and `add` brings it back."""
    if not yes:
        click.confirm(f"Take the line {line_id} off?", abort=True)
    run(_remove(folder, line_id, deregister=deregister))


@asynccontextmanager
async def _desk(folder: Path) -> AsyncIterator[tuple["Ports", "Management"]]:
    import httpx

    from functions.core.management import Management

    async with opened(folder) as ports, httpx.AsyncClient() as client:
        yield ports, Management(client, ports.settings.graph_url, ports.settings.graph_version)


async def _add(
    folder: Path, wanted: "Wanted", token_from: str | None, pin_from: str | None, test: tuple[str, str, str] | None
) -> int:
    from functions.local import lines
    from functions.local.acts import note

    async with _desk(folder) as (ports, graph):
        known = await lines.begun(ports, wanted)
        token = handed_over(token_from, _ASKED) if token_from or not known.token else None
        pin = handed_over(pin_from, "Two-step PIN") if pin_from else None
        setup = lines.opened(ports, graph, known, token, pin)
        wrong = await lines.add(setup, click.echo)
        await note(ports, setup.line.account, f"line {setup.line.id} added")
        if test:
            await _send_test(setup, *test)
        click.echo(f"\nThe line {setup.line.id} is connected. Next: leadline connect odoo" if not wrong else "")
    return int(bool(wrong))


async def _send_test(setup: "Setup", to: str, template: str, language: str) -> None:
    from functions.local import lines

    await lines.send_test(setup, to, template, language)
    click.echo(f"✓ test: WhatsApp took {template}; it should be on the phone now")


async def _move(
    folder: Path, line_id: str, number: str | None, waba: str | None, token: str | None, pin_from: str | None
) -> int:
    from dataclasses import replace

    from functions.core.lines import line_of
    from functions.local import lines
    from functions.local.acts import note

    if number is None and waba is None:
        raise SetUpFailed("Say where it has gone: --phone-number-id, --waba, or both.")
    async with _desk(folder) as (ports, graph):
        there = line_of(await lines.known(ports, line_id))
        to = replace(there, phone_number_id=number or there.phone_number_id, waba=waba or there.waba)
        pin = handed_over(pin_from, "Two-step PIN") if pin_from else None
        wrong = await lines.move(lines.opened(ports, graph, to, token, pin), click.echo)
        await note(ports, to.account, f"line {to.id} moved")
    return int(bool(wrong))


async def _token(folder: Path, line_id: str, token: str) -> None:
    from functions.core.lines import line_of
    from functions.local import lines
    from functions.local.acts import note

    async with _desk(folder) as (ports, graph):
        there = line_of(await lines.known(ports, line_id))
        await lines.give_token(lines.opened(ports, graph, there, token), click.echo)
        await note(ports, there.account, f"token of line {there.id} changed")


async def _pin(folder: Path, line_id: str) -> None:
    from functions.core.lines import line_of
    from functions.local import lines
    from functions.local.acts import note

    async with opened(folder) as ports:
        document = await lines.known(ports, line_id)
        click.echo(lines.pin_of(ports, document))
        await note(ports, line_of(document).account, f"PIN of line {line_id} shown")


async def _remove(folder: Path, line_id: str, *, deregister: bool) -> None:
    from functions.core.lines import line_of
    from functions.local import lines
    from functions.local.acts import note

    async with _desk(folder) as (ports, graph):
        there = line_of(await lines.known(ports, line_id))
        if not there.token:
            raise SetUpFailed(f"The line {line_id} is off already.")
        await lines.remove(lines.opened(ports, graph, there, None), click.echo, deregister=deregister)
        await note(ports, there.account, f"line {there.id} removed")


async def _list(folder: Path, account: str | None) -> None:
    from functions.core.lines import every_line

    async with opened(folder) as ports:
        found = [line for line in await every_line(ports.store) if account in (None, line.account)]
    if not found:
        click.echo("There is no line yet. Connect one with `leadline line add NAME`.")
    for one in found:
        click.echo(f"{one.id}  {one.number}  {one.name}  account {one.account}  connection {one.connection}")


async def _show(folder: Path, line_id: str) -> None:
    from functions.core.health import health
    from functions.core.lines import line_of
    from functions.local import lines

    async with opened(folder) as ports:
        document = await lines.known(ports, line_id)
        one = line_of(document)
        fares = await health(ports.store, one)
    former = lines.former_numbers(document)
    rows = {
        "line": one.id + ("" if one.token else "   (off)"),
        "number": one.number,
        "name": one.name,
        "account": one.account,
        "connection": one.connection,
        "phone number id": one.phone_number_id + (f"   (before: {', '.join(former)})" if former else ""),
        "business account": one.waba,
        "queues": f"send-{one.id}, bulk-{one.id}",
        "sending": "held: " + str(fares["error"]["plain"]) if fares["error"] else str(fares["sending"]),
    }
    for name, text in rows.items():
        click.echo(f"{name:<18} {text}")
