"""A program that runs beside the tests and never outlives them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

# The shell keeps one watcher in the group. It reads a pipe whose other end only this process holds, so it wakes
# up when this process ends, however it ends, and takes the group with it. `exec` makes the program itself the
# leader, so its exit code is the one we see. (PR_SET_PDEATHSIG would fire when the starting thread ends.)
_UNTIL_PARENT_ENDS = 'exec 3<&0 </dev/null; (read _ <&3; kill -KILL 0) & exec "$@" 3<&-'


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ProcessEnded(RuntimeError):
    """The program ended or stayed silent where it should have become ready; the text has the end of its log."""


class OwnProcess:
    """A program in its own process group, with both its outputs in one log file.

    `environment` is the whole environment of the program; nothing is inherited.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _UNTIL_PARENT_ENDS, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=directory,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Id of the program, which is also the id of its process group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def memory(self) -> int:
        """Return the MiB that all processes of the group hold, what they share counted once (Linux)."""
        rows = [row for text in self._of_all("smaps_rollup") for row in text.splitlines()]
        return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) // 1024

    def cpu(self) -> float:
        """Return the seconds of CPU that all processes of the group have used, which others' work hardly changes."""
        # Behind the name, which may hold spaces: fields 14 and 15 are the process's own, in ticks.
        fields = [text.rpartition(")")[2].split() for text in self._of_all("stat")]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    def _of_all(self, file: str) -> Iterator[str]:
        """Yield what Linux says of each process of the group."""
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(path.name)) == self.pid:
                    yield (path / file).read_text()
            except OSError:
                continue  # It has just ended.

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until `ready` answers true; raise ProcessEnded after `timeout` seconds or when the program ends."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise ProcessEnded(f"ended with code {self._process.returncode}\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise ProcessEnded(f"not ready after {timeout:g} s\n{self._end_of_log()}")
            time.sleep(0.02)

    def stop(self, grace: float = 5.0) -> None:
        """End the whole group: ask, then after `grace` seconds kill. Harmless when it has already ended."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End the whole group at once, as a crash would."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])
