"""The surfaces that outsiders reach, each attacked with so many inputs; what became of them is counted."""

import asyncio
import base64
import hmac
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.health import hold_key
from functions.core.ids import key_of
from functions.core.secrets import derive
from functions.core.signature import sign_call, sign_meta
from functions.core.store import delete
from functions.core.tasks import Task
from tests.hostile import webhooks
from tests.hostile.inputs import TEXTS, changed, raw, values, written
from tests.hostile.requests import Request, requests
from tests.hostile.tally import Tally
from tests.payloads import ANA, LUCIA, definition, inbound_image, inbound_text
from tests.rig import APP_SECRET, CONNECTION, LINE, Rig, new_secret, rigged

REPEATABLE = 200
"""Up to so many inputs are the same ones each time, so that a test fails for a change and not by chance."""


Trial = Callable[[Rig, Tally, Any], Awaitable[None]]


async def _no_start(rig: Rig) -> None:
    """Nothing has to be there."""


@dataclass(frozen=True)
class Surface:
    """What is attacked. `inputs` may depend on what the service says of itself; those of `first` are always tried."""

    name: str
    inputs: Callable[[Rig], Awaitable[st.SearchStrategy[Any]]]
    trial: Trial
    prepare: Callable[[Rig], Awaitable[None]] = _no_start
    first: tuple[Any, ...] = ()


def attack(surface: Surface, examples: int) -> Tally:
    """Attack a surface with so many inputs on a rig of its own."""
    tally = Tally(surface.name)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        open_rig = rigged(Path(folder))
        rig = runner.run(open_rig.__aenter__())
        runner.run(surface.prepare(rig))
        inputs = runner.run(surface.inputs(rig))

        def tried(given_input: Any) -> None:
            tally.inputs += 1
            try:
                runner.run(surface.trial(rig, tally, given_input))
            except Exception as error:
                tally.crashes += 1
                tally.note(f"{type(error).__name__}: {error} for {given_input!r}"[:1500])

        each = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=examples <= REPEATABLE,
            suppress_health_check=list(HealthCheck),
        )(given(inputs)(tried))
        for one in surface.first:
            tried(one)
        each()
        runner.run(open_rig.__aexit__(None, None, None))
    return tally


def always(inputs: st.SearchStrategy[Any]) -> Callable[[Rig], Awaitable[st.SearchStrategy[Any]]]:
    """Return inputs that depend on nothing."""

    async def found(rig: Rig) -> st.SearchStrategy[Any]:
        return inputs

    return found


# The webhook


async def _signed_body(rig: Rig, tally: Tally, body: bytes) -> None:
    """A signed body is taken, whatever it is; what follows from it hurts neither CRM nor sender."""
    tally.answered(await rig.post_body(body), body, allowed=lambda status: status == httpx.codes.OK)
    await _run_what_is_due(rig, tally, body)
    if tally.inputs % 20 == 0:
        await _is_read(rig, tally, body)


async def _run_what_is_due(rig: Rig, tally: Tally, said: object) -> None:
    for _ in range(60):
        due = rig.tasks.due()
        if not due:
            return
        rig.tasks.waiting.remove(due[0])
        tally.answered(await rig.run(due[0]), (due[0].payload, said), allowed=lambda status: status == httpx.codes.OK)


async def _is_read(rig: Rig, tally: Tally, body: bytes) -> None:
    """Whatever was stored can be shown."""
    listed = await rig.call("GET", "/v1/conversations?limit=200")
    tally.answered(listed, ("listed", body), allowed=lambda status: status == httpx.codes.OK)
    for one in listed.json().get("items", [])[:3]:
        shown = await rig.call("GET", f"/v1/conversations/{one['id']}/messages?limit=50")
        tally.answered(shown, ("shown", body), allowed=lambda status: status == httpx.codes.OK)


async def _unsigned(rig: Rig, tally: Tally, given: tuple[bytes, Mapping[str, Any]]) -> None:
    """What is not signed by the app's secret is refused, and nothing is stored."""
    body, headers = given
    before = rig.store.calls.copy()
    answer = await rig.webhook.post("/", content=body, headers=_sendable(headers))
    tally.answered(answer, given, allowed=lambda status: status in (401, 403, 413))
    if rig.store.calls != before:
        tally.note(f"the store was asked for {given!r}")


def _sendable(headers: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), str(text).encode("utf-8", "replace")) for name, text in headers.items()]


_WRONG_SIGNATURES = st.one_of(
    st.sampled_from(
        ["", "sha256=", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=" + "é" * 64, "SHA256=0", "=", ","]
    ),
    st.binary(max_size=40).map(lambda body: sign_meta(body, "another secret")),
    st.binary(max_size=40).map(lambda body: sign_meta(body + b" ", APP_SECRET)[:-1]),
    st.sampled_from(TEXTS),
)
_HEADERS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"x-hub-signature-256": _WRONG_SIGNATURES}),
    st.fixed_dictionaries({"x-hub-signature": _WRONG_SIGNATURES, "content-type": st.sampled_from(TEXTS)}),
)


