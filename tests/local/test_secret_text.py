"""A secret is typed without echo, or comes from a file, standard input or Secret Manager; never from an argument."""

import base64
from pathlib import Path

import click
import google.auth
import httpx
import pytest
from click.testing import CliRunner
from google.auth.credentials import AnonymousCredentials

from functions.local.cli import main
from functions.local.failure import SetUpFailed
from functions.local.secret_text import handed_over, resolved

REFERENCE = "projects/shop/secrets/leadline-token-keys/versions/3"


@pytest.fixture
def secret_manager(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Secret Manager as it answers the right address; returns what was asked for."""
    asked: list[str] = []

    def get(url: str, **_: object) -> httpx.Response:
        asked.append(url)
        known = url.endswith(("leadline-token-keys/versions/3:access", "leadline-token-keys/versions/latest:access"))
        data = base64.b64encode(b"the-key\n").decode()
        return httpx.Response(200, json={"payload": {"data": data}}) if known else httpx.Response(403)

    monkeypatch.setattr(google.auth, "default", lambda **_: (AnonymousCredentials(), "shop"))
    monkeypatch.setattr(httpx, "get", get)
    return asked


def test_a_file_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    assert handed_over(str(tmp_path / "token"), "Token") == "from-a-file"

    @click.command()
    def read() -> None:
        click.echo(len(handed_over("-", "Token")))

    assert CliRunner().invoke(read, input="from-stdin\n").output == "10\n"


def test_what_is_typed_is_not_shown() -> None:
    @click.command()
    def ask() -> None:
        click.echo(len(handed_over(None, "Token")))

    answer = CliRunner().invoke(ask, input="typed-by-hand\n")
    assert "typed-by-hand" not in answer.output
    assert answer.output.endswith("13\n")


def test_secret_manager_is_asked_with_the_admins_own_rights(secret_manager: list[str]) -> None:
    assert handed_over(REFERENCE, "Token") == "the-key"
    assert handed_over(REFERENCE.rpartition("/versions")[0], "Token") == "the-key"
    assert secret_manager[0] == f"https://secretmanager.googleapis.com/v1/{REFERENCE}:access"
    with pytest.raises(SetUpFailed, match="403"):
        handed_over("projects/shop/secrets/others", "Token")


def test_settings_may_name_where_their_secret_is(secret_manager: list[str]) -> None:
    given = {"LEADLINE_TOKEN_KEYS": REFERENCE, "WHATSAPP_VERIFY_TOKEN": "plain", "PORT": "8080"}
    assert resolved(given) == {**given, "LEADLINE_TOKEN_KEYS": "the-key"}


@pytest.mark.parametrize("source", ["/nowhere/at/all", "/dev/null"])
def test_nothing_is_no_secret(source: str) -> None:
    with pytest.raises(SetUpFailed):
        handed_over(source, "Token")


@pytest.mark.parametrize("command", [["line", "add"], ["line", "token"], ["line", "move"]])
def test_no_command_takes_a_secret_as_an_argument(command: list[str]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"]).output
    assert "--token-from" in shown
    assert "--token " not in shown
