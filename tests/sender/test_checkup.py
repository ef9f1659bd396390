"""A line's checkup on schedule feeds its health in the CRM, and so does a Graph API that has become slow."""

from pathlib import Path

import pytest

from functions.core.pace import LONGEST_ANSWER
from functions.core.tasks import Task
from tests.doctor_faults import Surgery, surgery
from tests.payloads import ANA
from tests.rig import Rig


@pytest.fixture
async def patient(tmp_path: Path):
    async with surgery(tmp_path) as patient:
        await check(patient.rig)
        patient.rig.crm.batches.clear()
        yield patient


async def check(rig: Rig) -> None:
    """Let the scheduler come by."""
    rig.clock.forward(minutes=2)
    assert (await rig.run(Task("housekeeping", "sync", {"kind": "health"}))).status_code == 200
    await rig.drain()


def told(rig: Rig) -> list[dict]:
    return [event["health"] for event in rig.crm.of_type("line.health")]


async def test_what_is_found_wrong_is_told_with_how_to_mend_it_once(patient: Surgery) -> None:
    patient.whatsapp.scenario("quality_low")
    for _ in range(3):
        await check(patient.rig)
    [health] = told(patient.rig)
    [problem] = health["problems"]
    assert (problem["check"], problem["state"]) == ("WhatsApp", "warn")
    assert "quality RED" in problem["seen"]
    assert problem["mend"]
    assert health["checked"]


async def test_that_it_was_mended_is_told_too(patient: Surgery) -> None:
    patient.whatsapp.scenario("number_disconnected")
    await check(patient.rig)
    patient.whatsapp.scenarios.clear()
    await check(patient.rig)
    assert [len(health["problems"]) for health in told(patient.rig)] == [1, 0]


async def test_a_sick_line_still_takes_and_sends_messages(patient: Surgery) -> None:
    patient.whatsapp.scenario("quality_low")
    await check(patient.rig)
    tab = await patient.rig.chatting(ANA)
    assert (await tab.say("Hi!"))["status"] == "queued"


async def test_meta_out_of_reach_is_a_problem_and_no_failed_task(patient: Surgery) -> None:
    patient.away.add("graph.test")
    await check(patient.rig)
    assert not told(patient.rig), "once is a hiccup"
    await check(patient.rig)
    assert any("can't be reached" in problem["seen"] for problem in told(patient.rig)[-1]["problems"])


class Stopwatch:
    """Shows what the answers are told to take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def slow(tmp_path: Path):
    """A rig, and the seconds that each of Meta's answers takes."""
    async with surgery(tmp_path) as patient:
        await check(patient.rig)
        patient.rig.crm.batches.clear()
        watch, rig, takes = Stopwatch(), patient.rig, [0.1]

        async def answer(request):
            watch.now += takes[0]
            return await patient.client.send(request)

        rig.whatsapp.plays(answer)
        rig.start(timer=watch)
        rig.agent = rig.tab(rig.names("conversations")[0])
        yield rig, takes


async def say(rig: Rig, *texts: str) -> None:
    for text in texts:
        await rig.agent.say(text)
        rig.clock.forward(seconds=10)
        await rig.drain()


async def test_three_slow_answers_running_become_a_fact_of_the_lines_health(slow) -> None:
    rig, takes = slow
    takes[0] = LONGEST_ANSWER + 0.5
    await say(rig, "one", "two")
    assert not told(rig)
    await say(rig, "three", "four")
    assert [health["graph"] for health in told(rig)] == ["slow"]
    takes[0] = 0.2
    await say(rig, "five")
    assert [health["graph"] for health in told(rig)] == ["slow", "ok"]


async def test_a_slow_answer_now_and_then_is_none(slow) -> None:
    rig, takes = slow
    for seconds in (2, 2, 0.1, 2, 2, 0.1):
        takes[0] = seconds
        await say(rig, f"after {seconds}")
    assert not told(rig)


async def test_a_checkup_that_finds_meta_fast_again_says_so_for_an_instance_that_is_gone(slow) -> None:
    rig, takes = slow
    takes[0] = 3
    await say(rig, "one", "two", "three")
    takes[0] = 0.1
    rig.start()
    await check(rig)
    assert [health["graph"] for health in told(rig)][-1] == "ok"
