"""A running Odoo on loopback."""

import contextlib
import http.client
import socket
import time
from pathlib import Path
from types import TracebackType

from functions.local.child import Child
from functions.local.failure import SetUpFailed, step_failed
from functions.local.odoo.database import HOST, Databases, free_port

_LISTENING = b"HTTP service (werkzeug) running"
"""What Odoo writes into its log when it has its port."""


class OdooServer:
    """Odoo's server on one database. Pages and websocket share one port, since it runs as one threaded process.

    `port` is a free one unless given. `cron_threads=0` leaves scheduled actions out, which suits tests. With `workers`
    it runs as so many processes instead, as servers of businesses do; its websocket then has a port of its own.
    `log_before` is what it wrote when it ran last.
    """

    def __init__(
        self,
        databases: Databases,
        database: str,
        *,
        port: int | None = None,
        log: Path | None = None,
        cron_threads: int = 1,
        workers: int = 0,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.log = log or databases.folder / f"{database}.log"
        self.log_before = self.log.with_suffix(".before.log")
        self._databases = databases
        self._database = database
        self._cron_threads = cron_threads
        self._workers = workers
        self._child: Child | None = None

    def start(self) -> None:
        """Start the server and return at once. Raises SetUpFailed when the port is taken."""
        if not self._databases.exists(self._database):  # Odoo would make an empty one
            raise ValueError(f"there is no database {self._database}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as taken:
                raise SetUpFailed(f"Port {self.port}, meant for Odoo, is taken. Stop what uses it.") from taken
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log_before)
        options = [f"--http-port={self.port}", f"--max-cron-threads={self._cron_threads}"]
        if self._workers:
            options += [f"--workers={self._workers}", f"--gevent-port={free_port()}"]
        command = self._databases.command("server", "-d", self._database, *options)
        self._child = Child(command, log=self.log, env=self._databases.odoo.environment())

    def wait_until_ready(self, timeout: float = 120) -> None:
        """Return when the login page comes up. Raises SetUpFailed when Odoo ends or `timeout` seconds pass."""
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                output = self.log.read_text(errors="replace")[-8000:]
                raise step_failed("Starting Odoo", output, self.log.parent, f"Its log is {self.log}.")
            time.sleep(0.1)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._child is not None and self._child.running

    @property
    def listening(self) -> bool:
        """Whether it has its port: another program may have taken it meanwhile, and would answer in its place."""
        return self.running and self.log.exists() and _LISTENING in self.log.read_bytes()

    def stop(self) -> None:
        """Stop the server and wait until it is gone. Harmless when it isn't running."""
        if self._child:
            self._child.stop()
            self._child = None

    def __enter__(self) -> "OdooServer":
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        if not self.listening:
            return False
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("GET", "/web/login")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
