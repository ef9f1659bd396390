"""`python -m tests.chaos`: run a day and print what struck and what was wrong."""

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.day import Plan, arranged
from tests.chaos.odoo import real_odoo
from tests.chaos.verdict import violations


async def run(plan: Plan, *, odoo: bool) -> int:
    """Run a day and print its table; return how much was wrong."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        async with arranged(Path(folder), plan, real_odoo if odoo else None) as day:
            await day.passes(lambda line: print(f"  {line}  {time.monotonic() - began:.0f} s", flush=True))
            wrong = await violations(day)
    said = [one for person in (*day.world.people, *day.world.erased) for one in person.said]
    came_back = sum(bool(day.world.by_name[one.name].said) for one in day.world.erased)
    rows: list[tuple[str, object]] = [
        ("seed", plan.seed),
        ("events", day.events),
        ("people", len(day.world.people)),
        ("webhooks posted", day.meta.delivered),
        ("messages that phones got", sum(len(person.phone) for person in day.world.people)),
        ("events that the CRM took, in batches", f"{day.door.events}, {day.door.batches}"),
        ("messages that agents settled", sum(one.settled is not None for one in said)),
        ("messages of the past", sum(one.past for one in said)),
        ("people who were erased, and came back", f"{len(day.world.erased)}, {came_back}"),
        ("virtual time", str(day.clock.passed).split(".")[0]),
        ("real seconds", round(time.monotonic() - began)),
        *((f"killed: {name}", sum(one.kills for one in instances)) for name, instances in day.fleet.items()),
        *((f"fault: {name}", count) for name, count in sorted(day.calamity.struck.items())),
        ("violations", len(wrong)),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    for line in wrong[:40]:
        print(f"  - {line}")
    return len(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description="Let a busy line have its worst day, and compare.")
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill", type=int, default=300, metavar="OPERATIONS")
    parser.add_argument("--moves", type=int, default=1, metavar="PERCENT")
    parser.add_argument("--worse", type=float, default=1.0, metavar="TIMES", help="how much likelier each fault is")
    parser.add_argument("--busy", type=int, default=6, metavar="THINGS", help="that customers do in one go, at most")
    parser.add_argument("--erasures", type=float, default=0.015, metavar="CHANCE", help="that a round erases somebody")
    parser.add_argument("--odoo", action="store_true", help="a real Odoo as the CRM")
    given = vars(parser.parse_args())
    logging.disable(logging.CRITICAL)
    odoo = given.pop("odoo")
    return min(asyncio.run(run(Plan(**given), odoo=odoo)), 1)


if __name__ == "__main__":
    sys.exit(main())
