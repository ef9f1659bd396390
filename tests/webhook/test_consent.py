"""Who wants no marketing is known before anything else reacts."""

import itertools

import pytest

from functions.core.consent import is_stop, marketing
from tests.payloads import ANA, Customer, inbound, inbound_text
from tests.webhook.test_facts import preference

AT = 1_780_000_000


def consent(rig):
    [contact] = rig.documents("contacts")
    return marketing(contact)


@pytest.mark.parametrize("word", ["STOP", "stop", " Stop! ", "*PARAR*", "Baja.", "sair", "ARRÊT", "unsubscribe"])
async def test_a_message_that_is_only_a_stop_word_stops_marketing(rig, word):
    conversation = await rig.met(ANA, word, at=AT)
    assert consent(rig) == {"value": "stop", "source": "keyword", "at": AT}
    assert (await rig.tab(conversation).last())["text"] == {"body": word}


@pytest.mark.parametrize("word", ["OPT-OUT", "stop  all", "_stop_", "ARRET", "arre\u0302t", "\uff33\uff34\uff2f\uff30"])
def test_a_stop_word_is_known_however_it_is_typed(word):
    assert is_stop(word)


async def test_the_button_of_a_template_stops_marketing_too(rig):
    await rig.deliver(inbound(ANA, "button", {"payload": "x", "text": "Stop"}, at=AT))
    assert consent(rig)["value"] == "stop"


async def test_the_button_of_a_message_stops_marketing_too(rig):
    pressed = {"type": "button_reply", "button_reply": {"id": "x", "title": "Stop"}}
    await rig.deliver(inbound(ANA, "interactive", pressed, at=AT))
    assert consent(rig)["value"] == "stop"


@pytest.mark.parametrize("text", ["Don't stop", "stop by at five?", "", None, 5, "stop" * 50])
def test_what_only_contains_such_a_word_stops_nothing(text):
    assert not is_stop(text)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_last_word_counts_whichever_way_and_order_it_comes(rig, order):
    deliveries = [preference("stop", AT), inbound_text(ANA, "stop", at=AT + 1), preference("resume", AT + 2)]
    for place in (*order, *order):
        await rig.deliver(deliveries[place])
    assert consent(rig) == {"value": "resume", "source": "whatsapp", "at": AT + 2}


async def test_the_switch_of_a_known_customer_is_his(rig):
    await rig.met(ANA)
    rig.start()
    await rig.deliver(preference("stop", AT))
    assert consent(rig)["value"] == "stop"


async def test_a_preference_makes_no_conversation(rig):
    await rig.deliver(preference("stop", AT))
    assert rig.documents("conversations") == []
    assert await rig.met(Customer(None, ANA.bsuid))
    assert consent(rig)["value"] == "stop"


async def test_the_crm_hears_of_the_switch(rig):
    await rig.met(ANA)
    await rig.deliver(preference("stop", AT))
    await rig.drain()
    [told] = rig.crm.of_type("contact.updated")
    assert told["conversation"]["consent"]["marketing"]["value"] == "stop"
