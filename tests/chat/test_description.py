"""The API's description is whole and true; `tests/described.py` holds the answers in all tests to it."""

import json
from typing import Any

import httpx
import pytest

from functions.chat import examples
from functions.chat.description import ANSWERS, PUBLIC
from tests.payloads import ANA, definition
from tests.pictures import voice_note
from tests.rig import LINE

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
FILES = {
    "image": (PNG, "image/png"),
    "voice note": (voice_note(), "audio/ogg; codecs=opus"),
    "document": (b"%PDF-1.7\n" + b"\0" * 100, "application/pdf"),
}


@pytest.fixture
async def document(rig) -> dict[str, Any]:
    return (await rig.chat.get("/v1/openapi.json")).json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method, path.removeprefix("/chat")), operation


def references(part):
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)


async def test_every_route_says_what_it_answers_and_how_it_refuses(document):
    described = dict(operations(document))
    assert set(described) == {*ANSWERS, *PUBLIC}
    for route, operation in described.items():
        assert set(operation["responses"]) == {*map(str, ANSWERS.get(route) or PUBLIC[route]), "default"}
        assert set(operation["responses"]["default"]["content"]) == {"application/problem+json"}
        assert operation["description"]


async def test_every_reference_leads_somewhere_and_nothing_is_of_fastapis_own(document):
    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names <= set(document["components"]["schemas"])
    assert "ValidationError" not in json.dumps(document)


async def test_requests_and_answers_of_one_name_are_told_apart(document):
    schemas = document["components"]["schemas"]
    assert "sendable" in schemas["AnsweredTemplate"]["properties"]
    assert "components" in schemas["Template"]["properties"]


async def test_the_examples_stand_in_the_description(document):
    shown = dict(operations(document))[("post", "/v1/conversations/{conversation}/messages")]
    listed = shown["requestBody"]["content"]["application/json"]["examples"]
    assert {name: one["value"] for name, one in listed.items()} == examples.MESSAGES


@pytest.mark.parametrize("name", list(examples.MESSAGES))
async def test_every_message_of_the_examples_can_be_sent(rig, name):
    await rig.holds_templates(ORDER_UPDATE)
    tab = await rig.chatting(ANA)
    said = json.dumps(examples.MESSAGES[name])
    stands_for = (await tab.last())["id"]
    if name in FILES:
        file, mime = FILES[name]
        stands_for = await tab.upload(file, mime)
    answer = await tab.post(f"{tab.url}/messages", json.loads(said.replace("0123456789abcdef" * 2, stands_for)))
    assert answer.status_code == 202, answer.text
    await rig.drain()
    assert len(rig.whatsapp.messages) == 1


ORDER_UPDATE = definition(
    "order_update",
    "Hi {{1}}, your order {{2}} is on its way.",
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}"}]},
)


async def test_the_other_examples_are_taken_too(rig):
    await rig.holds_templates(ORDER_UPDATE)
    [start] = examples.START.values()
    assert (await rig.call("POST", "/v1/conversations", start | {"line": LINE})).status_code == 202
    tab = await rig.chatting(ANA)
    for care in examples.CARE.values():
        assert (await rig.call("PUT", tab.url, care)).status_code == 200
    [file] = examples.FILE.values()
    assert (await tab.post("/v1/media", file | {"conversation": tab.conversation})).status_code == 201
    for body, status in zip(examples.SETTLE.values(), (202, 200), strict=True):
        rig.whatsapp.answers_next(httpx.ReadTimeout("lost"))
        message = await tab.say("Hi")
        await rig.drain()
        rig.clock.forward(minutes=11)
        assert (await tab.post(f"{tab.url}/messages/{message['id']}/settle", body)).status_code == status
        await rig.drain()
