"""No route leads one account to what is another's, nor tells that it is there: it is answered as what is missing."""

from typing import Any

import pytest

from functions.chat.examples import FILE, TEMPLATE
from functions.core.ids import key_of
from tests.hostile.accounts import THEIR_LINE, all_of_theirs

_CHAT = "/v1/conversations/{conversation}"
_OURS = "/v1/conversations/{ours}"
_TEXT = {"client_id": "client-text", "type": "text", "text": {"body": "Hello"}}
_CONSENT = {"value": "resume", "source": "crm", "at": "2026-01-01T00:00:00Z"}

NAMING: dict[tuple[str, str], Any] = {
    # Routes by which something is named, each with a body that is right.
    ("GET", "/v1/conversations?line={line}"): None,
    ("POST", "/v1/conversations"): {"line": "{line}", "to": {"phone": "+1 555 010 0042"}, "message": TEMPLATE},
    ("GET", _CHAT): None,
    ("PUT", _CHAT): {"owner": {"id": 2, "name": "Marc"}},
    ("GET", f"{_CHAT}/messages"): None,
    ("POST", f"{_CHAT}/messages"): _TEXT,
    ("POST", f"{_CHAT}/messages/{{message}}/settle"): {"as": "let_be"},
    ("POST", f"{_CHAT}/messages/{{message}}/fetch"): None,
    ("POST", f"{_CHAT}/notes"): {"client_id": "client-note", "body": "Between us"},
    ("POST", f"{_CHAT}/read"): {"message": "{message}"},
    ("POST", f"{_CHAT}/typing"): None,
    ("PUT", f"{_CHAT}/consent"): _CONSENT,
    ("POST", "/v1/media"): {**FILE["picture"], "conversation": "{conversation}"},
    ("GET", "/v1/media/{message}"): None,
    ("GET", "/v1/templates?line={line}"): None,
    ("POST", "/v1/templates/sync?line={line}"): None,
    ("PUT", "/v1/lines/{line}/rules"): {"opt_in": True},
    ("POST", "/v1/links"): {"line": "{line}", "text": "Hello"},
    ("GET", "/v1/links/{link}"): None,
    ("PUT", "/v1/links/{link}"): {"text": "Hello"},
    ("GET", "/v1/contacts/{contact}?by=7"): None,
    ("DELETE", "/v1/contacts/{contact}?by=7"): None,
}
MIXED: dict[tuple[str, str], Any] = {
    # Our conversation, and their message.
    ("POST", f"{_OURS}/messages/{{message}}/settle"): {"as": "let_be"},
    ("POST", f"{_OURS}/messages/{{message}}/fetch"): None,
    ("POST", f"{_OURS}/read"): {"message": "{message}"},
    ("POST", f"{_OURS}/messages?a file"): {"client_id": "client-file", "type": "image", "image": {"id": "{message}"}},
    ("POST", f"{_OURS}/messages?a reaction"): {
        "client_id": "client-reaction",
        "type": "reaction",
        "reaction": {"message_id": "{message}", "emoji": "👍"},
    },
}
OWN = {
    # Routes by which nothing is named: they are about whoever calls.
    ("GET", "/v1/limits"),
    ("GET", "/v1/reviews"),
    ("GET", "/v1/events"),
    ("POST", "/v1/events/results"),
    ("GET", "/v1/connection"),
    ("DELETE", "/v1/connection"),
    ("POST", "/v1/connection/check"),
    ("GET", "/v1/links"),
    ("GET", "/v1/audit"),
}
PUBLIC = {("POST", "/v1/pairings"), ("GET", "/v1/l/{slug}"), ("GET", "/v1/l/{slug}/qr.{kind}")}
NO_SUCH = {name: key_of("nothing", name) for name in ("conversation", "message", "contact", "link")} | {"line": "none"}


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Put ids where they are named."""
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    if isinstance(value, str):
        for name, id_ in ids.items():
            value = value.replace(f"{{{name}}}", id_)
    return value


async def test_every_route_is_known(rig):
    rig.start()
    paths = (await rig.chat.get("/v1/openapi.json")).json()["paths"]
    described = {(method.upper(), path.removeprefix("/chat")) for path, methods in paths.items() for method in methods}
    assert {(method, path.partition("?")[0]) for method, path in NAMING} | OWN | PUBLIC == described


@pytest.mark.parametrize("caller", ["server", "browser"])
@pytest.mark.parametrize("asked", [*NAMING, *MIXED], ids=" ".join)
async def test_what_is_theirs_is_answered_as_what_is_missing(rig, theirs, asked, caller):
    [ours] = set(rig.names("conversations")) - {theirs["conversation"]}
    (method, path), body, before = asked, (NAMING | MIXED)[asked], all_of_theirs(rig)

    async def answered(ids):
        known = ids | {"ours": ours}
        target, said = filled(path, known).partition("?a ")[0], filled(body, known)
        answer = await (rig.call(method, target, said) if caller == "server" else browser(target, said))
        text = answer.text
        for id_ in ids.values():
            text = text.replace(id_, "…")
        return answer.status_code, text

    async def browser(target, said):
        headers = {"Authorization": f"Bearer {rig.grant(ours)}"}
        return await rig.chat.request(method, target, json=said, headers=headers)

    assert before
    found, missing = await answered(theirs), await answered(NO_SUCH)
    assert found == missing
    assert found[0] in (403, 404, 422)
    assert all_of_theirs(rig) == before
    assert THEIR_LINE not in str([task.payload for task in rig.tasks.waiting])


async def test_of_their_message_nothing_is_quoted(rig, theirs):
    [ours] = set(rig.names("conversations")) - {theirs["conversation"]}
    sent = await rig.tab(ours).send(
        {"type": "text", "text": {"body": "This?"}, "context": {"message_id": theirs["message"]}}
    )
    assert sent.status_code == 202, sent.text
    assert set(sent.json()["reply_to"].values()) == {None}


async def test_what_is_of_the_caller_holds_nothing_of_theirs(rig, theirs):
    for method, path in OWN:
        if method == "GET":
            answer = await rig.call("GET", path)
            assert answer.status_code == 200, path
            assert not [id_ for id_ in theirs.values() if id_ in answer.text], path


async def test_what_becomes_of_their_events_is_not_ours_to_say(rig, theirs):
    before = all_of_theirs(rig)
    told = [{"id": name, "at": "2026-01-01T00:00:00Z", "ok": True} for name in rig.names("events")]
    answer = await rig.call("POST", "/v1/events/results", {"results": told})
    assert answer.status_code == 200, answer.text
    assert all_of_theirs(rig) == before
