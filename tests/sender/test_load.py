"""Many messages at once, a queue that errs, a WhatsApp that loses answers, a sender that dies: what arrives is right.

`python -m tests.load` does the same with 1,000 messages over 50 conversations and prints the table.
"""

import pytest

from functions.core.queues import limits_of
from tests.load import OUT_OF_ORDER, Outcome, Plan, compared, loaded, run


def is_right(outcome: Outcome) -> None:
    assert outcome.lost == []
    assert outcome.doubled == []
    assert outcome.out_of_order == []
    assert outcome.wrongly_unknown == []
    assert outcome.wrongly_sent == []
    assert outcome.shown["unknown"] == outcome.queued - outcome.accepted
    assert outcome.refusals == 0


async def test_two_hundred_messages_arrive_once_in_order_and_at_the_queues_rate(tmp_path):
    outcome = await run(tmp_path, Plan(messages=200, conversations=10, seed=1))
    is_right(outcome)
    assert outcome.duplicates > 10
    assert outcome.faults["500 before"] == outcome.shown["unknown"] > 0
    assert outcome.faults["time-out after"] > 0
    limits = limits_of("send-line")
    assert limits
    assert outcome.busiest <= limits.rate * (10 + OUT_OF_ORDER) + limits.rate


async def test_more_than_a_pair_may_have_waits_for_its_turn(tmp_path):
    outcome = await run(tmp_path, Plan(messages=110, conversations=2, seed=2))
    is_right(outcome)
    assert outcome.seconds > (110 / 2 - 45) * 6


async def test_a_token_that_is_expired_for_an_hour_costs_nothing_but_the_hour(tmp_path):
    plan = Plan(messages=60, conversations=6, seed=4)
    async with loaded(tmp_path, plan) as load:
        await load.meet(plan.conversations)
        start = load.clock.wall()
        load.simulator.scenario("token_expired")
        await load.say(plan.messages)
        await load.go_on_until(start + 3600)
        assert len(load.whatsapp.times) < 25
        load.simulator.scenarios.clear()
        load.whatsapp.refusals = 0
        await load.finish()
        is_right(await compared(load, plan, start))


@pytest.mark.parametrize("seed", range(2))
async def test_a_sender_that_dies_anywhere_loses_doubles_and_misplaces_nothing(tmp_path, seed):
    outcome = await run(tmp_path, Plan(messages=100, conversations=8, seed=seed, kill=40))
    is_right(outcome)
    assert outcome.kills > 20
