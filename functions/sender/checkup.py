"""A line's checkup on schedule: the doctor's checks, kept with its health and told to its CRM when they change."""

import logging
from typing import Any

from functions.core.checkup.finding import Finding
from functions.core.checkup.line import OUT_OF_REACH, examine_line
from functions.core.events import deliver_task, health_event
from functions.core.health import CHECKUP, GRAPH, SLOW, fact_key, paced
from functions.core.ids import key_of
from functions.core.lines import Line
from functions.core.management import Management
from functions.core.pace import LONGEST_ANSWER
from functions.core.store import NOW, merge
from functions.sender.desk import Desk

log = logging.getLogger(__name__)


async def check_up(desk: Desk, management: Management, line_id: str) -> None:
    """Look at a line as the doctor does. Nothing is stopped by what is found: health is for people to see."""
    line = await desk.existing(line_id)
    timed: list[float] = []
    findings = await examine_line(desk.ports, management, line, timer=desk.pace.timer, seconds=timed)
    [before, graph] = await desk.ports.store.get([fact_key(line.id, CHECKUP), fact_key(line.id, GRAPH)])
    known = before.fields["problems"] if before else []
    now = desk.ports.now()
    fields: dict[str, Any] = {"account": line.account, "line": line.id, "waba": line.waba, "fact": CHECKUP}
    fields |= {"at": int(now.timestamp()), "changed": NOW}
    away = any(finding.seen.startswith(OUT_OF_REACH) for finding in findings)
    was_away = bool(before and before.fields.get("away"))
    if away and not was_away:
        # Networks have hiccups: only the second time running is news.
        fields |= {} if before else {"value": "ok", "problems": []}
        await desk.ports.store.commit([merge(fact_key(line.id, CHECKUP), {**fields, "away": True})])
        return
    # The instance that found it slow may be gone.
    fast_again = graph is not None and graph.fields["value"] == SLOW and bool(timed) and max(timed) <= LONGEST_ANSWER
    problems = [_problem(line, finding) for finding in findings if finding.state in ("bad", "warn")]
    if fast_again:
        problems = [problem for problem in problems if problem["check"] != "Graph"]
        await desk.ports.store.commit(paced(line, "ok", now))
        await _tell(desk, line, "graph ok")
    if before and known == problems and was_away == away:
        return
    state = max((problem["state"] for problem in problems), key=("ok", "warn", "bad").index, default="ok")
    fields |= {"value": state, "problems": problems, "away": away}
    changed = _outline(known) != _outline(problems)
    told = [health_event(line, f"checkup {int(now.timestamp())}", now)] if changed else []
    await desk.ports.store.commit([merge(fact_key(line.id, CHECKUP), fields), *told])
    if changed:
        for problem in problems:
            if problem["state"] == "bad" and _outline([problem]) not in [_outline([one]) for one in known]:
                log.error("a line is unwell", extra={"line": line.id, "reason": problem["check"]})
        await _tell(desk, line, "checkup")


async def tell_pace(desk: Desk, line: Line) -> None:
    """Keep it, and tell the CRM, when Meta has become slow for a line, or fast again."""
    if news := desk.pace.news(line.phone_number_id):
        log.warning("the Graph API's pace changed", extra={"line": line.id, "status": news})
        await desk.ports.store.commit(paced(line, news, desk.ports.now()))
        await _tell(desk, line, f"graph {news}")


async def _tell(desk: Desk, line: Line, cause: str) -> None:
    at = str(desk.ports.now().timestamp())
    await desk.ports.tasks.enqueue(deliver_task(line.connection, key_of(line.id, cause, at)))


def _problem(line: Line, finding: Finding) -> dict[str, Any]:
    check = finding.name.removeprefix(f"line {line.id}: ")
    return {"check": check, "state": finding.state, "seen": finding.seen, "mend": finding.mend}


def _outline(problems: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what is told apart: a figure that moves is no news."""
    return [(problem["check"], problem["state"]) for problem in problems]
