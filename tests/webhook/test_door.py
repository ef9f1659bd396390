"""Who is let in: only bodies that Meta signed, and not too large."""

import json
import logging

import pytest

from functions.core.signature import sign_meta
from tests.payloads import ANA, NUMBER, inbound_text, webhook
from tests.rig import APP_SECRET, OLD_APP_SECRET, rigged

MIB = 1024 * 1024
GOOD = sign_meta(webhook(), APP_SECRET)


def nothing_happened(rig):
    return rig.store.calls["commit"] == 0 and not rig.tasks.waiting


@pytest.fixture
def quiet(rig):
    """Forget how the rig was set up."""
    rig.store.calls.clear()
    return rig


@pytest.mark.parametrize(
    "header",
    [None, "", "sha256=", "nonsense", GOOD[:-1], GOOD.replace("sha256", "sha1"), GOOD.removeprefix("sha256=")],
)
async def test_without_a_signature_of_metas_form_nothing_is_stored(quiet, header):
    headers = {} if header is None else {"X-Hub-Signature-256": header}
    answer = await quiet.webhook.post("/", content=webhook(inbound_text(ANA)), headers=headers)
    assert answer.status_code == 401
    assert nothing_happened(quiet)


async def test_a_wrong_signature_stores_nothing_and_logs_only_the_fact(quiet, caplog):
    caplog.set_level(logging.DEBUG)
    answer = await quiet.post_body(webhook(inbound_text(ANA, "Hello there")), secret="wrong")
    assert answer.status_code == 401
    assert nothing_happened(quiet)
    told = " ".join(str(record.__dict__) for record in caplog.records if record.name.startswith("functions"))
    assert "webhook refused" in told
    assert all(private not in told for private in ("Hello there", ANA.wa_id, ANA.bsuid, NUMBER))


async def test_a_body_that_was_changed_after_signing_is_refused(quiet):
    body = webhook(inbound_text(ANA))
    headers = {"X-Hub-Signature-256": sign_meta(body, APP_SECRET)}
    answer = await quiet.webhook.post("/", content=body.replace(b"Hello", b"Bye!!"), headers=headers)
    assert answer.status_code == 401


async def test_without_an_app_secret_nobody_is_let_in(tmp_path):
    async with rigged(tmp_path, WHATSAPP_APP_SECRET="") as rig:
        assert (await rig.post_body(webhook(inbound_text(ANA)), secret="")).status_code == 401


@pytest.mark.parametrize("secret", [APP_SECRET, OLD_APP_SECRET])
async def test_while_the_app_secret_rotates_both_are_right(rig, secret):
    assert (await rig.post_body(webhook(inbound_text(ANA)), secret)).status_code == 200


@pytest.mark.parametrize("ascii_only", [True, False])
async def test_emoji_arrive_whole_escaped_or_not(rig, ascii_only):
    body = json.dumps(json.loads(webhook(inbound_text(ANA, "Olá 👋🏽 \u200d"))), ensure_ascii=ascii_only).encode()
    assert (await rig.post_body(body)).status_code == 200
    await rig.drain()
    [event] = rig.crm.of_type("message.received")
    assert (await rig.tab(event["conversation"]["id"]).last())["text"]["body"] == "Olá 👋🏽 \u200d"


async def test_a_body_over_three_mebibytes_is_refused_unread(quiet):
    async def flood():
        for _ in range(4):
            yield b" " * MIB
        raise AssertionError("the rest was read too")

    answer = await quiet.webhook.post("/", content=flood(), headers={"X-Hub-Signature-256": GOOD})
    assert answer.status_code == 413
    assert nothing_happened(quiet)


async def test_a_body_of_three_mebibytes_is_taken(rig):
    body = webhook(inbound_text(ANA))
    assert (await rig.post_body(body.ljust(3 * MIB))).status_code == 200
    assert (await rig.post_body(body.ljust(3 * MIB + 1))).status_code == 413
