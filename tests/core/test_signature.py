import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.signature import SignatureWrong, sign_call, sign_meta, verify_call, verify_meta

BODY = b'{"object":"whatsapp_business_account","entry":[]}'
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'
# Published vectors: anyone can recompute them.
VECTORS = {
    BODY: "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756",
    SPACED: "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a",
}
SECRET = "test_app_secret"
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = 1_780_000_000


@pytest.mark.parametrize("body", VECTORS)
def test_the_known_vectors_are_right(body):
    verify_meta(body, f"sha256={VECTORS[body]}", [SECRET])
    assert sign_meta(body, SECRET) == f"sha256={VECTORS[body]}"


def test_the_same_json_with_other_spaces_is_another_body():
    with pytest.raises(SignatureWrong):
        verify_meta(SPACED, f"sha256={VECTORS[BODY]}", [SECRET])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        VECTORS[BODY],
        f"sha1={VECTORS[BODY]}",
        f"sha256={VECTORS[BODY][:-1]}",
        f"sha256={VECTORS[BODY]}0",
        f"sha256={VECTORS[BODY]}\n",
        f" sha256={VECTORS[BODY]}",
        "sha256=" + "z" * 64,
        "sha256=" + "é" * 64,
        "sha256=" + "0" * 64,
    ],
)
def test_a_missing_malformed_or_wrong_header_is_refused(header):
    with pytest.raises(SignatureWrong):
        verify_meta(BODY, header, [SECRET])


def test_without_a_secret_nothing_is_let_in():
    with pytest.raises(SignatureWrong):
        verify_meta(BODY, sign_meta(BODY, ""), [])


def test_two_secrets_are_valid_at_once():
    for secret in ("new", "old"):
        verify_meta(BODY, sign_meta(BODY, secret), ["new", "old"])
    with pytest.raises(SignatureWrong):
        verify_meta(BODY, sign_meta(BODY, "older"), ["new", "old"])


def test_emoji_and_their_escapes_are_different_bytes():
    plain = json.dumps({"body": "Olá 👋"}, ensure_ascii=False).encode()
    escaped = json.dumps({"body": "Olá 👋"}).encode()
    for body, other in ((plain, escaped), (escaped, plain)):
        verify_meta(body, sign_meta(body, SECRET), [SECRET])
        with pytest.raises(SignatureWrong):
            verify_meta(other, sign_meta(body, SECRET), [SECRET])


@given(body=st.binary(), place=st.integers(0), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(body, place, bit):
    signature = sign_meta(body, SECRET)
    changed = bytearray(body or b"\0")
    changed[place % len(changed)] ^= 1 << bit
    with pytest.raises(SignatureWrong):
        verify_meta(bytes(changed), signature, [SECRET])


def signed(*, key=KEY, at=NOW, method="POST", target="/chat/v1/media?a=1", body=b"{}"):
    return sign_call(key, "call-1", at, method, target, body)


def check(headers, *, keys=(KEY,), method="POST", target="/chat/v1/media?a=1", body=b"{}", now=NOW):
    return verify_call(keys, headers, method, target, body, now)


def test_a_signed_call_is_known_by_its_id():
    assert check(signed()) == "call-1"


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_a_call_may_be_five_minutes_away_from_our_clock(age):
    check(signed(at=NOW + age))


@pytest.mark.parametrize("age", [-301, 301, 10**9])
def test_an_older_or_more_future_call_is_refused(age):
    with pytest.raises(SignatureWrong):
        check(signed(at=NOW + age))


@pytest.mark.parametrize(
    "other",
    [
        {"method": "GET"},
        {"target": "/chat/v1/media"},
        {"target": "/chat/v1/media?a=2"},
        {"target": "/chat/v1/events?a=1"},
        {"body": b"{} "},
        {"keys": [OTHER_KEY]},
        {"keys": []},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_signature_is_for_one_method_path_query_body_and_key(other):
    with pytest.raises(SignatureWrong):
        check(signed(), **other)


def test_while_keys_rotate_either_side_may_hold_two():
    new, old = signed(key=KEY), signed(key=OTHER_KEY)
    both = new | {"webhook-signature": f"{old['webhook-signature']} {new['webhook-signature']}"}
    assert check(both, keys=[KEY]) == check(both, keys=[OTHER_KEY]) == check(old, keys=[KEY, OTHER_KEY])


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": ""},
        {"webhook-id": "another"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": f"{NOW}.5"},
        {"webhook-timestamp": f"-{NOW}"},
        {"webhook-timestamp": "١٧٨٠٠٠٠٠٠٠"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")},
        {"webhook-signature": signed()["webhook-signature"].removeprefix("v1,")},
    ],
    ids=lambda changed: str(changed)[:60],
)
def test_a_call_with_a_broken_header_is_refused(changed):
    with pytest.raises(SignatureWrong):
        check(signed() | changed)
