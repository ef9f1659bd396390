"""What only the browser tests need."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import open_line
from tests.google.parts import MissingPart, require


def _chromium() -> str:
    path = open_line.chromium_path()
    if path is None:
        raise MissingPart("Chromium is missing. Debian and Ubuntu: apt-get install chromium")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium a file: while Playwright is up, its event loop runs in this thread, and no other can."""
    require(_chromium)
    # A test waits for what it expects; on a busy machine that takes longer than Playwright's five seconds.
    expect.set_options(timeout=20_000)
    with open_line.browser() as chromium:
        yield chromium


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small picture, unmistakable in a screenshot."""
    from PIL import Image

    path = tmp_path / "bicycle.png"
    Image.new("RGB", (320, 200), (30, 120, 200)).save(path)
    return path
