"""What Meta says of an account, a line or a template is kept as separate facts; messages come in all the same."""

import json

import pytest

from tests.payloads import ANA, NUMBER, WABA, error, inbound_text, value, webhook

OURS = "15550100001"


async def account_says(rig, field, value, at=1_780_000_000, waba=WABA):
    entry = {"id": waba, "time": at, "changes": [{"field": field, "value": value}]}
    answer = await rig.post_body(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("field", "said", "fact", "shown"),
    [
        ("account_review_update", {"decision": "REJECTED"}, "review", "REJECTED"),
        ("account_update", {"event": "PARTNER_REMOVED", "phone_number": OURS}, "connection", "PARTNER_REMOVED"),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}, "ban", "DISABLE"),
        (
            "account_update",
            {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_X"}]},
            "restriction",
            "RESTRICTED_X",
        ),
        ("account_update", {"event": "SOMETHING_NEW"}, "account", "SOMETHING_NEW"),
        ("payment_configuration_update", {"status": "Needs Testing"}, "payment", "Needs Testing"),
        ("partner_solutions", {"solution_status": "INITIATED"}, "partner_solution", "INITIATED"),
        ("security", {"display_phone_number": OURS, "event": "PIN_CHANGED"}, "pin", "PIN_CHANGED"),
        ("phone_number_name_update", {"display_phone_number": "+1 555 010 0001", "decision": "OK"}, "name", "OK"),
        ("business_capability_update", {"max_daily_conversations_per_business": 2000}, "limit", "2000"),
        ("account_alerts", {"alert_info": {"alert_type": "OBA_REJECTED"}}, "alert", "OBA_REJECTED"),
    ],
)
async def test_each_is_a_fact_of_its_own_with_its_time(rig, field, said, fact, shown):
    await account_says(rig, field, said)
    [kept] = rig.documents("line_facts")
    assert (kept["fact"], kept["value"], kept["at"], kept["account"]) == (fact, shown, 1_780_000_000, "acme")
    of_a_number = "display_phone_number" in said or "phone_number" in said
    assert kept["line"] == ("line" if of_a_number else None)


async def test_the_newest_counts_in_whatever_order_they_come(rig):
    for at, decision in ((3, "APPROVED"), (1, "PENDING"), (2, "REJECTED")):
        await account_says(rig, "account_review_update", {"decision": decision}, at=at)
    assert [kept["value"] for kept in rig.documents("line_facts")] == ["APPROVED"]


async def test_a_templates_status_quality_and_category_are_facts_of_the_template(rig):
    template = {"message_template_id": 7, "message_template_name": "welcome"}
    await account_says(rig, "message_template_status_update", template | {"event": "PAUSED", "reason": "NONE"})
    await account_says(rig, "message_template_status_update", template | {"new_quality_score": "RED"})
    await account_says(rig, "template_category_update", template | {"new_category": "MARKETING"})
    kept = {one["fact"]: one["value"] for one in rig.documents("template_facts")}
    assert kept == {"status": "PAUSED", "quality": "RED", "category": "MARKETING"}


async def test_an_account_that_nobody_here_has_is_parked(rig):
    await account_says(rig, "account_review_update", {"decision": "APPROVED"}, waba="999")
    assert rig.documents("line_facts") == []
    assert [parked["reason"] for parked in rig.documents("parked")] == ["no line has this business account"]


async def test_an_error_of_the_line_costs_no_message(rig):
    await rig.deliver(value(errors=[error(130429, "Rate limit hit")]), inbound_text(ANA))
    [kept] = rig.documents("line_facts")
    assert (kept["fact"], kept["value"], kept["line"]) == ("error", "130429", "line")
    assert len(rig.documents("messages")) == 1


async def test_what_comes_of_a_group_is_in_no_persons_chat(rig):
    for _ in range(2):
        await rig.deliver(inbound_text(ANA, "To all", wamid="wamid.g", group_id="group"))
    assert (await rig.call("GET", "/v1/conversations")).json()["items"] == []
    assert len(rig.documents("group_messages")) == 1
    assert [(count["what"], count["count"]) for count in rig.documents("counts")] == [("group message", 1)]


async def test_what_happens_to_a_group_is_kept_apart_too(rig):
    made = {"timestamp": "1780000000", "group_id": "group", "type": "group_create", "subject": "Us"}
    failed = {"timestamp": "1780000001", "type": "group_create", "request_id": "1", "errors": [error(131000)]}
    for _ in range(2):
        body = webhook(value(groups=[made, failed]), field="group_lifecycle_update")
        assert (await rig.post_body(body)).status_code == 200
    assert len(rig.documents("group_messages")) == 2
    assert [(count["what"], count["count"]) for count in rig.documents("counts")] == [("group group_create", 2)]
    assert rig.documents("parked") == rig.documents("conversations") == []


async def test_a_groups_ticks_are_kept_for_each_member(rig):
    tab = await rig.chatting(ANA)
    await tab.say("Hi all")
    await rig.drain()
    for name, member in (("delivered", "1"), ("read", "2")):
        item = {"id": "wamid.out.1", "status": name, "timestamp": "1780000000", "recipient_id": "group"}
        item |= {"recipient_type": "group", "recipient_participant_id": member}
        await rig.deliver(value(statuses=[item]))
    [sent] = [one for one in rig.documents("messages") if one["direction"] == "out"]
    assert sorted(name for member in sent["participants"].values() for name in member["statuses"]) == [
        "delivered",
        "read",
    ]
    assert (await tab.last())["status"] == "sent"


def preference(said, at):
    item = {"wa_id": ANA.wa_id, "user_id": ANA.bsuid, "category": "marketing_messages"}
    return value(number=NUMBER, user_preferences=[item | {"value": said, "timestamp": at}])


@pytest.mark.parametrize(
    ("field", "said", "shown"),
    [
        ("business_capability_update", {"max_daily_conversations_per_business": "TIER_2K"}, (None, "TIER_2K")),
        ("phone_number_quality_update", {"display_phone_number": OURS, "event": "FLAGGED"}, ("FLAGGED", None)),
        (
            "phone_number_quality_update",
            {"display_phone_number": OURS, "event": "ONBOARDING", "current_limit": "TIER_10K"},
            ("ONBOARDING", "TIER_10K"),
        ),
    ],
)
async def test_the_crm_hears_of_a_lines_quality_and_limit_in_metas_own_words(rig, field, said, shown):
    for _ in range(2):
        await account_says(rig, field, said)
    await rig.drain()
    told = rig.crm.of_type("line.health")
    assert len({event["id"] for event in told}) == len(told) == sum(value is not None for value in shown)
    assert (told[-1]["line"]["id"], told[-1]["health"]["sending"]) == ("line", "ok")
    assert (told[-1]["health"]["quality"], told[-1]["health"]["limit"]) == shown


async def test_other_facts_are_no_news_of_a_lines_health(rig):
    await account_says(rig, "account_review_update", {"decision": "APPROVED"})
    await rig.drain()
    assert rig.crm.of_type("line.health") == []
