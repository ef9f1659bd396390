"""What happens on a machine where a part is missing."""

import shutil
from pathlib import Path

import pytest

from tests.google import firestore_emulator
from tests.google.parts import MissingPart, require


def missing() -> str:
    raise MissingPart("install it so")


def test_a_part_that_is_there_is_answered() -> None:
    assert require(lambda: "found") == "found"


def test_a_missing_part_skips_the_test_on_a_developers_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="install it so"):
        require(missing)


def test_a_missing_part_fails_the_test_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="install it so"):
        require(missing)


def test_a_machine_without_java_or_the_sdk_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingPart, match="install openjdk"):
        firestore_emulator.java()
    with pytest.raises(MissingPart, match="gcloud components install cloud-firestore-emulator"):
        firestore_emulator.emulator_jar()


def test_an_sdk_without_the_emulator_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gcloud = tmp_path / "bin" / "gcloud"
    gcloud.parent.mkdir()
    gcloud.write_text(f'#!/bin/sh\necho \'{{"installation": {{"sdk_root": "{tmp_path}"}}}}\'\n')
    gcloud.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(gcloud))
    with pytest.raises(MissingPart, match="has no Firestore emulator"):
        firestore_emulator.emulator_jar()


def test_an_sdk_behind_a_wrapper_is_found_by_what_gcloud_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root, wrapper = tmp_path / "sdk", tmp_path / "bin" / "gcloud"
    jar = root / "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho \'{{"installation": {{"sdk_root": "{root}"}}}}\'\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(wrapper))
    assert firestore_emulator.emulator_jar() == jar
