"""What is shipped, as zip files that come out the same each time: the functions' source and the Odoo module."""

import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]

_FUNCTIONS = ("core", "webhook", "sender", "sync", "chat")
_MODULES = ("leadline", "leadline_website")
"""What is installed in Odoo; the second installs itself where Odoo's Website is."""
_LEFT_OUT = frozenset({"__pycache__"})
_EPOCH = (2020, 1, 1, 0, 0, 0)


def functions_archive(target: Path) -> Path:
    """Write the source that the cloud builds: `main.py`, the functions, and their requirements, all pinned."""
    files = {
        "main.py": (PROJECT / "main.py").read_bytes(),
        "constraints.txt": (PROJECT / "constraints.txt").read_bytes(),
        "requirements.txt": "\n".join(["-c constraints.txt", *functions_requirements()]).encode() + b"\n",
        "functions/__init__.py": b"",
    }
    for name in _FUNCTIONS:
        files.update(_tree(PROJECT / "functions" / name, f"functions/{name}"))
    return _write(target, files)


def functions_requirements() -> list[str]:
    """Return what the functions need, as pip reads it."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return [str(requirement) for requirement in project["dependencies"]]


def odoo_module(target: Path) -> Path:
    """Write the Odoo modules, to be unpacked into an addons folder or uploaded in Apps."""
    files: dict[str, bytes] = {}
    for name in _MODULES:
        files.update(_tree(PROJECT / "addon" / "odoo" / name, name))
    return _write(target, files)


def _tree(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and path.suffix != ".pyc" and not _LEFT_OUT.intersection(inside.parts):
            yield f"{name}/{inside.as_posix()}", path.read_bytes()


def _write(target: Path, files: dict[str, bytes]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return target
