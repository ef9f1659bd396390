"""What the cloud makes of the archive, here: its source, and an environment with its requirements and nothing else."""

import shutil
import subprocess
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

from functions.local.archive import functions_archive


@dataclass(frozen=True)
class Deployed:
    """The unpacked archive's `main.py`, and the interpreter that has its requirements."""

    source: Path
    python: str


def deploy(folder: Path) -> Deployed:
    """Build the archive, unpack it into a folder, install what it asks for, and compile as Google's buildpack does."""
    source, python = folder / "source", str(folder / "venv" / "bin" / "python")
    shutil.rmtree(source, ignore_errors=True)
    with zipfile.ZipFile(functions_archive(folder / "functions.zip")) as archive:
        archive.extractall(source)
    if not (folder / "venv").exists():
        venv.create(folder / "venv", with_pip=True)
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "requirements.txt"]
    subprocess.run(install, cwd=source, check=True)
    subprocess.run([python, "-m", "compileall", "-q", "."], cwd=source, check=True)
    return Deployed(source / "main.py", python)
