"""The commands `leadline account …` and `leadline line …`, as they are typed."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from functions.local.cli import main
from functions.local.keys import Keys
from functions.local.simulator import Line, Simulator

NUMBER, WABA, TOKEN = "200000000000001", "200000000000000", "a-token-nobody-may-see"
IDS = ("--phone-number-id", NUMBER, "--waba", WABA)

Typed = Callable[..., Result]


@pytest.fixture
def whatsapp(tmp_path: Path) -> Simulator:
    simulator = Simulator(
        path=tmp_path / "simulator.db",
        webhook="http://127.0.0.1:8080/webhook",
        app_secret="demo-app-secret",
        verify_token="demo-verify-token",
        public_url="http://127.0.0.1:8080",
        lines=[],
    )
    simulator.add_line(Line(NUMBER, WABA, "+1 555 010 0009", "Branch", TOKEN))
    return simulator


@pytest.fixture
def typed(tmp_path: Path, whatsapp: Simulator, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Type a command on this machine, where the Graph API is the simulator's."""
    Keys.of(tmp_path)

    class ToSimulator(httpx.AsyncClient):
        def __init__(self) -> None:
            super().__init__(transport=httpx.ASGITransport(whatsapp.app))

    monkeypatch.setattr(httpx, "AsyncClient", ToSimulator)

    def run(*arguments: str, said: str | None = None) -> Result:
        return CliRunner().invoke(main, [*arguments, "--folder", str(tmp_path)], input=said)

    return run


def test_from_nothing_to_a_line_that_is_looked_at_and_taken_off(typed: Typed) -> None:
    assert "no account yet" in typed("account", "list").output
    assert typed("account", "add", "acme", "--name", "Acme Ltd").exit_code == 0
    added = typed("line", "add", "branch", *IDS, said=f"{TOKEN}\n")
    assert added.exit_code == 0, added.output
    assert added.output.count("✓") == 10
    assert TOKEN not in added.output
    assert "Next: leadline connect odoo" in added.output
    assert typed("account", "list").output == "acme  Acme Ltd  1 line\n"
    assert "line        branch  +1 555 010 0009" in typed("account", "show", "acme").output
    assert typed("line", "list").output.startswith("branch  +1 555 010 0009  Branch  account acme")
    shown = typed("line", "show", "branch").output
    assert NUMBER in shown
    assert WABA in shown
    assert TOKEN not in shown
    assert typed("line", "pin", "branch").output.strip().isdigit()
    assert "still has branch" in typed("account", "remove", "acme").output
    assert typed("line", "remove", "branch", said="n\n").exit_code == 1
    assert typed("line", "remove", "branch", "--yes").exit_code == 0
    assert "no line yet" in typed("line", "list").output
    assert "(off)" in typed("line", "show", "branch").output
    assert "is off already" in typed("line", "remove", "branch", "--yes").output
    assert typed("account", "remove", "acme").exit_code == 0


def test_what_stopped_it_is_said_and_repeating_goes_on(typed: Typed, whatsapp: Simulator) -> None:
    typed("account", "add", "acme")
    whatsapp.numbers.set_pin(whatsapp.lines[NUMBER], "135790")
    stopped = typed("line", "add", "branch", *IDS, said=f"{TOKEN}\n")
    assert stopped.exit_code == 1
    assert "✗ registered: The number has another two-step PIN" in stopped.output
    assert "Traceback" not in stopped.output
    again = typed("line", "add", "branch", "--pin-from", "-", said="135790\n")
    assert again.exit_code == 0, again.output
    assert typed("line", "pin", "branch").output == "135790\n"


def test_a_test_message_is_sent_when_it_is_asked_for(typed: Typed, whatsapp: Simulator, tmp_path: Path) -> None:
    typed("account", "add", "acme")
    (tmp_path / "token").write_text(TOKEN)
    added = typed("line", "add", "branch", *IDS, "--token-from", str(tmp_path / "token"), "--test", "+5511912345678")
    assert "✓ test: WhatsApp took hello_world" in added.output
    assert whatsapp.customers.messages("5511912345678")[-1].type == "template"


def test_a_line_gets_another_token(typed: Typed, whatsapp: Simulator) -> None:
    typed("account", "add", "acme")
    typed("line", "add", "branch", *IDS, said=f"{TOKEN}\n")
    assert typed("line", "token", "branch", said="wrong\n").exit_code == 1
    whatsapp.lines[NUMBER] = Line(NUMBER, WABA, "+1 555 010 0009", "Branch", "another")
    given = typed("line", "token", "branch", said="another\n")
    assert given.exit_code == 0, given.output
    assert "another" not in given.output


def test_a_line_follows_its_number(typed: Typed, whatsapp: Simulator) -> None:
    typed("account", "add", "acme")
    typed("line", "add", "branch", *IDS, said=f"{TOKEN}\n")
    whatsapp.add_line(Line("300000000000001", "300000000000000", "+1 555 010 0009", "Branch", TOKEN))
    assert "Say where it has gone" in typed("line", "move", "branch").output
    moved = typed("line", "move", "branch", "--phone-number-id", "300000000000001", "--waba", "300000000000000")
    assert moved.exit_code == 0, moved.output
    assert f"300000000000001   (before: {NUMBER})" in typed("line", "show", "branch").output


@pytest.mark.parametrize("command", [["show", "nobody"], ["pin", "nobody"], ["remove", "nobody", "--yes"]])
def test_a_line_that_there_is_not_is_said(typed: Typed, command: list[str]) -> None:
    answer = typed("line", *command)
    assert (answer.exit_code, "There is no line nobody" in answer.output) == (1, True), answer.output
