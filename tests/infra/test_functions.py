"""What Terraform deploys is what the code needs: entry points, settings, secrets, time limits."""

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from functions.core.graph import LONGEST, LONGEST_DOWNLOAD
from functions.core.management import NEEDED_FIELD, USEFUL_FIELDS
from functions.core.outbox import LEASE
from functions.core.ports import google_ports
from functions.core.settings import from_environment
from tests.infra.module import Module
from tests.infra.source import FUNCTIONS

PROJECT = Path(__file__).parents[2]
NAMES = ("webhook", "sender", "sync", "chat")
ATTRIBUTES = {
    "WHATSAPP_APP_SECRET": "app_secrets",
    "WHATSAPP_VERIFY_TOKEN": "verify_token",
    "LEADLINE_TOKEN_KEYS": "token_keys",
    "LEADLINE_CONNECTION_KEYS": "connection_keys",
}

_TASKS_PATIENCE = 600
"""Seconds after which Cloud Tasks takes a delivery for failed, unless told otherwise."""


@pytest.fixture
def functions(module: Module) -> dict[str, Any]:
    return module.locals["functions"]  # type: ignore[no-any-return]


def test_each_function_is_deployed(module: Module, functions: dict[str, Any]) -> None:
    [build] = module.resource("google_cloudfunctions2_function", "function")["build_config"]
    assert set(functions) == set(NAMES)
    assert build["entry_point"] == "${each.key}"


def test_it_runs_on_the_oldest_promised_python(module: Module) -> None:
    [build] = module.resource("google_cloudfunctions2_function", "function")["build_config"]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">=3.{build['runtime'].removeprefix('python3')}"


@pytest.mark.parametrize("name", NAMES)
def test_each_function_starts_with_the_settings_that_it_is_given(module: Module, name: str) -> None:
    secrets = {secret["setting"] for secret in module.locals["secrets"].values() if name in secret["readers"]}
    environment = {setting: _example(value) for setting, value in module.locals["settings"].items()}
    environment |= dict.fromkeys(secrets, Fernet.generate_key().decode())
    create = importlib.import_module(f"functions.{name}.app").create
    assert create(google_ports(from_environment(environment)))


def test_every_setting_is_one_that_the_code_reads(module: Module) -> None:
    read = set(re.findall(r'read\("(\w+)"', (FUNCTIONS / "core" / "settings.py").read_text()))
    given = {*module.locals["settings"], *(secret["setting"] for secret in module.locals["secrets"].values())}
    assert given <= read


def test_a_secret_reaches_the_functions_that_use_it_and_no_other(module: Module) -> None:
    for secret in module.locals["secrets"].values():
        attribute = re.compile(rf"settings\.{ATTRIBUTES[secret['setting']]}\b")
        users = {name for name in NAMES if any(map(attribute.search, _texts(name)))}
        assert set(secret["readers"]) == users, secret["setting"]


def test_the_framework_runs_them_as_asynchronous_functions(module: Module) -> None:
    [service] = module.resource("google_cloudfunctions2_function", "function")["service_config"]
    assert 'FUNCTION_USE_ASGI = "1"' in service["environment_variables"]
    cli = importlib.import_module("functions_framework._cli")
    assert "FUNCTION_USE_ASGI" in {option.envvar for option in cli._cli.params}


def test_only_webhook_and_chat_are_public(functions: dict[str, Any]) -> None:
    assert {name for name, function in functions.items() if function["public"]} == {"webhook", "chat"}


def test_a_sender_is_stopped_before_its_lease_runs_out(functions: dict[str, Any]) -> None:
    assert functions["sender"]["timeout"] < LEASE.total_seconds()


def test_a_sender_has_the_time_to_fetch_a_file(functions: dict[str, Any]) -> None:
    assert functions["sender"]["timeout"] > LONGEST + LONGEST_DOWNLOAD


def test_a_worker_is_stopped_before_its_task_comes_again(functions: dict[str, Any]) -> None:
    assert all(functions[name]["timeout"] < _TASKS_PATIENCE for name in ("sender", "sync"))


def test_the_scheduler_asks_for_what_the_sync_function_knows(module: Module) -> None:
    assert "kind = each.key" in module.resource("google_cloud_scheduler_job", "job")["http_target"][0]["body"]
    for kind in module.locals["jobs"]:
        assert f'"{kind}": lambda' in (FUNCTIONS / "sync" / "app.py").read_text()


def test_the_console_is_told_every_field_that_the_doctor_asks_for(module: Module) -> None:
    told = dict(module.blocks("output"))[("meta",)]["value"]["webhook_fields"]
    assert set(told) == {NEEDED_FIELD, *USEFUL_FIELDS}


def _example(value: str) -> str:
    """Return a value with something in place of each expression."""
    return re.sub(r"\$\{[^}]*\}", "x", value) if "://" in value else "https://x.example"


def _texts(name: str) -> list[str]:
    return [path.read_text() for path in (FUNCTIONS / name).glob("*.py")]
