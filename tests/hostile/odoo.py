"""The add-on's doors in a running Odoo, attacked over HTTP: its routes, what browsers may call, and its bus."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.secrets import derive
from functions.core.signature import sign_call
from tests.hostile.attacks import REPEATABLE
from tests.hostile.inputs import NUMBERS, TEXTS, changed, raw, scalars, values, written
from tests.hostile.tally import Tally
from tests.open_line import OpenLine

EVENTS = "/leadline/events"
_REFUSED = {"AccessError", "AccessDenied", "UserError", "ValidationError", "ServiceRefused", "ServiceUnreachable"}
"""What a method may answer beside its result: each says something to a person."""
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ (ERROR|CRITICAL) |^Traceback ", re.MULTILINE)
_MARKETING = {"value": "stop", "source": "keyword", "at": "2026-11-20T10:00:00Z"}


@dataclass(frozen=True)
class Doors:
    """A running Odoo, and what the attackers know of it.

    `lead` is the agent's own with the conversation `own`, mirrored in `row`; `foreign` is nobody's whom the agent may
    see, with `other`.
    """

    line: OpenLine
    admin: httpx.Client
    agent: httpx.Client
    portal: httpx.Client
    nobody: httpx.Client
    key: bytes
    connection: str
    lead: int
    own: str
    row: int
    foreign: int
    other: str

    def signed(self, body: bytes, **changed: Any) -> dict[str, str]:
        """Return the headers of a call; `changed` is what is signed otherwise than it is sent."""
        said = {"timestamp": int(time.time()), "method": "POST", "target": EVENTS, "body": body, "key": self.key}
        said |= {"call": uuid.uuid4().hex} | changed
        headers = sign_call(said["key"], said["call"], said["timestamp"], said["method"], said["target"], said["body"])
        return {**headers, "Leadline-Connection": self.connection, "Content-Type": "application/json"}

    def post(self, body: bytes, headers: Mapping[str, Any], *, path: str = EVENTS, method: str = "POST") -> Any:
        sent = [(name.encode(), str(text).encode("utf-8", "replace")) for name, text in headers.items()]
        return self.nobody.request(method, path, content=body, headers=sent)

    def tell(self, *events: Any) -> httpx.Response:
        """Tell events as the service does."""
        body = json.dumps({"connection": self.connection, "events": list(events)}).encode()
        answer: httpx.Response = self.post(body, self.signed(body))
        return answer

    def call(self, client: httpx.Client, method: str, *arguments: Any) -> httpx.Response:
        """Call a method of `leadline.conversation` as a browser does."""
        call = {"model": "leadline.conversation", "method": method, "args": list(arguments), "kwargs": {}}
        return client.post(
            f"/web/dataset/call_kw/leadline.conversation/{method}",
            # Not nested without end: Odoo reads the call before it is ours, and leaves a traceback for that.
            content=json.dumps({"jsonrpc": "2.0", "params": call}).encode(),
            headers={"Content-Type": "application/json"},
        )

    def standing(self) -> dict[str, int]:
        """Return how many there are of what a hostile hand might make or take away."""
        models = ("leadline.conversation", "crm.lead", "res.partner", "leadline.session", "ir.attachment")
        return {model: _ask(self.admin, model, "search_count", []) for model in models}

    @property
    def log(self) -> str:
        return (self.line.folder / "odoo" / "leadline.log").read_text(errors="replace")


def told(conversation: str, **fields: Any) -> dict[str, Any]:
    """Return an event of a customer's message."""
    about = {
        "id": conversation,
        "version": 1,
        "line": {"id": "hostile-line", "phone_number_id": "9", "number": "+1 202 555 0109", "name": "Hostile Line"},
        "contact": {"id": f"contact-{conversation}", "name": "Hostile Hand", "phone": "+12025550177"},
        "received": 1,
        "read": 0,
        "last_in": "2026-11-20T10:00:00Z",
        "last_out": None,
        "window_until": "2026-11-21T10:00:00Z",
        "merged_into": None,
        "consent": {"marketing": _MARKETING, "notice": None},
    }
    message = {"id": "message-1", "type": "text", "direction": "in", "author": {"kind": "customer"}}
    event = {"id": uuid.uuid4().hex, "type": "message.received", "at": "2026-11-20T10:00:01Z", "message": message}
    return event | {"conversation": about} | fields


