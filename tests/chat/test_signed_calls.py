"""Who is let in: a CRM server that signs its calls."""

import pytest

from functions.core.secrets import derive
from tests.payloads import ANA
from tests.rig import CONNECTION, new_secret


@pytest.fixture
async def note(rig):
    """Return how a server leaves a note, which changes something."""
    path = f"/v1/conversations/{await rig.met(ANA)}/notes"
    body = {"client_id": "client-note", "body": "from the CRM"}

    async def make(**signed_as):
        answer = await rig.call("POST", path, body, **signed_as)
        return answer.status_code, answer.json().get("code")

    return make


async def test_a_server_reads_and_writes_all_of_its_connection(rig, note):
    assert await note() == (201, None)
    [conversation] = (await rig.call("GET", "/v1/conversations")).json()["items"]
    assert (await rig.call("GET", f"/v1/conversations/{conversation['id']}/messages?limit=5")).status_code == 200


async def test_a_changing_call_is_taken_once(rig, note):
    assert await note(call_id="call-1") == (201, None)
    assert await note(call_id="call-1") == (409, "replayed")
    assert await note(call_id="call-2") == (200, None)


async def test_a_reading_call_may_be_repeated(rig):
    for _ in range(2):
        assert (await rig.call("GET", "/v1/conversations", call_id="call-1")).status_code == 200


async def test_the_same_call_id_of_two_connections_are_two_calls(rig, note):
    await rig.add_connection("other")
    assert await note(call_id="call-1") == (201, None)
    assert await note(call_id="call-1", connection="other") == (404, "not_found")


@pytest.mark.parametrize("age", [-301, 301])
async def test_an_old_or_future_call_is_refused(rig, note, age):
    assert await note(timestamp=int(rig.clock().timestamp()) + age) == (401, "clock_wrong")


async def test_a_signature_for_another_path_method_or_body_is_refused(rig, note):
    for other in (
        {"target": "/chat/v1/conversations/x/notes"},
        {"target": "/v1/conversations/x/notes"},
        {"method": "PUT"},
        {"body": b"{}"},
        {"key": derive(rig.secret, "events")},
        {"key": derive(rig.secret, "grants")},
        {"key": derive(new_secret(), "calls")},
    ):
        assert await note(**other) == (401, "signature_wrong"), other


async def test_the_query_is_signed_too(rig):
    assert (await rig.call("GET", "/v1/events?limit=5&after=0")).status_code == 200
    for target in ("/chat/v1/events", "/chat/v1/events?limit=6&after=0", "/chat/v1/events?after=0&limit=5"):
        assert (await rig.call("GET", "/v1/events?limit=5&after=0", target=target)).status_code == 401


async def test_an_unknown_connection_is_refused(rig, note):
    assert await note(connection="unknown") == (401, "connection_unknown")


async def test_another_connections_key_opens_nothing_here(rig, note):
    secret = new_secret()
    await rig.add_connection("other", secret)
    assert await note(key=derive(secret, "calls")) == (401, "signature_wrong")
    assert await note(key=derive(secret, "calls"), connection="other") == (404, "not_found")


async def test_both_secrets_of_a_rotating_connection_sign(rig):
    older = rig.secret
    newer = new_secret()
    await rig.add_connection(CONNECTION, newer, older)
    rig.start()
    for secret in (newer, older):
        assert (await rig.call("GET", "/v1/events", key=derive(secret, "calls"))).status_code == 200


async def test_an_unsigned_call_that_only_names_a_connection_is_refused(rig):
    answer = await rig.chat.get("/v1/events", headers={"Leadline-Connection": CONNECTION})
    assert answer.status_code == 401
