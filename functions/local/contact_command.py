"""The commands `leadline contact` and `leadline retention`: what is held of a person, and for how long."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functions.local.failure import SetUpFailed
from functions.local.ports_command import folder_option, opened, run

if TYPE_CHECKING:
    from functions.core.belongings import Person
    from functions.core.ports import Ports

_Command = Callable[..., Any]


def _of_person(command: _Command) -> _Command:
    for option in (
        click.option("--account", help="Of which account; not needed where there is one."),
        click.argument("who", required=False),
        folder_option,
    ):
        command = option(command)
    return command


@click.group()
def contact() -> None:
    """Hand out or erase all that is held of a person.

    WHO is a number, a WhatsApp user id or a contact's id. Left out, it is asked for, and stays out of the shell's
    history.
    """


@contact.command()
@_of_person
@click.option("--out", type=click.Path(path_type=Path), help="The zip file to write.")
def export(folder: Path, who: str | None, account: str | None, out: Path | None) -> None:
    """Write all that is held of a person into one zip: messages to read, the same as JSON, and their files."""
    run(_export(folder, _asked(who), account, out))


@contact.command()
@_of_person
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(folder: Path, who: str | None, account: str | None, yes: bool) -> None:
    """Erase a person: messages, files, what waits and what was put aside, and the CRM's mirror of it.

    What becomes of the CRM's own contact and leads is for the CRM to decide. It can't be undone: Firestore can be read
    as it was for 7 more days, by an admin of the project.
    """
    run(_erase(folder, _asked(who), account, sure=yes))


@click.command()
@folder_option
@click.option("--account", help="Of which account; not needed where there is one.")
@click.option("--messages", type=int, help="Days for which messages are kept.")
@click.option("--media", type=int, help="Days for which files are kept; they never outlive their message.")
@click.option("--audit", type=int, help="Days for which it is kept who did what.")
def retention(folder: Path, account: str | None, messages: int | None, media: int | None, audit: int | None) -> None:
    """Show or set how long an account keeps messages, their files, and who did what."""
    changes = {"messages": messages, "media": media, "audit": audit}
    run(_retention(folder, account, {name: days for name, days in changes.items() if days is not None}))


def _asked(who: str | None) -> str:
    return who or str(click.prompt("Number, WhatsApp user id or contact id"))


async def _export(folder: Path, who: str, account: str | None, out: Path | None) -> None:
    from functions.local.acts import note
    from functions.local.contact_archive import write_archive

    async with opened(folder) as ports:
        person = await _person(ports, account, who)
        path = out or Path(f"contact-{person.contact.key.id[:8]}.zip")
        try:
            count = await write_archive(ports, person, path)
        except FileExistsError:
            raise SetUpFailed(f"{path} is there already; name another one with --out.") from None
        await note(ports, person.account, None, "exported", person.contact.key.id)
        click.echo(f"{count} messages and all else that is held: {path}")


async def _erase(folder: Path, who: str, account: str | None, *, sure: bool) -> None:
    from functions.core import erasure
    from functions.core import export as exports
    from functions.local.acts import admin

    async with opened(folder) as ports:
        person = await _person(ports, account, who)
        count = len([one async for one in exports.messages(ports.store, person)])
        what = f"{count} messages in {len(person.conversations)} conversations, with their files and all else"
        if not sure:
            click.confirm(f"{what} will be erased for good. Go on?", abort=True)
        begun = await erasure.begin(ports, person.contact.key.id, admin())
        gone = await erasure.finish(ports, begun or person.contact.key.id)
        click.echo(
            "Erased: " + (", ".join(f"{number} {kind}" for kind, number in sorted(gone.items()) if number) or "all")
        )
        click.echo("The CRM is told; Firestore's point-in-time recovery keeps the past for 7 more days.")


async def _retention(folder: Path, account: str | None, changes: dict[str, int]) -> None:
    from functions.core.lines import Directory, every_line
    from functions.core.retention import LEAST, MOST, Policy, policy_write, retention_task
    from functions.local.acts import note

    for name, days in changes.items():
        if not LEAST <= days <= MOST:
            raise SetUpFailed(f"--{name} must be from {LEAST} to {MOST} days.")
    async with opened(folder) as ports:
        account = await _account(ports, account)
        policy = await Directory(ports.store).policy(account)
        if changes:
            stated = {name: getattr(policy, name) for name in Policy.__struct_fields__} | changes
            policy = Policy(**stated)
            what = "retention: " + ", ".join(f"{name} {days} days" for name, days in sorted(changes.items()))
            await ports.store.commit([policy_write(account, policy)])
            await note(ports, account, what)
            for line in await every_line(ports.store):
                if line.account == account:
                    await ports.tasks.enqueue(retention_task(account, line.id, str(ports.now().timestamp())))
        click.echo(
            f"{account}: messages {policy.messages} days, their files {policy.files} days,"
            f" who did what {policy.audit} days."
        )


async def _person(ports: "Ports", account: str | None, who: str) -> "Person":
    from functions.core.belongings import contact_by, person_of

    found = await contact_by(ports.store, await _account(ports, account), who)
    person = await person_of(ports.store, found) if found else None
    if person is None:
        raise SetUpFailed("Nobody is known by that.")
    return person


async def _account(ports: "Ports", account: str | None) -> str:
    if account:
        return account
    from functions.core.accounts import every_account

    found = [one.id for one in await every_account(ports.store)]
    if len(found) == 1:
        return found[0]
    raise SetUpFailed(f"Say which account with --account: {', '.join(found) or 'none is there yet'}.")
