"""Odoo's package, fetched from Debian's archive with apt and unpacked without installing anything.

apt works here as an ordinary user on lists and caches of its own. It takes the archive's address and the proxy from
this machine's configuration, and trusts Debian's keyring alone: the packages' checksums stand in the index, and the
index is signed.
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from functions.local.child import run, run_step
from functions.local.failure import step_failed
from functions.local.odoo.progress import Progress, growing, megabytes

_PACKAGE = "odoo-19"
_SUITE = "unstable"  # the one that has Odoo
# Odoo's package links to fonts and scripts of others. They come from a release in which they have the files that the
# links name: in unstable, Font Awesome is a later major version, and every icon would be an empty box.
_LINKED_SUITE = "trixie"
_LINKED = (
    "fonts-font-awesome",
    "fonts-inconsolata",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
_WAY_OUT = "Check the network and the package debian-archive-keyring, or set ODOO_HOME to a folder with Odoo 19."
_CONFIGURATION = """\
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Debug::NoLocking "true";
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class NotInArchive(Exception):
    """Debian's archive, as this machine sees it, has no Odoo 19."""


@dataclass(frozen=True)
class Package:
    """A package's file as the signed index has it: name, version, size in bytes, SHA-256 in hex."""

    file: str
    version: str
    size: int
    sha256: str


def usable() -> bool:
    """Whether this machine has apt and Debian's keyring."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb") and _keyring())


def unpack_odoo(work: Path, root: Path, progress: Progress) -> str:
    """Fetch Odoo and what it links to into `work`, unpack them into `root`, and give the version of the package.

    What an earlier try has left in `work` is used again. Raises NotInArchive or SetUpFailed.
    """
    apt = _Apt(work)
    progress("Looking for Odoo 19 in Debian's archive …")
    apt.update()
    names = [f"{_PACKAGE}/{_SUITE}", *(f"{name}/{_LINKED_SUITE}" for name in _LINKED)]
    packages = apt.find(names)
    odoo = next(package for package in packages if package.file.startswith(_PACKAGE))
    progress(f"Downloading Odoo 19 ({megabytes(sum(package.size for package in packages))}) …")
    with growing(work, progress):
        apt.download(names, packages)
    progress(f"Unpacking Odoo {odoo.version} …")
    for package in packages:
        run_step("Unpacking Odoo", ["dpkg-deb", "-x", work / package.file, root], log=work / "log")
    return odoo.version


def archive_address(sources: str, system: str) -> str:
    """The address of Debian's archive that this machine uses. Raises NotInArchive where it uses none.

    `sources` is what `apt-get update --print-uris` says, so apt itself reads its configuration, in whichever form.
    `system` is the text of /etc/os-release.
    """
    codename = re.search(r'^VERSION_CODENAME="?(\w+)', system, re.MULTILINE)
    if not codename or not re.search(r'^ID="?debian"?$', system, re.MULTILINE):
        raise NotInArchive
    suites = re.findall(r"^'(\S+)/dists/(\S+)/InRelease'", sources, re.MULTILINE)
    releases = {codename[1], "oldstable", "stable", "testing", "unstable", "sid"}
    addresses: list[str] = [address for address, suite in suites if suite in releases]
    # a vendor's archive may name its suite after Debian's; only Debian's own has the updates beside it
    with_updates = {address for address, suite in suites if suite.endswith("-updates")}
    if not addresses:
        raise NotInArchive
    return next((it for it in addresses if it in with_updates), addresses[0])


class _Apt:
    """apt on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def update(self) -> None:
        """Fetch the signed indexes."""
        for part in ("lists/partial", "archives/partial"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        (self._folder / "apt.conf").write_text(_CONFIGURATION.format(folder=self._folder))
        machine = run(["apt-get", "update", "--print-uris"], env=_environment())
        system = Path("/etc/os-release")
        address = archive_address(machine.stdout, system.read_text() if system.exists() else "")
        source = f"deb [signed-by={_keyring()} target=Packages] {address} {{}} main\n"
        (self._folder / "sources.list").write_text(source.format(_SUITE) + source.format(_LINKED_SUITE))
        self._run("Fetching Debian's package list", "update", "--error-on=any")

    def find(self, names: list[str]) -> list[Package]:
        """The files that `download` will fetch. Raises NotInArchive."""
        listed = run(self._command("download", "--print-uris", *names), env=_environment())
        if re.search(rf"^E: .*\b{_PACKAGE}\b", listed.stderr, re.MULTILINE):
            raise NotInArchive(listed.stderr)
        if listed.returncode:
            raise step_failed("Finding what Odoo needs", listed.stderr, self._folder, _WAY_OUT)
        files = re.findall(r"^'[^']+' (\S+) (\d+) SHA256:(\S+)$", listed.stdout, re.MULTILINE)
        return [Package(name, unquote(name.split("_")[1]), int(size), sha256) for name, size, sha256 in files]

    def download(self, names: list[str], packages: list[Package]) -> None:
        """Fetch packages and check them against the signed index."""
        for package in packages:  # apt checks what it fetches, but takes a file of the right size as it is
            leftover = self._folder / package.file
            if leftover.exists() and hashlib.sha256(leftover.read_bytes()).hexdigest() != package.sha256:
                leftover.unlink()
        self._run("Downloading Odoo", "download", *names)

    def _run(self, step: str, *arguments: str) -> None:
        log = self._folder / "log"
        command = self._command(*arguments)
        run_step(step, command, log=log, folder=self._folder, env=_environment(), way_out=_WAY_OUT)

    def _command(self, *arguments: str) -> list[str | Path]:
        return ["apt-get", "-c", self._folder / "apt.conf", "-q", *arguments]


def _keyring() -> Path | None:
    return next((keyring for keyring in _KEYRINGS if keyring.exists()), None)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def fill_gap(root: Path) -> None:
    """Put an empty file where Debian's build lacks one that mail's manifest lists (background blur, not free).

    Without it each page logs an error, and Odoo's browser tests fail while they load.
    """
    mail = root / "usr/lib/python3/dist-packages/odoo/addons/mail/static"
    missing = mail / "lib/selfie_segmentation/selfie_segmentation.js"
    if mail.is_dir() and not missing.exists():
        missing.parent.mkdir(parents=True, exist_ok=True)
        missing.touch()
