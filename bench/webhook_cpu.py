"""CPU of one text message, from the raw body to the writes that the store gets, against the floor and against pywa.

pywa verifies, parses and dispatches the first message of a POST to a handler. It stores nothing, so it has nothing that
could be compared with building the writes.
"""

import asyncio
import json
import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.idle.ports import SECRET, idle_ports
from bench.peers.home import PROJECT, pywa_python
from bench.stopwatch import Repeated, floor, microseconds
from bench.texts import one_text
from functions.core import json_text
from functions.core.ports import Ports
from functions.core.signature import verify_meta
from functions.core.whatsapp import updates
from functions.webhook.accept import Acceptance
from tests.google.parts import MissingPart

_TURNS = 4
_PARSE, _WRITES = "CPU of a text: verify and parse", "CPU of a text: verify, parse, build its writes"

Measured = Mapping[str, float]


def rows() -> list[tuple[str, str]]:
    """Return the rows: ours as a multiple of the floor's and of the peer's."""
    try:
        python = pywa_python()
    except MissingPart as missing:
        own = [_own()]
        return [(name, f"{_of_floor(own, name):.1f} × hmac + json.loads; {missing}") for name in (_PARSE, _WRITES)]
    owns, peers = _in_turns(python)
    parse, dispatch = _of_floor(peers, "parse"), _of_floor(peers, "dispatch")
    return [
        (
            name,
            f"{(own := _of_floor(owns, name)):.1f} × hmac + json.loads, {own / parse:.2f} × pywa's verify + parse, "
            f"{own / dispatch:.2f} × with its dispatch to a handler (pywa builds and stores nothing)",
        )
        for name in (_PARSE, _WRITES)
    ]


def _in_turns(python: Path) -> tuple[list[Measured], list[Measured]]:
    """Measure us and the peer in turns, so that a machine that slows down does so for both."""
    owns, peers = [], []
    for turn in range(_TURNS):
        for measured, measure in ((owns, _own), (peers, lambda: _peer(python)))[:: -1 if turn % 2 else 1]:
            measured.append(measure())
    return owns, peers


def _of_floor(measured: Sequence[Measured], name: str) -> float:
    """Each process measures the floor too, which makes the two processes comparable."""
    return statistics.median(each[name] / each["floor"] for each in measured)


def _own() -> Measured:
    body, signature = one_text(SECRET)
    ports = idle_ports({"WHATSAPP_APP_SECRET": SECRET})
    with asyncio.Runner() as runner:
        return microseconds(
            {
                "floor": floor(body, signature, SECRET),
                _PARSE: _parse(body, signature),
                _WRITES: _writes(runner, ports, body, signature),
            }
        )


def _parse(body: bytes, signature: str) -> Repeated:
    def parse(times: int) -> None:
        for _ in range(times):
            verify_meta(body, signature, [SECRET])
            updates(json_text.read(body))

    return parse


def _writes(runner: asyncio.Runner, ports: Ports, body: bytes, signature: str) -> Repeated:
    acceptance = Acceptance(ports)

    async def accept(times: int) -> None:
        for _ in range(times):
            verify_meta(body, signature, [SECRET])
            await acceptance.accept(body)

    return lambda times: runner.run(accept(times))


def _peer(python: Path) -> Measured:
    body, signature = one_text(SECRET)
    command = [str(python), "-m", "bench.peers.pywa_cpu", body.decode(), signature, SECRET]
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
