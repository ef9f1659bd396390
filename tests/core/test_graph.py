import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request

from functions.core.graph import Accepted, Graph, MediaFacts, NotSent, Refused, Uncertain
from functions.core.meta_errors import MEANINGS, Decision

BASE, NUMBER, TOKEN = "https://graph.facebook.com", "100000000000001", "access-token"
MESSAGES = f"{BASE}/v26.0/{NUMBER}/messages"
FILE = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    # A client that would follow redirects, so that only the Graph client itself keeps from it.
    async with httpx.AsyncClient(follow_redirects=True) as client:
        yield client


@pytest.fixture
def graph(client):
    return Graph(client, BASE, "v26.0")


async def send(graph):
    return await graph.send(NUMBER, TOKEN, {"type": "text"})


def refusal(code, **more):
    return {"error": {"code": code, "message": "A title", **more}}


async def test_a_taken_message_gives_its_wamid_and_whom_meta_knows(graph, httpx_mock):
    httpx_mock.add_response(
        url=MESSAGES,
        json={"contacts": [{"input": "+1", "wa_id": "1", "user_id": "US.1"}], "messages": [{"id": "wamid.1"}]},
    )
    assert await send(graph) == Accepted("wamid.1", "1", "US.1")
    request = httpx_mock.get_request()
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.content) == {"type": "text"}


async def test_a_taken_message_may_name_nobody(graph, httpx_mock):
    httpx_mock.add_response(json={"messages": [{"id": "wamid.1"}]})
    assert await send(graph) == Accepted("wamid.1", None, None)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_what_never_left_was_not_sent(graph, httpx_mock, error):
    httpx_mock.add_exception(error("no way"))
    with pytest.raises(NotSent):
        await send(graph)


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
async def test_a_lost_answer_is_uncertain(graph, httpx_mock, error):
    httpx_mock.add_exception(error("gone"))
    with pytest.raises(Uncertain):
        await send(graph)


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 200, "text": "<html>"},
        {"status_code": 200, "content": b"\xff\xfe\xff"},
        {"status_code": 200, "json": {}},
        {"status_code": 200, "json": []},
        {"status_code": 200, "json": {"messages": []}},
        {"status_code": 200, "json": {"messages": [{"id": None}]}},
        {"status_code": 200, "json": {"messages": "odd"}},
        {"status_code": 201, "json": {"messages": [{"id": "wamid.1"}]}},
        {"status_code": 400, "text": "Bad Request"},
        {"status_code": 404, "json": {"error": "odd"}},
        {"status_code": 400, "json": refusal("100")},
        {"status_code": 500, "json": refusal(100)},
        {"status_code": 500, "json": refusal(131047)},
        {"status_code": 503, "text": ""},
        {"status_code": 400, "json": refusal(999999, is_transient=True)},
    ],
    ids=str,
)
async def test_an_answer_that_does_not_tell_is_uncertain(graph, httpx_mock, answer):
    httpx_mock.add_response(**answer)
    with pytest.raises(Uncertain):
        await send(graph)


@pytest.mark.parametrize("code", [code for code, known in MEANINGS.items() if known.decision is Decision.AMBIGUOUS])
async def test_an_ambiguous_code_is_uncertain(graph, httpx_mock, code):
    httpx_mock.add_response(status_code=400, json=refusal(code))
    with pytest.raises(Uncertain):
        await send(graph)


@pytest.mark.parametrize("code", [code for code, known in MEANINGS.items() if known.decision is not Decision.AMBIGUOUS])
async def test_any_other_code_is_a_refusal_that_carries_metas_error(graph, httpx_mock, code):
    httpx_mock.add_response(status_code=400, json=refusal(code, error_data={"details": "Why"}))
    with pytest.raises(Refused) as refused:
        await send(graph)
    assert refused.value.code == code
    assert refused.value.error["error_data"] == {"details": "Why"}


