"""One update taken out of its webhook says the same by itself, so that it can be delivered again."""

import json

import pytest

from functions.core.whatsapp import alone, updates
from tests.payloads import (
    ANA,
    LUCIA,
    customers,
    echo_text,
    error,
    inbound_image,
    inbound_text,
    message,
    reaction,
    status,
    value,
)


def body(*changes, **entry):
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "time": 1_780_000_000, "changes": [*changes], **entry}],
    }


def change(value, field="messages"):
    return {"field": field, "value": value}


MIXED = body(
    change(inbound_text(ANA, "Hi") | {"statuses": status("read", "wamid.a")["statuses"]}),
    change(
        value(
            contacts=[ANA.contact(), LUCIA.contact()],
            messages=[message(who, "text", {"body": "x"}) for who in (ANA, LUCIA)],
        )
    ),
    change(inbound_image(LUCIA, "media-1", b"picture")),
    change(reaction(ANA, "wamid.b")),
    change(echo_text(ANA), "smb_message_echoes"),
    change({"metadata": {"phone_number_id": "100"}, "standby": inbound_text(LUCIA, "copied")}, "standby"),
    change(value(errors=[error(131000)])),
    change(value(messages=[{"id": "odd"}, "text", None, 7])),
    change({"display_phone_number": "15550100001", "event": "PIN_CHANGED"}, "security"),
    change({"anything": 1}, "brand_new"),
    {"field": "messages"},
    "no change",
)
MIXED["entry"] += [{"id": "2"}, "no entry"]


@pytest.mark.parametrize("number", range(len(updates(MIXED))))
def test_each_update_of_a_webhook_says_the_same_alone(number):
    update = updates(MIXED)[number]
    webhook = json.loads(json.dumps(alone(MIXED, update.raw)))
    [again] = updates(webhook)
    assert again == update


def test_nothing_else_comes_along():
    update = next(one for one in updates(MIXED) if "Hi" in json.dumps(one.raw))
    assert "wamid.a" not in json.dumps(alone(MIXED, update.raw))
    assert "copied" not in json.dumps(alone(MIXED, update.raw))


def test_of_many_people_only_the_one_who_is_named_comes_along():
    people = customers(3)
    texts = [message(who, "text", {"body": "x"}) for who in people]
    webhook = body(change(value(contacts=[who.contact() for who in people], messages=texts)))
    [left] = alone(webhook, texts[1])["entry"][0]["changes"]
    assert left["value"]["contacts"] == [people[1].contact()]
