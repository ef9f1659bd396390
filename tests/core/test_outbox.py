from datetime import UTC, datetime, timedelta

import pytest

from functions.core import outbox
from functions.core.graph import LONGEST, LONGEST_UPLOAD
from functions.core.message import message_key
from functions.core.store import NOW, AlreadyExists, NotFound, Stale, create, delete, update

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONVERSATION = "conversation"


async def queue(store, *messages):
    for message in messages:
        fields = {"conversation": CONVERSATION, "waiting": True, "queued": NOW}
        await store.commit([create(message_key(message), fields)])


async def box_in(store):
    [document] = await store.get([outbox.outbox_key(CONVERSATION)])
    return outbox.outbox_of(CONVERSATION, document)


async def one_in(store):
    [message] = await store.get([message_key("one")])
    return message


async def waiting_in(store):
    return [document.key.id for document in await store.query(outbox.waiting(CONVERSATION, limit=10))]


async def test_messages_wait_in_the_order_in_which_they_were_accepted(store):
    await queue(store, "z", "a", "m")
    assert await waiting_in(store) == ["z", "a", "m"]


async def test_an_outbox_that_never_sent_is_free(store):
    box = await box_in(store)
    assert (box.version, box.holds) == (None, None)
    assert box.busy_until < START


async def test_a_lease_names_its_message_and_outlives_every_call(store):
    await queue(store, "one")
    await store.commit(outbox.take(await box_in(store), "acme", await one_in(store), START))
    box = await box_in(store)
    assert box.holds == "one"
    assert box.busy_until == START + outbox.LEASE
    assert timedelta(seconds=LONGEST + LONGEST_UPLOAD) < outbox.LEASE


async def test_of_two_who_take_a_lease_at_once_one_is_refused(store):
    await queue(store, "one")
    first = await box_in(store)
    await store.commit(outbox.take(first, "acme", await one_in(store), START))
    with pytest.raises(AlreadyExists):
        await store.commit(outbox.take(first, "acme", await one_in(store), START))
    await store.commit([outbox.let_go(first)])
    second = await box_in(store)
    await store.commit(outbox.take(second, "acme", await one_in(store), START))
    with pytest.raises(Stale):
        await store.commit(outbox.take(second, "acme", await one_in(store), START))


async def test_a_lease_can_not_be_taken_for_a_message_that_is_gone(store):
    await queue(store, "one")
    gone = await one_in(store)
    await store.commit([delete(gone.key)])
    with pytest.raises((NotFound, Stale)):
        await store.commit(outbox.take(await box_in(store), "acme", gone, START))
    assert (await box_in(store)).version is None


async def test_a_lease_can_not_be_taken_for_a_message_that_has_changed_since_it_was_read(store):
    await queue(store, "one")
    read = await one_in(store)
    await store.commit([update(read.key, {"conversation": "another"})])
    with pytest.raises(Stale):
        await store.commit(outbox.take(await box_in(store), "acme", read, START))


async def test_letting_go_frees_the_outbox_at_once_or_from_a_time_on(store):
    await queue(store, "one")
    await store.commit(outbox.take(await box_in(store), "acme", await one_in(store), START))
    later = START + timedelta(seconds=30)
    for until, free_from in ((later, later), (None, datetime.fromtimestamp(0, UTC))):
        await store.commit([outbox.let_go(await box_in(store), until)])
        box = await box_in(store)
        assert (box.holds, box.busy_until) == (None, free_from)


async def test_a_settled_message_leaves_and_the_others_stay(store):
    await queue(store, "one", "two")
    await store.commit([outbox.settled("one", {"wamid": "wamid.1"})])
    assert await waiting_in(store) == ["two"]


def test_a_task_names_its_message_once():
    one, same, other = (outbox.send_task("line", CONVERSATION, cause) for cause in ("a", "a", "b"))
    assert one.name == same.name != other.name
    assert one.payload == {"kind": "send", "line": "line", "conversation": CONVERSATION}
