"""What every answer of every function tells a browser: run nothing, guess nothing, stand in no frame."""

import httpx

from functions.core.http import SAFE
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
        said = (function, method, path, dict(answer.headers))
        assert {name: answer.headers.get(name) for name in SAFE} == SAFE, said
        assert not answer.headers.get("content-type", "").startswith("text/html"), said
        assert not {"access-control-allow-credentials", "set-cookie"} & set(answer.headers), said
        # Only what asks for a grant may be read by a page of somebody else's.
        assert answer.headers.get("access-control-allow-origin") == ("*" if function == "chat" else None), said


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
