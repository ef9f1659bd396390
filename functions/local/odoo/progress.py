"""Short lines for the person at the terminal while a long step runs."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Progress = Callable[[str], None]

_EVERY = 5.0  # seconds


@contextmanager
def growing(folder: Path, progress: Progress) -> Iterator[None]:
    """While the block runs, say every few seconds how much lies in `folder`."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            progress(f"  … {megabytes(_size(folder))}")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def megabytes(size: int) -> str:
    """`size` bytes as people read it."""
    return f"{size / 1e6:.0f} MB"


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:  # a temporary file that its program has just renamed
                continue
    return total
