"""Fetching Odoo: from an archive like Debian's, from a repository, and after being killed in the middle. No network."""

import contextlib
import copy
import hashlib
import multiprocessing
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.local.failure import SetUpFailed
from functions.local.odoo import debian, install
from functions.local.odoo.install import OdooHome, ensure_odoo

VERSION = "19.0.7+dfsg-2"
DEBIAN = 'ID=debian\nVERSION_CODENAME="bookworm"\n'
RELEASE = "version_info = ({major}, 0, 0, FINAL, 0, '')\n"
PACKAGED = "usr/lib/python3/dist-packages/odoo/release.py"

needs_apt = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "dpkg-deb", "gpg"))), reason="needs Debian's apt, dpkg-deb and gpg"
)


def quietly(*command: object, **options: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True, **options)  # type: ignore[call-overload]


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def checkout(root: Path, major: int = 19) -> Path:
    """A folder laid out like Odoo's repository."""
    write(root / "odoo-bin", "print('Odoo Server')\n")
    write(root / "addons" / "crm" / "__manifest__.py", "{}\n")
    write(root / "odoo" / "release.py", RELEASE.format(major=major))
    return root


class Archive:
    """An archive like Debian's, with a package named like Odoo's and one for each it links to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keyring = folder / "keyring.gpg"
        self._home = folder / "gnupg"
        self._home.mkdir(mode=0o700, parents=True)
        self._gpg("--quick-generate-key", "--passphrase", "", "archive@example.org", "ed25519", "sign", "never")
        self._gpg("--output", self.keyring, "--export")
        self.odoo = self._package(debian._PACKAGE, VERSION, {"usr/bin/odoo": "print('Odoo Server')\n"})
        self.publish("unstable", [self.odoo])
        self.publish("trixie", [self._package(name, "1.0", {}) for name in debian._LINKED])

    def close(self) -> None:
        """End the agent that gpg started."""
        quietly("gpgconf", "--homedir", self._home, "--kill", "gpg-agent")

    def publish(self, suite: str, packages: list[Path], *, signed: bool = True) -> None:
        index = "".join(self._entry(package) for package in packages)
        at = self.folder / "dists" / suite
        architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
        path = f"main/binary-{architecture}/Packages"
        write(at / path, index)
        digest = hashlib.sha256(index.encode()).hexdigest()
        date = time.strftime("%a, %d %b %Y %T +0000", time.gmtime())
        names = f"Origin: Test\nSuite: {suite}\nCodename: {suite}\nDate: {date}\n"
        contents = f"Architectures: {architecture}\nComponents: main\nSHA256:\n {digest} {len(index)} {path}\n"
        release = write(at / "Release", names + contents)
        (at / "InRelease").unlink(missing_ok=True)
        if signed:
            self._gpg("--output", at / "InRelease", "--clearsign", release)

    def _gpg(self, *arguments: object) -> None:
        quietly("gpg", "--homedir", self._home, "--batch", "--yes", "--pinentry-mode", "loopback", *arguments)

    def _package(self, name: str, version: str, files: dict[str, str]) -> Path:
        root = self.folder / "build" / name
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n"
        )
        write(root / "DEBIAN" / "control", control)
        for path, text in {**files, f"usr/share/doc/{name}/copyright": "none\n"}.items():
            write(root / path, text, 0o755)
        if name == debian._PACKAGE:
            write(root / PACKAGED, RELEASE.format(major=19))
        package = self.folder / "pool" / f"{name}_{version}_all.deb"
        package.parent.mkdir(exist_ok=True)
        quietly("dpkg-deb", "--build", "--root-owner-group", root, package)
        return package

    def _entry(self, package: Path) -> str:
        control = subprocess.check_output(["dpkg-deb", "--field", str(package)], text=True)
        body = package.read_bytes()
        digest = hashlib.sha256(body).hexdigest()
        return f"{control}Filename: pool/{package.name}\nSize: {len(body)}\nSHA256: {digest}\n\n"


@pytest.fixture(scope="module")
def made_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with contextlib.closing(Archive(tmp_path_factory.mktemp("made"))) as archive:
        yield archive


@pytest.fixture
def archive(made_archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """This machine's archive, which the test may spoil."""
    spoilt = copy.copy(made_archive)
    spoilt.folder = tmp_path / "archive"
    shutil.copytree(made_archive.folder, spoilt.folder, ignore=shutil.ignore_patterns("gnupg", "build"))
    spoilt.odoo = spoilt.folder / "pool" / made_archive.odoo.name
    monkeypatch.setattr(debian, "_KEYRINGS", (made_archive.keyring,))
    monkeypatch.setattr(debian, "archive_address", lambda *_: f"copy:{spoilt.folder}")
    return spoilt


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no ODOO_HOME, and an environment of Odoo's that takes no time to make."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ODOO_HOME", raising=False)
    monkeypatch.setattr(install, "_ensure_python", lambda *_: None)
    monkeypatch.setattr(install, "_ROOM", 1)
    return tmp_path / "cache" / "leadline"


