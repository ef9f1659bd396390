import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.whatsapp import (
    Edit,
    GroupMessage,
    Message,
    Person,
    Reaction,
    Revocation,
    Status,
    Unhandled,
    Unreadable,
    updates,
)
from tests.payloads import (
    ANA,
    LUCIA,
    MIA,
    NUMBER,
    Customer,
    echo_edit,
    echo_text,
    edit,
    error,
    inbound,
    inbound_text,
    message,
    reaction,
    revoke,
    status,
    value,
    webhook,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def read(*values, field="messages"):
    return updates(json.loads(webhook(*values, field=field)))


def test_a_text_is_read_with_its_sender():
    [update] = read(inbound_text(ANA, "Hello", wamid="wamid.1", at=1_780_000_000))
    assert update == Message(
        phone_number_id=NUMBER,
        wamid="wamid.1",
        at=1_780_000_000,
        type="text",
        person=Person(wa_id=ANA.wa_id, bsuid=ANA.bsuid, name="Ana"),
        content={"body": "Hello"},
        errors=[],
        raw=inbound_text(ANA, "Hello", wamid="wamid.1", at=1_780_000_000)["messages"][0],
    )


@pytest.mark.parametrize("timestamp", ["1780000000", 1780000000])
def test_a_time_may_be_a_text_or_a_number(timestamp):
    [update] = read(inbound_text(ANA, timestamp=timestamp))
    assert update.at == 1_780_000_000


@pytest.mark.parametrize("timestamp", ["", "soon", None, [], "-1", 0, -5, 1e300, 10**15, "10000000000000", True])
def test_an_impossible_time_costs_only_its_message(timestamp):
    unreadable, text = read(inbound_text(ANA, timestamp=timestamp), inbound_text(LUCIA))
    assert isinstance(unreadable, Unhandled)
    assert text.person.name == "Lucia"


def test_contacts_are_matched_by_identity_not_by_position():
    found = read(
        value(
            contacts=[MIA.contact(), LUCIA.contact(), ANA.contact()],
            messages=[message(who, "text", {"body": "Hi"}) for who in (ANA, MIA, LUCIA)],
        )
    )
    assert [update.person.name for update in found] == ["Ana", "Mia", "Lucia"]


def test_a_contact_of_somebody_else_tells_nothing_of_the_sender():
    [update] = read(value(contacts=[LUCIA.contact()], messages=[message(ANA, "text", {"body": "Hi"})]))
    assert update.person == Person(wa_id=ANA.wa_id, bsuid=ANA.bsuid)


def test_without_contacts_the_sender_is_still_known():
    [update] = read(value(messages=[message(ANA, "text", {"body": "Hi"})]))
    assert (update.person.wa_id, update.person.bsuid) == (ANA.wa_id, ANA.bsuid)


def test_a_customer_whose_number_is_hidden_has_a_bsuid_and_a_username():
    [update] = read(inbound_text(MIA))
    assert update.person == Person(bsuid=MIA.bsuid, username="mia.codes", name="Mia")


@pytest.mark.parametrize("username", ["mia.codes", "@mia.codes"])
def test_a_username_has_no_at_sign_whichever_way_it_comes(username):
    [update] = read(inbound_text(Customer(None, "DE.1", "Mia", username)))
    assert update.person.username == "mia.codes"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ana\u202e", "Ana"),
        ("\u2067\u0645\u0631\u064a\u0645\u2069", "\u0645\u0631\u064a\u0645"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("\u202e", None),
    ],
)
def test_no_name_turns_the_sentence_around_in_which_it_stands(written, shown):
    [update] = read(inbound_text(Customer(ANA.wa_id, name=written)))
    assert update.person.name == shown


@pytest.mark.parametrize("bsuid", ["BR.13491208655302741918", "BR.ENT.13491208655302741918"])
def test_a_bsuid_in_the_place_of_the_number_is_taken_as_what_it_is(bsuid):
    [update] = read(inbound_text(Customer(wa_id=bsuid, name="Ana")))
    assert update.person == Person(bsuid=bsuid, name="Ana")


def test_the_number_of_the_contact_is_taken_when_the_message_has_none():
    [update] = read(value(contacts=[ANA.contact()], messages=[message(Customer(bsuid=ANA.bsuid), "text", {})]))
    assert update.person.wa_id == ANA.wa_id


def test_messages_come_before_statuses():
    kinds = [type(update) for update in read(status("read", "wamid.1"), inbound_text(ANA), status("sent", "wamid.2"))]
    assert kinds == [Message, Status, Status]


def test_messages_keep_their_order():
    found = read(*(inbound_text(ANA, str(place)) for place in range(20)))
    assert [update.content["body"] for update in found] == [str(place) for place in range(20)]


