"""The business numbers as Meta keeps them: registered or not, with which PIN, and where their webhooks go.

Source: Meta, "Business phone numbers" (registration, two-step verification) and "Webhook overrides" (2026).
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from functions.local.simulator.customers import Line
from functions.local.simulator.database import Database
from functions.local.simulator.errors import GraphError

_REGISTRATIONS, _PER = 10, 72 * 3600
"""So many registrations of a number in so many seconds."""

_LONGEST_URL = 200


class Numbers:
    """`lines` are all of them, by `phone_number_id`; those that were given at the start are registered."""

    def __init__(self, database: Database, clock: Callable[[], float], given: Sequence[Line]) -> None:
        self._database, self._clock = database, clock
        for line in given:
            self._keep(line, registered=True)
        rows = database.all("SELECT * FROM numbers ORDER BY rowid")
        self.lines = {row["phone_number_id"]: _line(row) for row in rows}

    def add(self, line: Line) -> None:
        """Add a number that nobody has registered yet."""
        self._keep(line, registered=False)
        self.lines[line.phone_number_id] = line

    def registered(self, line: Line) -> bool:
        """Say whether the number can send and receive."""
        return bool(self._database.number("SELECT registered FROM numbers WHERE phone_number_id = ?", *_id(line)))

    def register(self, line: Line, pin: str) -> None:
        """Register a number: its PIN must fit, or becomes the number's if it has none. Raises `GraphError`."""
        if not re.fullmatch(r"\d{6}", pin):
            raise GraphError(100, message="(#100) Param pin must be a 6-digit number.")
        row = self._database.one("SELECT pin, tries FROM numbers WHERE phone_number_id = ?", *_id(line))
        assert row  # noqa: S101 - for the type checker
        now = self._clock()
        tries = [*(at for at in json.loads(row["tries"]) if at > now - _PER), now]
        if len(tries) > _REGISTRATIONS:
            raise GraphError(133016)
        self._set(line, "tries", json.dumps(tries))
        if row["pin"] not in (None, pin):
            raise GraphError(133005)
        self._set(line, "pin", pin)
        self._set(line, "registered", 1)

    def deregister(self, line: Line) -> None:
        """Take a number off. Raises `GraphError`."""
        if not self.registered(line):
            raise GraphError(133010)
        self._set(line, "registered", 0)

    def set_pin(self, line: Line, pin: str) -> None:
        """Set the PIN of two-step verification. Raises `GraphError`."""
        if not re.fullmatch(r"\d{6}", pin):
            raise GraphError(100, message="(#100) Param pin must be a 6-digit number.")
        self._set(line, "pin", pin)

    def override(self, of: str) -> str | None:
        """Return where the webhooks of a number or an account go instead of to the app's callback."""
        row = self._database.one("SELECT uri FROM overrides WHERE of = ?", of)
        return row["uri"] if row else None

    def set_override(self, of: str, uri: str) -> None:
        """Send a number's or an account's webhooks elsewhere; to the app's callback again with an empty address."""
        if len(uri) > _LONGEST_URL:
            raise GraphError(100, message="(#100) Param override_callback_uri is too long.")
        self._database.run("DELETE FROM overrides WHERE of = ?", of)
        if uri:
            self._database.run("INSERT INTO overrides (of, uri) VALUES (?, ?)", of, uri)

    def _keep(self, line: Line, *, registered: bool) -> None:
        self._database.run(
            "INSERT INTO numbers (phone_number_id, waba, number, name, token, registered) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET waba = excluded.waba, number = excluded.number, name = excluded.name,"
            " token = excluded.token",
            *(line.phone_number_id, line.waba, line.number, line.name, line.token, int(registered)),
        )

    def _set(self, line: Line, column: str, value: str | int) -> None:
        self._database.run(f"UPDATE numbers SET {column} = ? WHERE phone_number_id = ?", value, *_id(line))  # noqa: S608 - our own names


def _id(line: Line) -> tuple[str]:
    return (line.phone_number_id,)


def _line(row: Any) -> Line:
    return Line(row["phone_number_id"], row["waba"], row["number"], row["name"], row["token"])
