"""Who is let in: a browser with a grant for one conversation."""

import jwt
import pytest

from functions.core.secrets import derive
from tests.payloads import ANA, LUCIA
from tests.rig import CONNECTION, new_secret


async def asked(rig, tab, token):
    answer = await rig.chat.get(tab.url, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code")


@pytest.fixture
async def tab(rig):
    return await rig.chatting(ANA)


def hand_made(rig, tab, *, algorithm="HS256", key=None, kid=CONNECTION, **claims):
    """Sign claims in any way an attacker might."""
    now = int(rig.clock().timestamp())
    usual = {"aud": "leadline", "sub": "2", "name": "Marc", "conversation": tab.conversation, "can": ["read"]}
    stated = {
        name: value for name, value in (usual | {"iat": now, "exp": now + 300} | claims).items() if value is not None
    }
    key = derive(rig.secret, "grants") if key is None else key
    return jwt.encode(stated, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


async def test_a_grant_opens_its_conversation(rig, tab):
    assert await asked(rig, tab, hand_made(rig, tab)) == (200, None)


async def test_it_runs_out_after_five_minutes(rig, tab):
    token = hand_made(rig, tab)
    rig.clock.forward(seconds=299)
    assert await asked(rig, tab, token) == (200, None)
    rig.clock.forward(seconds=2)
    assert await asked(rig, tab, token) == (401, "grant_expired")


async def test_one_that_would_live_longer_is_no_grant(rig, tab):
    now = int(rig.clock().timestamp())
    assert await asked(rig, tab, hand_made(rig, tab, exp=now + 301)) == (401, "grant_invalid")
    assert await asked(rig, tab, hand_made(rig, tab, iat=now + 3600, exp=now + 3900)) == (401, "grant_invalid")


@pytest.mark.parametrize("claim", ["aud", "sub", "name", "conversation", "can", "iat", "exp"])
async def test_each_claim_is_needed(rig, tab, claim):
    assert await asked(rig, tab, hand_made(rig, tab, **{claim: None})) == (401, "grant_invalid")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"can": "read"},
        {"can": {"read": True}},
        {"exp": "soon"},
        {"iat": 1.5},
        {"sub": 5},
    ],
    ids=str,
)
async def test_claims_of_another_kind_are_refused(rig, tab, claims):
    assert await asked(rig, tab, hand_made(rig, tab, **claims)) == (401, "grant_invalid")


async def test_a_forged_grant_is_refused(rig, tab):
    assert await asked(rig, tab, hand_made(rig, tab, key=derive(new_secret(), "grants"))) == (401, "grant_invalid")


@pytest.mark.parametrize("purpose", ["calls", "events"])
async def test_a_key_for_another_purpose_makes_no_grants(rig, tab, purpose):
    assert await asked(rig, tab, hand_made(rig, tab, key=derive(rig.secret, purpose))) == (401, "grant_invalid")


async def test_a_grant_without_a_signature_is_refused(rig, tab):
    assert await asked(rig, tab, hand_made(rig, tab, algorithm="none", key="")) == (401, "grant_invalid")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_algorithm_is_refused_even_with_the_right_key(rig, tab, algorithm):
    key = derive(rig.secret, "grants") * 2
    assert await asked(rig, tab, hand_made(rig, tab, algorithm=algorithm, key=key)) == (401, "grant_invalid")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "e30.e30.e30", "null.null.null"])
async def test_what_is_no_token_is_refused(rig, tab, token):
    answer = await rig.chat.get(tab.url, headers={"Authorization": f"Bearer {token}".encode("latin-1")})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("kid", [None, "", "another"])
async def test_a_grant_of_an_unknown_connection_is_refused(rig, tab, kid):
    status, _ = await asked(rig, tab, hand_made(rig, tab, kid=kid))
    assert status == 401


async def test_a_grant_of_another_connection_opens_nothing_here(rig, tab):
    secret = new_secret()
    await rig.add_connection("other", secret, account="other")
    answer = await rig.chat.get(
        tab.url, headers={"Authorization": f"Bearer {rig.grant(tab.conversation, kid='other', secret=secret)}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_grant_is_for_one_conversation_only(rig, tab):
    other = await rig.chatting(LUCIA)
    answer = await rig.chat.get(other.url, headers={"Authorization": f"Bearer {rig.grant(tab.conversation)}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "other_conversation")


async def test_both_secrets_of_a_rotating_connection_make_grants(rig, tab):
    newer = new_secret()
    await rig.add_connection(CONNECTION, newer, rig.secret)
    rig.start()
    for secret in (newer, rig.secret):
        token = rig.grant(tab.conversation, secret=secret)
        assert await asked(rig, tab, token) == (200, None)
    assert await asked(rig, tab, rig.grant(tab.conversation, secret=new_secret())) == (401, "grant_invalid")


ROUTES = {
    "read": [("GET", ""), ("GET", "/messages"), ("POST", "/read")],
    "send": [("POST", "/messages")],
    "note": [("POST", "/notes")],
}
BODIES = {
    "/read": {"message": "x"},
    "/messages": {"client_id": "client-1", "type": "text", "text": {"body": "Hi"}},
    "/notes": {"client_id": "client-1", "body": "Hi"},
}


@pytest.mark.parametrize("right", ROUTES)
async def test_each_route_needs_its_own_right(rig, tab, right):
    others = [name for name in ROUTES if name != right]
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation, can=others)}"}
    for method, path in ROUTES[right]:
        answer = await rig.chat.request(method, tab.url + path, json=BODIES.get(path), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    await rig.drain()
    assert rig.whatsapp.messages == []


async def test_uploading_needs_the_right_to_send(rig, tab):
    reader = rig.tab(tab.conversation, can=["read", "note"])
    file = {"conversation": tab.conversation, "filename": "a", "mime": "image/png", "size": 1}
    assert (await reader.post("/v1/media", file)).status_code == 403


@pytest.mark.parametrize("can", [["server"], ["read", "send", "note", "server"], ["*"]])
@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/events"])
async def test_no_grant_makes_a_browser_a_server(rig, tab, can, path):
    answer = await rig.tab(tab.conversation, can=can).get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_grant_for_every_conversation_is_known_on_one_machine_only(rig, tab):
    everything = rig.tab("*")
    assert (await everything.get(tab.url)).status_code == 401
    rig.start(one_machine=True)
    assert (await everything.get(tab.url)).status_code == 200


async def test_without_any_credential_nothing_is_shown(rig, tab):
    for path in (tab.url, f"{tab.url}/messages", "/v1/conversations", "/v1/events"):
        answer = await rig.chat.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
