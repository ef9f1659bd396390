"""A file from outside costs its thumbnail at most: its message is there, it is kept as it came, and it never runs."""

import ast
import subprocess
import sys
from pathlib import Path

import httpx

from tests.hostile.bombs import OTHERS, PICTURES
from tests.payloads import ANA, inbound

ROOT = Path(__file__).parents[2]

MEGABYTES = 200
"""What opening all of these may take beside what Python and Pillow take anyway; the sender has 512."""

OPENED = """
import pathlib, re, sys
from functions.sender.pictures import _look
from tests.hostile.bombs import PICTURES
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
for file, _ in PICTURES.values():
    _look(file)
print(peak() - before)
"""
PACKED = {"zipfile", "tarfile", "gzip", "zlib", "lzma", "bz2", "xml", "lxml", "pickle", "marshal", "shelve", "yaml"}
WRITES_ONLY = {
    # What is packed or read here is our own.
    "functions/core/packed.py",
    "addon/odoo/leadline/controllers/contact_archive.py",
}


async def test_every_file_is_kept_as_it_came_and_served_as_nothing_that_runs(rig):
    files = {name: (*one, "image") for name, one in PICTURES.items()} | OTHERS
    tab = await rig.chatting(ANA)
    for number, (file, mime, type_) in enumerate(files.values()):
        rig.whatsapp.files[f"media-{number}"] = file
        await rig.deliver(inbound(ANA, type_, {"id": f"media-{number}", "mime_type": mime}))
    await rig.drain()
    shown = [one for one in await tab.messages() if one.get("media")]
    assert len(shown) == len(files)
    for message, (name, (file, mime, _)) in zip(shown, files.items(), strict=True):
        assert message["media"]["state"] == "stored", name
        answer: httpx.Response = await rig.files.get(message["media"]["url"])
        assert answer.content == file, name
        said = answer.headers
        assert said["x-content-type-options"] == "nosniff", name
        assert "sandbox" in said["content-security-policy"], name
        inline = said["content-disposition"].startswith("inline")
        assert not inline or said["content-type"].split("/")[0] in ("image", "audio", "video"), name
        assert not (inline and "svg" in said["content-type"]), name
        assert said.get_list("content-type") == [mime if "\r" not in mime else "application/octet-stream"], name


def test_opening_all_that_is_larger_than_it_looks_takes_little_memory():
    done = subprocess.run([sys.executable, "-c", OPENED], capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) < MEGABYTES


def test_nothing_from_outside_is_ever_unpacked():
    """No archive, no document, no XML: what is not opened can't be a bomb."""
    found = set()
    for part in ("functions", "addon/odoo"):
        for file in (ROOT / part).rglob("*.py"):
            where = str(file.relative_to(ROOT))
            if "tests" in file.parts or where.startswith("functions/local/"):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if {name.partition(".")[0] for name in names} & PACKED:
                    found.add(where)
    assert found == WRITES_ONLY