def test_a_status_carries_what_we_gave_along_and_metas_errors():
    [update] = read(status("failed", "wamid.1", callback="ours", errors=[{"code": 131026}, "odd"], at=1_780_000_000))
    assert (update.wamid, update.status, update.at, update.callback) == ("wamid.1", "failed", 1_780_000_000, "ours")
    assert update.errors == [{"code": 131026}]
    assert update.person == Person(wa_id=ANA.wa_id, bsuid=ANA.bsuid)


@pytest.mark.parametrize("spelling", ["recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id"])
def test_a_recipients_parent_bsuid_is_read_in_all_its_spellings(spelling):
    statuses = status("sent", "wamid.1")["statuses"]
    [update] = read(value(statuses=[statuses[0] | {spelling: "BR.ENT.1"}]))
    assert update.person.parent_bsuid == "BR.ENT.1"


@pytest.mark.parametrize("name", ["deleted", "warning", "", None, 5, [], "x" * 500])
def test_an_unknown_status_is_kept_as_it_came(name):
    item = status("sent", "wamid.1")["statuses"][0] | {"status": name}
    [update] = read(value(statuses=[item]))
    assert isinstance(update, Unhandled)
    assert update.raw == item
    assert len(update.reason) < 100


@pytest.mark.parametrize("type_", ["reaction", "edit", "revoke"])
def test_what_changes_a_message_without_naming_it_is_kept_as_it_came(type_):
    [update] = read(inbound(ANA, type_, {}))
    assert isinstance(update, Unhandled)


def test_a_reaction_names_its_target_and_is_no_message():
    [update] = read(reaction(ANA, "wamid.1", "👍"))
    assert (type(update), update.target, update.emoji, update.by) == (Reaction, "wamid.1", "👍", "customer")


@pytest.mark.parametrize("gone", [None, ""])
def test_a_reaction_without_an_emoji_is_taken_back(gone):
    [update] = read(reaction(ANA, "wamid.1", gone))
    assert update.emoji is None


def test_an_edit_brings_the_new_content():
    [update] = read(edit(ANA, "wamid.1", "Better"))
    assert (type(update), update.target, update.content) == (Edit, "wamid.1", {"body": "Better"})


def test_a_revocation_names_its_target():
    [update] = read(revoke(ANA, "wamid.1"))
    assert (type(update), update.target) == (Revocation, "wamid.1")


def test_what_the_phone_app_says_is_read_alike_and_names_the_customer():
    text, edited = read(echo_text(ANA, "Hi"), echo_edit(ANA, "wamid.1", "Hello"), field="smb_message_echoes")
    assert (text.by, text.content, text.person.wa_id) == ("phone", {"body": "Hi"}, ANA.wa_id)
    assert (type(edited), edited.by, edited.person.bsuid) == (Edit, "phone", ANA.bsuid)


def test_a_copy_for_a_number_that_stands_by_is_read_like_any_other():
    nested = value(standby={name: inbound_text(ANA)[name] for name in ("messages", "contacts")})
    [update] = read(nested, field="standby")
    assert (update.content, update.person.name) == ({"body": "Hello"}, "Ana")


@pytest.mark.parametrize("type_", ["system", "request_welcome"])
def test_a_notice_of_whatsapp_is_nothing_that_was_said(type_):
    [update] = read(inbound(ANA, type_, {}))
    assert not update.said


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("user_changed_number", "number_changed"),
        ("customer_changed_number", "number_changed"),
        ("user_changed_user_id", "user_id_changed"),
        ("customer_identity_changed", "identity_changed"),
        ("something_new", "something_new"),
    ],
)
def test_a_notice_is_shown_by_its_kind(kind, shown):
    [update] = read(inbound(ANA, "system", {"type": kind, "body": "So it is"}))
    assert update.content == {"kind": shown, "body": "So it is"}


@pytest.mark.parametrize("type_", ["hologram", "media_placeholder", "errors"])
def test_a_type_that_nobody_knows_yet_is_shown_as_unsupported(type_):
    [update] = read(inbound(ANA, type_, {"id": "1"}))
    assert (update.type, update.content) == ("unsupported", {"type": type_, "code": None, "details": None})


@pytest.mark.parametrize("type_", ["unsupported", "unknown"])
def test_what_meta_can_not_hand_over_says_what_it_was(type_):
    [update] = read(inbound(ANA, type_, {"type": "poll_creation"}, errors=[error(131051, details="Not supported")]))
    assert update.content == {"type": "poll_creation", "code": 131051, "details": "Not supported"}


@pytest.mark.parametrize("broken", [None, "text", [], 5])
def test_a_known_type_whose_object_is_broken_is_shown_as_unsupported(broken):
    [update] = read(inbound(ANA, "image", broken))
    assert (update.type, update.content["type"]) == ("unsupported", "image")


