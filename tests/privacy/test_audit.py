"""Who did what can be told later, without a word of what was written, and costs next to nothing."""

from collections import Counter

from tests.payloads import ANA, LUCIA
from tests.rig import CONNECTION, LINE


async def acts(rig, **of):
    items = (await rig.call("GET", "/v1/audit")).json()["items"]
    return [one for one in items if all(one[name] == value for name, value in of.items())]


async def test_who_saw_a_conversation_is_noted_once_an_hour(rig):
    tab = await rig.chatting(ANA)
    for _ in range(3):
        await tab.page()
    [seen] = await acts(rig, act="saw")
    assert (seen["agent"], seen["name"], seen["conversation"]) == ("2", "Marc", tab.conversation)
    assert (seen["actor"], seen["line"], seen["count"]) == ("agent", LINE, 1)
    rig.clock.forward(hours=1)
    await tab.page()
    await rig.tab(tab.conversation, sub="3", name="Nina").page()
    assert len(await acts(rig, act="saw")) == 3


async def test_to_be_seen_again_costs_no_write_and_no_read_of_its_own(rig):
    tab = await rig.chatting(ANA)
    await tab.page()
    rig.store.calls.clear()
    await tab.page()
    assert rig.store.calls["commit"] == 0
    other = await rig.chatting(LUCIA)
    await other.head()
    rig.store.calls.clear()
    await other.page()
    assert rig.store.calls == Counter(get=1, query=1, commit=1)


async def test_what_was_sent_and_noted_is_counted_without_its_text(rig):
    tab = await rig.chatting(ANA)
    await tab.say("The secret of the house", "client-id-1")
    await tab.say("The secret of the house", "client-id-1")
    await tab.say("And another")
    await tab.note("Only between us")
    assert [(one["act"], one["count"]) for one in await acts(rig) if one["act"] != "saw"] == [("sent", 2), ("noted", 1)]
    kept = str(rig.documents("audit"))
    assert not any(word in kept for word in ("secret", "another", "between", ANA.name, ANA.wa_id, ANA.bsuid))


async def test_a_connection_hears_of_its_own_conversations_and_of_the_account(rig):
    await rig.add_connection("second", rig.secret)
    await rig.add_connection("third", rig.secret, account="another")
    await (await rig.chatting(ANA)).page()
    assert len((await rig.call("GET", "/v1/audit")).json()["items"]) == 1
    for connection in ("second", "third"):
        assert (await rig.call("GET", "/v1/audit", connection=connection)).json()["items"] == []


async def test_a_browser_may_not_look(rig):
    tab = await rig.chatting(ANA)
    assert (await tab.get("/v1/audit")).status_code == 403


async def test_it_is_read_page_by_page_and_goes_on_where_it_ended(rig):
    for customer in (ANA, LUCIA):
        await (await rig.chatting(customer)).page()
    first = (await rig.call("GET", "/v1/audit?limit=1")).json()
    second = (await rig.call("GET", f"/v1/audit?limit=1&after={first['next']}")).json()
    assert [first["more"], second["more"]] == [True, True]
    assert first["items"][0]["id"] != second["items"][0]["id"]
    last = (await rig.call("GET", f"/v1/audit?after={second['next']}")).json()
    assert (last["items"], last["more"]) == ([], False)
    assert CONNECTION not in last["next"]


async def test_it_goes_away_when_its_time_is_over(rig):
    await (await rig.chatting(ANA)).page()
    rig.clock.forward(days=731)
    await rig.purge()
    assert rig.documents("audit") == []