def _events() -> list[dict[str, Any]]:
    line = told("hostile-1")["conversation"]["line"]
    health = {"sending": "held", "since": "2026-11-20T10:00:00Z", "error": {"plain": "Stopped"}, "problems": [{}]}
    template = {"name": "hello", "language": "en", "status": "APPROVED", "category": "UTILITY"}
    touch = {"at": "2026-11-20T10:00:00Z", "link": {"link": "l", "label": "Poster", "owner": {"id": "2"}}}
    ad = {"at": "2026-11-20T10:00:00Z", "referral": {"source_url": "https://fb.me/x", "source_id": "1"}}
    with_ways = told("hostile-2")
    with_ways["conversation"]["attribution"] = {"first": touch, "last": ad}
    return [
        told("hostile-1"),
        with_ways,
        told("hostile-1", type="message.status", message={"id": "m", "direction": "out", "status": "failed"}),
        told("hostile-1", type="message.changed", message={"id": "m", "what": "reaction"}),
        told("hostile-3", type="conversation.merged"),
        {"id": "e1", "type": "line.health", "at": "2026-11-20T10:00:01Z", "line": line, "health": health},
        {"id": "e2", "type": "template.updated", "at": "2026-11-20T10:00:01Z", "line": line, "template": template},
        {"id": "e3", "type": "contact.erased", "erased": {"contacts": ["c"], "conversations": ["hostile-9"]}},
    ]


@contextmanager
def doors(line: OpenLine) -> Iterator[Doors]:
    """Prepare a running Odoo: an agent with a lead, a lead that is not theirs to see, and a customer with a login."""
    with ExitStack() as clients:
        admin = clients.enter_context(closing(_logged_in(line, "admin")))
        logins = {"hostile_agent": "group_sale_salesman", "hostile_portal": "group_portal"}
        people = {login: _person(admin, login, group) for login, group in logins.items()}
        agent, portal = (clients.enter_context(closing(_logged_in(line, login))) for login in logins)
        nobody = clients.enter_context(httpx.Client(base_url=line.odoo, timeout=60))
        [connection] = _ask(admin, "leadline.connection", "search_read", [], ["identifier", "secret"])
        key = derive(connection["secret"], "events")
        here = Doors(line, admin, agent, portal, nobody, key, connection["identifier"], 0, "own", 0, 0, "foreign")
        here.tell(told("hostile-own"), told("hostile-foreign")).raise_for_status()
        own = _lead(admin, "hostile-own", people["hostile_agent"])
        foreign = _lead(admin, "hostile-foreign", 2)
        [row] = _ask(admin, "leadline.conversation", "search", [["identifier", "=", "hostile-own"]])
        yield replace(here, lead=own, own="hostile-own", row=row, foreign=foreign, other="hostile-foreign")


def _person(admin: httpx.Client, login: str, group: str) -> int:
    """Return a user of a group whose password is the login."""
    [membership] = _ask(admin, "ir.model.data", "search_read", [["name", "=", group]], ["res_id"])
    values = {"name": login, "login": login, "password": login, "group_ids": [[6, 0, [membership["res_id"]]]]}
    there = _ask(admin, "res.users", "search", [["login", "=", login]])
    return int(there[0] if there else _ask(admin, "res.users", "create", values))


def _lead(admin: httpx.Client, conversation: str, owner: int) -> int:
    """Give a conversation a lead of its own, and no contact: two of one number share theirs. Returns the lead."""
    lead = _ask(admin, "crm.lead", "create", {"name": conversation, "type": "opportunity", "user_id": owner})
    row = _ask(admin, "leadline.conversation", "search", [["identifier", "=", conversation]])
    _ask(admin, "leadline.conversation", "write", row, {"lead_ids": [[6, 0, [lead]]], "partner_id": False})
    return int(lead)


def _logged_in(line: OpenLine, login: str) -> httpx.Client:
    client = httpx.Client(base_url=line.odoo, timeout=60)
    who = {"db": line.database, "login": login, "password": login}
    client.post("/web/session/authenticate", json={"jsonrpc": "2.0", "params": who}).raise_for_status()
    return client


def _ask(client: httpx.Client, model: str, method: str, *arguments: Any) -> Any:
    """Call a method that is not attacked, over a session that is there."""
    call = {"model": model, "method": method, "args": arguments, "kwargs": {}}
    answer = client.post("/web/dataset/call_kw", json={"jsonrpc": "2.0", "params": call}).raise_for_status().json()
    assert "error" not in answer, answer
    return answer["result"]


# Events, not from the service


def _tampered() -> st.SearchStrategy[tuple[Any, ...]]:
    ways = st.sampled_from(["timestamp", "method", "target", "body", "key", "header", "path", "none"])
    return st.tuples(ways, st.sampled_from([*TEXTS, *NUMBERS]), st.sampled_from(_events()))


