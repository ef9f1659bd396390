"""`make bench`: every benchmark, as tables."""

from bench import cold_start, cost, inbound, odoo_events, open_line, open_tab, outbound

_TABLES = {
    "The open line, end to end on this machine": open_line.rows,
    "The chat tab, on a long conversation against a short one": open_tab.rows,
    "Inbound, against peers and floors": inbound.rows,
    "Outbound, against the queues' rates and floors": outbound.rows,
    "Odoo with two workers, against its own pages": odoo_events.rows,
    "Cold starts, against a function that does nothing": cold_start.rows,
    "What it costs": cost.rows,
}


def main() -> None:
    """Run the benchmarks and print their tables."""
    for title, rows in _TABLES.items():
        print(f"\n{title}", flush=True)
        for name, figure in rows():
            print(f"  {name:<58} {figure}", flush=True)


if __name__ == "__main__":
    main()
