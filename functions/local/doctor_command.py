"""The command `leadline doctor`."""

from pathlib import Path

import click

from functions.core.settings import BadSetting
from functions.local.failure import SetUpFailed
from functions.local.ports_command import folder_option, opened, run


@click.command()
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings for a program.")
@click.pass_context
def doctor(context: click.Context, folder: Path, as_json: bool) -> None:
    """Look at everything that Leadline stands on, and say what is wrong and how to mend it.

    Settings, store and its indexes, queues, files, data keys, clocks; our webhook and Meta's app; for each line its
    token, number, callback, subscription, templates and last message; each CRM; what waits, what was put aside, what
    this version does not know, and who may be the same person. Nothing is changed.
    Exits with 1 when anything is bad.
    """
    context.exit(run(_examine(folder, as_json=as_json)))


async def _examine(folder: Path, *, as_json: bool) -> int:
    import httpx

    from functions.core.checkup.finding import Finding
    from functions.local.doctor import examination

    try:
        async with opened(folder) as ports, httpx.AsyncClient() as client:
            findings = await examination.examine(ports, client)
    except (BadSetting, SetUpFailed) as error:
        findings = [Finding("settings", "bad", str(error), "Nothing else could be looked at.")]
    click.echo(examination.as_json(findings) if as_json else examination.as_table(findings))
    return examination.exit_code(findings)
