from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.message import Author, Callback, digest, inbound_key, outbound_key, sort_key, view
from functions.core.store import Document, Key

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = st.integers(1, 4_000_000_000)


@given(SECONDS, SECONDS)
def test_the_providers_time_decides_the_order(one, other):
    assert (sort_key(one, NOON) < sort_key(other, NOON)) == (one < other)


def test_within_a_second_the_arrival_decides_and_then_the_place_in_the_webhook():
    keys = [
        sort_key(1, NOON),
        sort_key(1, NOON, 1),
        sort_key(1, NOON, 10),
        sort_key(1, NOON, 999),
        sort_key(1, NOON + timedelta(milliseconds=1)),
        sort_key(2, NOON - timedelta(hours=1)),
    ]
    assert keys == sorted(keys)


def test_a_message_id_tells_nothing_of_its_wamid():
    assert "5511987654321" not in inbound_key("line", "wamid.5511987654321").id


def test_the_same_wamid_on_another_line_is_another_message():
    assert inbound_key("line", "wamid.1") != inbound_key("other", "wamid.1")


def test_a_client_id_is_unique_in_its_conversation_only():
    assert outbound_key("one", "client-1") != outbound_key("two", "client-1")


def test_a_digest_knows_a_body_whatever_the_order_of_its_fields():
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_callback_comes_back_as_it_was_given():
    callback = Callback("line", "contact", "client-1")
    assert Callback.of(callback.text(), "line") == callback
    assert len(callback.text()) <= 512


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "leadline",
        "leadline:line:contact",
        "leadline:line::client-1",
        "leadline:line:contact:client-1:more",
        " leadline:line:contact:client-1",
        "other:line:contact:client-1",
        "leadline:other:contact:client-1",
    ],
)
def test_a_text_that_is_not_ours_or_of_another_line_is_none(text):
    assert Callback.of(text, "line") is None


@given(st.text(), st.text())
def test_no_text_makes_reading_a_callback_fail(text, line):
    callback = Callback.of(text, line)
    assert callback is None or callback.line == line


def message(**fields):
    usual = {
        "conversation": "conversation",
        "direction": "in",
        "type": "text",
        "at": 1_780_000_000,
        "sort": "1",
        "author": Author("customer", "contact", "Ana").fields(),
        "content": {"body": "Hello"},
    }
    return Document(Key("messages", "message"), usual | fields, 7)


def test_what_a_message_shows():
    assert view(message()) == {
        "id": "message",
        "conversation": "conversation",
        "direction": "in",
        "type": "text",
        "at": "2026-05-28T20:26:40+00:00",
        "sort": "1",
        "version": 7,
        "status": "received",
        "statuses": {},
        "error": None,
        "author": {"kind": "customer", "id": "contact", "name": "Ana"},
        "client_id": None,
        "reply_to": None,
        "forwarded": False,
        "frequently_forwarded": False,
        "product": None,
        "referral": None,
        "link": None,
        "history": False,
        "edited": None,
        "revoked": None,
        "reactions": [],
        "media": None,
        "settle": None,
        "settled": None,
        "again": None,
        "again_of": None,
        "text": {"body": "Hello"},
    }


@pytest.mark.parametrize("name", ["id", "conversation", "direction", "status", "version", "author", "media"])
def test_no_type_of_tomorrow_can_hide_a_field_of_ours(name):
    shown = view(message(type=name))
    assert shown[name] == (view(message()) | {"type": name})[name]


@pytest.mark.parametrize("context", [{"forwarded": True}, {"frequently_forwarded": True}])
def test_a_forwarded_message_says_so_and_is_no_reply(context):
    shown = view(message(context=context))
    assert (shown["forwarded"], shown["reply_to"]) == (True, None)


def test_a_reply_to_something_we_never_had_is_still_a_reply():
    assert view(message(context={"id": "wamid.0"}))["reply_to"] == {
        "id": None,
        "type": None,
        "preview": None,
        "author": None,
    }


def test_a_reply_shows_the_first_words_of_what_it_answers():
    quoted = message(content={"body": "x" * 500})
    reply = view(message(context={"id": "wamid.0"}), quoted=quoted)["reply_to"]
    assert reply["preview"] == "x" * 120
    assert reply["author"]["name"] == "Ana"


def test_a_withdrawn_reaction_is_not_shown():
    reactions = {"customer": {"emoji": None, "at": 1}, "phone": {"emoji": "👍", "at": 1}}
    [shown] = view(message(reactions=reactions))["reactions"]
    assert (shown["emoji"], shown["by"], shown["at"]) == ("👍", "business", "1970-01-01T00:00:01+00:00")
