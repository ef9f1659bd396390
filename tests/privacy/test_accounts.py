"""A person may write to two businesses that share a Leadline: what one asks never touches what the other has."""

import pytest

from functions.core.telling import contact_told
from tests.payloads import ANA, inbound, inbound_text
from tests.rig import LINE

THEIRS = "What Ana wrote to the other business"


@pytest.fixture
async def contact(rig):
    """Ana wrote to both accounts; of each something could not be handled. Returns her contact in the first."""
    await rig.add_connection("theirs", account="theirs")
    await rig.add_line("their-line", number="200", account="theirs", connection="theirs", waba="300")
    tab = await rig.chatting(ANA)
    await rig.deliver(inbound(ANA, "text", {"body": "Mine, unreadable"}, timestamp="soon"))
    await rig.deliver(inbound(ANA, "text", {"body": THEIRS}, timestamp="soon", number="200"))
    # A whole webhook that nobody can read may be anybody's.
    await rig.post_body(f'{{"to": "200", "from": "{ANA.wa_id}", "text": "{THEIRS}'.encode())
    return (await tab.head())["contact"]["id"]


async def test_nothing_that_another_account_put_aside_is_handed_out(rig, contact):
    handed_out = (await rig.call("GET", f"/v1/contacts/{contact}?by=7")).text
    assert "Mine, unreadable" in handed_out
    assert THEIRS not in handed_out


async def test_what_another_account_put_aside_outlives_an_erasure(rig, contact):
    assert (await rig.call("DELETE", f"/v1/contacts/{contact}?by=7")).status_code == 202
    await rig.drain()
    assert {one["line"] for one in rig.documents("parked")} == {"their-line"}


async def test_a_line_that_leads_to_another_accounts_connection_opens_nothing_there(rig):
    await rig.add_line("astray", number="300", account="theirs")
    await rig.deliver(inbound_text(ANA, number="300"))
    [conversation] = rig.names("conversations")
    assert (await rig.call("GET", f"/v1/conversations/{conversation}/messages")).status_code == 404
    assert (await rig.call("GET", "/v1/conversations?line=astray")).status_code == 404
    assert (await rig.tab(conversation).get(f"/v1/conversations/{conversation}")).status_code == 404


async def test_a_connection_that_bears_the_name_of_anothers_former_one_hears_nothing_of_theirs(rig):
    conversation = await rig.met(ANA)
    link = (await rig.call("POST", "/v1/links", {"line": LINE, "text": "Theirs alone"})).json()["id"]
    # The line leads elsewhere now; what was said before still names the connection, which another account takes.
    await rig.add_connection("elsewhere")
    await rig.add_line(connection="elsewhere")
    await rig.add_connection(account="theirs")
    rig.start()
    rig.crm.batches.clear()
    assert (await rig.call("GET", "/v1/conversations")).json()["items"] == []
    assert (await rig.call("GET", "/v1/links")).json()["items"] == []
    assert (await rig.call("GET", f"/v1/links/{link}")).status_code == 404
    told, tasks = await contact_told(rig.store, rig.documents("conversations")[0]["contact"], "news", rig.clock())
    await rig.store.commit(told)
    assert (await rig.call("GET", "/v1/events")).json()["items"] == []
    await rig.store.commit(told)
    await rig.run(tasks[0])
    assert rig.crm.events == []
    assert (await rig.call("GET", f"/v1/conversations/{conversation}")).status_code == 404
