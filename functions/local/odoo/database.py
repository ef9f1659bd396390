"""Odoo's databases on this machine: make, copy, update, script and test them."""

import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from functions.local.child import Child, run, run_step
from functions.local.failure import SetUpFailed
from functions.local.odoo.install import OdooHome
from functions.local.postgres import USER, Postgres

ADDONS = Path(__file__).parents[3] / "addon" / "odoo"
HOST = "127.0.0.1"

_CONFIGURATION = """\
[options]
addons_path = {addons}
admin_passwd = {password}
data_dir = {files}
db_host = {db_host}
db_user = {db_user}
http_interface = {host}
list_db = False
workers = 0
"""
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ (?P<level>[A-Z]+) \S+ (?P<logger>[\w.]+): (?P<text>.*)$")
_ONCE = ("--stop-after-init", "--max-cron-threads=0")
_SPEAK = """
env["ir.default"].set("res.partner", "lang", "{language}")
env["res.users"].search([]).lang = "{language}"
env.company.partner_id.lang = "{language}"
"""
_LOUD = ("WARNING", "ERROR", "CRITICAL")
_COUNTS = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")


@dataclass(frozen=True)
class TestRun:
    """What Odoo said about a run of tests. `warnings` are the log lines above "info", without time and process."""

    __test__ = False  # it only looks like a test class to pytest

    exit_code: int
    tests: int
    failed: int
    errors: int
    warnings: tuple[str, ...]
    log: Path

    @property
    def passed(self) -> bool:
        """Whether there were tests and all of them passed."""
        return self.exit_code == 0 and self.tests > 0 and not self.failed and not self.errors


class OdooError(Exception):
    """A script failed inside Odoo; the message is the last line of its traceback."""


