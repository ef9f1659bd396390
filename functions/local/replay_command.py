"""The commands of `leadline replay`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functions.local.ports_command import folder_option, opened, run

if TYPE_CHECKING:
    from functions.core.parked import Item
    from functions.local.replay import Filter

_Command = Callable[..., Any]

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def _filtered(command: _Command) -> _Command:
    for option in (
        click.option("--since", type=click.DateTime(_TIMES), help="Put aside since then (UTC)."),
        click.option("--reason", help="Whose reason begins so."),
        click.option("--line", help="Of this line: its id or its phone_number_id."),
        folder_option,
    ):
        command = option(command)
    return command


@click.group()
def replay() -> None:
    """List, show and try again what could not be handled and was put aside.

    That are updates of a webhook (parked), whole webhooks that could not be read (quarantined), tasks that could not
    succeed, and events that a CRM refused. Each is kept for 8 days. LEADLINE_STORE says where; without it, this
    machine's folder is meant.
    """


@replay.command(name="list")
@_filtered
def list_items(folder: Path, line: str | None, reason: str | None, since: datetime | None) -> None:
    """List what was put aside, the oldest first: id, time, kind, line and reason; nothing personal."""
    run(_list(folder, _filter(line, reason, since)))


@replay.command()
@click.argument("item")
@folder_option
def show(folder: Path, item: str) -> None:
    """Show one item as it came. It may hold what a customer wrote, and who they are."""
    run(_show(folder, item))


@replay.command(name="run")
@click.argument("item", nargs=-1)
@_filtered
@click.pass_context
def run_items(
    context: click.Context,
    item: tuple[str, ...],
    folder: Path,
    line: str | None,
    reason: str | None,
    since: datetime | None,
) -> None:
    """Try again: the items that are named, else all that the options let through.

    Updates and webhooks are taken as if Meta had just delivered them, so trying again does nothing to what is already
    right. An item goes away only when it was handled. Exits with 1 when any is still there.
    """
    if item and (line or reason or since):
        raise click.UsageError("Name items or filter them, not both.")
    context.exit(run(_run(folder, item, _filter(line, reason, since))))


def _filter(line: str | None, reason: str | None, since: datetime | None) -> "Filter":
    from functions.local.replay import Filter

    return Filter(line, reason, since.replace(tzinfo=UTC) if since else None)


async def _list(folder: Path, wanted: "Filter") -> None:
    from functions.local.replay import listed

    count = 0
    async with opened(folder) as ports:
        async for item in listed(ports, wanted):
            count += 1
            click.echo(f"{_named(item)}  {item.line or '-'}  {item.reason}")
    click.echo(f"{count} put aside.", err=True)


async def _show(folder: Path, name: str) -> None:
    from functions.local.replay import named, shown

    async with opened(folder) as ports:
        found, _ = await named(ports, [name])
        if not found:
            raise click.ClickException(f"There is no item {name}: it was handled, or 8 days have passed.")
        [item] = found
        click.echo(f"{_named(item)}  {item.line or '-'}  {item.reason}", err=True)
        click.echo(await shown(ports, item))


async def _run(folder: Path, names: tuple[str, ...], wanted: "Filter") -> int:
    from functions.local.replay import Replay, listed, named

    async with opened(folder) as ports:
        # All are found before the first is tried: what is put aside anew is not tried again in the same run.
        missing: list[str] = []
        if names:
            found, missing = await named(ports, names)
        else:
            found = [item async for item in listed(ports, wanted)]
        for name in missing:
            click.echo(f"{name}  there is no such item: it was handled, or 8 days have passed", err=True)
        replaying, left = Replay(ports), len(missing)
        for count, item in enumerate(found, 1):
            outcome = await replaying.replay(item)
            left += not outcome.handled
            click.echo(f"[{count}/{len(found)}]  {_named(item)}  {item.reason} → {outcome.said}")
    click.echo(f"{len(found) + len(missing) - left} handled, {left} left.", err=True)
    return 1 if left else 0


def _named(item: "Item") -> str:
    return f"{item.id}  {item.at:%Y-%m-%d %H:%M:%S}  {item.state:<11}"
