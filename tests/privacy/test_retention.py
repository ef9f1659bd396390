"""What is over goes by itself: messages by the store, their files by the sweep, as the account wants it."""

from functions.core.retention import Policy, policy_write, retention_task
from tests.payloads import ANA, LUCIA, customers, inbound_image, inbound_text, reaction
from tests.rig import ACCOUNT, LINE


async def keeps(rig, **days):
    await rig.store.commit([policy_write(ACCOUNT, Policy(**days))])
    rig.start()


async def picture(rig, customer=ANA):
    rig.whatsapp.files["photo"] = b"the photo"
    await rig.deliver(inbound_image(customer, "photo", b"the photo"))
    await rig.drain()


async def test_messages_are_kept_for_two_years_unless_the_account_wants_it_otherwise(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi")
    await tab.note("A note")
    rig.clock.forward(days=729)
    await rig.purge()
    assert len(rig.documents("messages")) == 3
    rig.clock.forward(days=2)
    await rig.purge()
    assert rig.documents("messages") == []


async def test_an_account_may_keep_them_for_a_shorter_time(rig):
    await keeps(rig, messages=180)
    await rig.met(ANA)
    rig.clock.forward(days=181)
    await rig.purge()
    assert rig.documents("messages") == []


async def test_a_file_goes_before_its_message_does(rig):
    await picture(rig)
    rig.clock.forward(days=729, seconds=1)
    await rig.sweep()
    await rig.purge()
    assert rig.stored_files(ACCOUNT) == []
    [message] = rig.documents("messages")
    assert message["media"]["state"] == "failed"


async def test_files_may_be_kept_for_a_shorter_time_and_the_agent_reads_why_one_is_gone(rig):
    await keeps(rig, media=90)
    await picture(rig)
    conversation = rig.crm.events[-1]["conversation"]["id"]
    rig.clock.forward(days=88)
    await rig.sweep()
    assert len(rig.stored_files(ACCOUNT)) >= 1
    rig.clock.forward(days=2)
    await rig.sweep()
    assert rig.stored_files(ACCOUNT) == []
    shown = await rig.tab(conversation).last()
    assert (shown["media"]["state"], shown["media"]["url"]) == ("failed", None)
    assert shown["media"]["reason"] == "The file was deleted: its time was over."


async def test_a_policy_that_changes_holds_for_what_is_there_already(rig):
    for customer in (ANA, LUCIA):
        await rig.met(customer)
        await picture(rig, customer)
    await keeps(rig, messages=60, media=30)
    await rig.tasks.enqueue(retention_task(ACCOUNT, LINE, "now"))
    await rig.drain()
    rig.clock.forward(days=31)
    await rig.sweep()
    assert rig.stored_files(ACCOUNT) == []
    rig.clock.forward(days=31)
    await rig.purge()
    assert rig.documents("messages") == []


async def test_what_came_before_its_message_and_then_met_it_is_kept_as_long_as_any(rig):
    await rig.deliver(reaction(ANA, "wamid.late"))
    await rig.deliver(inbound_text(ANA, "Late", wamid="wamid.late"))
    rig.clock.forward(days=100)
    await rig.purge()
    assert [one["content"] for one in rig.documents("messages")] == [{"body": "Late"}]


async def test_who_writes_while_a_policy_is_applied_is_not_passed_over(rig):
    who = customers(3)
    for customer in who:
        rig.clock.forward(seconds=1)
        await rig.met(customer)
    await rig.store.commit([policy_write(ACCOUNT, Policy(messages=60))])
    await rig.tasks.enqueue(retention_task(ACCOUNT, LINE, "now"))
    first = rig.tasks.waiting.pop()
    assert (await rig.run(first)).status_code == 200
    # The eldest comes to stand before the walk; and this instance does not know the new policy yet.
    await rig.deliver(inbound_text(who[0], "meanwhile"))
    await rig.drain()
    rig.start()
    for _ in range(3):
        rig.clock.forward(minutes=3)
        await rig.drain()
    assert not rig.tasks.of_kind("retention")
    rig.clock.forward(days=61)
    await rig.purge()
    assert rig.documents("messages") == []
