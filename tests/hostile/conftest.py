from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hostile.accounts import their_account
from tests.rig import Rig, rigged


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as rig:
        yield rig


@pytest.fixture
async def theirs(rig: Rig) -> dict[str, str]:
    return await their_account(rig)
