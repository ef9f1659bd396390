"""What stands between us and a CRM is named, so that somebody can mend it."""

import asyncio
import gzip
import socket

import httpx
import pytest

from functions.core.reach import WHY
from functions.core.tasks import Task
from functions.sync import odoo
from tests.payloads import ANA, inbound_text
from tests.rig import CONNECTION, rigged
from tests.sync.https import serving


async def check(rig):
    """Try the way to the CRM and return what was found."""
    task = Task(f"sync-{CONNECTION}", "sync", {"kind": "check", "connection": CONNECTION, "check": "one"})
    answer = await rig.run(task)
    assert answer.status_code == 200, answer.text
    reach = (await rig.call("GET", "/v1/connection")).json()["reach"]
    assert reach["check"] == "one"
    return reach


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"code": "signature_timestamp_away"}, "clock"),
        (401, {"code": "signature_wrong"}, "signature"),
        (401, {"code": "connection_unknown"}, "connection_unknown"),
        (401, {"code": "connection_without_secret"}, "signature"),
        (401, {}, "forbidden"),
        (403, {"code": 7}, "forbidden"),
        (404, {}, "not_found"),
        (302, {}, "redirected"),
        (500, {}, "error"),
        (200, {"hello": "world"}, "not_leadline"),
    ],
)
async def test_what_the_crm_answers_is_told_apart(rig, status, body, code):
    async def answer(events):
        return httpx.Response(status, json=body, headers={"Location": "https://elsewhere.test"})

    rig.crm.answers_with = answer
    reach = await check(rig)
    assert (reach["way"], reach["code"]) == ("pulled", code)
    assert reach["reason"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(httpx.ReadTimeout, "timeout"), (httpx.ConnectTimeout, "timeout"), (httpx.ReadError, "interrupted")],
)
async def test_what_breaks_on_the_way_is_told_apart(rig, error, code):
    async def answer(events):
        raise error("broken")

    rig.crm.answers_with = answer
    assert (await check(rig))["code"] == code


async def found(tmp_path, url, *, private="1"):
    """Return the code for a CRM at that address, over real sockets."""
    async with rigged(tmp_path, LEADLINE_ALLOW_PRIVATE_CRM=private) as rig:
        await rig.add_connection(url=url)
        async with httpx.AsyncClient() as client:
            rig.start(to_crm=client)
            return (await check(rig))["code"]


async def test_a_host_that_refuses(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert await found(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}") == "refused"


@pytest.mark.parametrize("private", ["0", "1"])
async def test_a_name_that_leads_nowhere(tmp_path, private):
    assert await found(tmp_path, "https://nothing.invalid", private=private) == "dns"


async def test_a_private_address(tmp_path):
    assert await found(tmp_path, "https://127.0.0.1", private="0") == "private"


async def test_a_certificate_of_nobody_we_know(tmp_path):
    async def crm(request):
        raise AssertionError("called without a valid certificate")

    async with serving(crm, "crm.example.com") as (port, _):
        assert await found(tmp_path, f"https://127.0.0.1:{port}") == "tls"


async def test_a_way_that_is_closed_is_not_taken_for_open_because_nothing_waits(rig):
    rig.crm.down = True
    await check(rig)
    rig.clock.forward(minutes=1)
    await rig.drain()
    assert (await rig.call("GET", "/v1/connection")).json()["reach"]["way"] == "pulled"
    rig.crm.down = False
    rig.clock.forward(minutes=1)
    await rig.drain()
    assert (await rig.call("GET", "/v1/connection")).json()["reach"]["way"] == "pushed"
    assert not rig.tasks.waiting


async def test_once_the_way_is_open_all_is_forgotten(rig):
    rig.crm.down = True
    assert (await check(rig))["code"] == "error"
    rig.crm.down = False
    assert await check(rig) == {"way": "pushed", "code": None, "reason": None, "check": "one"}


async def test_a_connection_that_was_never_paired_waits_in_silence(rig):
    await rig.add_connection(CONNECTION, url="")
    rig.start()
    await rig.deliver(inbound_text(ANA))
    await rig.drain()
    assert rig.crm.asked == 0
    assert not rig.tasks.waiting


def test_every_reason_is_a_sentence():
    assert all(sentence.endswith(".") for sentence in WHY.values())


async def test_an_answer_that_never_ends_holds_nothing_up(rig, monkeypatch):
    async def answer(events):
        await asyncio.Event().wait()

    monkeypatch.setattr(odoo, "_LONGEST", 0.01)
    rig.crm.answers_with = answer
    assert (await check(rig))["code"] == "timeout"


async def test_an_answer_is_not_read_beyond_what_one_may_be(rig):
    read = []

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):
            while len(read) < 1000:
                read.append(1 << 16)
                yield b"x" * read[-1]

    async def answer(events):
        return httpx.Response(200, stream=Endless())

    rig.crm.answers_with = answer
    assert (await check(rig))["code"] == "not_leadline"
    assert sum(read) <= odoo._LARGEST + (1 << 16)


async def test_a_packed_answer_is_not_unpacked(rig):
    async def answer(events):
        return httpx.Response(200, content=gzip.compress(b" " * 1000), headers={"Content-Encoding": "gzip"})

    rig.crm.answers_with = answer
    assert (await check(rig))["code"] == "not_leadline"
    assert rig.crm.headers[-1]["accept-encoding"] == "identity"


async def test_a_refusal_that_is_nested_without_end_is_a_refusal(rig):
    async def answer(events):
        return httpx.Response(500, content=b"[" * 100_000)

    rig.crm.answers_with = answer
    assert (await check(rig))["code"] == "error"
