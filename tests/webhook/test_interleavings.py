"""Whatever order, whatever repetition, however batched: the conversation ends the same."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.consent import marketing
from tests.payloads import (
    ANA,
    Customer,
    address_book,
    echo_edit,
    echo_text,
    edit,
    history,
    inbound_text,
    reaction,
    revoke,
    status,
    told,
)
from tests.rig import rigged
from tests.webhook.test_facts import preference
from tests.webhook.test_moves import NEW, moved, settle

AT = 1_780_000_000

HAPPENINGS = (
    inbound_text(ANA, "one", wamid="wamid.1", at=AT),
    inbound_text(ANA, "two", wamid="wamid.2", at=AT + 1),
    inbound_text(NEW, "three", wamid="wamid.3", at=AT + 20),
    echo_text(ANA, "by the shop itself", wamid="wamid.4", at=AT + 3),
    status("delivered", "wamid.4", at=AT + 4),
    status("read", "wamid.4", at=AT + 5),
    edit(ANA, "wamid.1", "one, edited", wamid="wamid.5", at=AT + 6),
    edit(ANA, "wamid.1", "one, edited again", wamid="wamid.6", at=AT + 7),
    echo_edit(ANA, "wamid.4", "by the shop itself, edited", wamid="wamid.7", at=AT + 8),
    revoke(ANA, "wamid.2", wamid="wamid.8", at=AT + 9),
    reaction(ANA, "wamid.4", "👍", wamid="wamid.9", at=AT + 10),
    reaction(ANA, "wamid.4", None, wamid="wamid.10", at=AT + 11),
    reaction(NEW, "wamid.4", "🎉", wamid="wamid.11", at=AT + 21),
    moved(wamid="wamid.12", at=AT + 15),
    preference("stop", AT + 12),
    history(
        (
            ANA,
            [
                told(ANA, "one", wamid="wamid.1", at=AT),
                told(ANA, "by the shop itself", by="phone", wamid="wamid.4", at=AT + 3),
                told(ANA, "before all", wamid="wamid.13", at=AT - 9),
                told(ANA, "and answered", by="phone", wamid="wamid.14", at=AT - 8),
            ],
        )
    ),
    status("played", "wamid.14", at=AT - 7),
    reaction(ANA, "wamid.14", "❤️", wamid="wamid.15", at=AT - 6),
    address_book((Customer(NEW.wa_id), "Anita", AT + 2)),
)

ORDERS = st.permutations(range(len(HAPPENINGS)))
REPEATED = st.lists(st.sampled_from(range(len(HAPPENINGS))), max_size=8)
BATCHES = st.lists(st.integers(1, 6), min_size=len(HAPPENINGS) + 8, max_size=len(HAPPENINGS) + 8)


async def ends(posts):
    """Deliver these posts, and return what a tab and the CRM's server see at the end."""
    with tempfile.TemporaryDirectory() as folder:
        async with rigged(Path(folder)) as rig:
            for post in posts:
                await rig.deliver(*(HAPPENINGS[place] for place in post))
                if len(post) % 2:
                    await rig.drain()
            await settle(rig)
            listed = (await rig.call("GET", "/v1/conversations")).json()["items"]
            [conversation] = [one for one in listed if not one["merged_into"]]
            tab = rig.tab(conversation["id"])
            head = await tab.head()
            left = [one for one in rig.documents("messages") if "type" not in one]
            return {
                "messages": [_said(item) for item in await tab.messages()],
                "head": {name: head[name] for name in ("unread", "received", "window")},
                "marketing": _marketing(rig),
                "contact": {name: head["contact"][name] for name in ("name", "wa_id", "bsuid")},
                "left over": left + rig.documents("orphan_statuses") + rig.documents("parked"),
                "before": sorted(str(one.get("before")) for one in rig.documents("messages")),
            }


def _marketing(rig):
    [contact] = [one for one in rig.documents("contacts") if not one.get("merged_into")]
    return marketing(contact)


def _said(item):
    names = ("direction", "type", "at", "status", "statuses", "edited", "revoked", "reactions", "history")
    return {name: item[name] for name in names} | {"content": item[item["type"]], "by": item["author"]["kind"]}


@settings(max_examples=15, deadline=None)
@given(order=ORDERS, repeated=REPEATED, sizes=BATCHES)
async def test_every_interleaving_ends_in_the_same_conversation(order, repeated, sizes):
    expected = await ends([[place] for place in range(len(HAPPENINGS))])
    rest, posts = [*order, *repeated], []
    while rest:
        size = sizes[len(posts)]
        posts.append(rest[:size])
        rest = rest[size:]
    assert await ends(posts) == expected
