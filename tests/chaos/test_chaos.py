"""A busy line on its worst day: at the end store, phones, CRM and tabs agree with what was said."""

from pathlib import Path

import pytest

from tests.chaos.day import Plan, arranged
from tests.chaos.people import AGENT, CUSTOMER
from tests.chaos.verdict import violations

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("seed", [0, 1])
async def test_a_worst_day_ends_as_it_was_said(tmp_path: Path, seed: int) -> None:
    async with arranged(tmp_path, Plan(events=500, people=25, seed=seed, kill=150)) as day:
        await day.passes()
        assert await violations(day) == []
        assert sum(one.kills for instances in day.fleet.values() for one in instances) > 10
        assert day.calamity.struck["webhook doubled"]
        assert day.calamity.struck["CRM away"]


async def test_a_day_of_three_times_the_faults_ends_as_it_was_said(tmp_path: Path) -> None:
    async with arranged(tmp_path, Plan(events=600, people=12, seed=205, kill=100, moves=3, worse=3)) as day:
        await day.passes()
        assert await violations(day) == []
        assert any("Graph" in fault for fault in day.calamity.struck)
        assert {said.kind for person in day.world.people for said in person.of(AGENT)} - {"text"}


async def test_customers_who_change_their_numbers_lose_nothing(tmp_path: Path) -> None:
    """Of this kind were joined conversations whose messages stayed behind with the task that was lost, and customers
    whose words went to a redirect since late tasks of one joining came after the next."""
    plan = Plan(events=400, people=12, seed=14, kill=100, moves=10)
    async with arranged(tmp_path, plan) as day:
        await day.passes()
        assert await violations(day) == []
        assert any(person.moves for person in day.world.people)


async def test_of_many_who_are_erased_nothing_is_left_and_who_comes_back_loses_nothing(tmp_path: Path) -> None:
    """Of this kind were early reactions of who had come back that went with the rest of their erasure."""
    plan = Plan(events=500, people=15, seed=6005, kill=200, moves=3, busy=12, erasures=0.3)
    async with arranged(tmp_path, plan) as day:
        await day.passes()
        assert await violations(day) == []
        assert day.world.erased


async def test_the_verdict_sees_what_is_lost_doubled_or_wrong(tmp_path: Path) -> None:
    async with arranged(tmp_path, Plan(events=120, people=5, seed=3, kill=0)) as day:
        await day.passes()
        assert await violations(day) == []
        person = next(one for one in day.world.people if len(one.of(CUSTOMER)) > 3)
        first, second = person.of(CUSTOMER)[:2]
        first.name, second.revoked = "wamid.nobody", not second.revoked
        wrong = "\n".join(await violations(day))
        assert f"{person.name}: lost: ['{first.text}']" in wrong
        assert "doubled or not said" in wrong
        assert f"{second.text}: revoked is" in wrong


async def test_the_verdict_sees_who_is_not_erased_and_what_is_not_settled_or_of_the_past(
    tmp_path: Path,
) -> None:
    async with arranged(tmp_path, Plan(events=250, people=5, seed=3, kill=0)) as day:
        await day.passes()
        assert await violations(day) == []
        person = next(one for one in day.world.people if one.live)
        customers = person.live[0]
        sent = [one for each in day.world.people for one in each.of(AGENT) if one.kind != "reaction"]
        agents = next(one for one in sent if not one.settled)
        customers.past, agents.settled = True, "let_be"
        day.world.erased.append(person)
        wrong = "\n".join(await violations(day))
        assert f"{customers.text}: history is False" in wrong
        assert f"{agents.text} is settled as None for let_be" in wrong
        assert f"{person.name}: erased, but {customers.name} is left in messages" in wrong
