"""One function in the real Functions Framework, as its own process: what the cloud runs, on loopback."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.google.process import OwnProcess, ProcessEnded, free_port


class Function:
    """A function from a source tree, served over HTTP at `url` while it runs.

        with Function("webhook", source=root / "main.py", environment=settings, log=log) as webhook:
            httpx.post(webhook.url + "/webhook", ...)

    `target` is the name in the source file, `environment` the whole environment of the process, `python` the
    interpreter whose packages it uses. The port is chosen when the object is made, so that functions can be told each
    other's `url` before any of them runs, and stays the same over restarts. To start several together, call `start`
    on each and then `ready` on each.
    """

    def __init__(
        self, target: str, *, source: Path, environment: Mapping[str, str], log: Path, python: str = sys.executable
    ) -> None:
        port = free_port()
        self.target = target
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._environment = environment
        self._directory = source.parent
        self._command = [
            *(python, "-m", "functions_framework", "--asgi"),
            *("--target", target, "--source", str(source)),
            *("--host", "127.0.0.1", "--port", str(port)),
        ]
        self._process: OwnProcess | None = None

    def start(self) -> None:
        """Start the process, without waiting for it."""
        self._process = OwnProcess(
            self._command, environment=self._environment, log=self.log, directory=self._directory
        )

    def ready(self, timeout: float = 30.0) -> None:
        """Wait until GET /health answers 200. Raises ProcessEnded after `timeout` seconds or when it has ended."""
        assert self._process, "start it first"
        with httpx.Client(trust_env=False, timeout=5) as http:
            try:
                self._process.wait_until(lambda: self._healthy(http), timeout)
            except ProcessEnded as error:
                raise ProcessEnded(f"function {self.target}: {error}") from None

    def stop(self) -> None:
        """End the process and its workers in good order."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """End the process and its workers as a crash would; `start` brings them back."""
        if self._process:
            self._process.kill()

    def memory(self) -> int:
        """Return the MiB that the process and its workers hold, what they share counted once (Linux)."""
        return self._process.memory() if self._process else 0

    def cpu(self) -> float:
        """Return the seconds of CPU that the process and its workers have used (Linux)."""
        return self._process.cpu() if self._process else 0

    def __enter__(self) -> Self:
        self.start()
        try:
            self.ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _healthy(self, http: httpx.Client) -> bool:
        try:
            return http.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False
