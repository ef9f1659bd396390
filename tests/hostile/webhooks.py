"""What could come to the webhook: right ones of every kind with something wrong in them, and anything at all."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.hostile.inputs import changed, raw, written
from tests.payloads import (
    ANA,
    LUCIA,
    WABA,
    address_book,
    echo_edit,
    echo_text,
    edit,
    error,
    history,
    inbound,
    inbound_image,
    inbound_text,
    message,
    reaction,
    revoke,
    status,
    told,
    value,
    webhook,
)
from tests.webhook.test_calls import ends, rings
from tests.webhook.test_facts import preference

_AT = 1_780_000_000
_CARD = {"name": {"formatted_name": "Jo", "first_name": "Jo"}, "phones": [{"phone": "+1 555 010 0002", "type": "WORK"}]}
_AD = {"source_type": "ad", "source_id": "1", "source_url": "https://fb.me/x", "headline": "Bikes", "ctwa_clid": "A"}
_ORDER = {"catalog_id": "1", "product_items": [{"product_retailer_id": "a", "quantity": 1, "item_price": 3.5}]}
_MOVED = {"type": "user_changed_number", "body": "changed", "wa_id": "5511900000000", "user_id": "BR.1"}


def _bodies() -> list[Any]:
    values = [
        inbound_text(ANA, "Hello", referral=_AD),
        inbound_text(ANA, "STOP"),
        inbound_text(ANA, "An answer", context={"id": "wamid.1", "from": "15550100001"}),
        inbound_image(ANA, "media", b"bytes", caption="A caption"),
        inbound(ANA, "location", {"latitude": 1.5, "longitude": 2.5, "name": "A place"}),
        inbound(ANA, "contacts", [_CARD]),
        inbound(ANA, "button", {"text": "Yes", "payload": "leadline.satisfaction.7.5"}),
        inbound(ANA, "interactive", {"type": "list_reply", "list_reply": {"id": "leadline.satisfaction.7.1"}}),
        inbound(ANA, "interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": "{}", "name": "flow"}}),
        inbound(ANA, "order", _ORDER),
        inbound(ANA, "unsupported", {"type": "poll"}, errors=[error(131051)]),
        inbound(ANA, "system", _MOVED),
        inbound_text(ANA, "In a group", group_id="group"),
        reaction(ANA, "wamid.1"),
        edit(ANA, "wamid.1", "Edited"),
        revoke(ANA, "wamid.1"),
        echo_text(ANA, "From the phone"),
        echo_edit(ANA, "wamid.1", "Edited on the phone"),
        status("read", "wamid.1"),
        status("failed", "wamid.2", errors=[error(131047)], callback="leadline:x:y:z"),
        history((LUCIA, [told(LUCIA, "Long ago", at=_AT)])),
        address_book((LUCIA, "Lucia B.", _AT)),
        preference("stop", _AT),
        value(messages=[message(ANA, "text", {"body": "one"})], errors=[error(131000)]),
    ]
    facts = {
        "phone_number_quality_update": {
            "display_phone_number": "15550100001",
            "event": "FLAGGED",
            "current_limit": "T",
        },
        "message_template_status_update": {
            "event": "REJECTED",
            "message_template_id": 12,
            "message_template_name": "order",
            "message_template_language": "en_US",
            "reason": "PROMOTIONAL",
        },
        "account_update": {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
        "account_alerts": {"alert_info": {"alert_severity": "CRITICAL"}},
        "brand_new": {"something": ["nobody", {"knows": 1}]},
    }
    told_of = [json.loads(webhook(one, field=field)) for field, one in facts.items()]
    told_of += [json.loads(webhook(one, field="calls")) for one in (rings(), ends())]
    return [*(json.loads(webhook(one)) for one in values), *told_of, json.loads(webhook(*values[:4]))]


mutated = st.deferred(lambda: changed(st.sampled_from(_bodies()))).map(written)
anything = st.one_of(raw, st.just(json.dumps({"object": "x", "entry": [{"id": WABA, "changes": []}]}).encode()))
