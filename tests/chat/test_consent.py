"""Marketing goes to who agreed to it: what a CRM has on record, and the rule of the line."""

from datetime import timedelta

import pytest

from tests.payloads import ANA, LUCIA, definition, inbound_text
from tests.rig import LINE
from tests.webhook.test_facts import preference

SALE = {
    "type": "template",
    "template": {
        "name": "sale",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
    },
}


@pytest.fixture
async def tab(rig):
    await rig.holds_templates(definition("sale", category="MARKETING"))
    return await rig.chatting(ANA)


async def refusal(tab):
    answer = await tab.send(SALE)
    return None if answer.status_code == 202 else answer.json()["code"]


async def test_marketing_needs_the_customers_agreement(rig, tab):
    assert await refusal(tab) == "consent_missing"
    assert (await rig.records(tab.conversation, "resume"))["agreed"]
    assert await refusal(tab) is None


async def test_what_is_no_marketing_needs_none(rig, tab):
    await rig.holds_templates(definition("sale", category="UTILITY"))
    assert await refusal(tab) is None


async def test_the_business_may_decide_that_whoever_did_not_object_gets_marketing(rig, tab):
    await rig.decides(opt_in=False)
    assert await refusal(tab) is None
    await rig.deliver(inbound_text(ANA, "STOP"))
    assert await refusal(tab) == "opted_out"


async def test_the_tab_learns_the_rule_and_what_the_customer_agreed_to(rig, tab):
    head = await tab.head()
    assert (head["line"]["opt_in"], head["contact"]["consent"]["agreed"]) == (True, False)
    await rig.records(tab.conversation, "resume")
    await rig.decides(opt_in=False)
    head = await tab.head()
    assert (head["line"]["opt_in"], head["contact"]["consent"]["agreed"]) == (False, True)


async def test_whatsapps_own_switch_is_an_agreement(rig, tab):
    await rig.deliver(preference("resume", int(rig.clock().timestamp())))
    assert await refusal(tab) is None


async def test_start_takes_a_stop_back_and_means_nothing_without_one(rig, tab):
    now = int(rig.clock.wall())
    await rig.met(ANA, "Start", at=now)
    assert await refusal(tab) == "consent_missing"
    await rig.met(ANA, "STOP", at=now + 1)
    assert await refusal(tab) == "opted_out"
    await rig.met(ANA, "Start!", at=now + 2)
    assert await refusal(tab) is None


async def test_a_later_stop_stands_against_what_was_recorded_before_and_a_later_record_against_the_stop(rig, tab):
    await rig.records(tab.conversation, "resume", at=rig.clock() - timedelta(hours=2))
    await rig.met(ANA, "STOP", at=rig.clock.wall() - 3600)
    assert await refusal(tab) == "opted_out"
    await rig.records(tab.conversation, "resume", at=rig.clock() - timedelta(hours=1, minutes=30))
    assert await refusal(tab) == "opted_out"
    assert not (await rig.records(tab.conversation, "resume"))["stopped"]
    assert await refusal(tab) is None


async def test_a_blacklisted_number_is_as_one_who_said_stop_and_leaving_the_list_is_no_agreement(rig, tab):
    await rig.records(tab.conversation, "resume", at=rig.clock() - timedelta(hours=2))
    said = await rig.records(tab.conversation, "stop", "blacklist", at=rig.clock() - timedelta(hours=1))
    assert (said["stopped"], said["agreed"]) == (True, False)
    assert await refusal(tab) == "opted_out"
    said = await rig.records(tab.conversation, "resume", "blacklist")
    assert (said["stopped"], said["agreed"]) == (False, False)
    assert await refusal(tab) == "consent_missing"


async def test_consent_that_was_taken_back_by_a_form_stops_marketing_and_nothing_else(rig, tab):
    said = await rig.records(tab.conversation, "stop")
    assert (said["marketing"]["source"], said["stopped"]) == ("crm", False)
    assert await refusal(tab) == "opted_out"


async def test_nobody_agrees_in_the_future(rig, tab):
    await rig.records(tab.conversation, "resume", at=rig.clock() + timedelta(days=365))
    await rig.met(ANA, "STOP", at=rig.clock.wall() + 5)
    assert await refusal(tab) == "opted_out"


async def test_what_a_crm_says_again_is_told_once_and_other_tabs_hear_of_it(rig, tab):
    at = rig.clock()
    for _ in range(3):
        await rig.records(tab.conversation, "resume", at=at)
        await rig.drain()
    [told] = rig.crm.of_type("contact.updated")
    assert told["conversation"]["consent"]["agreed"]


async def test_somebody_is_begun_with_by_marketing_when_the_crm_has_their_consent(rig, tab):
    message = {**SALE, "client_id": "client-1"}
    start = {"line": LINE, "to": {"phone": "+4915550000001"}, "message": message}
    refused = await rig.call("POST", "/v1/conversations", start)
    assert refused.json()["code"] == "consent_missing"
    consent = {"value": "resume", "source": "crm", "at": rig.clock().isoformat()}
    begun = await rig.call("POST", "/v1/conversations", start | {"consent": consent})
    assert begun.status_code == 202, begun.text
    assert begun.json()["conversation"]["contact"]["consent"]["agreed"]


async def test_a_browser_records_nothing(rig, tab):
    said = {"value": "resume", "source": "crm", "at": rig.clock().isoformat()}
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation)}"}
    for path in (f"{tab.url}/consent", f"/v1/lines/{LINE}/rules"):
        body = said if path.endswith("consent") else {}
        assert (await rig.chat.put(path, json=body, headers=headers)).status_code == 403


async def test_another_connections_line_and_conversation_are_not_there(rig, tab):
    await rig.add_connection("other", rig.secret)
    said = {"value": "resume", "source": "crm", "at": rig.clock().isoformat()}
    for path, body in ((f"{tab.url}/consent", said), (f"/v1/lines/{LINE}/rules", {})):
        assert (await rig.call("PUT", path, body, connection="other")).status_code == 404


async def test_one_customers_consent_is_not_anothers(rig, tab):
    await rig.records(tab.conversation, "resume")
    assert await refusal(await rig.chatting(LUCIA)) == "consent_missing"
