"""What accepting costs: the store's calls are what the cloud bills."""

from collections import Counter

from tests.payloads import ANA, LUCIA, Customer, customers, inbound_text, status


async def cost(rig, *values):
    rig.store.calls.clear()
    await rig.deliver(*values)
    return rig.store.calls


async def test_a_known_customer_costs_one_commit_and_no_read(rig):
    await rig.deliver(inbound_text(ANA))
    assert await cost(rig, inbound_text(ANA)) == Counter(commit=1)


async def test_a_customer_never_seen_costs_one_commit_and_one_batched_look_up(rig):
    await rig.deliver(inbound_text(ANA))
    assert await cost(rig, inbound_text(LUCIA)) == Counter(commit=1, get=1)


async def test_twenty_strangers_in_one_post_are_looked_up_together(rig):
    await rig.deliver(inbound_text(ANA))
    assert await cost(rig, *(inbound_text(customer) for customer in customers(20))) == Counter(commit=1, get=1)


async def test_a_customer_with_a_new_identity_is_looked_up_again(rig):
    await rig.deliver(inbound_text(Customer(ANA.wa_id)))
    assert await cost(rig, inbound_text(ANA)) == Counter(commit=1, get=1)
    assert await cost(rig, inbound_text(ANA)) == Counter(commit=1)


async def test_a_status_of_a_message_of_ours_costs_one_commit_and_no_read(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi!")
    await rig.drain()
    callback = rig.whatsapp.messages[-1]["biz_opaque_callback_data"]
    assert await cost(rig, status("delivered", "wamid.out.1", callback=callback)) == Counter(commit=1)


async def test_a_redelivery_costs_one_refused_commit_and_one_read(rig):
    again = [inbound_text(customer, wamid=f"wamid.{n}") for n, customer in enumerate((ANA, LUCIA))]
    await rig.deliver(*again)
    assert await cost(rig, *again) == Counter(commit=1, get=1)
