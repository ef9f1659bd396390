import io
import json
import logging

import pytest

from functions.core import logs

PRIVATE = "+55 11 98765-4321"


@pytest.fixture
def written():
    """Return what was logged so far, as the objects that Cloud Logging reads."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    out = io.StringIO()
    logs.set_up(stream=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:], level = before
    root.setLevel(level)


def test_each_line_is_one_object_with_severity_and_message(written):
    logging.getLogger("functions.webhook.app").warning("update parked", extra={"reason": "why", "line": "line"})
    assert written() == [
        {
            "severity": "WARNING",
            "message": "update parked",
            "logger": "functions.webhook.app",
            "reason": "why",
            "line": "line",
        }
    ]


def test_what_is_not_on_the_list_is_left_out(written):
    logging.getLogger("functions.x").info("said", extra={"phone": PRIVATE, "body": PRIVATE, "wamid": PRIVATE, "ms": 3})
    assert PRIVATE not in json.dumps(written())
    assert written()[0]["ms"] == 3


@pytest.mark.parametrize("name", ["phone", "wa_id", "number", "name", "body", "text", "wamid", "token", "to", "from"])
def test_the_list_has_no_room_for_personal_data(name):
    assert name not in logs.FIELDS


FORGING = 'x\r\n{"severity": "INFO"}\n\x1b[2J\x00\u2028\u2029\x85\ud800","severity":"DEBUG'
"""Ends a line, begins an entry of its own, clears a terminal, and closes the quotes."""


@pytest.mark.parametrize("field", logs.FIELDS)
def test_no_value_forges_a_line(written, field):
    log = logging.getLogger("functions.x")
    log.warning("said", extra={field: FORGING})
    log.warning("said", extra={field: {FORGING: [FORGING]}})
    assert [(entry["severity"], entry["message"]) for entry in written()] == [("WARNING", "said")] * 2
    assert written()[0][field] == FORGING


def test_a_line_is_plain_letters(written, caplog):
    record = logging.LogRecord("functions.x", logging.INFO, "", 0, "said", (), None)
    record.reason = FORGING
    line = logging.getLogger().handlers[0].format(record)
    assert line.isascii()
    assert line.isprintable()


def test_an_exception_is_named_by_type_and_place_never_by_its_text(written):
    try:
        raise ValueError(PRIVATE)
    except ValueError:
        logging.getLogger("functions.x").exception("unexpected error")
    [entry] = written()
    assert PRIVATE not in json.dumps(entry)
    assert entry["exception"] == "ValueError"
    assert "test_logs.py" in entry["where"][-1]


def test_errors_of_one_kind_and_place_are_one_report(written):
    def fails(private):
        raise ValueError(private)

    for private in (PRIVATE, "another"):
        try:
            fails(private)
        except ValueError:
            logging.getLogger("functions.x").exception("unexpected error")
    one, other = written()
    assert one == other
    assert one["@type"].endswith("ReportedErrorEvent")
    assert one["context"]["reportLocation"]["functionName"] == "fails"
    assert one["message"].startswith("unexpected error: ValueError in ")


def test_a_librarys_text_is_not_repeated(written):
    logging.getLogger("httpx").warning("POST https://graph.test/%s", PRIVATE)
    logging.getLogger("uvicorn.error").error(PRIVATE)
    assert [entry["message"] for entry in written()] == ["httpx", "uvicorn.error"]
    assert PRIVATE not in json.dumps(written())


def test_a_librarys_chatter_is_not_logged(written):
    logging.getLogger("httpx").info("HTTP Request")
    assert written() == []