@pytest.fixture
def real_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    """Odoo's environment is made for real, of no packages."""
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    monkeypatch.delenv("ODOO_HOME", raising=False)
    monkeypatch.setattr(install, "_REQUIREMENTS", write(tmp_path / "requirements.txt", ""))


def said(odoo: Callable[[Callable[[str], None]], OdooHome]) -> tuple[OdooHome, str]:
    lines: list[str] = []
    return odoo(lines.append), "\n".join(lines)


def ensured() -> tuple[OdooHome, str]:
    return said(lambda progress: ensure_odoo(None, progress))


class TestWhereTheArchiveIs:
    @needs_apt
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("debian.list", "deb [arch=amd64] http://mirror.example/debian bookworm main contrib # near\n"),
            (
                "debian.sources",
                "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
            ),
        ],
    )
    def test_apt_itself_reads_its_configuration_in_either_form(self, tmp_path: Path, name: str, text: str) -> None:
        write(tmp_path / "parts" / name, text)
        places = {"SourceList": "/dev/null", "SourceParts": tmp_path / "parts"}
        options = [f"-oDir::Etc::{place}={path}" for place, path in places.items()]
        sources = subprocess.check_output(["apt-get", *options, "update", "--print-uris"], text=True)
        assert debian.archive_address(sources, DEBIAN) == "http://mirror.example/debian"

    def test_a_vendors_archive_is_not_taken_for_debians(self) -> None:
        sources = (
            "'https://vendor.example/linux/debian/dists/bookworm/InRelease' x 0\n"
            "'http://mirror.example/debian/dists/bookworm/InRelease' x 0\n"
            "'http://mirror.example/debian/dists/bookworm-updates/InRelease' x 0\n"
            "'http://mirror.example/debian-security/dists/bookworm-security/InRelease' x 0\n"
        )
        assert debian.archive_address(sources, DEBIAN) == "http://mirror.example/debian"

    def test_another_system_has_none(self) -> None:
        sources = "'http://archive.example/ubuntu/dists/noble/InRelease' x 0\n"
        with pytest.raises(debian.NotInArchive):
            debian.archive_address(sources, "ID=ubuntu\nVERSION_CODENAME=noble\n")


