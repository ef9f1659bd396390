"""Parsers attacked with bytes that coverage guides: what reaches a new branch is kept and changed further.

By atheris (libFuzzer), which owns its process and so gets one for each target. It is no tool of every developer's: it
is left out where it is not installed, and what it found once stands in tests of its own.
"""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.hostile.tally import Tally

_LONGEST = 600
"""Seconds for one target, should its inputs become slow."""

TARGETS = ("webhook's parser, by coverage", "Graph's answers, by coverage")


def installed() -> bool:
    return importlib.util.find_spec("atheris") is not None


def run(target: str, runs: int) -> Tally:
    """Attack a parser with so many inputs. What it raised is noted with the input."""
    tally = Tally(target)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.hostile.guided", target, "--runs", str(runs), "--folder", folder]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_LONGEST + 60)
        executed = re.search(r"Done (\d+) in", done.stderr)
        tally.inputs = int(executed[1]) if executed else 0
        if done.returncode:
            tally.crashes = 1
            crashed = [path.read_bytes() for path in Path(folder).glob("crash-*")]
            tally.note(f"{done.stderr[-900:]} for {crashed}")
        reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", done.stderr)
        if not reached or int(reached[-1][0]) < 50:
            tally.note(f"it was not guided: {done.stderr[-500:]}")
    return tally


def _seeds(target: str) -> Iterator[bytes]:
    # Only here: what is imported before atheris looks is not guided.
    from tests.hostile.attacks import _ACCEPTED, _META
    from tests.hostile.webhooks import _bodies

    for body in _bodies() if target == TARGETS[0] else [*_META, _ACCEPTED]:
        yield json.dumps(body).encode()


def _words(seeds: list[bytes]) -> str:
    """Return a dictionary of libFuzzer's: the names and short texts that stand in the seeds."""
    found = {word for seed in seeds for word in re.findall(rb'"[\w.:/-]{1,40}"', seed)}
    said = {*found, b"null", b"true", b"1e999", b"-1", b"[]", b"{}", b'"\\ud800"', b'"\\u0000"'}
    return "\n".join(f'"{escaped}"' for escaped in sorted("".join(f"\\x{byte:02x}" for byte in one) for one in said))


def _webhook() -> Callable[[bytes], None]:
    from functions.core import json_text
    from functions.core.whatsapp import Unhandled, Unreadable, alone, updates

    def attacked(body: bytes) -> None:
        try:
            read = json_text.read(body)
            found = updates(read)
        except (ValueError, RecursionError, Unreadable):
            return
        for update in found:
            if isinstance(update, Unhandled):
                continue
            # What is put aside can be handed in again.
            alone(read, update.raw)

    return attacked


def _graph() -> Callable[[bytes], None]:
    import asyncio

    import httpx

    from functions.core.graph import Graph, NotSent, Refused, Uncertain

    runner = asyncio.Runner()
    answered = [httpx.Response(200)]
    graph = Graph(
        httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answered[0])), "https://graph.test", "v26.0"
    )

    async def ask(body: bytes) -> None:
        calls: Mapping[str, Callable[[], object]] = {
            "send": lambda: graph.send("1", "t", {}),
            "media": lambda: graph.media("t", "media-1"),
            "templates": lambda: graph.templates("1", "t"),
        }
        for call in calls.values():
            # The first byte says the status.
            answered[0] = httpx.Response((200, 400, 500)[body[:1][0] % 3 if body else 0], content=body[1:])
            try:
                await call()  # type: ignore[misc]
            except (NotSent, Uncertain, Refused):
                continue

    return lambda body: runner.run(ask(body))


def main() -> None:
    """Attack one target in this process; libFuzzer ends it."""
    import atheris

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    with atheris.instrument_imports(include=["functions"]):
        attacked = _webhook() if asked.target == TARGETS[0] else _graph()
    corpus = asked.folder / "corpus"
    corpus.mkdir()
    prefix = b"" if asked.target == TARGETS[0] else b"\x00"
    seeds = list(_seeds(asked.target))
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(prefix + seed)
    words = asked.folder / "words.txt"
    words.write_text(_words(seeds))
    options = [f"-atheris_runs={asked.runs}", f"-max_total_time={_LONGEST}", "-max_len=6000"]
    options += [f"-dict={words}", f"-artifact_prefix={asked.folder}/", "-timeout=30", "-rss_limit_mb=1024"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], attacked)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
