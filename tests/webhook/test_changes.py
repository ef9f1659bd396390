"""Reactions, edits and revocations end the same, however they come."""

import itertools
from datetime import UTC, datetime

import pytest

from tests.payloads import (
    ANA,
    echo,
    echo_edit,
    echo_text,
    edit,
    inbound,
    inbound_text,
    reaction,
    revoke,
    status,
)
from tests.rig import accepted

AT = 1_780_000_000


async def only(rig):
    """Return the one conversation's tab."""
    [conversation] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    return rig.tab(conversation["id"])


async def last(rig):
    return await (await only(rig)).last()


def stored(rig, wamid):
    [found] = [fields for fields in rig.documents("messages") if fields.get("wamid") == wamid]
    return found


def text(**more):
    return inbound_text(ANA, "first", wamid="wamid.1", at=AT, **more)


async def test_a_reaction_stands_on_its_message_and_is_no_message(rig):
    await rig.deliver(text())
    await rig.deliver(reaction(ANA, "wamid.1", "👍", at=AT + 5))
    [said] = await (await only(rig)).messages()
    at = "2026-05-28T20:26:45+00:00"
    none = {"status": None, "error": None}
    assert said["reactions"] == [{"emoji": "👍", "by": "customer", "name": "Ana", "at": at, **none}]


async def test_a_reaction_is_an_alert_that_opens_no_window_and_is_not_unread(rig):
    tab = rig.tab(await rig.met(ANA, wamid="wamid.1", at=AT))
    before = await tab.head()
    await rig.deliver(reaction(ANA, "wamid.1", at=rig.clock().timestamp()))
    await rig.drain()
    after = await tab.head()
    assert (after["unread"], after["window"]) == (before["unread"], before["window"])
    told = rig.crm.of_type("message.changed")[-1]["message"]
    assert (told["what"], told["id"]) == ("reaction", (await tab.last())["id"])
    assert rig.documents("conversations")[0]["last_activity"] > AT


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_the_newest_reaction_counts_in_whatever_order_they_come_even_before_their_message(rig, order):
    deliveries = [
        text(),
        reaction(ANA, "wamid.1", "👍", at=AT + 1, wamid="wamid.r1"),
        reaction(ANA, "wamid.1", None, at=AT + 2, wamid="wamid.r2"),
        reaction(ANA, "wamid.1", "🎉", at=AT + 3, wamid="wamid.r3"),
    ]
    for place in order:
        await rig.deliver(deliveries[place])
    [said] = await (await only(rig)).messages()
    assert [one["emoji"] for one in said["reactions"]] == ["🎉"]
    assert said["text"] == {"body": "first"}
    assert (await (await only(rig)).head())["unread"] == 1


async def test_a_reaction_that_is_taken_back_is_not_shown(rig):
    await rig.deliver(text(), reaction(ANA, "wamid.1", "👍", at=AT + 1), reaction(ANA, "wamid.1", "", at=AT + 2))
    assert (await last(rig))["reactions"] == []


async def test_customer_and_business_each_have_their_reaction(rig):
    await rig.deliver(text(), reaction(ANA, "wamid.1", "👍", at=AT + 1))
    await rig.deliver(echo(ANA, "reaction", {"message_id": "wamid.1", "emoji": "❤️"}, at=AT + 2))
    assert {one["by"]: one["emoji"] for one in (await last(rig))["reactions"]} == {"customer": "👍", "business": "❤️"}


