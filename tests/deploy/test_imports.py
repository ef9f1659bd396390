"""What a function does not use, it does not import: a cold start pays for every module before the first answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

PROJECT = Path(__file__).parents[2]
KEY = Fernet.generate_key().decode()
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LEADLINE_STORE": "firestore://project/database",
    "LEADLINE_TASKS": "cloud-tasks://project/location",
    "LEADLINE_MEDIA": "gs://bucket",
    "LEADLINE_TOKEN_KEYS": KEY,
    "LEADLINE_CONNECTION_KEYS": KEY,
}

_LATER = {
    "google.cloud.tasks_v2": "Cloud Tasks' client, which the first task imports",
    "google.cloud.storage": "Google's client for files, in whose place stands our own of a few calls",
    "google.cloud.firestore": "the client with everything around the one that is used",
    "google.oauth2.id_token": "Cloud Run checks the queues' tokens before they come here",
    "PIL": "pictures, opened for the first thumbnail",
    "flask": "the framework's other half",
    "functions.local": "one machine",
}

NOT_IMPORTED = {
    "webhook": {"pydantic", "httpx", "fastapi", "jwt", "segno", *_LATER},
    "sender": {"pydantic", "fastapi", "jwt", "segno", *_LATER},
    "sync": {"fastapi", "jwt", "segno", *_LATER},
    "chat": {"httpx", *_LATER},
}
"""By function, what may not be there when it is ready to answer; heavy ones alone, with the reason above."""


@pytest.fixture(scope="module", params=sorted(NOT_IMPORTED))
def imported(request: pytest.FixtureRequest) -> tuple[str, set[str]]:
    """Import a function as the framework does, in a process of its own; returns its name and all modules."""
    code = f"import sys\nfrom main import {request.param}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return request.param, set(done.stdout.split())


def test_nothing_heavy_is_imported_that_is_not_used_at_once(imported: tuple[str, set[str]]) -> None:
    name, modules = imported
    assert not NOT_IMPORTED[name] & modules


def test_no_function_imports_another(imported: tuple[str, set[str]]) -> None:
    name, modules = imported
    others = {f"functions.{other}" for other in NOT_IMPORTED} - {f"functions.{name}"}
    assert f"functions.{name}.app" in modules
    assert not others & modules


def test_the_fast_event_loop_and_parser_are_among_what_is_deployed() -> None:
    """The Functions Framework's server takes them where they are installed: without them it is three times slower."""
    from uvicorn.loops.auto import auto_loop_factory
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    from functions.local.archive import functions_requirements

    deployed = " ".join(functions_requirements())
    assert "uvloop" in deployed
    assert "httptools" in deployed
    assert "uvloop" in auto_loop_factory().__module__
    assert "httptools" in AutoHTTPProtocol.__module__
