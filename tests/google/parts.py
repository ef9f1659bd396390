"""Programs the tests need and pip does not install: found, or said how to get."""

import os
from collections.abc import Callable
from typing import TypeVar

import pytest

Part = TypeVar("Part")


class MissingPart(RuntimeError):
    """A program is not on this machine; the text says which one and how to get it."""


def require(find: Callable[[], Part]) -> Part:
    """Answer what `find` found; where it raises MissingPart, skip the test, or fail it in CI (`CI=true`).

    CI installs every part, so one missing there is a fault of the set-up, not a reason to test less.
    """
    try:
        return find()
    except MissingPart as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