@pytest.mark.parametrize("code", [code for code, known in MEANINGS.items() if known.decision is Decision.RETRY])
async def test_a_rate_limit_proves_that_nothing_was_sent_whatever_the_http_status(graph, httpx_mock, code):
    httpx_mock.add_response(status_code=503, json=refusal(code))
    with pytest.raises(Refused):
        await send(graph)


async def test_an_answer_that_only_trickles_is_given_up(graph, httpx_mock, monkeypatch):
    async def trickle(request):
        await asyncio.sleep(3600)

    monkeypatch.setattr("functions.core.graph.LONGEST_UPLOAD", 0.01)
    httpx_mock.add_callback(trickle)
    with pytest.raises(Uncertain):
        await graph.upload(NUMBER, TOKEN, chunks(b"x"), "image/png", "a.png", 1)


async def test_an_exceptions_text_holds_nothing_of_the_message(graph, httpx_mock):
    httpx_mock.add_response(status_code=400, json=refusal(131026, details="+5511987654321"))
    with pytest.raises(Refused, match=r"^code 131026$"):
        await send(graph)


async def test_a_message_is_marked_as_read(graph, httpx_mock):
    httpx_mock.add_response(url=MESSAGES, json={"success": True})
    await graph.mark_read(NUMBER, TOKEN, "wamid.1")
    assert json.loads(httpx_mock.get_request().content) == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.1",
    }


async def chunks(*parts):
    for part in parts:
        yield part


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.png", "a.png"),
        ("Angebot für Zoë.png", "Angebot für Zoë.png"),
        ('a".png', "a%22.png"),
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil: 1"),
        ("lone \ud800", "lone ?"),
    ],
)
async def test_a_file_is_uploaded_with_its_exact_type_and_its_name(graph, httpx_mock, name, shown):
    httpx_mock.add_response(url=f"{BASE}/v26.0/{NUMBER}/media", json={"id": "media-1"})
    uploaded = await graph.upload(NUMBER, TOKEN, chunks(b"pic", b"ture"), "audio/ogg; codecs=opus", name, 7)
    assert uploaded == "media-1"
    request = httpx_mock.get_request()
    body = await request.aread()
    assert request.headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in request.headers
    headers = [(field.lower(), value) for field, value in request.headers.raw]
    form = await Request({"type": "http", "method": "POST", "headers": headers}, ASGIBody(body)).form()
    assert (form["messaging_product"], form["type"]) == ("whatsapp", "audio/ogg; codecs=opus")
    file = form["file"]
    assert (file.filename, file.content_type) == (shown, "audio/ogg; codecs=opus")
    assert await file.read() == b"picture"


class ASGIBody:
    """The body of a request as a server hands it on."""

    def __init__(self, body):
        self._body = body

    async def __call__(self):
        return {"type": "http.request", "body": self._body, "more_body": False}


async def test_an_upload_without_an_id_is_uncertain(graph, httpx_mock):
    httpx_mock.add_response(json={})
    with pytest.raises(Uncertain):
        await graph.upload(NUMBER, TOKEN, chunks(b"x"), "image/png", "a.png", 1)


async def test_where_a_file_lies_is_asked_for_by_its_id(graph, httpx_mock):
    httpx_mock.add_response(
        url=f"{BASE}/v26.0/media-1",
        json={"url": FILE, "mime_type": "image/png", "sha256": "abc", "file_size": "7", "id": "media-1"},
    )
    assert await graph.media(TOKEN, "media-1") == MediaFacts(FILE, "image/png", "abc", 7)


@pytest.mark.parametrize("answer", [{}, {"url": FILE}, {"url": FILE, "mime_type": "image/png", "file_size": "odd"}])
async def test_facts_of_another_shape_are_uncertain(graph, httpx_mock, answer):
    httpx_mock.add_response(json=answer)
    with pytest.raises(Uncertain):
        await graph.media(TOKEN, "media-1")


@pytest.mark.parametrize("media_id", ["", "\x1f", "a/b", "../me", "media-1?fields=x", "é", "x" * 201, "media\n"])
async def test_what_is_no_media_id_is_never_asked_for(graph, httpx_mock, media_id):
    with pytest.raises(Refused):
        await graph.media(TOKEN, media_id)
    assert not httpx_mock.get_requests()


