"""No address that somebody names leads us where we must not go: each place that calls out, and what it refuses."""

import ast
import itertools
import re
import socket
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from functions.core.graph import Graph, Refused, Uncertain
from functions.core.reach import reach_key
from functions.core.store import delete
from functions.core.tasks import Task
from tests.payloads import ANA, inbound_image
from tests.rig import CONNECTION, rigged

ROOT = Path(__file__).parents[2]

CALLING_OUT = {
    # Every place that calls an address: whose address it is, and where it is held to that.
    "functions/core/graph.py": "Graph's, an admin's setting; a file's, from Meta's answer: `test_a_file_elsewhere`",
    "functions/sync/odoo.py": "a CRM's, from whoever paired it: `test_a_crm_that_must_not_be_called`",
    "functions/local/secret_text.py": "Google's Secret Manager, which stands in the code",
    "functions/local/sqlite_tasks.py": "our own functions on this machine",
    "functions/local/run.py": "our own Odoo on this machine",
    "functions/local/doctor/app.py": "our own, an admin's setting",
    "functions/local/doctor/places.py": "Graph's, an admin's setting",
    "functions/local/simulator/webhooks.py": "the webhook of whoever plays with the simulator, on one machine only",
    "addon/odoo/leadline/models/leadline_connection.py": "the service's, from an administrator",
    "addon/odoo/leadline/controllers/contact_archive.py": "a file's, from the paired service",
}
_LIBRARIES = {"httpx", "requests", "urllib3", "aiohttp", "socket", "http.client", "urllib.request"}
_CALLS = re.compile(r"(get|post|put|patch|delete|head|request|stream|send|urlopen|create_connection)")