class Databases:
    """Odoo's databases in one PostgreSQL, and the files that belong to them, below `folder`."""

    def __init__(self, odoo: OdooHome, postgres: Postgres, folder: Path, addons: Sequence[Path] = (ADDONS,)) -> None:
        self.odoo = odoo
        self.postgres = postgres
        self.folder = folder.absolute()
        self._addons = tuple(addons)
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self, subcommand: str, *arguments: str) -> list[str | Path]:
        """The command line of one of Odoo's subcommands, with our configuration."""
        return [self.odoo.python, self.odoo.script, subcommand, "-c", self._configuration(), *arguments]

    def create(
        self, name: str, modules: Sequence[str] = (), *, template: str | None = None, language: str = "en_US"
    ) -> None:
        """Make a database with `modules` installed, login admin, password admin, without demo records.

        With a `template` it is a copy of that one, which takes under a second, and `language` says nothing. It gets
        its name when it is whole. Raises SetUpFailed.
        """
        if self.exists(name):
            raise ValueError(f"there is a database {name} already")
        unfinished = f"{name}_unfinished"
        self.drop(unfinished)
        if template:
            self.postgres.copy_database(template, unfinished)
            self._copy_files(template, unfinished)
            self.update(unfinished, modules)
        else:
            self._load(unfinished, ["base", *modules], [], f"--load-language={language}")
            if language != "en_US":
                self.run_script(unfinished, _SPEAK.format(language=language))
        self._move_files(unfinished, name)
        self.postgres.rename_database(unfinished, name)

    def exists(self, name: str) -> bool:
        """Whether there is such a database, whole."""
        return self.postgres.has_database(name)

    def drop(self, name: str) -> None:
        """Remove a database and its files. Harmless when there is none."""
        self.postgres.drop_database(name)
        shutil.rmtree(self._files(name), ignore_errors=True)

    def update(self, name: str, modules: Sequence[str]) -> list[str]:
        """Install those of `modules` that aren't, update those of ours whose files have changed, and name both.

        No server may be running on the database. Raises SetUpFailed.
        """
        new = self._not_installed(name, modules)
        known = self.postgres.sql("SELECT value FROM ir_config_parameter WHERE key LIKE 'local.checksum.%'", name)
        sums = self._checksums(modules)
        changed = [module for module in sums if module not in new and sums[module] not in known]
        if new or changed:
            self._load(name, new, changed)
        return [*new, *changed]

    def run_script(self, name: str, source: str) -> str:
        """Run Python with Odoo's `env` as superuser, commit, and give what it printed. Raises OdooError."""
        shell = self.command("shell", "-d", name, "--no-http")
        done = run(shell, stdin=f"{source}\nenv.cr.commit()\n", env=self.odoo.environment())
        if done.returncode:
            raise OdooError(done.stderr.strip().rpartition("\n")[2])
        return done.stdout

    def run_tests(
        self, name: str, tags: str, log: Path, *, modules: Sequence[str] = (), timeout: float = 900
    ) -> TestRun:
        """Run the add-ons' tests that `tags` select (Odoo's --test-tags) and say how they went.

        `modules` are installed or updated on the way, without which tests tagged at_install don't run. Screenshots
        of failed browser tests go beside `log`. Raises TimeoutError after `timeout` seconds.
        """
        new = self._not_installed(name, modules)
        options = [*_option("-i", new), *_option("-u", [module for module in modules if module not in new])]
        options += [*_ONCE, f"--http-port={free_port()}", f"--test-tags={tags}"]
        options += [f"--screenshots={log.absolute().parent / 'screenshots'}"]
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        child = Child(self.command("server", "-d", name, *options), log=log, env=self.odoo.environment())
        try:
            code = child.wait(timeout)
        finally:
            child.stop()
        return test_run(code, log)

    def _load(self, name: str, new: Sequence[str], changed: Sequence[str], *options: str) -> None:
        """Install and update modules, and note what their files were like."""
        log = self.folder / "setup.log"
        modules = [*_option("-i", new), *_option("-u", changed)]
        command = self.command("server", "-d", name, *modules, *options, *_ONCE, "--no-http")
        way_out = f"Its log is {log}."
        run_step("Setting up Odoo's database", command, log=log, env=self.odoo.environment(), way_out=way_out)
        if missing := self._not_installed(name, new):
            raise SetUpFailed(f"Odoo knows no {', '.join(missing)}. {way_out}")
        for module, checksum in self._checksums([*new, *changed]).items():
            note = f"('local.checksum.{module}', '{checksum}') ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            self.postgres.sql(f"INSERT INTO ir_config_parameter (key, value) VALUES {note}", name)  # noqa: S608 - our own names

    def _checksums(self, modules: Sequence[str]) -> dict[str, str]:
        """By name, what the files of those of `modules` are like that are ours."""
        folders = {module: folder / module for folder in self._addons for module in modules}
        return {module: _checksum(folder) for module, folder in folders.items() if folder.is_dir()}

    def _not_installed(self, name: str, modules: Sequence[str]) -> list[str]:
        installed = self.postgres.sql("SELECT name FROM ir_module_module WHERE state = 'installed'", name)
        return [module for module in modules if module not in installed]

    def _files(self, name: str) -> Path:
        return self.folder / "files" / "filestore" / name

    def _copy_files(self, name: str, to: str) -> None:
        # Odoo names these files by their content and never writes to one again, so links are copies
        if self._files(name).exists():
            shutil.copytree(self._files(name), self._files(to), copy_function=os.link)

    def _move_files(self, name: str, to: str) -> None:
        shutil.rmtree(self._files(to), ignore_errors=True)
        if self._files(name).exists():
            self._files(name).rename(self._files(to))

    def _configuration(self) -> Path:
        path = self.folder / "odoo.conf"
        unfinished = self.folder / f"odoo.conf.{os.getpid()}"
        unfinished.write_text(
            _CONFIGURATION.format(
                addons=",".join(map(str, (self.odoo.addons, *self._addons))),
                password=secrets.token_hex(16),
                files=self.folder / "files",
                db_host=self.postgres.host,
                db_user=USER,
                host=HOST,
            )
        )
        return unfinished.rename(path)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def test_run(exit_code: int, log: Path) -> TestRun:
    """Read how a run of tests went from Odoo's log. No line with counts means no test was run."""
    text = log.read_text(errors="replace")
    counts = [tuple(map(int, found)) for found in _COUNTS.findall(text)]
    failed, errors, tests = counts[-1] if counts else (0, 0, 0)
    return TestRun(exit_code, tests, failed, errors, tuple(_warnings(text)), log)


def _warnings(text: str) -> list[str]:
    lines = (found for line in text.splitlines() if (found := _LOGGED.match(line)))
    return [f"{line['level']} {line['logger']}: {line['text']}" for line in lines if line["level"] in _LOUD]


def _option(name: str, modules: Sequence[str]) -> list[str]:
    return [name, ",".join(modules)] if modules else []


def _checksum(folder: Path) -> str:
    """What changes with any file of a module."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
