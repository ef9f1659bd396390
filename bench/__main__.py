"""`make bench`: every benchmark, as tables. `python -m bench NAME …` runs only those that are named."""

import argparse

from bench import (
    campaign,
    cold_start,
    cost,
    growth,
    inbound,
    memory,
    odoo_events,
    open_line,
    open_tab,
    outbound,
    storm,
    tabs,
)

_TABLES = {
    "The open line, end to end on this machine": open_line.rows,
    "The chat tab, on a long conversation against a short one": open_tab.rows,
    "Inbound, against peers and floors": inbound.rows,
    "Outbound, against the queues' rates and floors": outbound.rows,
    "Odoo with two workers, against its own pages": odoo_events.rows,
    "Cold starts, against a function that does nothing": cold_start.rows,
    "A storm of messages, against a floor that keeps nothing": storm.rows,
    "Open tabs, against none": tabs.rows,
    "A campaign, against the queues' rate and the answers before it": campaign.rows,
    "Growth, against a thousand messages stored": growth.rows,
    "Memory, against the first quarter of the messages": memory.rows,
    "What it costs": cost.rows,
}


def main() -> None:
    """Run the benchmarks and print their tables."""
    names = {rows.__module__.rpartition(".")[2]: title for title, rows in _TABLES.items()}
    parser = argparse.ArgumentParser(
        description="Run benchmarks and print their tables; all of them take over an hour."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    named = parser.parse_args().names
    if unknown := {*named} - {*names}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; known are {', '.join(names)}")
    for name in named or names:
        title = names[name]
        print(f"\n{title}", flush=True)
        for row, figure in _TABLES[title]():
            print(f"  {row:<58} {figure}", flush=True)


if __name__ == "__main__":
    main()
