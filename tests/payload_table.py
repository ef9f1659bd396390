"""What becomes of a folder of webhooks: `python -m tests.payload_table FOLDER` posts each of them, and prints a table.

Each is signed and posted to a webhook of its own that knows the numbers and business accounts it names.
"""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig import Rig, rigged

DEFAULT = Path(__file__).parents[2] / "shared" / "fixtures" / "whatsapp"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one webhook: the answer's status, and why parts of it were put aside."""

    name: str
    status: int
    parked: tuple[str, ...]
    quarantined: tuple[str, ...]

    @property
    def handled(self) -> bool:
        return self.status == 200 and not self.parked and not self.quarantined


async def outcome(file: Path) -> Outcome:
    """Post one file to a fresh rig."""
    body = file.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        async with rigged(Path(folder)) as rig:
            for number, waba in _numbers(body):
                await rig.add_line(f"line-{number}", number=number, waba=waba)
            answer = await rig.post_body(body)
            await rig.drain()
            return Outcome(file.stem, answer.status_code, _reasons(rig, "parked"), _reasons(rig, "quarantined"))


def _reasons(rig: Rig, state: str) -> tuple[str, ...]:
    return tuple(one["reason"] for one in rig.documents("parked") if one["state"] == state and not one["part"])


def _numbers(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the numbers and the accounts that a webhook speaks of, so that it is not a stranger's."""
    try:
        entries: list[Any] = json.loads(body)["entry"]
    except (ValueError, KeyError, TypeError):
        return
    for entry in entries:
        waba = str(entry.get("id"))
        for place, change in enumerate(entry.get("changes", [])):
            value = change.get("value", {})
            nested = value.get("standby", {}) if isinstance(value.get("standby"), dict) else {}
            metadata = value.get("metadata") or nested.get("metadata") or {}
            account = value.get("waba_info", {}).get("waba_id", waba)
            yield str(metadata.get("phone_number_id", f"none-{place}")), account


async def outcomes(folder: Path) -> list[Outcome]:
    """Post every file of a folder, one after the other."""
    return [await outcome(file) for file in sorted(folder.rglob("*.json"))]


def table(found: list[Outcome]) -> str:
    """Return how many were handled, parked, quarantined and answered 5xx, with each reason of the middle two."""
    counts = {
        "webhooks": len(found),
        "handled": sum(one.handled for one in found),
        "parked in part": sum(bool(one.parked) for one in found),
        "quarantined": sum(bool(one.quarantined) for one in found),
        "answered 5xx": sum(one.status >= 500 for one in found),
    }
    reasons = Counter((reason, one.name) for one in found for reason in (*one.parked, *one.quarantined))
    lines = [f"{what:<16}{count:>5}" for what, count in counts.items()]
    return "\n".join([*lines, *(f"  {name}: {reason} ({times}x)" for (reason, name), times in sorted(reasons.items()))])


def main(arguments: list[str]) -> int:
    """Print the table. Returns 1 if a webhook was answered 5xx, 2 if there are none."""
    folder = Path(arguments[0]) if arguments else DEFAULT
    found = asyncio.run(outcomes(folder)) if folder.is_dir() else []
    if not found:
        print(f"There are no webhooks in {folder}. Name a folder of JSON files.", file=sys.stderr)
        return 2
    print(table(found))
    return int(any(one.status >= 500 for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
