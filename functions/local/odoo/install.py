"""A ready Odoo 19: the folder named by ODOO_HOME, else the one in this user's cache, else a fresh download.

The cache (XDG_CACHE_HOME or ~/.cache, then `leadline`) holds two things side by side: `odoo-<version>`, which gets
that name when it is whole, and `python-<key>`, an environment with what Odoo imports, which gets a file `complete`
last. So what a killed set-up left behind is seen and done again.
"""

import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.local.child import run, run_step
from functions.local.failure import SetUpFailed, folder_failed
from functions.local.odoo import debian
from functions.local.odoo.progress import Progress, growing

TRIED_VERSION = "19.0.0+dfsg-1"  # of Debian's package: the one the add-on was last seen to work with
REPOSITORY = "https://github.com/odoo/odoo.git"
_BRANCH = "19.0"
_ROOM = 2_500_000_000  # bytes: the download, what it unpacks to and the environment, with something to spare
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


@dataclass(frozen=True)
class OdooHome:
    """Odoo's files, and an interpreter that can run them."""

    root: Path
    version: str
    script: Path
    packages: Path  # the folder to import from
    addons: Path
    python: Path

    def environment(self) -> dict[str, str]:
        """Ours, without what would lead Odoo to another interpreter, configuration or database.

        Odoo that starts itself anew, as it does at its memory limit, calls its interpreter `python` and no more.
        """
        plain = _plain_environment()
        path = os.pathsep.join([str(self.python.parent), plain.get("PATH", os.defpath)])
        return {**plain, "PATH": path, "PYTHONPATH": str(self.packages)}


def ensure_odoo(home: Path | None, progress: Progress) -> OdooHome:
    """Give a ready Odoo 19, after fetching what is missing; `progress` takes short lines for the terminal.

    `home`, else the environment's ODOO_HOME, names a folder with odoo-bin or usr/bin/odoo in it. Takes about a
    minute the first time, and neither time nor network later. Raises SetUpFailed.
    """
    chosen = home or (Path(os.environ["ODOO_HOME"]) if os.environ.get("ODOO_HOME") else None)
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _alone_in(cache, progress):
            root = chosen.expanduser().absolute() if chosen else _cached(cache) or _fetch(cache, progress)
            if not chosen:
                debian.fill_gap(root)
            odoo = _odoo_in(root, cache)
            _ensure_python(odoo, progress)
            return odoo
    except OSError as error:
        raise folder_failed(error, cache) from error


def cache_folder() -> Path:
    """Where this user's downloads are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "leadline"


def _odoo_in(root: Path, cache: Path) -> OdooHome:
    """Describe the Odoo 19 in `root`, laid out as in its repository or as in its package. Raises SetUpFailed."""
    package = root / "usr/lib/python3/dist-packages"
    for script, packages, addons in (
        (root / "odoo-bin", root, root / "addons"),
        (root / "usr/bin/odoo", package, package / "odoo/addons"),
    ):
        release = packages / "odoo/release.py"
        if script.is_file() and release.is_file():
            series = re.search(r"^version_info = \(['\"]?([^'\",]+)['\"]?, (\d+)", release.read_text(), re.MULTILINE)
            if not series or series[1] != "19":
                found = f"Odoo {series[1]}" if series else "an Odoo of unknown version"
                raise SetUpFailed(f"{root} holds {found}, and Leadline's add-on is for Odoo 19. Change ODOO_HOME.")
            version = root.name.removeprefix("odoo-") if root.parent == cache else f"{series[1]}.{series[2]}"
            return OdooHome(root, version, script, packages, addons, cache / f"python-{_python_key()}/bin/python")
    raise SetUpFailed(
        f"{root} holds neither odoo-bin nor usr/bin/odoo. Set ODOO_HOME to a folder with Odoo 19 in it, "
        "or unset it to have Odoo fetched."
    )


def _cached(cache: Path) -> Path | None:
    whole = sorted(cache.glob("odoo-19.*"))
    return next((root for root in whole if root.name == f"odoo-{TRIED_VERSION}"), whole[-1] if whole else None)


def _fetch(cache: Path, progress: Progress) -> Path:
    """Put Odoo's files into the cache, from Debian's archive where there is apt, else from Odoo's repository."""
    free = shutil.disk_usage(cache).free
    if free < _ROOM:
        raise SetUpFailed(
            f"Odoo 19 needs {_ROOM / 1e9:.1f} GB in {cache}, and {free / 1e9:.1f} GB are free. "
            "Free some room, or set XDG_CACHE_HOME to a folder on another disk."
        )
    work = cache / "odoo.unfinished"
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    work.mkdir(exist_ok=True)
    version = _fetch_into(root, work, progress)
    _odoo_in(root, cache)
    os.sync()  # the new name must not reach the disk before the files do
    whole = root.rename(cache / f"odoo-{version}")
    shutil.rmtree(work)
    return whole