# The chat API


async def _described(rig: Rig) -> st.SearchStrategy[Request]:
    return requests((await rig.chat.get("/v1/openapi.json")).json())


async def _two_chats(rig: Rig) -> None:
    rig.hostile = await _world(rig)  # type: ignore[attr-defined]


async def _world(rig: Rig) -> dict[str, str]:
    await rig.set_up()
    rig.start()
    conversation, other = await rig.met(ANA), await rig.met(LUCIA)
    tab = rig.tab(conversation)
    [message, *_] = await tab.messages()
    contact = (await tab.head())["contact"]["id"]
    return {"conversation": conversation, "other": other, "message": message["id"], "contact": contact}


def _filled(text: str, ids: Mapping[str, str]) -> str:
    for name, id_ in ids.items():
        text = text.replace(f"{{{name}}}", id_)
    return text


def _asks(signed: bool) -> Trial:
    async def trial(rig: Rig, tally: Tally, request: Request) -> None:
        ids: dict[str, str] = rig.hostile  # type: ignore[attr-defined]
        path = _filled(request.path, ids)
        body = request.body and _filled(request.body.decode("latin-1"), ids).encode("latin-1")
        made = rig.chat.build_request(request.method, path, content=body, headers={"Content-Type": request.type})
        grant = {"Authorization": f"Bearer {rig.grant(ids['conversation'])}"}
        made.headers.update(_server(rig, made) if signed else grant)
        answer = await rig.chat.send(made)
        tally.answered(answer, request)
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            told = answer.headers.get("content-type"), answer.json().get("code"), answer.json().get("detail")
            if told[0] != "application/problem+json" or not told[1] or not told[2]:
                tally.note(f"no problem document: {told} for {request!r}")
        elif request.method == "DELETE" or "connection" in path or "pairings" in path:
            rig.tasks.waiting.clear()
            await _two_chats(rig)

    return trial


def _server(rig: Rig, request: httpx.Request) -> dict[str, str]:
    target = request.url.raw_path.decode()
    at = int(rig.clock().timestamp())
    call_id = key_of("hostile", str(id(request)), target, str(rig.store.calls.total()))
    headers = sign_call(derive(rig.secret, "calls"), call_id, at, request.method, target, request.content)
    return headers | {"Leadline-Connection": CONNECTION}


# Grants


@dataclass(frozen=True)
class Forged:
    """A grant that must not be honoured: what is wrong with it, and a value for that."""

    what: str
    value: Any


_WRONG_IN_GRANTS: Mapping[str, tuple[Any, ...]] = {
    "alg": ("none", "None", "HS384", "HS512", "RS256", "", "hs256", None, 5),
    "kid": (*TEXTS, "../lines/line", None, 5, [], {}),
    "key": ("", "calls", "events", "another", "public"),
    "exp": (-(2**70), -1, 400, 2**70, "soon", None, 1.5, float("nan"), float("inf")),
    "iat": ("now", None, [], 2**70, float("nan")),
    "conversation": ("*", "other", None, 1, [], *TEXTS),
    "can": ([], ["note"], "read", None, {"read": 1}),
    "aud": ("", "other", None, 1, []),
    "part": tuple(
        (part, text) for part in range(3) for text in (b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b"9" * 5000)
    ),
    "token": (*TEXTS, "." * 5000, "a.b", "a.b.c.d"),
}
_FORGED = tuple(Forged(what, value) for what, found in _WRONG_IN_GRANTS.items() for value in found)
_FORGERIES = st.one_of(
    st.builds(
        Forged, st.sampled_from(["alg", "kid", "exp", "iat", "conversation", "can", "aud", "sub", "name"]), values
    ),
    st.builds(Forged, st.just("part"), st.tuples(st.integers(0, 2), st.binary(max_size=60))),
    st.builds(Forged, st.just("token"), st.text(max_size=80)),
    st.builds(Forged, st.just("header"), st.dictionaries(st.sampled_from(["jwk", "jku", "crit", "b64"]), values)),
)


async def _forged(rig: Rig, tally: Tally, forged: Forged) -> None:
    """No forged grant opens the conversation, and a headers' extras never lead anywhere."""
    conversation = rig.hostile["conversation"]  # type: ignore[attr-defined]
    token = _token(rig, conversation, forged)
    bearer = [(b"authorization", b"Bearer " + token.encode("utf-8", "replace"))]
    answer = await rig.chat.get(f"/v1/conversations/{conversation}", headers=bearer)
    harmless = forged.what in ("header", "sub", "name")
    tally.answered(answer, forged, allowed=lambda status: status in (401, 403, 404) or harmless)


