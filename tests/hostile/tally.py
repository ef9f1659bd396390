"""What became of the inputs of one surface."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

SERVER_ERROR = 500


@dataclass
class Tally:
    """What became of the inputs of one surface. `wrong`: a few of those that were answered as none may be."""

    surface: str
    inputs: int = 0
    crashes: int = 0
    server_errors: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def answered(
        self, answer: httpx.Response, said: object, *, allowed: Callable[[int], bool] = lambda _: True
    ) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code >= SERVER_ERROR:
            self.server_errors += 1
        if answer.status_code >= SERVER_ERROR or not allowed(answer.status_code):
            self.note(f"{answer.status_code} {answer.text[:200]} for {said!r}"[:1500])

    def note(self, wrong: str) -> None:
        if len(self.wrong) < 20:
            self.wrong.append(wrong)
