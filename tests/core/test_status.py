import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.status import RANK, reached, shown
from functions.core.store import Key, merge

ORDER = ("queued", "sending", "unknown", "sent", "failed", "delivered", "read", "played")
SEEN = st.tuples(st.sampled_from(ORDER), st.integers(1_780_000_000, 1_780_000_009))

ids = itertools.count()


async def after(store, *seen):
    """Return the fields of a message that reached these (status, second) one after the other."""
    key = Key("messages", f"message-{next(ids)}")
    for name, at in seen:
        await store.commit([merge(key, reached(name, at))])
    [document] = await store.get([key])
    return document.fields


def test_the_order_is_the_documented_one():
    assert sorted(RANK, key=RANK.get) == list(ORDER)


def test_a_message_without_any_status_is_queued():
    assert shown({}) == "queued"


async def test_a_late_delivered_never_hides_read(store):
    fields = await after(store, ("sent", 1), ("read", 3), ("delivered", 2))
    assert shown(fields) == "read"
    assert fields["statuses"] == {"sent": 1, "delivered": 2, "read": 3}


async def test_failed_stands_above_sent_and_below_delivered(store):
    assert shown(await after(store, ("failed", 2), ("sent", 3))) == "failed"
    assert shown(await after(store, ("delivered", 1), ("failed", 2))) == "delivered"


async def test_the_first_of_two_times_of_a_status_stays(store):
    fields = await after(store, ("delivered", 5), ("delivered", 4), ("delivered", 6))
    assert fields["statuses"] == {"delivered": 4}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seen=st.lists(SEEN, min_size=1, max_size=6), shuffled=st.randoms())
async def test_any_order_and_repetition_of_statuses_ends_the_same(store, seen, shuffled):
    again = seen + shuffled.choices(seen, k=3)
    shuffled.shuffle(again)
    one, other = await asyncio.gather(after(store, *seen), after(store, *again))
    assert one == other
    assert shown(one) == max((name for name, _ in seen), key=ORDER.index)