async def download(graph, url):
    async with graph.download(url, TOKEN) as parts:
        return b"".join([part async for part in parts])


@pytest.mark.parametrize(
    "url", [FILE, "https://mmg.whatsapp.net/1", "https://scontent.facebook.com/1", f"{BASE}/v26.0/file"]
)
async def test_a_file_is_fetched_from_metas_hosts_with_the_token(graph, httpx_mock, url):
    httpx_mock.add_response(url=url, content=b"picture")
    assert await download(graph, url) == b"picture"
    assert httpx_mock.get_request().headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/file",
        "https://fbsbx.com.evil.test/file",
        "https://evilfbsbx.com/file",
        "https://evil.test/.fbsbx.com",
        "https://lookaside.fbsbx.com@evil.test/file",
        "http://lookaside.fbsbx.com/file",
        "http://graph.facebook.com/file",
        "https://127.0.0.1/file",
        "http://169.254.169.254/computeMetadata/v1/",
        "file:///etc/passwd",
        "https://lookaside.fbsbx.com\\@evil.test/",
        "https://evil.test\\.fbsbx.com/",
        "https://\x1f.fbsbx.com/",
        "https://[::1/",
        "https://a b.fbsbx.com/",
        "//lookaside.fbsbx.com/file",
        "",
    ],
)
async def test_no_other_host_is_asked_and_none_sees_the_token(graph, httpx_mock, url):
    with pytest.raises(Refused):
        await download(graph, url)
    assert not httpx_mock.get_requests()


async def test_the_configured_graph_host_may_hold_files_too(client, httpx_mock):
    simulated = Graph(client, "http://127.0.0.1:8080/graph", "v26.0")
    httpx_mock.add_response(url="http://127.0.0.1:8080/graph/files/1", content=b"picture")
    assert await download(simulated, "http://127.0.0.1:8080/graph/files/1") == b"picture"
    for other in ("http://127.0.0.1:8081/graph/files/1", "https://127.0.0.1:8080/graph/files/1"):
        with pytest.raises(Refused):
            await download(simulated, other)


async def test_a_redirect_of_a_file_is_not_followed(graph, httpx_mock):
    httpx_mock.add_response(url=FILE, status_code=302, headers={"location": "https://evil.test/file"})
    with pytest.raises(Refused):
        await download(graph, FILE)
    assert len(httpx_mock.get_requests()) == 1


async def test_a_file_is_asked_for_as_it_is_and_not_opened_when_it_comes_packed(graph, httpx_mock):
    httpx_mock.add_response(url=FILE, headers={"content-encoding": "gzip"}, content=gzip.compress(bytes(1000)))
    with pytest.raises(Uncertain):
        await download(graph, FILE)
    assert httpx_mock.get_request().headers["accept-encoding"] == "identity"


async def test_a_file_that_trickles_is_given_up(graph, httpx_mock, monkeypatch):
    monkeypatch.setattr("functions.core.graph.LONGEST_DOWNLOAD", 0.1)

    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield b"x"
                await asyncio.sleep(0.01)

    httpx_mock.add_response(url=FILE, stream=Trickle())
    with pytest.raises(Uncertain):
        await download(graph, FILE)


async def test_a_redirect_of_a_call_is_not_followed(graph, httpx_mock):
    httpx_mock.add_response(url=MESSAGES, status_code=307, headers={"location": "https://evil.test/"})
    with pytest.raises(Uncertain):
        await send(graph)
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_a_file_that_can_not_be_had_now_is_uncertain(graph, httpx_mock, status):
    httpx_mock.add_response(url=FILE, status_code=status)
    with pytest.raises(Uncertain):
        await download(graph, FILE)


async def test_a_download_that_breaks_off_is_uncertain(graph, httpx_mock):
    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b"pic"
            raise httpx.ReadError("gone")

    httpx_mock.add_response(url=FILE, stream=Broken())
    with pytest.raises(Uncertain):
        await download(graph, FILE)