def _not_the_services(here: Doors, tally: Tally, given_input: tuple[Any, ...]) -> None:
    """No call is taken that was not signed as it comes."""
    way, value, event = given_input
    body = json.dumps({"connection": here.connection, "events": [event]}).encode()
    path, method, headers = EVENTS, "POST", here.signed(body)
    match way:
        case "timestamp":
            away = value if isinstance(value, int) and 400 < abs(value) < 10**11 else 400
            headers = here.signed(body, timestamp=int(time.time()) + away)
        case "method":
            headers = here.signed(body, method="GET")
        case "target":
            headers = here.signed(body, target=f"{EVENTS}?db=other")
        case "body":
            body += b" "
        case "key":
            headers = here.signed(body, key=derive("A" * 43, "events"))
        case "header":
            name = sorted(headers)[len(str(value)) % 4]
            headers[name] = f"{value}x" if name != "Content-Type" else "text/html"
            headers["Leadline-Connection"] += "x" if name == "Content-Type" else ""
        case "path":
            path = f"{EVENTS}?x=1"
        case "none":
            headers = {"Content-Type": "application/json"}
    try:
        answer = here.post(body, headers, path=path, method=method)
    except (httpx.InvalidURL, httpx.LocalProtocolError):
        return
    tally.answered(answer, (way, value), allowed=lambda status: status in (400, 401, 404, 405))


# Events, signed


def _batches() -> st.SearchStrategy[bytes]:
    batch = st.lists(st.sampled_from(_events()), min_size=1, max_size=3)
    wrapped = batch.map(lambda events: {"connection": "{connection}", "events": events})
    return st.one_of(changed(wrapped).map(written), changed(wrapped).map(written), raw)


def _signed_anything(here: Doors, tally: Tally, body: bytes) -> None:
    """Whatever the service says, the batch is answered, and one bad event costs no other."""
    body = body.replace(b"{connection}", here.connection.encode())
    tally.answered(here.post(body, here.signed(body)), body, allowed=lambda status: status in (200, 400, 413))
    if tally.inputs % 20 == 0:
        broken = {"id": "\x00", "conversation": {"id": "\x00"}}
        answer = here.tell(broken, told("hostile-own"))
        results = answer.json()["results"] if answer.is_success else []
        if [one["ok"] for one in results] != [False, True]:
            tally.note(f"a good event was not applied after {body!r}: {answer.status_code} {answer.text[:300]}"[:1500])


# Methods

ROUTES = {EVENTS, "/leadline/file", "/leadline/contact/<int:partner_id>/archive"}
_ROOM: Mapping[str, tuple[Any, ...]] = {
    # What follows model, id and conversation (or line).
    "chat_open": (),
    "chat_grant": ("conversation",),
    "chat_answering": ("conversation",),
    "chat_mentions": ("conversation", "a"),
    "chat_note_alert": ("conversation", "note-1", [1]),
    "chat_invite": ("conversation", 2),
    "chat_record_consent": ("conversation",),
    "chat_records": ("conversation",),
    "chat_find_records": ("conversation", "a"),
    "chat_switch": ("conversation", "crm.lead", 1),
    "chat_lead": ("conversation",),
    "chat_take": ("conversation",),
    "chat_close": ("conversation",),
    "chat_reopen": ("conversation",),
    "chat_transfer": ("conversation", "user", 2),
    "chat_transfer_targets": ("conversation", "a"),
    "chat_learn": ("conversation", "email", "ada@example.com", ""),
    "chat_templates": ("line", "after"),
    "chat_template_values": ("line", "hello", "en"),
    "chat_start_upload": ("line", {"type": "image", "filename": "a.png", "mime": "image/png", "size": 9}),
    "chat_start": ("line", {"client_id": "client-one", "type": "template"}),
}
_FREE: Mapping[str, tuple[Any, ...]] = {"chat_canned": ("a",), "chat_canned_used": ([1],), "inbox_status": (["own"],)}
METHODS = {*_ROOM, *_FREE}