def _token(rig: Rig, conversation: str, forged: Forged) -> str:
    now = int(rig.clock().timestamp())
    claims: dict[str, Any] = {"aud": "leadline", "sub": "2", "name": "Marc", "conversation": conversation}
    claims |= {"can": ["read"], "iat": now, "exp": now + 300}
    header: dict[str, Any] = {"alg": "HS256", "typ": "JWT", "kid": CONNECTION}
    secrets = {"calls": derive(rig.secret, "calls"), "events": derive(rig.secret, "events"), "": b"", "public": b"key"}
    key, what, value = derive(rig.secret, "grants"), forged.what, forged.value
    match what:
        case "alg" | "kid":
            header[what] = value
        case "header":
            header |= value
        case "key":
            key = secrets.get(value, derive(new_secret(), "grants"))
        case "exp":
            claims["exp"] = now + value if isinstance(value, int) and not isinstance(value, bool) else value
        case "token":
            return str(value)
        case "conversation" if value == "other":
            claims["conversation"] = rig.hostile["other"]  # type: ignore[attr-defined]
        case "part":
            parts = _signed(header, claims, key).split(".")
            parts[value[0]] = base64.urlsafe_b64encode(value[1]).decode().rstrip("=")
            return ".".join(parts)
        case _:
            claims[what] = value
    return _signed(header, claims, key)


