"""The table of payloads tells what was handled from what was put aside, and why."""

import pytest

from tests.payload_table import main, outcomes, table
from tests.payloads import ANA, inbound_text, value, webhook


@pytest.fixture
def folder(tmp_path):
    bodies = {
        "handled": webhook(inbound_text(ANA, number="4711")),
        "in_part": webhook(inbound_text(ANA), value(messages=[{"type": "text"}])),
        "unknown": webhook(value(), field="a_field_of_tomorrow"),
        "broken": b"{",
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.json").write_bytes(body)
    return tmp_path


async def test_each_webhook_is_counted_with_why_it_was_put_aside(folder):
    found = {one.name: one for one in await outcomes(folder)}
    assert {name for name, one in found.items() if one.handled} == {"handled"}
    assert found["in_part"].parked == ("messages item unreadable (KeyError)",)
    assert found["unknown"].parked == ("field a_field_of_tomorrow",)
    assert found["broken"].quarantined == ("JSONDecodeError",)
    assert {one.status for one in found.values()} == {200}
    assert "answered 5xx        0" in table([*found.values()])


def test_a_folder_without_webhooks_is_said_to_be_one(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "no webhooks" in capsys.readouterr().err