@st.composite
def _calls(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A call in which up to two arguments are wrong; `conversation` and `lead` stand for what is there."""
    method = draw(st.sampled_from([*_ROOM, *_ROOM, *_FREE]))
    arguments: list[Any] = list(_FREE[method]) if method in _FREE else ["crm.lead", "lead", *_ROOM[method]]
    for _ in range(draw(st.integers(0, 2))):
        index = draw(st.integers(0, len(arguments) - 1))
        wrong = st.one_of(scalars, values, st.sampled_from([True, [1], {"id": 1}, 2**31, -1, 10**30, "1"]))
        inside = changed(st.just(arguments[index])) if isinstance(arguments[index], (dict, list)) else wrong
        arguments[index] = draw(st.one_of(wrong, inside))
    return method, arguments


def _filled(here: Doors, arguments: list[Any]) -> list[Any]:
    known = {"lead": here.lead, "conversation": here.own, "line": "hostile-line"}
    return [known.get(one, one) if isinstance(one, str) else one for one in arguments]


def _asked(tally: Tally, answer: httpx.Response, said: object) -> str:
    """Count an answer of Odoo's JSON-RPC; return the name of its error, empty if there is none."""
    tally.answered(answer, said, allowed=lambda status: status in (200, 400))
    if answer.status_code != httpx.codes.OK:
        return "refused"
    error = answer.json().get("error")
    name = error["data"]["name"].rpartition(".")[2] if error else ""
    if name and name not in _REFUSED:
        tally.note(f"{name}: {error['data']['message'][:300]} for {said!r}"[:1500])
    return str(name)


def _by_an_agent(here: Doors, tally: Tally, given_input: tuple[str, list[Any]]) -> None:
    """Whatever an agent's browser asks, it is answered, or refused with a sentence."""
    method, arguments = given_input
    _asked(tally, here.call(here.agent, method, *_filled(here, arguments)), given_input)


def _without_rights(here: Doors, tally: Tally, given_input: tuple[str, list[Any]]) -> None:
    """Who has no right to a card gets nothing of it, and can't tell whether it is there."""
    method, _ = given_input
    if _asked(tally, here.call(here.portal, method, *_filled(here, given_input[1])), given_input) == "":
        tally.note(f"a customer's login was let in to {method}")
    if method in _FREE:
        return
    arguments = [here.own if one == "conversation" else one for one in _ROOM[method]]
    told = [
        _refusal(here.call(here.agent, method, "crm.lead", lead, *arguments)) for lead in (here.foreign, 10**6, 2**31)
    ]
    if len(set(told)) > 1 or not told[0]:
        tally.note(f"{method}: a foreign lead and a missing one are told apart: {told}")
    if "conversation" in _ROOM[method]:
        for model, lead in (("crm.lead", here.lead),):
            rest = _ROOM[method][1:]
            told = [_refusal(here.call(here.agent, method, model, lead, one, *rest)) for one in (here.other, "missing")]
            if len(set(told)) > 1 or not told[0]:
                tally.note(f"{method}: a foreign conversation and a missing one are told apart: {told}")


def _refusal(answer: httpx.Response) -> str:
    error = answer.json().get("error")
    return f"{error['data']['name']}: {error['data']['message']}" if error else ""


# Files and archives


@st.composite
def _forms(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    """A form with a file in which up to two things are wrong."""
    fields = {"res_model": "crm.lead", "res_id": "lead", "conversation": "conversation", "message": "message-1"}
    wrong = st.one_of(st.sampled_from(TEXTS), st.integers(-(2**40), 2**70).map(str))
    for _ in range(draw(st.integers(0, 2))):
        fields[draw(st.sampled_from([*fields, "x"]))] = draw(wrong)
    types = st.sampled_from(["image/png", "text/html", "image/svg+xml", *TEXTS])
    file = st.tuples(st.sampled_from(TEXTS), st.binary(max_size=60), types)
    return fields, draw(st.one_of(file, file, file, st.none()))


def _routes() -> st.SearchStrategy[tuple[str, Any]]:
    # Not %00: where no route fits, Odoo itself looks for a page of that name, and fails.
    path = st.one_of(st.integers(-5, 2**70).map(str), st.sampled_from(["1", "x", "..", "1/../2", "1e3"]))
    return st.one_of(st.tuples(st.just("file"), _forms()), st.tuples(st.just("archive"), path))


def _by_their_routes(here: Doors, tally: Tally, given_input: tuple[str, Any]) -> None:
    """No form breaks the door for files, and no archive is handed to who may not have it."""
    what, asked = given_input
    if what == "archive":
        answers = [here.portal.get(f"/leadline/contact/{asked}/archive")]
        answers += [here.agent.get(f"/leadline/contact/{one}/archive") for one in (asked, "1", "99999999")]
        for answer in answers:
            tally.answered(answer, given_input, allowed=lambda status: status in (303, 400, 403, 404))
        if len({(answer.status_code, _shown(answer)) for answer in answers[2:]}) > 1:
            tally.note(f"a contact that is there and one that is not are told apart: {answers[2:]}")
        return
    fields, file = asked
    plain = dict(zip(fields, _filled(here, list(fields.values())), strict=True))
    said = {name: str(value).encode("utf-8", "replace").decode() for name, value in plain.items()}
    said["csrf_token"] = _csrf(here)
    sent = {"ufile": tuple(one if isinstance(one, bytes) else _line(one) for one in file)} if file else None
    answer = here.agent.post("/leadline/file", data=said, files=sent)
    tally.answered(answer, given_input, allowed=lambda status: status in (200, 400, 404, 422))


def _shown(answer: httpx.Response) -> str:
    return re.sub(r"\d+", "", answer.text)


def _line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().replace("\0", "").split())[:300] or "x"


_TOKENS: dict[int, str] = {}


def _csrf(here: Doors) -> str:
    if id(here.agent) not in _TOKENS:
        page = here.agent.get("/odoo", follow_redirects=True).text
        found = re.search(r'csrf_token: "(\w+)"', page)
        assert found, page[:2000]
        _TOKENS[id(here.agent)] = found[1]
    return _TOKENS[id(here.agent)]


# Channels of the bus


def _channels() -> st.SearchStrategy[list[str]]:
    """What a browser may ask to hear of: some channels, right but for something."""
    model = st.sampled_from(["crm.lead", "crm.lead", "res.partner", "res.users", "leadline.conversation", *TEXTS])
    card = st.one_of(st.sampled_from(["{lead}", "{lead}", "{foreign}", *TEXTS]), st.integers(-1, 2**70).map(str))
    conversation = st.sampled_from(["{own}", "{own}", "{other}", *TEXTS])
    right = st.tuples(model, card, conversation).map("/".join)
    return st.lists(st.one_of(right, right, st.text(max_size=20)).map("leadline.conversation/".__add__), max_size=9)


def _over_the_bus(here: Doors, tally: Tally, channels: list[str]) -> None:
    """Nobody hears of a conversation but who may see its card, from there."""
    known = {"{lead}": here.lead, "{foreign}": here.foreign, "{own}": here.own, "{other}": here.other}
    for name, value in known.items():
        channels = [channel.replace(name, str(value)) for channel in channels]
    params = {"channels": channels, "last": 0, "is_first_poll": True}
    body = json.dumps({"jsonrpc": "2.0", "params": params}).encode()
    right = f"leadline.conversation/crm.lead/{here.lead}/{here.own}" in channels
    for client, theirs in ((here.agent, {here.row}), (here.portal, set[int]()), (here.nobody, set[int]())):
        answer = client.post(
            "/websocket/peek_notifications", content=body, headers={"Content-Type": "application/json"}
        )
        if _asked(tally, answer, channels) == "":
            heard = {one[2] for one in answer.json()["result"]["channels"] if one[1] == "leadline.conversation"}
            if heard - theirs or (right and heard != theirs):
                tally.note(f"heard of {heard} and not of {theirs} for {channels!r}"[:1500])


Trial = Callable[[Doors, Tally, Any], None]


@dataclass(frozen=True)
class Door:
    """What is attacked. `may_change`: whether the attacker has rights to change something."""

    name: str
    inputs: st.SearchStrategy[Any]
    trial: Trial
    may_change: bool = False


DOORS = (
    Door("Odoo: events, not the service's", _tampered(), _not_the_services),
    Door("Odoo: events, signed, anything", _batches(), _signed_anything, may_change=True),
    Door("Odoo: methods, by an agent", _calls(), _by_an_agent, may_change=True),
    Door("Odoo: methods, without rights", _calls(), _without_rights),
    Door("Odoo: files and archives", _routes(), _by_their_routes, may_change=True),
    Door("Odoo: channels of its bus", _channels(), _over_the_bus),
)


def attack_door(here: Doors, door: Door, examples: int) -> Tally:
    """Attack a door with so many inputs; what Odoo's log says of it counts as wrong too."""
    tally = Tally(door.name)
    read, before = len(here.log), here.standing()

    def tried(given_input: Any) -> None:
        nonlocal read
        tally.inputs += 1
        try:
            door.trial(here, tally, given_input)
        except Exception as error:
            tally.crashes += 1
            tally.note(f"{type(error).__name__}: {error} for {given_input!r}"[:1500])
        log = here.log
        if found := _LOGGED.search(log, read):
            tally.note(f"Odoo's log after {given_input!r}"[:600] + f":\n{log[found.start() :][-1500:]}")
        read = len(log)

    settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=examples <= REPEATABLE,
        suppress_health_check=list(HealthCheck),
    )(given(door.inputs)(tried))()
    if not door.may_change and here.standing() != before:
        tally.note(f"something changed: {before} {here.standing()}")
    return tally
