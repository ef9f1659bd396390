"""An agent settles what nobody knows the end of: once, not too early, and never against a status."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.core import outbox
from functions.core.message import Author, message_key, outbound_fields, view
from functions.core.retention import Policy
from functions.core.status import reached
from functions.core.store import Stale, create, update

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARC = Author("agent", "2", "Marc")
LATER = START + timedelta(minutes=10)


async def sent(store, status="unknown", **more):
    """Store a message that an agent sent and that got no further than this."""
    fields = outbound_fields(
        account="acme",
        line="line",
        conversation="conversation",
        author=MARC,
        client_id="client-1",
        body={"type": "image", "image": {"caption": "Look"}},
        now=START,
    )
    fields |= {**reached(status, int(START.timestamp())), "media": {"file": "acme/1", "mime": "image/jpeg"}, **more}
    del fields["waiting"]
    await store.commit([create(message_key("one"), fields)])
    return await read(store, "one")


async def read(store, message):
    [document] = await store.get([message_key(message)])
    return document


async def test_an_unknown_message_says_from_when_on_it_can_be_settled(store):
    assert view(await sent(store))["settle"] == {"from": LATER.isoformat()}


@pytest.mark.parametrize(
    "settle", [outbox.let_be, lambda *given: outbox.send_again(given[0], "client-2", *given[1:], Policy())]
)
async def test_it_can_not_be_settled_before(store, settle):
    message = await sent(store)
    with pytest.raises(outbox.TooEarly) as early:
        settle(message, MARC, LATER - timedelta(seconds=1))
    assert early.value.since == LATER


async def test_to_let_it_be_is_kept_with_who_and_when(store):
    await store.commit(outbox.let_be(await sent(store), MARC, LATER))
    shown = view(await read(store, "one"))
    assert shown["settled"] == {"as": "let_be", "by": {"id": "2", "name": "Marc"}, "at": LATER.isoformat()}
    assert (shown["settle"], shown["status"], shown["again"]) == (None, "unknown", None)


async def test_to_send_it_again_makes_a_new_message_with_the_same_file_and_each_names_the_other(store):
    await store.commit(outbox.send_again(await sent(store), "client-2", MARC, LATER, Policy()))
    old = view(await read(store, "one"))
    new = await read(store, old["again"])
    assert old["settled"]["as"] == "sent_again"
    shown = view(new)
    assert (shown["again_of"], shown["status"], shown["client_id"]) == ("one", "queued", "client-2")
    assert (shown["image"], new.fields["media"]["file"]) == ({"caption": "Look"}, "acme/1")
    assert shown["sort"] > old["sort"]
    assert [document.key for document in await store.query(outbox.waiting("conversation"))] == [new.key]


async def test_a_failed_message_can_be_sent_again_at_once_but_not_let_be(store):
    message = await sent(store, "failed", error={"code": 131026})
    with pytest.raises(outbox.NotToSettle):
        outbox.let_be(message, MARC, START)
    await store.commit(outbox.send_again(message, "client-2", MARC, START, Policy()))
    assert view(await read(store, "one"))["again"]


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
async def test_a_message_whose_end_is_known_is_not_to_be_settled(store, status):
    message = await sent(store, status)
    for settle in (
        lambda: outbox.let_be(message, MARC, LATER),
        lambda: outbox.send_again(message, "c", MARC, LATER, Policy()),
    ):
        with pytest.raises(outbox.NotToSettle):
            settle()


async def test_it_is_settled_once(store):
    await store.commit(outbox.let_be(await sent(store), MARC, LATER))
    with pytest.raises(outbox.NotToSettle):
        outbox.send_again(await read(store, "one"), "client-2", MARC, LATER, Policy())


async def test_of_two_agents_who_send_it_again_at_once_one_is_refused(store):
    message = await sent(store)
    await store.commit(outbox.send_again(message, "client-2", MARC, LATER, Policy()))
    with pytest.raises(Stale):
        await store.commit(outbox.send_again(message, "client-3", MARC, LATER, Policy()))
    assert len(await store.query(outbox.waiting("conversation", 10))) == 1


async def test_a_status_that_comes_meanwhile_wins(store):
    message = await sent(store)
    await store.commit([update(message.key, reached("delivered", 1))])
    with pytest.raises(Stale):
        await store.commit(outbox.send_again(message, "client-2", MARC, LATER, Policy()))
