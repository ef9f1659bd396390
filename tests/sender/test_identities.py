"""What the answer to a send teaches: under which identities Meta knows the customer."""

from tests.payloads import ANA, MIA, Customer
from tests.rig import accepted

NUMBER = "4915550100099"


async def answered(rig, customer, **contact):
    """Let an agent write, and Meta answer with this contact; returns the tab."""
    tab = await rig.chatting(customer)
    await tab.say("Hi!")
    rig.whatsapp.answers_next(accepted("wamid.x", **contact))
    await rig.drain()
    return tab


async def test_a_number_in_the_answer_is_added_and_finds_the_customer_from_then_on(rig):
    tab = await answered(rig, MIA, wa_id=NUMBER)
    assert (await tab.head())["contact"]["phone"] == f"+{NUMBER}"
    assert await rig.met(Customer(NUMBER)) == tab.conversation


async def test_a_bsuid_in_the_answer_is_added_and_finds_the_customer_from_then_on(rig):
    tab = await answered(rig, Customer(ANA.wa_id), wa_id=ANA.wa_id, user_id="BR.1")
    assert (await tab.head())["contact"]["bsuid"] == "BR.1"
    assert await rig.met(Customer(None, "BR.1")) == tab.conversation


async def test_a_number_learnt_for_a_known_bsuid_is_not_somebody_elses(rig):
    tab = await answered(rig, MIA, wa_id=NUMBER)
    assert await rig.met(Customer(NUMBER, "DE.other")) != tab.conversation


async def test_an_identity_that_leads_to_somebody_else_is_let_be(rig):
    other = await rig.met(Customer(NUMBER))
    tab = await answered(rig, MIA, wa_id=NUMBER)
    assert (await tab.last())["status"] == "sent"
    assert (await tab.head())["contact"]["phone"] is None
    assert await rig.met(Customer(NUMBER)) == other


async def test_what_an_answer_teaches_is_kept_though_the_sender_dies_right_after(rig):
    tab = await rig.chatting(MIA)
    await tab.say("Hi!")

    async def takes(request):
        rig.tasks.out_of_reach = True
        return accepted("wamid.x", wa_id=NUMBER)

    rig.whatsapp.answers_next(takes)
    [task] = rig.tasks.of_kind("send")
    assert (await rig.run(task)).status_code == 503
    rig.tasks.out_of_reach = False
    assert await rig.met(Customer(NUMBER)) == tab.conversation


async def test_an_answer_with_nothing_new_writes_nothing(rig):
    tab = await answered(rig, ANA, wa_id=ANA.wa_id, user_id=ANA.bsuid)
    before = rig.documents("contacts"), rig.documents("aliases")
    await tab.say("again")
    await rig.drain()
    assert (rig.documents("contacts"), rig.documents("aliases")) == before


async def test_an_answer_of_another_shape_teaches_nothing(rig):
    tab = await answered(rig, MIA, wa_id="", user_id=5)
    assert (await tab.last())["status"] == "sent"
    assert (await tab.head())["contact"]["phone"] is None