async def test_a_customer_reacts_to_what_an_agent_wrote(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    await rig.deliver(reaction(ANA, "wamid.out.1", "👍"))
    assert [one["emoji"] for one in (await tab.last())["reactions"]] == ["👍"]


async def test_many_reactions_in_one_post_with_their_message_are_all_taken(rig):
    await rig.deliver(*(reaction(ANA, "wamid.1", f"{n}", at=AT + n) for n in range(20)), text())
    assert [one["emoji"] for one in (await last(rig))["reactions"]] == ["19"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_last_edit_is_shown_and_what_was_there_is_kept(rig, order):
    deliveries = [
        text(),
        edit(ANA, "wamid.1", "second", at=AT + 1, wamid="wamid.e1"),
        edit(ANA, "wamid.1", "third", at=AT + 2, wamid="wamid.e2"),
    ]
    for place in (*order, *order):
        await rig.deliver(deliveries[place])
    [said] = await (await only(rig)).messages()
    assert (said["text"], said["edited"]) == ({"body": "third"}, "2026-05-28T20:26:42+00:00")
    assert [one["content"]["body"] for one in stored(rig, "wamid.1")["before"]] == ["first", "second"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_revoked_message_keeps_its_place_and_shows_nothing(rig, order):
    deliveries = [
        text(),
        edit(ANA, "wamid.1", "second", at=AT + 1, wamid="wamid.e1"),
        revoke(ANA, "wamid.1", at=AT + 2, wamid="wamid.v"),
    ]
    for place in (*order, *order):
        await rig.deliver(deliveries[place])
    [said] = await (await only(rig)).messages()
    assert (said["type"], said["text"], said["media"]) == ("text", {}, None)
    assert said["revoked"] == "2026-05-28T20:26:42+00:00"
    assert [one["content"]["body"] for one in stored(rig, "wamid.1")["before"]] == ["first", "second"]


async def test_a_revoked_picture_can_not_be_fetched_from_the_tab(rig):
    await rig.deliver(inbound(ANA, "image", {"id": "m", "caption": "for your eyes only"}, wamid="wamid.1", at=AT))
    await rig.deliver(revoke(ANA, "wamid.1", at=AT + 2))
    said = await last(rig)
    assert (said["media"], said["image"]) == (None, {})
    assert stored(rig, "wamid.1")["before"][0]["content"] == {"caption": "for your eyes only"}


async def test_an_edited_caption_replaces_the_old_one_and_leaves_the_file(rig):
    await rig.deliver(inbound(ANA, "image", {"id": "m", "caption": "old"}, wamid="wamid.1", at=AT))
    new = {"original_message_id": "wamid.1", "message": {"type": "image", "image": {"id": "other"}}}
    await rig.deliver(inbound(ANA, "edit", new, at=AT + 1))
    said = await last(rig)
    assert (said["image"], stored(rig, "wamid.1")["media"]["id"]) == ({}, "m")


async def test_a_reply_to_a_revoked_message_shows_none_of_its_words(rig):
    await rig.deliver(text(), revoke(ANA, "wamid.1", at=AT + 1))
    await rig.deliver(inbound_text(ANA, "Well?", context={"id": "wamid.1"}, at=AT + 2))
    assert (await last(rig))["reply_to"]["preview"] is None


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_what_the_phone_app_changes_ends_the_same_in_any_order(rig, order):
    deliveries = [
        echo_text(ANA, "first", wamid="wamid.1", at=AT),
        echo_edit(ANA, "wamid.1", "second", wamid="wamid.e1", at=AT + 1),
        reaction(ANA, "wamid.1", "👍", wamid="wamid.r1", at=AT + 2),
    ]
    for place in (*order, *order):
        await rig.deliver(deliveries[place])
    [said] = await (await only(rig)).messages()
    assert (said["text"], [one["emoji"] for one in said["reactions"]]) == ({"body": "second"}, ["👍"])
    assert len(rig.documents("messages")) == 1


async def test_the_crm_hears_of_an_edit_and_a_revocation(rig):
    await rig.deliver(text(), edit(ANA, "wamid.1", "second", at=AT + 1), revoke(ANA, "wamid.1", at=AT + 2))
    await rig.drain()
    assert {told["message"]["what"] for told in rig.crm.of_type("message.changed")} == {"edited", "revoked"}


async def test_a_target_that_never_comes_makes_no_conversation(rig):
    await rig.deliver(reaction(ANA, "wamid.nobody"), edit(ANA, "wamid.nobody", "x"))
    assert (await rig.call("GET", "/v1/conversations")).json()["items"] == []


async def test_what_comes_before_the_answer_to_a_send_is_on_the_message_when_that_is_stored(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")

    async def late(request):
        await rig.deliver(reaction(ANA, "wamid.out.1", "👍"), status("read", "wamid.out.1"))
        return accepted("wamid.out.1")

    rig.whatsapp.answers_next(late)
    await rig.drain()
    said = await tab.last()
    assert (said["status"], [one["emoji"] for one in said["reactions"]]) == ("read", ["👍"])
    assert rig.documents("orphan_statuses") == [one for one in rig.documents("messages") if "type" not in one] == []


async def test_what_waits_for_its_message_lies_under_its_contact_and_goes_away_some_day(rig):
    await rig.met(ANA)
    await rig.deliver(reaction(ANA, "wamid.never"), status("read", "wamid.never"))
    [contact] = rig.names("contacts")
    [waiting] = [one for one in rig.documents("messages") if "type" not in one]
    [orphan] = rig.documents("orphan_statuses")
    assert waiting["contact"] == orphan["contact"] == contact
    assert all("expires_at" in one for one in (waiting, orphan))


async def test_once_its_message_comes_it_stays(rig):
    await rig.met(ANA)
    await rig.deliver(reaction(ANA, "wamid.1", at=AT + 5))
    await rig.deliver(text())
    kept = stored(rig, "wamid.1")
    assert not {"stranger", "identities", "contact"} & kept.keys()
    # As long as any message, not for the 30 days in which its message might have come.
    assert str(datetime.fromtimestamp(AT, UTC).year + 2) in kept["expires_at"]


async def test_an_edit_whose_message_is_stored_while_it_looks_for_it_is_taken_at_once(rig):
    async def looks_for_what_is_kept() -> None:
        rig.store.before_next("query", lambda: rig.deliver(inbound_text(ANA, "Hello", wamid="wamid.1", at=AT)))

    async def keeps_it() -> None:
        rig.store.before_next("get", looks_for_what_is_kept)

    rig.store.before_next("commit", keeps_it)
    await rig.deliver(edit(ANA, "wamid.1", "Hello, edited", at=AT + 1))
    await rig.drain()
    conversation = rig.crm.of_type("message.received")[-1]["conversation"]["id"]
    assert [one["text"]["body"] for one in await rig.tab(conversation).messages()] == ["Hello, edited"]