def _signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes) -> str:
    """Sign whatever it is: a library would refuse to."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    signed = b".".join(parts)
    mac = b"" if header.get("alg") in ("none", "None") else hmac.digest(key, signed, _hash_of(header))
    return b".".join((signed, base64.urlsafe_b64encode(mac).rstrip(b"="))).decode()


def _hash_of(header: Mapping[str, Any]) -> str:
    return {"HS384": "sha384", "HS512": "sha512"}.get(str(header.get("alg")), "sha256")


# Signed calls


_WRONG_IN_CALLS: Mapping[str, tuple[Any, ...]] = {
    "timestamp": (-(2**60), -301, 400, 2**60),
    "webhook-timestamp": (*TEXTS, "1780000000.0", "+1", "٣"),
    "webhook-id": (*TEXTS, "other"),
    "webhook-signature": (*TEXTS, "v1,", "v1", "v2,AAAA", "v1," + "A" * 44, "v1,==="),
    "leadline-connection": (*TEXTS, "other", "../connections/connection"),
    "target": ("/v1/reviews", "/v1/events", "", "//"),
    "query": ("limit=3&after=0", "after=0&limit=3&", "after=0", ""),
    "method": ("POST", "get", "PUT", ""),
    "body": (b" ", b"{}"),
    "doubled": ("webhook-id", "webhook-timestamp", "webhook-signature", "leadline-connection"),
    "host": ("h/chat/v1/audit?x#", "a b", "é", "h:99999", "h?"),
    "replay": ("read", "typing"),
}
_TAMPERED = tuple(Forged(what, value) for what, found in _WRONG_IN_CALLS.items() for value in found)
_TAMPERINGS = st.one_of(
    st.builds(Forged, st.just("timestamp"), st.one_of(st.integers(-(2**60), -301), st.integers(400, 2**60))),
    st.builds(
        Forged,
        st.sampled_from(["webhook-timestamp", "webhook-id", "webhook-signature", "leadline-connection"]),
        st.text(max_size=60),
    ),
    st.builds(Forged, st.just("body"), st.binary(min_size=1, max_size=20)),
)


async def _tampered(rig: Rig, tally: Tally, forged: Forged) -> None:
    """No call is taken that was not signed as it comes, or that came before."""
    if forged.what == "replay":
        await _played_again(rig, tally, forged)
        return
    asked = "/v1/events?after=0&limit=3"
    signed = {"target": f"/chat{asked}", "method": "GET", "body": b"", "timestamp": int(rig.clock().timestamp())}
    match forged.what:
        case "timestamp":
            signed["timestamp"] += forged.value  # type: ignore[operator]
        case "query":
            signed["target"] = f"/chat/v1/events?{forged.value}"
        case "target" | "method" | "body":
            signed[forged.what] = forged.value
        case "host":
            signed["target"] = "/chat/v1/audit?x"
    headers = sign_call(derive(rig.secret, "calls"), "call-of-a-hostile-hand", **signed)  # type: ignore[arg-type]
    headers |= {"leadline-connection": CONNECTION}
    sent = _sendable(headers)
    if forged.what in headers:
        sent = _sendable(headers | {forged.what: forged.value})
    elif forged.what == "doubled":
        sent = [(forged.value.encode(), b"another"), *sent]
    elif forged.what == "host":
        sent.append((b"host", forged.value.encode()))
    with suppress(httpx.InvalidURL):
        tally.answered(await rig.chat.get(asked, headers=sent), forged, allowed=lambda status: status == 401)


async def _played_again(rig: Rig, tally: Tally, forged: Forged) -> None:
    ids: dict[str, str] = rig.hostile  # type: ignore[attr-defined]
    path, body = f"/v1/conversations/{ids['conversation']}/{forged.value}", {"message": ids["message"]}
    call_id = f"call-{tally.inputs}"
    for taken in (True, False):
        answer = await rig.call("POST", path, body if forged.value == "read" else None, call_id=call_id)
        tally.answered(answer, forged, allowed=lambda status, taken=taken: (status == 409) != taken)


# What is asked may answer anything too


_RESULT = {"records": [{"model": "crm.lead", "id": 7, "name": "A lead"}], "owner": {"id": 2, "name": "Marc"}}
_RESULTS = [
    {"results": [{"id": "{event}", "ok": True, **_RESULT}]},
    {"results": [{"id": "{event}", "ok": False, "refused": "No such customer"}, {"id": "another", "ok": True}]},
]
_ACCEPTED = {"messaging_product": "whatsapp", "contacts": [{"input": "1", "wa_id": "5511987654321"}]}
_META = [
    {**_ACCEPTED, "messages": [{"id": "wamid.out", "message_status": "accepted"}]},
    {"error": {"code": 131047, "message": "Re-engagement", "error_data": {"details": "d"}, "fbtrace_id": "A"}},
    {"error": {"code": 190, "error_subcode": 463, "message": "expired", "type": "OAuthException"}},
    {"url": "https://lookaside.fbsbx.com/media", "mime_type": "image/jpeg", "sha256": "0" * 64, "file_size": "9"},
    {"data": [definition()], "paging": {"cursors": {"after": "2"}}},
]
_STATUS = st.sampled_from([200, 200, 200, 201, 302, 400, 401, 404, 429, 500, 503])


def _answers(right: list[dict[str, Any]]) -> st.SearchStrategy[tuple[int, bytes]]:
    return st.tuples(_STATUS, st.one_of(changed(st.sampled_from(right)).map(written), raw))


async def _answered_by_the_crm(rig: Rig, tally: Tally, given: tuple[int, bytes]) -> None:
    """Whatever a CRM answers, its events wait or go, and no task fails."""
    status, body = given

    async def answer(events: list[dict[str, Any]]) -> httpx.Response:
        ids = [event["id"] for event in events] or ["none"]
        return httpx.Response(status, content=body.replace(b"{event}", ids[0].encode()))

    rig.clock.forward(minutes=20)
    rig.crm.answers_with = answer
    await rig.deliver(inbound_text(ANA, at=rig.clock().timestamp()))
    await _run_what_is_due(rig, tally, given)
    rig.crm.answers_with = None
    rig.clock.forward(minutes=20)
    await _run_what_is_due(rig, tally, given)


async def _answered_by_meta(rig: Rig, tally: Tally, given: tuple[int, bytes]) -> None:
    """Whatever Meta answers to a send, a file or the templates, no task fails for ever."""
    status, body = given
    rig.clock.forward(minutes=20)
    await rig.deliver(inbound_image(ANA, "photo", b"photo", at=rig.clock().timestamp()))
    await rig.store.commit([delete(hold_key(LINE))])
    tab = rig.tab(rig.hostile["conversation"])  # type: ignore[attr-defined]
    sent = await tab.send({"type": "text", "text": {"body": "Hello"}}, f"client-{tally.inputs:06}")
    tally.answered(sent, given)
    await rig.tasks.enqueue(Task("housekeeping", "sender", {"kind": "templates", "line": LINE}))

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"Location": "http://169.254.169.254/"})

    rig.whatsapp.plays(answer)
    await _run_what_is_due(rig, tally, given)
    rig.whatsapp.plays(None)


SURFACES = (
    Surface("webhook, signed, right but for something", always(webhooks.mutated), _signed_body),
    Surface("webhook, signed, anything", always(webhooks.anything), _signed_body),
    Surface("webhook, not signed", always(st.tuples(webhooks.mutated, _HEADERS)), _unsigned),
    Surface("chat API, signed", _described, _asks(signed=True), _two_chats),
    Surface("chat API, with a grant", _described, _asks(signed=False), _two_chats),
    Surface("forged grants", always(_FORGERIES), _forged, _two_chats, _FORGED),
    Surface("tampered calls", always(_TAMPERINGS), _tampered, _two_chats, _TAMPERED),
    Surface("a CRM's answers", always(_answers(_RESULTS)), _answered_by_the_crm, _two_chats),
    Surface("Meta's answers", always(_answers(_META)), _answered_by_meta, _two_chats),
)
