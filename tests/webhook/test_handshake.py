import pytest

from tests.rig import VERIFY_TOKEN, rigged


async def handshake(rig, **changed):
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY_TOKEN} | changed
    return await rig.webhook.get("/", params=asked)


@pytest.mark.parametrize("challenge", ["1158201444", "not a number", "<script>alert(1)</script>", ""])
async def test_the_right_token_gets_the_challenge_back_as_plain_text(rig, challenge):
    answer = await handshake(rig, **{"hub.challenge": challenge})
    assert (answer.status_code, answer.text) == (200, challenge)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("token", ["", "wrong", VERIFY_TOKEN + " ", VERIFY_TOKEN.upper(), "é", "\x00"])
async def test_another_token_is_refused(rig, token):
    assert (await handshake(rig, **{"hub.verify_token": token})).status_code == 403


@pytest.mark.parametrize("mode", ["", "unsubscribe"])
async def test_another_mode_is_refused(rig, mode):
    assert (await handshake(rig, **{"hub.mode": mode})).status_code == 403


async def test_a_bare_get_is_refused(rig):
    assert (await rig.webhook.get("/")).status_code == 403


async def test_a_token_that_was_never_set_is_matched_by_nothing(tmp_path):
    async with rigged(tmp_path, WHATSAPP_VERIFY_TOKEN="") as rig:
        assert (await handshake(rig, **{"hub.verify_token": ""})).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_known(rig, method):
    answer = await rig.webhook.request(method, "/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_it_says_that_it_lives(rig):
    assert (await rig.webhook.get("/health")).status_code == 200
