"""Requests per second and p99 of the deployed webhook with idle ports, against pywa's server and a bare ASGI app.

Each is one process with one worker on uvloop and httptools; all are up at the same time and take turns.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench.idle.ports import SECRET
from bench.peers.home import PROJECT, pywa_python
from bench.texts import one_text
from bench.wrk import CONNECTIONS, Load, load, wrk
from tests.google.framework import Function
from tests.google.parts import MissingPart
from tests.google.process import OwnProcess, ProcessEnded, free_port

_SECONDS, _TURNS = 1, 10
_NAMES = (
    f"webhook, idle store, {CONNECTIONS} connections: requests/s",
    f"webhook, idle store, {CONNECTIONS} connections: p99",
)


def rows() -> list[tuple[str, str]]:
    """Return the rows: ours as a multiple of each other's, the figures behind it in brackets."""
    try:
        measured = _measure()
    except MissingPart as missing:
        return [(name, f"not measured: {missing}") for name in _NAMES]
    rates = {name: statistics.median(each.rate for each in loads) for name, loads in measured.items()}
    p99s = {name: statistics.median(each.p99 for each in loads) * 1e3 for name, loads in measured.items()}
    return [(_NAMES[0], _compared(rates, "{:,.0f}")), (_NAMES[1], _compared(p99s, "{:.1f} ms"))]


def _compared(figures: Mapping[str, float], form: str) -> str:
    own, *others = figures
    ratios = ", ".join(f"{figures[own] / figures[other]:.2f} × {other}" for other in others)
    against = " and ".join(form.format(figures[other]) for other in others)
    return f"{ratios} ({form.format(figures[own])} against {against})"


def _measure() -> dict[str, list[Load]]:
    wrk()
    body, signature = one_text(SECRET)
    with tempfile.TemporaryDirectory() as name, _servers(Path(name)) as urls:
        folder = Path(name)
        for url in urls.values():
            _check(url, body, signature)
            load(url, body, signature, seconds=_SECONDS, folder=folder)
        measured: dict[str, list[Load]] = {name: [] for name in urls}
        for turn in range(_TURNS):
            for name in list(urls)[:: -1 if turn % 2 else 1]:
                measured[name].append(load(urls[name], body, signature, seconds=_SECONDS, folder=folder))
        return measured


@contextmanager
def _servers(folder: Path) -> Iterator[dict[str, str]]:
    """Run the servers; the webhook comes first, then what it is compared with."""
    python = pywa_python()
    with ExitStack() as stack:
        environment = _environment() | {"PYTHONPATH": str(PROJECT)}
        source = PROJECT / "bench" / "idle" / "main.py"
        webhook = Function("webhook", source=source, environment=environment, log=folder / "webhook.log")
        own = stack.enter_context(webhook).url
        pywa = stack.enter_context(uvicorn(python, "bench.peers.pywa_server:app", folder / "pywa.log"))
        bare = stack.enter_context(uvicorn(Path(sys.executable), "bench.peers.bare_server:app", folder / "bare.log"))
        yield {"webhook": f"{own}/webhook", "pywa on FastAPI": pywa, "bare ASGI": bare}


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "WHATSAPP_APP_SECRET": SECRET}


@contextmanager
def uvicorn(python: Path, app: str, log: Path, **settings: str) -> Iterator[str]:
    """Run an app as one process with one worker; yields the address of its webhook."""
    port = free_port()
    process = served(python, app, port, log, **settings)
    try:
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        process.stop()


def served(python: Path, app: str, port: int, log: Path, **settings: str) -> OwnProcess:
    """Start an app as one process with one worker; returns the process once it answers."""
    command = [
        *(str(python), "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    ]
    process = OwnProcess(command, environment=_environment() | settings, log=log, directory=PROJECT)
    try:
        process.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/webhook"), timeout=30)
    except ProcessEnded:
        process.stop()
        raise
    return process


def _answers(url: str) -> bool:
    try:
        httpx.post(url, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def _check(url: str, body: bytes, signature: str) -> None:
    """A server that takes everything, or nothing, is not worth measuring."""
    right, wrong = (
        httpx.post(url, content=body, headers={"x-hub-signature-256": given}, trust_env=False).status_code
        for given in (signature, f"sha256={'0' * 64}")
    )
    if right != 200 or wrong not in (401, 403):
        raise RuntimeError(f"{url} answers {right} to the right signature and {wrong} to a wrong one")
