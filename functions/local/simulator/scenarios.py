"""What goes wrong, chosen by tests: a table of faults, and which of them are in force for whom.

A scenario without `customer` strikes every customer of the line, one without `line` every line. `times` limits how
often it strikes (requests, statuses or webhooks), `share` how likely it does each time.
"""

import json
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functions.core.phone import digits
from functions.local.simulator.database import Database


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of failing and its figures, each of which a scenario may replace."""

    meaning: str
    code: int = 131000
    later: bool = False
    seconds: float = 0
    http: int = 500
    size: int = 2


REFUSALS = {
    "window_closed": Fault("free-form messages are refused until the customer writes", 131047),
    "not_on_whatsapp": Fault("the number has no WhatsApp", 131026, later=True),
    "opted_out": Fault("marketing templates are refused", 131050, later=True),
    "account_locked": Fault("the account is locked", 131031),
    "rate_limited": Fault("a rate is exceeded", 130429),
    "refused": Fault("refused in the answer with `code`"),
    "statuses_failed": Fault("accepted, then a failed status with `code`", later=True),
}
"""The message is refused: in the answer, or `later` by a failed status."""

BEFORE = {
    "time_out_before": Fault("no answer for `seconds`, and the message is not accepted", seconds=60, http=504),
    "error_before": Fault("answered `http`, and the message is not accepted"),
}
AFTER = {
    "time_out_after": Fault("the message is accepted, but no answer comes for `seconds`", seconds=60, http=504),
    "error_after": Fault("the message is accepted, but the answer is `http`"),
}
STATUSES = {
    "statuses_never": Fault("no status is reported"),
    "statuses_late": Fault("every status is reported `seconds` later", seconds=5),
    "statuses_doubled": Fault("every status is reported `size` times"),
    "statuses_reversed": Fault("`sent` is reported `seconds` after the others", seconds=1),
}
WEBHOOKS = {
    "webhooks_batched": Fault("`size` updates share a POST; what waits `seconds` goes anyway", seconds=1, size=10),
    "webhooks_repeated": Fault("every POST is made `size` times at once"),
}
OTHERS = {
    "token_expired": Fault("every call is answered 190", 190),
    "slow": Fault("every call is answered, but only after `seconds`", seconds=2),
    "media_failing": Fault("the download of a file is answered `http`", http=404),
}
STATES = {
    "token_expiring": Fault("the token runs out in `seconds`", seconds=3 * 24 * 3600),
    "permission_missing": Fault("the token may not send messages", 10),
    "number_disconnected": Fault("the number is not connected", 133010),
    "quality_low": Fault("the number's quality is rated RED"),
    "limit_reached": Fault("the business has reached its messaging limit"),
}
"""What Meta says of a number or a token, as long as the scenario is in force."""

FAULTS = {**REFUSALS, **BEFORE, **AFTER, **STATUSES, **WEBHOOKS, **OTHERS, **STATES}


class Scenario(BaseModel):
    """A fault in force. Figures left out are those of the fault."""

    model_config = ConfigDict(extra="forbid")

    fault: Literal[tuple(FAULTS)]  # type: ignore[valid-type]
    line: str | None = None
    customer: Annotated[str, AfterValidator(digits)] | None = None
    times: int | None = Field(None, ge=1)
    share: float = Field(1, gt=0, le=1)
    code: int | None = None
    later: bool | None = None
    seconds: float | None = Field(None, ge=0)
    http: int | None = Field(None, ge=400, le=599)
    size: int | None = Field(None, ge=1, le=1000)
    id: int = 0
    since: float = 0

    def figure(self, name: str) -> float:
        """Return `code`, `later`, `seconds`, `http` or `size`, the scenario's own or the fault's."""
        own = getattr(self, name)
        value: float = getattr(FAULTS[self.fault], name) if own is None else own
        return value

    def strikes(self, line: str, customer: str | None) -> bool:
        """Say whether it is meant for this line and customer."""
        return self.line in (None, line) and self.customer in (None, customer)


class Scenarios:
    """The scenarios in force, oldest first; they outlive a restart."""

    def __init__(self, database: Database, clock: Callable[[], float], seed: int) -> None:
        self._database, self._clock = database, clock
        self._chance = random.Random(seed)  # noqa: S311 - a test wants the same luck again
        rows = database.all("SELECT id, definition FROM scenarios ORDER BY id")
        self._all = [Scenario(**{**json.loads(row["definition"]), "id": row["id"]}) for row in rows]

    def set(self, scenario: Scenario) -> Scenario:
        """Put a scenario in force and return it with its id."""
        stamped = scenario.model_copy(update={"since": self._clock()})
        cursor = self._database.run("INSERT INTO scenarios (definition) VALUES (?)", stamped.model_dump_json())
        kept = stamped.model_copy(update={"id": cursor.lastrowid})
        self._all.append(kept)
        return kept

    def all(self) -> list[Scenario]:
        """Return the scenarios in force."""
        return list(self._all)

    def clear(self, scenario_id: int | None = None) -> None:
        """End one scenario, or all of them."""
        self._all = [] if scenario_id is None else [one for one in self._all if one.id != scenario_id]
        self._database.run("DELETE FROM scenarios WHERE ?1 IS NULL OR id = ?1", scenario_id)

    def take(
        self,
        faults: Collection[str],
        line: str,
        customer: str | None = None,
        applies: Callable[[Scenario], bool] = lambda _: True,
    ) -> Scenario | None:
        """Return the first scenario that strikes here and now, and count the strike."""
        for scenario in self._all:
            if scenario.fault in faults and scenario.strikes(line, customer) and applies(scenario):
                if self._chance.random() >= scenario.share:
                    continue
                self._count(scenario)
                return scenario
        return None

    def _count(self, scenario: Scenario) -> None:
        if scenario.times is None:
            return
        scenario.times -= 1
        if scenario.times == 0:
            self.clear(scenario.id)
        else:
            definition = scenario.model_dump_json()
            self._database.run("UPDATE scenarios SET definition = ? WHERE id = ?", definition, scenario.id)