def _calls_out(file: Path) -> bool:
    """Tell whether anything in a file is called as one calls an address by one of the libraries, or by a client."""
    tree = ast.parse(file.read_text())
    names = {"urlopen"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _CALLS.fullmatch(node.func.attr):
            of = node.func.value
            name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
            if name in _LIBRARIES or name.strip("_").endswith("client"):
                return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            return True
    return False


def test_every_place_that_calls_an_address_is_known():
    files = [file for part in ("functions", "addon/odoo") for file in (ROOT / part).rglob("*.py")]
    ours = [file for file in files if "tests" not in file.parts]
    assert {str(file.relative_to(ROOT)) for file in ours if _calls_out(file)} == set(CALLING_OUT)


def test_nothing_of_ours_follows_a_redirect():
    said = [(file, file.read_text()) for part in ("functions", "addon/odoo") for file in (ROOT / part).rglob("*.py")]
    assert [str(file) for file, text in said if re.search(r"follow_redirects=True|allow_redirects=True", text)] == []
    # Unlike httpx, requests follows them unless it is told not to.
    for file, text in said:
        if "tests" not in file.parts:
            asked = len(re.findall(r"requests\.(get|post|put|request)\(", text))
            assert asked == text.count("allow_redirects=False"), file


# A CRM's address

NAMES = {
    "inside.test": ["10.0.0.1"],
    "either.test": ["8.8.8.8", "169.254.169.254"],
    "mapped.test": ["::ffff:10.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "crm.test": ["93.184.216.34"],
}
REFUSED = {
    # In the cloud: the address, and why it is not called.
    "http://crm.test": "insecure",
    "http://127.0.0.1:8069": "insecure",
    "HTTP://crm.test": "insecure",
    "https://127.0.0.1": "private",
    "https://127.1": "private",
    "https://2130706433": "private",
    "https://0x7f000001": "private",
    "https://0": "private",
    "https://[::1]": "private",
    "https://[::]": "private",
    "https://[::ffff:127.0.0.1]": "private",
    "https://[::ffff:7f00:1]": "private",
    "https://[::127.0.0.1]": "private",
    "https://[64:ff9b:1::7f00:1]": "private",
    "https://[64:ff9b::7f00:1]": "private",
    "https://[2002:7f00:1::]": "private",
    "https://[fe80::1]": "private",
    "https://[fd00:ec2::254]": "private",
    "https://10.1.2.3": "private",
    "https://172.16.0.1": "private",
    "https://192.168.0.1": "private",
    "https://100.64.0.1": "private",
    "https://169.254.169.254/computeMetadata/v1": "private",
    "https://metadata.google.internal/computeMetadata/v1": "private",
    "https://localhost": "private",
    "https://255.255.255.255": "private",
    "https://224.0.0.1": "private",
    "https://192.0.2.1": "private",
    "https://inside.test": "private",
    "https://either.test": "private",
    "https://mapped.test": "private",
    "https://crm.test@127.0.0.1": "private",
    "https://user:password@10.0.0.1": "private",
    "https://crm.test\\@127.0.0.1/": "private",
    "https://127。0。0。1": "private",
    "https://0177.0.0.1": "no_address",
    "https://①②⑦.0.0.1": "no_address",
    "file:///etc/passwd": "no_address",
    "gopher://127.0.0.1": "no_address",
    "ftp://crm.test": "no_address",
    "//crm.test": "no_address",
    "javascript:alert(1)": "no_address",
    "https://crm.test\r\nHost: evil.test": "no_address",
    "https://[::1": "no_address",
    "https://": "no_address",
}


@pytest.fixture
def names(monkeypatch):
    """Names of which we know where they lead; returns which were looked up."""
    looked_up, really = [], socket.getaddrinfo

    def getaddrinfo(host, port, *more, **named):
        said = host.decode() if isinstance(host, bytes) else host
        looked_up.append(said)
        if said in NAMES:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in NAMES[said]]
        return really(host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


class Cloud:
    """A service in the cloud, where no CRM may be a private one, and what it called."""

    def __init__(self, rig):
        self.called = []
        self._rig = rig
        rig.start(to_crm=httpx.AsyncClient(transport=httpx.MockTransport(self._crm)))

    async def _crm(self, request):
        self.called.append(request)
        return httpx.Response(200, json={"results": []})

    async def tries(self, url):
        """Return how the way to a CRM at this address fares."""
        await self._rig.add_connection(url=url)
        await self._rig.store.commit([delete(reach_key(CONNECTION))])
        task = Task(f"sync-{CONNECTION}", "sync", {"kind": "check", "connection": CONNECTION, "check": "one"})
        assert (await self._rig.run(task)).status_code == 200
        return (await self._rig.call("GET", "/v1/connection")).json()["reach"]


@pytest.fixture
async def cloud(tmp_path, names):
    async with rigged(tmp_path, LEADLINE_ALLOW_PRIVATE_CRM="0") as rig:
        await rig.set_up()
        yield Cloud(rig)


async def test_a_crm_that_must_not_be_called_is_not_and_the_reason_is_said(cloud):
    found = {url: await cloud.tries(url) for url in REFUSED}
    assert {url: reach["code"] for url, reach in found.items()} == REFUSED
    assert cloud.called == []
    assert all(reach["reason"].endswith(".") for reach in found.values())


async def test_a_crm_is_called_at_the_very_address_that_was_looked_at(cloud, names):
    """A name that leads elsewhere once it was looked at (DNS rebinding) finds nobody asking again."""
    reach = await cloud.tries("https://someone:secret@crm.test:8443/odoo")
    assert reach["way"] == "pushed"
    [request] = cloud.called
    assert (request.url.host, request.url.port) == ("93.184.216.34", 8443)
    assert request.headers["host"] == "crm.test:8443"
    assert request.extensions["sni_hostname"] == "crm.test"
    assert names.count("crm.test") == 1


async def test_what_is_no_address_is_not_even_taken_down(rig):
    for url in ("file:///etc/passwd", "gopher://127.0.0.1", "//crm.test", "javascript:alert(1)", "https://"):
        answer = await rig.call("POST", "/v1/connection/check", {"url": url})
        assert answer.status_code == 422, url


# A file's address, from Meta's own answer

ELSEWHERE = [
    "http://lookaside.fbsbx.com/file",
    "https://lookaside.fbsbx.com:8443@127.0.0.1/file",
    "https://lookaside.fbsbx.com.evil.test/file",
    "https://evil.test#.fbsbx.com",
    "https://evil.test?.fbsbx.com",
    "https://evil.test/.fbsbx.com",
    "https://evil.test\\.fbsbx.com",
    "https://evil.test%00.fbsbx.com/",
    "https://evil.test%2f.fbsbx.com/",
    "https://evil。test/.fbsbx.com",
    "https://[::ffff:169.254.169.254]/",
    "https://2852039166/latest/meta-data",
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    "ftp://lookaside.fbsbx.com/file",
    "https://fbsbx.com/file",
    "https://xn--fbsbx-.com/file",
]


async def test_a_file_elsewhere_than_at_metas_is_never_asked_for_and_its_message_says_so(rig):
    asked, urls = [], iter(ELSEWHERE)

    async def meta(request):
        asked.append(request.url.host)
        return httpx.Response(200, json={"url": next(urls), "mime_type": "image/jpeg", "file_size": "9"})

    conversation = await rig.met(ANA)
    rig.whatsapp.plays(meta)
    for number in range(len(ELSEWHERE)):
        await rig.deliver(inbound_image(ANA, f"photo-{number}", b"photo"))
        await rig.drain()
    media = [one["media"] for one in await rig.tab(conversation).messages() if one.get("media")]
    assert set(asked) == {"graph.test"}
    assert [(one["state"], bool(one["reason"])) for one in media] == [("failed", True)] * len(ELSEWHERE)


@pytest.mark.parametrize("host", ["lookaside.fbsbx.com", "LOOKASIDE.FBSBX.COM", "lookaside.fbsbx.com:443"])
async def test_the_host_that_is_looked_at_is_the_one_that_is_called(host):
    """Should one library read an address otherwise than the other, the token would go elsewhere."""
    letters = ["@", "\\", "/", "#", "?", ":", "%40", "。", " ", "\t", ""]
    asked = []

    async def meta(request):
        asked.append(request.url.host)
        return httpx.Response(404)

    graph = Graph(httpx.AsyncClient(transport=httpx.MockTransport(meta)), "https://graph.test", "v26.0")
    for first, second, third in itertools.product(letters, letters, ["/", "@evil.test/"]):
        with suppress(Refused, Uncertain):
            async with graph.download(f"https://evil.test{first}{second}{host}{third}file", "token"):
                pass
    assert asked
    assert {host for host in asked if not host.endswith(".fbsbx.com")} == set()
