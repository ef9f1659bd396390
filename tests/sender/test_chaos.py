"""Whatever happens between an agent's send and Meta's answer: nothing is sent twice, out of order, or forgotten."""

from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.payloads import ANA, status
from tests.rig import accepted, rigged

ACTIONS = ("say", "run", "run again", "wait", "store fails", "store loses", "queue fails", "status", "sweep")
ANSWERS = ("takes", "takes, and the answer is lost", "can't be reached", "is busy", "refuses")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    actions=st.lists(st.sampled_from(ACTIONS), max_size=25),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=8),
    call=st.sampled_from(["get", "query", "commit"]),
    chance=st.randoms(),
)
async def test_a_customer_never_gets_a_message_twice_or_out_of_order(actions, answers, call, chance):
    with TemporaryDirectory() as folder:
        async with rigged(Path(folder)) as rig:
            await play(rig, actions, answers, call, chance)


async def play(rig, actions, answers, call, chance):
    tab = await rig.chatting(ANA)
    taken: list[str] = []
    said: list[str] = []
    seen: list = []

    async def meta(request):
        answer = answers.pop() if answers else "takes"
        body = rig.whatsapp.messages[-1]
        if answer.startswith("takes"):
            taken.append(body["text"]["body"])
            seen.append(body["biz_opaque_callback_data"])
        if answer == "takes":
            return accepted(f"wamid.{tab.conversation}.{len(taken)}")
        if answer in ("is busy", "refuses"):
            code = 130429 if answer == "is busy" else 131026
            return httpx.Response(400, json={"error": {"code": code}})
        raise httpx.ReadTimeout("late") if "lost" in answer else httpx.ConnectError("no way")

    troubles = len(answers)
    rig.whatsapp.plays(meta)
    done = []
    for action in ("say", *actions):
        match action:
            case "say":
                said.append(str(len(said)))
                await tab.send({"type": "text", "text": {"body": said[-1]}})
            case "run" if rig.tasks.due():
                task = chance.choice(rig.tasks.due())
                rig.tasks.waiting.remove(task)
                done.append(task)
                answer = await rig.run(task)
                if answer.status_code != 200:
                    rig.tasks.waiting.append(task)
            case "run again" if done:
                await rig.run(chance.choice(done))
            case "wait":
                rig.clock.forward(seconds=chance.choice([1, 10, 40, 200]))
            case "store fails":
                rig.store.fails_next(call)
            case "store loses":
                rig.store.loses_next_answer(call)
            case "queue fails":
                rig.tasks.out_of_reach = not rig.tasks.out_of_reach
            case "status" if seen:
                await rig.post(status("delivered", "wamid.any", callback=chance.choice(seen)))
            case "sweep":
                await rig.sync.post("/", json={"kind": "sweep"})

    rig.tasks.out_of_reach = False
    rig.store.heals()
    for _ in range(3 * len(said) + troubles + 3):
        rig.clock.forward(minutes=4)
        await rig.sweep()
    rig.whatsapp.plays(None)
    assert taken == sorted(set(taken), key=int)
    out = [item for item in await tab.messages() if item["direction"] == "out"]
    assert {item["status"] for item in out} <= {"sent", "delivered", "unknown", "failed"}
    assert {item["text"]["body"] for item in out if item["status"] in ("sent", "delivered")} <= set(taken)
