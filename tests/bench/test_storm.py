import asyncio
from pathlib import Path

from bench.storm import Plan, storm


def test_a_small_storm_passes_and_everything_is_there_once(tmp_path: Path) -> None:
    plan = Plan(rate=50, seconds=2, people=20)
    outcome = asyncio.run(storm(tmp_path, plan, lambda _: None))
    assert (outcome.stored, outcome.counted, outcome.told) == (100, 100, 100)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert len(outcome.work.sent) == 10
    assert (outcome.lost_texts, outcome.doubled_texts) == (0, 0)
