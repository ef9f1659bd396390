"""The window and both rates hold, by a clock that the test moves."""

from hypothesis import given
from hypothesis import strategies as st

from functions.local.simulator.limits import pair_allowance, throughput_allowance
from tests.local.simulator.parties import Business, Clock, Phone

HOUR = 3600.0


def code(answer: object) -> int | None:
    error = answer.json().get("error")  # type: ignore[attr-defined]
    return error["code"] if error else None


async def test_a_stranger_may_be_written_to_for_24_hours(business: Business, clock: Clock) -> None:
    assert code(await business.send(to="447700900123", text="hello")) is None
    clock.now += 24 * HOUR - 1
    assert code(await business.send(to="447700900123", text="still there?")) is None
    clock.now += 1
    assert code(await business.send(to="447700900123", text="too late")) == 131047


async def test_the_customers_message_opens_the_window_again(business: Business, phone: Phone, clock: Clock) -> None:
    await business.sent(text="hello")
    clock.now += 25 * HOUR
    assert code(await business.send(text="late")) == 131047
    await phone.write({"text": "sorry, I was away"})
    assert code(await business.send(text="welcome back")) is None


async def test_a_template_needs_no_window(business: Business, clock: Clock) -> None:
    await business.sent(text="hello")
    clock.now += 25 * HOUR
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    assert code(await business.send(type="template", template=template)) is None


async def test_the_window_counts_from_the_messages_own_time(business: Business, phone: Phone, clock: Clock) -> None:
    await phone.write({"type": "text", "text": {"body": "old"}, "timestamp": str(int(clock.now - 25 * HOUR))})
    assert code(await business.send(text="hello")) == 131047


async def test_reactions_and_system_events_open_no_window(business: Business, phone: Phone, clock: Clock) -> None:
    wamid = await business.sent(text="hello")
    clock.now += 25 * HOUR
    await phone.write({"type": "reaction", "reaction": {"message_id": wamid, "emoji": "👍"}})
    await phone.write({"type": "system", "system": {"type": "user_changed_number", "body": "changed"}})
    assert code(await business.send(text="late")) == 131047


async def test_each_line_has_its_own_window(business: Business, phone: Phone, clock: Clock) -> None:
    await business.sent(text="hello")
    clock.now += 25 * HOUR
    await phone.write({"text": "to the other line", "line": "100000000000002"})
    assert code(await business.send(text="late")) == 131047


async def test_45_messages_at_once_then_one_in_6_seconds(business: Business, clock: Clock) -> None:
    for number in range(45):
        assert code(await business.send(text=f"{number}")) is None
    assert code(await business.send(text="46")) == 131056
    assert code(await business.send(to="12025550123", text="somebody else")) is None
    clock.now += 5.9
    assert code(await business.send(text="46")) == 131056
    clock.now += 0.1
    assert code(await business.send(text="46")) is None
    assert code(await business.send(text="47")) == 131056


async def test_80_messages_a_second_for_a_number(business: Business, clock: Clock) -> None:
    for number in range(80):
        assert code(await business.send(to=f"1555020{number:04}", text="hello")) is None
    assert code(await business.send(to="15550209999", text="hello")) == 130429
    clock.now += 1 / 80
    assert code(await business.send(to="15550209999", text="hello")) is None


@given(pauses=st.lists(st.floats(min_value=0, max_value=30), max_size=200))
def test_never_more_than_the_burst_and_the_rate_together(pauses: list[float]) -> None:
    for allowance, burst, rate in ((pair_allowance(), 45, 1 / 6), (throughput_allowance(), 80, 80.0)):
        now, passed = 0.0, []
        for pause in pauses:
            now += pause
            if allowance.allows("key", now):
                allowance.take("key", now)
                passed.append(now)
        for first, since in enumerate(passed):
            taken = len(passed) - first
            assert taken <= burst + rate * (passed[-1] - since) + 1


async def test_refused_messages_cost_nothing(business: Business, clock: Clock, phone: Phone) -> None:
    for _ in range(100):
        await business.send(text="")
    assert code(await business.send(text="hello")) is None
    assert len(await phone.shows()) == 1
