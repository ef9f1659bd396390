"""What every answer of every function tells a browser: run nothing, guess nothing, stand in no frame."""

import httpx

from functions.core.http import SAFE
from functions.local.keys import Keys
from functions.local.machine import Machine, one_machine_settings
from tests.payloads import ANA

ASKED = [
    # Function, method, path; right ones, wrong ones, and such as nobody offers.
    ("webhook", "GET", "/health"),
    ("webhook", "GET", "/?hub.mode=subscribe&hub.verify_token=verify-token&hub.challenge=<script>alert(1)</script>"),
    ("webhook", "GET", "/?hub.mode=subscribe&hub.verify_token=wrong"),
    ("webhook", "POST", "/"),
    ("webhook", "PUT", "/"),
    ("sender", "GET", "/health"),
    ("sender", "POST", "/"),
    ("sender", "DELETE", "/"),
    ("sync", "GET", "/health"),
    ("sync", "POST", "/"),
    ("chat", "GET", "/health"),
    ("chat", "GET", "/v1/openapi.json"),
    ("chat", "GET", "/v1/conversations"),
    ("chat", "GET", "/v1/nothing"),
    ("chat", "PATCH", "/v1/conversations"),
    ("chat", "GET", "/v1/l/nothing"),
    ("chat", "GET", "/v1/l/nothing/qr.svg"),
    ("chat", "POST", "/v1/pairings"),
    ("chat", "GET", "/<script>alert(1)</script>"),
]
FOREIGN = {"Origin": "https://evil.test", "Cookie": "session=1"}


async def test_every_answer_is_safe_in_a_browser(rig):
    rig.start()
    for function, method, path in ASKED:
        client: httpx.AsyncClient = getattr(rig, function)
        answer = await client.request(method, path, headers=FOREIGN)
        is_safe(answer, function)


def is_safe(answer: httpx.Response, function: str) -> None:
    """Fail if a browser might do anything with an answer but show it to who asked."""
    said = (answer.request.method, str(answer.url), dict(answer.headers))
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE, said
    assert not answer.headers.get("content-type", "").startswith("text/html"), said
    assert not {"access-control-allow-credentials", "set-cookie"} & set(answer.headers), said
    # Only what asks for a grant may be read by a page of somebody else's.
    assert answer.headers.get("access-control-allow-origin") == ("*" if function == "chat" else None), said


async def test_every_route_of_the_api_is(rig):
    rig.start()
    for path, methods in (await rig.chat.get("/v1/openapi.json")).json()["paths"].items():
        for method in methods:
            answer = await rig.chat.request(method, path.removeprefix("/chat"), headers=FOREIGN)
            is_safe(answer, "chat")


async def test_all_that_one_machine_serves_is(tmp_path):
    """The simulator's own page runs its own scripts, and stands in no foreign frame either."""
    keys = Keys.of(tmp_path)
    machine = Machine(one_machine_settings({}, tmp_path, keys), keys, tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(machine.app), base_url="http://here.test") as client:
        for path in ("/healthz", "/sender", "/sync", "/webhook", "/chat/v1/events", "/simulator/lines", "/nothing"):
            for method in ("GET", "POST"):
                said = (await client.request(method, path, headers=FOREIGN)).headers
                assert {name: said.get(name) for name in SAFE} == SAFE, (method, path)
        page = (await client.get("/simulator/", headers=FOREIGN)).headers
        file = (await client.get("/media/acme/none", headers=FOREIGN)).headers
    assert "frame-ancestors 'self'" in page["content-security-policy"]
    assert "'unsafe-inline'" not in page["content-security-policy"]
    for said in (page, file):
        assert said["x-content-type-options"] == "nosniff"
        assert "access-control-allow-credentials" not in said
    await machine.stop()


async def test_an_answer_with_data_and_one_that_failed_are_too(rig):
    tab = await rig.chatting(ANA)
    answers = [await tab.get(f"/v1/conversations/{tab.conversation}")]
    rig.store.out_of_reach = True
    rig.start()
    answers.append(await tab.get(f"/v1/conversations/{tab.conversation}"))
    assert [answer.status_code for answer in answers] == [200, 503]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in SAFE} == SAFE


async def test_a_preflight_allows_any_page_and_no_credentials(rig):
    rig.start()
    asked = {**FOREIGN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = await rig.chat.options("/v1/conversations", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
