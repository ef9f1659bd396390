"""The real Terraform, with providers that only know their schema."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.google.parts import MissingPart, require
from tests.infra import provider
from tests.infra.module import INFRA

Terraform = Callable[..., subprocess.CompletedProcess[str]]

PLAN = Path(__file__).with_name("plan.tftest.hcl")


def program() -> str:
    """Return Terraform's path. Raises MissingPart."""
    found = shutil.which("terraform")
    if not found:
        raise MissingPart(
            "Terraform (1.11 or newer) is not installed: https://developer.hashicorp.com/terraform/install"
        )
    return found


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """Terraform in a copy of the module, initialised."""
    binary = require(program)
    folder = tmp_path_factory.mktemp("terraform") / "infra"
    shutil.copytree(INFRA, folder, ignore=shutil.ignore_patterns(".terraform*"))
    (folder / "tests").mkdir()
    shutil.copy(PLAN, folder / "tests")
    (folder / "functions.zip").write_bytes(b"the functions")
    with provider.running() as providers:

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [binary, *arguments],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1", **providers},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )

        started = run("init", "-backend=false", "-input=false")
        assert started.returncode == 0, started.stderr
        yield run


def test_the_files_are_formatted(terraform: Terraform) -> None:
    ran = terraform("fmt", "-check", "-recursive", "-diff")
    assert ran.returncode == 0, ran.stdout


def test_terraform_finds_the_module_valid(terraform: Terraform) -> None:
    ran = terraform("validate", "-no-color")
    assert ran.returncode == 0, ran.stderr


def test_terraform_plans_what_is_promised(terraform: Terraform) -> None:
    ran = terraform("test", "-no-color")
    assert ran.returncode == 0, ran.stdout + ran.stderr