def test_an_old_voice_message_is_an_audio():
    [update] = read(inbound(ANA, "voice", {"id": "1"}))
    assert (update.type, update.content) == ("audio", {"id": "1", "voice": True})


@pytest.mark.parametrize("place", ["item", "contact"])
def test_where_a_shared_contact_comes_from_is_read_in_both_places(place):
    origin = {"origin": "contact_request"}
    shared = [{"name": {"formatted_name": "Bob"}} | (origin if place == "contact" else {})]
    [update] = read(inbound(ANA, "contacts", shared, **(origin if place == "item" else {})))
    assert update.content["items"][0]["origin"] == "contact_request"


def test_of_a_referral_only_metas_keys_are_taken():
    [update] = read(inbound_text(ANA, referral={"source_type": "ad", "ctwa_clid": "click", "tracker": "x"}))
    assert update.referral == {"source_type": "ad", "ctwa_clid": "click"}


def test_a_group_message_is_kept_aside():
    [update] = read(inbound_text(ANA, group_id="group"))
    assert (type(update), update.group) == (GroupMessage, "group")


def test_shared_contacts_are_a_list_in_an_object():
    [update] = read(inbound(ANA, "contacts", [{"name": {"formatted_name": "Bob"}}]))
    assert update.content == {"items": [{"name": {"formatted_name": "Bob"}}]}


def test_errors_of_the_line_itself_are_kept():
    [update] = read(value(errors=[{"code": 131000, "title": "Odd"}]))
    assert (update.fact, update.value, update.reason, update.phone_number_id) == ("error", "131000", "Odd", NUMBER)


@pytest.mark.parametrize("field", ["history", "automatic_events", "a_field_of_tomorrow"])
def test_another_field_is_kept_whole_under_its_name(field):
    [update] = read(value(history=[]), field=field)
    assert (type(update), update.phone_number_id, update.reason) == (Unhandled, NUMBER, f"field {field}")
    assert update.raw["field"] == field


@pytest.mark.parametrize("field", [None, 5, {"a": 1}, "+55 11 98765-4321", "x" * 500, "\ud800"])
def test_a_strange_field_name_is_not_repeated_in_the_reason(field):
    [update] = read(value(), field=field)
    assert update.reason == "field of another kind"
    assert update.raw["field"] == field


@pytest.mark.parametrize("metadata", [None, {}, {"phone_number_id": None}, {"phone_number_id": 5}, [], "x"])
def test_without_a_phone_number_id_nothing_is_routed_and_nothing_lost(metadata):
    [update] = read(inbound_text(ANA) | {"metadata": metadata})
    assert (type(update), update.phone_number_id) == (Unhandled, None)


@pytest.mark.parametrize("poison", [None, 5, "text", [], {}, {"type": None}, {"id": "wamid.x"}, {"type": "text"}])
def test_one_bad_item_never_costs_its_neighbours(poison):
    texts = [message(ANA, "text", {"body": "one"}), poison, message(ANA, "text", {"body": "two"})]
    found = read(value(contacts=["odd", ANA.contact(), {"profile": 5}], messages=texts, statuses=[poison]))
    assert [type(update) for update in found] == [Message, Unhandled, Message, Unhandled]


@pytest.mark.parametrize("body", [None, 5, "text", [], {}, {"entry": None}, {"entry": {}}, {"object": "page"}])
def test_what_has_no_entries_is_unreadable(body):
    with pytest.raises(Unreadable):
        updates(body)


@given(JSON)
def test_no_json_makes_the_parser_fail_otherwise(body):
    with contextlib.suppress(Unreadable):
        updates(body)


@given(entries=st.lists(JSON, max_size=3), values=st.lists(JSON, max_size=3), items=st.lists(JSON, max_size=3))
def test_no_json_inside_a_webhook_makes_the_parser_fail(entries, values, items):
    changes = [{"field": "messages", "value": each} for each in values]
    full = {"field": "messages", "value": value(contacts=items, messages=items, statuses=items, errors=items)}
    found = updates({"entry": [*entries, {"changes": [*changes, full]}]})
    assert len(found) >= 3 * len(items)


FIELDS = ("id", "timestamp", "type", "from", "from_user_id", "context", "text", "status", "recipient_id", "errors")


@given(name=st.sampled_from(FIELDS), odd=JSON)
def test_no_value_of_a_known_field_makes_the_parser_fail(name, odd):
    item = message(ANA, "text", {"body": "Hi"}) | status("sent", "wamid.1")["statuses"][0] | {name: odd}
    assert len(updates({"entry": [{"changes": [{"field": "messages", "value": value(messages=[item])}]}]})) == 1
