"""CPU of one text message, from the raw body to the writes that the store gets, against the floor and against pywa."""

import asyncio
import json
import os
import statistics
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.idle.ports import SECRET, idle_ports
from bench.peers.home import PROJECT, pywa_python
from bench.stopwatch import Repeated, floor, microseconds
from bench.texts import one_text
from functions.core.ports import Ports
from functions.core.signature import verify_meta
from functions.webhook.accept import Acceptance
from tests.google.parts import MissingPart

_TURNS = 4


def rows() -> list[tuple[str, str]]:
    """Return the row: ours as a multiple of the floor's and of the peer's."""
    try:
        python = pywa_python()
    except MissingPart as missing:
        own = _own()
        return [(_NAME, f"{_of_floor(own, 'writes'):.1f} × hmac + json.loads; {missing}")]
    owns, peers = _in_turns(python)
    writes, parse, dispatch = (
        statistics.median(_of_floor(each, name) for each in measured)
        for measured, name in ((owns, "writes"), (peers, "parse"), (peers, "dispatch"))
    )
    return [
        (
            _NAME,
            f"{writes:.1f} × hmac + json.loads, {writes / parse:.2f} × pywa's verify + parse, "
            f"{writes / dispatch:.2f} × with its dispatch",
        )
    ]


_NAME = "CPU: verify, parse, build a text's writes"


def _in_turns(python: Path) -> tuple[list[Mapping[str, float]], list[Mapping[str, float]]]:
    """Measure us and the peer in turns, so that a machine that slows down does so for both."""
    owns, peers = [], []
    for turn in range(_TURNS):
        for measured, measure in ((owns, _own), (peers, lambda: _peer(python)))[:: 1 if turn % 2 else -1]:
            measured.append(measure())
    return owns, peers


def _of_floor(measured: Mapping[str, float], name: str) -> float:
    """Each process measures the floor too, which makes the two processes comparable."""
    return measured[name] / measured["floor"]


def _own() -> Mapping[str, float]:
    body, signature = one_text(SECRET)
    with asyncio.Runner() as runner:
        writes = _writes(runner, idle_ports({"WHATSAPP_APP_SECRET": SECRET}), body, signature)
        return microseconds({"floor": floor(body, signature, SECRET), "writes": writes})


def _writes(runner: asyncio.Runner, ports: Ports, body: bytes, signature: str) -> Repeated:
    acceptance = Acceptance(ports)

    async def accept(times: int) -> None:
        for _ in range(times):
            verify_meta(body, signature, ports.settings.app_secrets)
            await acceptance.accept(body)

    return lambda times: runner.run(accept(times))


def _peer(python: Path) -> Mapping[str, float]:
    body, signature = one_text(SECRET)
    command = [str(python), "-m", "bench.peers.pywa_cpu", body.decode(), signature, SECRET]
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
