"""Inbound, from Meta's POST to what is kept of it. Everything is a ratio, measured in one run on this machine.

What is missing on the machine is said in its row. Every load is bounded, on loopback, and ends by itself;
`python -m bench.inbound` prints these rows alone.
"""

from bench import embedded_store, firestore_store, imports, webhook_cpu, webhook_load

_PARTS = (webhook_cpu, webhook_load, firestore_store, embedded_store, imports)


def rows() -> list[tuple[str, str]]:
    """Return the table's rows: CPU, HTTP, durable messages, Firestore's counts, imports."""
    return [row for part in _PARTS for row in part.rows()]


if __name__ == "__main__":
    for name, figure in rows():
        print(f"  {name:<50} {figure}")