def _fetch_into(root: Path, work: Path, progress: Progress) -> str:
    if not debian.usable():
        return _clone(root, work / "log", progress)
    try:
        version = debian.unpack_odoo(work, root, progress)
    except debian.NotInArchive:
        progress("Debian's archive has no Odoo 19 at present: taking Odoo's own repository.")
        return _clone(root, work / "log", progress)
    if version != TRIED_VERSION:
        progress(f"This is Odoo {version}; Leadline was last tried with {TRIED_VERSION}.")
    return version


def _clone(root: Path, log: Path, progress: Progress) -> str:
    """Clone Odoo's repository into `root` and give its version, with the commit."""
    if not shutil.which("git"):
        raise SetUpFailed(
            "Odoo 19 can't be fetched without git, or apt with Debian's keyring. "
            "Install git, or set ODOO_HOME to a folder with Odoo 19 in it."
        )
    progress(f"Cloning Odoo {_BRANCH} from {REPOSITORY} …")
    env = {**os.environ, "LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}
    patience = ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"]  # bytes per second, seconds
    options = ["--quiet", "--depth=1", f"--branch={_BRANCH}"]
    clone: list[str | Path] = ["git", *patience, "clone", *options, REPOSITORY, root]
    way_out = "Check the network and start again, or set ODOO_HOME to a folder with Odoo 19 in it."
    with growing(root, progress):
        run_step("Cloning Odoo", clone, log=log, env=env, way_out=way_out)
    commit = run(["git", "-C", root, "rev-parse", "--short=10", "HEAD"], env=env).stdout.strip()
    return f"{_BRANCH}-{commit}"


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PG", "ODOO_"))}


def _python_key() -> str:
    """What changes when an environment made earlier no longer fits."""
    parts = f"{sys.version_info[:2]} {sys.base_prefix}".encode() + _REQUIREMENTS.read_bytes()
    return hashlib.sha256(parts).hexdigest()[:12]


def _ensure_python(odoo: OdooHome, progress: Progress) -> None:
    """Make the environment that `odoo.python` lies in, unless it is complete."""
    folder = odoo.python.parents[1]
    complete = folder / "complete"
    if complete.exists() and odoo.python.exists():
        return
    progress("Installing the Python packages that Odoo imports …")
    if folder.exists():
        shutil.rmtree(folder)
    log = folder.with_suffix(".log")
    pip: list[str | Path] = [odoo.python, "-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check"]
    venv: list[str | Path] = [sys.executable, "-m", "venv", folder]
    step, env = "Installing what Odoo imports", _plain_environment()
    with growing(folder, progress):
        run_step(step, venv, log=log, env=env, way_out="Install Python's venv module and start again.")
        run_step(step, [*pip, "-r", _REQUIREMENTS], log=log, env=env, way_out="Check the network and start again.")
    run_step(step, [odoo.python, odoo.script, "--version"], log=log, env=odoo.environment())
    os.sync()
    complete.touch()
    log.unlink()


@contextmanager
def _alone_in(cache: Path, progress: Progress) -> Iterator[None]:
    """Keep a second set-up waiting while one is at work."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another set-up of Odoo to end …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