@needs_apt
class TestFromTheArchive:
    def test_odoo_is_unpacked_and_another_version_than_the_tried_one_is_named(
        self, archive: Archive, cache: Path
    ) -> None:
        odoo, told = ensured()
        assert odoo.root == cache / f"odoo-{VERSION}"
        assert odoo.version == VERSION
        assert odoo.script.exists()
        assert (odoo.root / "usr/share/doc/libjs-jquery/copyright").exists()
        assert f"This is Odoo {VERSION}" in told
        assert sorted(path.name for path in cache.iterdir()) == ["lock", f"odoo-{VERSION}"]

    def test_the_second_time_needs_neither_archive_nor_words(self, archive: Archive) -> None:
        first, _ = ensured()
        shutil.rmtree(archive.folder)
        assert ensured() == (first, "")

    def test_an_archive_that_nobody_signed_is_refused(self, archive: Archive, cache: Path) -> None:
        archive.publish("unstable", [archive.odoo], signed=False)
        with pytest.raises(SetUpFailed, match="is not signed"):
            ensured()
        assert not list(cache.glob("odoo-*"))

    def test_an_archive_that_another_key_signed_is_refused(
        self, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with contextlib.closing(Archive(tmp_path / "stranger")) as stranger:
            monkeypatch.setattr(debian, "_KEYRINGS", (stranger.keyring,))
        with pytest.raises(SetUpFailed, match="is not signed"):
            ensured()

    def test_a_package_other_than_the_signed_index_names_is_refused(self, archive: Archive, cache: Path) -> None:
        body = archive.odoo.read_bytes()
        archive.odoo.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
        with pytest.raises(SetUpFailed, match="Downloading Odoo failed"):
            ensured()
        assert not list(cache.glob("odoo-*"))

    def test_what_a_killed_set_up_left_is_done_again(self, archive: Archive, cache: Path) -> None:
        work = cache / "odoo.unfinished"
        write(work / "root" / "usr/bin/odoo", "half a file")
        # of the right size but empty, as after a power cut
        (work / archive.odoo.name).write_bytes(bytes(archive.odoo.stat().st_size))
        odoo, _ = ensured()
        assert odoo.script.read_text() == "print('Odoo Server')\n"

    def test_a_set_up_killed_while_unpacking_takes_its_programs_along(
        self, archive: Archive, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pid_file = tmp_path / "pid"
        slow = f"#!/bin/sh\necho $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 60\n"
        write(tmp_path / "bin" / "dpkg-deb", slow, 0o755)
        with monkeypatch.context() as slowly:
            slowly.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
            set_up = multiprocessing.get_context("fork").Process(target=ensure_odoo, args=(None, print))
            set_up.start()
        wait_for(pid_file.exists)
        set_up.kill()
        set_up.join()
        wait_for(lambda: not alive(int(pid_file.read_text())))
        assert not list(cache.glob("odoo-*"))
        assert ensured()[0].root == cache / f"odoo-{VERSION}"

    def test_where_debian_has_no_odoo_it_is_cloned(
        self, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive.publish("unstable", [])
        monkeypatch.setattr(install, "REPOSITORY", repository(tmp_path))
        odoo, told = ensured()
        assert "Debian's archive has no Odoo 19 at present" in told
        assert odoo.script.name == "odoo-bin"


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def repository(tmp_path: Path) -> str:
    """The address of a repository like Odoo's."""
    folder = checkout(tmp_path / "upstream")
    git = ("git", "-C", folder, "-c", "user.name=A", "-c", "user.email=a@example.org")
    quietly("git", "init", "--quiet", "--initial-branch=19.0", folder)
    quietly(*git, "add", ".")
    quietly(*git, "commit", "--quiet", "--message=odoo")
    return f"file://{folder}"


class TestWithoutApt:
    @pytest.fixture(autouse=True)
    def no_keyring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(debian, "_KEYRINGS", ())

    def test_odoo_is_cloned_and_its_commit_named(
        self, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(install, "REPOSITORY", repository(tmp_path))
        odoo, _ = ensured()
        commit = subprocess.check_output(["git", "-C", str(tmp_path / "upstream"), "rev-parse", "HEAD"], text=True)
        assert odoo.root == cache / f"odoo-19.0-{commit[:10]}"
        assert odoo.addons == odoo.root / "addons"
        assert ensured() == (odoo, "")

    def test_an_unreachable_repository_is_one_sentence_with_a_way_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(install, "REPOSITORY", f"file://{tmp_path}/nowhere")
        with pytest.raises(SetUpFailed, match=r"^Cloning Odoo failed \(.*\)\. Check the network .*ODOO_HOME"):
            ensured()

    def test_without_git_either_the_way_out_names_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(SetUpFailed, match="Install git, or set ODOO_HOME"):
            ensured()


class TestOdooHome:
    def test_it_may_be_a_checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ODOO_HOME", str(checkout(tmp_path / "mine")))
        odoo, told = ensured()
        assert (odoo.script, odoo.addons) == (tmp_path / "mine/odoo-bin", tmp_path / "mine/addons")
        assert (odoo.version, told) == ("19.0", "")

    def test_it_may_be_an_unpacked_package(self, tmp_path: Path) -> None:
        write(tmp_path / "mine/usr/bin/odoo", "")
        write(tmp_path / "mine" / PACKAGED, RELEASE.format(major=19))
        odoo = ensure_odoo(tmp_path / "mine", print)
        assert odoo.packages == tmp_path / "mine/usr/lib/python3/dist-packages"
        assert odoo.addons == odoo.packages / "odoo/addons"

    def test_a_folder_that_is_no_odoo_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ODOO_HOME", str(tmp_path))
        with pytest.raises(SetUpFailed, match=f"^{tmp_path} holds neither odoo-bin nor usr/bin/odoo. Set ODOO_HOME"):
            ensured()

    def test_another_series_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SetUpFailed, match="holds Odoo 18, and Leadline's add-on is for Odoo 19"):
            ensure_odoo(checkout(tmp_path / "old", major=18), print)


class TestThePythonOfOdoo:
    def test_it_is_made_once_and_again_when_the_making_was_killed(self, real_environment: None, tmp_path: Path) -> None:
        home = checkout(tmp_path / "mine")
        odoo, told = said(lambda progress: ensure_odoo(home, progress))
        assert "Installing the Python packages" in told
        assert said(lambda progress: ensure_odoo(home, progress)) == (odoo, "")
        (odoo.python.parents[1] / "complete").unlink()
        odoo.python.unlink()
        _, told = said(lambda progress: ensure_odoo(home, progress))
        assert "Installing the Python packages" in told
        assert odoo.python.exists()

    def test_an_odoo_that_does_not_start_in_it_says_why(self, real_environment: None, tmp_path: Path) -> None:
        home = checkout(tmp_path / "mine")
        write(home / "odoo-bin", "import a_package_that_is_missing\n")
        with pytest.raises(SetUpFailed, match="No module named 'a_package_that_is_missing'"):
            ensure_odoo(home, print)

    def test_odoo_that_starts_itself_anew_gets_it_again(self, real_environment: None, tmp_path: Path) -> None:
        odoo = ensure_odoo(checkout(tmp_path / "mine"), print)
        anew = (
            f"import os; os.execve({str(odoo.python)!r}, ['python', '-c', 'import sys; print(sys.prefix)'], os.environ)"
        )
        said = subprocess.run([odoo.python, "-c", anew], env=odoo.environment(), check=True, capture_output=True)
        assert said.stdout.decode().strip() == str(odoo.python.parents[1])

    def test_odoo_hears_nothing_of_our_own_interpreter(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("PYTHONHOME", "PYTHONPATH", "PGHOST", "ODOO_RC"):
            monkeypatch.setenv(name, "elsewhere")
        home = checkout(tmp_path / "mine")
        environment = ensure_odoo(home, print).environment()
        assert environment["PYTHONPATH"] == str(home)
        assert not {"PYTHONHOME", "PGHOST", "ODOO_RC"} & environment.keys()


class TestTheDisk:
    def test_too_little_room_is_told_before_anything_is_fetched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(install, "_ROOM", 10**18)
        with pytest.raises(SetUpFailed, match="Free some room, or set XDG_CACHE_HOME"):
            ensured()

    def test_a_cache_that_cannot_be_made_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "a_file", "")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))
        with pytest.raises(SetUpFailed, match="a_file/leadline: Not a directory"):
            ensured()
