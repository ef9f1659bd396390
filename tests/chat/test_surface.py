"""What holds for every route: problem documents, other origins, the description of itself."""

import logging

import pytest

from functions.chat.app import MAX_BODY
from tests.payloads import ANA
from tests.rig import PUBLIC_URL

ROUTES = {
    "/v1/conversations": {"get", "post"},
    "/v1/conversations/{conversation}": {"get", "put"},
    "/v1/conversations/{conversation}/messages": {"get", "post"},
    "/v1/conversations/{conversation}/messages/{message}/settle": {"post"},
    "/v1/conversations/{conversation}/notes": {"post"},
    "/v1/conversations/{conversation}/read": {"post"},
    "/v1/conversations/{conversation}/typing": {"post"},
    "/v1/conversations/{conversation}/messages/{message}/fetch": {"post"},
    "/v1/media": {"post"},
    "/v1/media/{message}": {"get"},
    "/v1/limits": {"get"},
    "/v1/events": {"get"},
    "/v1/events/results": {"post"},
    "/v1/pairings": {"post"},
    "/v1/connection": {"get", "delete"},
    "/v1/connection/check": {"post"},
    "/v1/reviews": {"get"},
    "/v1/templates": {"get"},
    "/v1/templates/sync": {"post"},
    "/v1/contacts/{contact}": {"get", "delete"},
    "/v1/audit": {"get"},
    "/v1/links": {"get", "post"},
    "/v1/lines/{line}/rules": {"put"},
    "/v1/conversations/{conversation}/consent": {"put"},
    "/v1/links/{link}": {"get", "put"},
    "/v1/l/{slug}": {"get"},
    "/v1/l/{slug}/qr.{kind}": {"get"},
}
ORIGIN = "https://crm.example.com"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/conversations", 401, "unauthenticated"),
        ("GET", "/v1/nothing", 404, "http"),
        ("GET", "/", 404, "http"),
        ("GET", "/v1/links/", 404, "http"),
        ("DELETE", "/v1/conversations", 405, "http"),
    ],
)
async def test_every_refusal_is_a_problem_document(rig, method, path, status, code):
    answer = await rig.chat.request(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "code", "detail"}
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)


async def test_an_unreadable_body_is_a_problem_document(rig):
    tab = await rig.chatting(ANA)
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation)}", "Content-Type": "application/json"}
    for body in (b"", b"{", b"[]", b"null", b"\xff"):
        answer = await rig.chat.post(f"{tab.url}/messages", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/pairings", "/v1/conversations", "/v1/conversations/x/messages"])
async def test_a_body_without_an_end_is_not_read_to_it_whoever_sends_it(rig, path):
    rig.start()
    read = 0

    async def endless():
        nonlocal read
        while read < 64:
            read += 1
            yield b" " * (1 << 20)

    answer = await rig.chat.post(path, content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert read <= (MAX_BODY >> 20) + 1
    just = await rig.chat.post(path, content=b" " * MAX_BODY, headers={"Content-Type": "application/json"})
    assert just.status_code in (401, 422)


@pytest.mark.parametrize("broken", ["store", "queue"])
async def test_what_is_out_of_reach_is_a_problem_that_a_browser_of_any_origin_can_read(rig, broken):
    tab = await rig.chatting(ANA)
    token = rig.grant(tab.conversation)
    rig.store.out_of_reach = broken == "store"
    rig.tasks.out_of_reach = broken == "queue"
    message = {"client_id": "client-1", "type": "text", "text": {"body": "Hi"}}
    headers = {"Authorization": f"Bearer {token}", "Origin": ORIGIN}
    answer = await rig.chat.post(f"{tab.url}/messages", json=message, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_an_unexpected_error_is_a_problem_and_its_text_stays_inside(rig, monkeypatch, caplog):
    tab = await rig.chatting(ANA)

    async def broken(keys):
        raise ValueError("+5511987654321")

    monkeypatch.setattr(rig.store, "get", broken)
    headers = {"Authorization": f"Bearer {rig.grant(tab.conversation)}", "Origin": ORIGIN}
    with caplog.at_level(logging.INFO):
        answer = await rig.chat.get(tab.url, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "+5511987654321" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "unexpected error" in caplog.text


@pytest.mark.parametrize("header", ["authorization", "content-type", "range"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_a_browser_of_any_origin_may_ask_without_credentials(rig, method, header):
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": header,
    }
    answer = await rig.chat.options("/v1/conversations/x/messages", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert method in answer.headers["access-control-allow-methods"]
    assert header in answer.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers


async def test_refusals_too_can_be_read_by_any_origin(rig):
    answer = await rig.chat.get("/v1/conversations/x", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")


async def test_the_description_lists_every_route(rig):
    described = (await rig.chat.get("/v1/openapi.json")).json()
    listed = {path.removeprefix("/chat"): set(methods) for path, methods in described["paths"].items()}
    assert listed == ROUTES
    assert all(operation["description"] for methods in described["paths"].values() for operation in methods.values())


async def test_the_description_says_how_callers_prove_who_they_are(rig):
    described = (await rig.chat.get("/v1/openapi.json")).json()
    schemes = described["components"]["securitySchemes"]
    assert {(scheme["type"], scheme.get("scheme"), scheme.get("name")) for scheme in schemes.values()} == {
        ("http", "bearer", None),
        ("apiKey", None, "webhook-signature"),
    }
    for path, methods in described["paths"].items():
        for operation in methods.values():
            # Either of the two will do; a link is for everyone, and a pairing code stands for itself.
            needed = [] if "/l/" in path or path.endswith("/pairings") else [[name] for name in schemes]
            assert [list(one) for one in operation.get("security", [])] == needed, path


async def test_the_description_leads_to_where_the_routes_are(rig):
    described = (await rig.chat.get("/v1/openapi.json")).json()
    roots = [server["url"] for server in described.get("servers", [])] or [""]
    paths = {root.rstrip("/") + path for root in roots for path in described["paths"]}
    assert any(path in ("/chat/v1/events", f"{PUBLIC_URL}/chat/v1/events") for path in paths)


async def test_it_says_that_it_lives(rig):
    assert (await rig.chat.get("/health")).json() == {"status": "ok"}
