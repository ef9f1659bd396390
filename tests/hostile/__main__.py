"""What hostile input does: `python -m tests.hostile --examples 2000` prints a table, and what went wrong."""

import argparse
import logging
import sys
import time

from tests.hostile.attacks import SURFACES, attack


def main() -> int:
    """Attack every surface; returns 1 if anything was answered as it may not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=500, help="inputs for each surface")
    parser.add_argument("--only", default="", help="a part of a surface's name")
    asked = parser.parse_args()
    print(f"{'surface':44} {'inputs':>7} {'crashes':>8} {'5xx':>5} {'wrong':>6} {'s':>5}  answers")
    wrong = []
    logging.disable(logging.CRITICAL)
    for surface in SURFACES:
        if asked.only not in surface.name:
            continue
        started = time.monotonic()
        tally = attack(surface, asked.examples)
        statuses = " ".join(f"{status}×{count}" for status, count in sorted(tally.statuses.items()))
        took = time.monotonic() - started
        print(
            f"{tally.surface:44} {tally.inputs:7,} {tally.crashes:8} {tally.server_errors:5} {len(tally.wrong):6}"
            f" {took:5.0f}  {statuses}",
            flush=True,
        )
        wrong += tally.wrong
    for one in wrong:
        print(f"\n{one[:1000]}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
