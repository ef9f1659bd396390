"""The phone's address book names contacts, and never over the name that a customer has."""

import itertools

import pytest

from tests.payloads import ANA, LUCIA, MIA, Customer, address_book, inbound_text, value

AT = 1_780_000_000
UNNAMED = Customer(ANA.wa_id, ANA.bsuid)


async def hand_over(rig, *values):
    await rig.deliver(*values)
    await rig.drain()


async def name(rig, conversation):
    return (await rig.tab(conversation).head())["contact"]["name"]


async def test_a_customer_without_a_name_has_the_one_of_the_address_book(rig):
    conversation = await rig.met(UNNAMED)
    await hand_over(rig, address_book((Customer(ANA.wa_id), "Ana the plumber", AT)))
    assert await name(rig, conversation) == "Ana the plumber"
    [event] = rig.crm.of_type("contact.updated")
    assert event["conversation"]["contact"]["name"] == "Ana the plumber"


async def test_it_is_never_forced_over_the_customers_own(rig):
    conversation = await rig.met(ANA)
    await hand_over(rig, address_book((ANA, "Somebody", AT)))
    assert await name(rig, conversation) == "Ana"
    assert rig.crm.of_type("contact.updated") == []


async def test_who_writes_later_has_the_name_from_the_start(rig):
    await hand_over(rig, address_book((Customer("553188887777"), "Beto", AT)))
    assert rig.crm.events == rig.documents("conversations") == []
    assert await name(rig, await rig.met(Customer("5531988887777"))) == "Beto"


async def test_a_name_that_no_store_takes_costs_nothing_but_itself(rig):
    conversation = await rig.met(UNNAMED)
    await hand_over(rig, address_book((LUCIA, "Half \ud83d", AT), (ANA, "Ana the plumber", AT)))
    assert await name(rig, conversation) == "Ana the plumber"
    assert [one["reason"] for one in rig.documents("parked")] == ["no store takes it"]


async def test_a_username_is_less_than_the_name_in_the_book(rig):
    conversation = await rig.met(Customer(None, MIA.bsuid, None, "mia.codes"))
    await hand_over(rig, address_book((Customer("4915550001", MIA.bsuid), "Mia", AT)))
    assert await name(rig, conversation) == "Mia"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_newest_entry_counts_in_whatever_order_they_come(rig, order):
    conversation = await rig.met(UNNAMED)
    entries = [address_book((UNNAMED, said, AT + n)) for n, said in enumerate(("First", None, "Third"))]
    for place in order:
        await hand_over(rig, entries[place])
    assert await name(rig, conversation) == "Third"


async def test_who_is_taken_out_of_the_book_loses_its_name_and_nothing_else(rig):
    conversation = await rig.met(UNNAMED)
    await hand_over(rig, address_book((UNNAMED, "Ana", AT), (UNNAMED, None, AT + 1)))
    assert await name(rig, conversation) is None
    assert len(await rig.tab(conversation).messages()) == 1


async def test_a_stranger_who_is_taken_out_is_nobody(rig):
    await hand_over(rig, address_book((LUCIA, None, AT)))
    assert rig.documents("contacts") == rig.documents("aliases") == []


async def test_a_bad_entry_costs_nothing_but_itself(rig):
    bad = value(state_sync=[{"type": "contact"}, 5, *address_book((LUCIA, "Lucia", AT))["state_sync"]])
    await hand_over(rig, bad)
    await rig.deliver(inbound_text(Customer(LUCIA.wa_id)))
    assert len(rig.documents("parked")) == 2
    assert [contact["book"]["name"] for contact in rig.documents("contacts")] == ["Lucia"]
