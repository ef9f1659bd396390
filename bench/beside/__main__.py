"""The same work beside others, in one run: prints `docs/benchmarks.md`, or writes it.

python -m bench.beside [--write]
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.beside import acknowledged, behaviour, document, eyes, oca, visible
from bench.beside.world import world
from bench.peers.home import FOLDER


async def measure() -> document.Results:
    """Run everything, one after the other. Raises MissingPart and SetUpFailed."""
    started = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Beside the project, on a disk as real stores have: a folder for temporary files may lie in memory.
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        _say("setting up both Odoos")
        async with world(Path(folder)) as all_:
            _say("acknowledgement")
            answers = await acknowledged.measure(all_)
            _say("seen in Odoo")
            seen = await visible.measure(all_)
            _say("behaviour")
            behaviours = await behaviour.measure(all_)
            _say("seen in a browser")
            drawn = await asyncio.to_thread(eyes.measure, all_)
            client = await asyncio.to_thread(oca.client_seconds, all_.odoo)
            minutes = (time.monotonic() - started) / 60
            return document.Results(answers, seen, drawn, behaviours, all_.odoo.version, all_.whatsapp, client, minutes)


def _say(step: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {step} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    text = document.written(asyncio.run(measure()))
    if "--write" in sys.argv[1:]:
        document.DOCS.write_text(text)
        print(f"{document.DOCS} is up to date.")
    else:
        print(text)
