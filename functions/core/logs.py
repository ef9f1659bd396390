"""Logs in Cloud Logging's form: one JSON object a line, ids only.

What may be logged is an allow-list of field names, so that a phone number, a name or a text can't slip in through a
careless `extra`; exceptions are logged by type and place, never by their message. A wamid holds the customer's
number, so it is no id that may be logged.
"""

import json
import logging
import os
import sys
import traceback
from types import TracebackType
from typing import TextIO

FIELDS = (
    "account",
    "attempt",
    "code",
    "connection",
    "contact",
    "conversation",
    "count",
    "event",
    "field",
    "kind",
    "line",
    "message_id",
    "ms",
    "queue",
    "reason",
    "status",
    "task",
    "type",
    "where",
)
"""The names that `extra` may carry; anything else is left out."""

_SEVERITY = {"WARNING": "WARNING", "ERROR": "ERROR", "CRITICAL": "CRITICAL", "DEBUG": "DEBUG"}
_ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
"""Marks an entry as an error that has no stack trace in its text (Google, "Format error messages in Cloud Logging")."""

_NOISY = ("httpx", "httpcore", "google", "urllib3", "uvicorn")


class _CloudFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "severity": _SEVERITY.get(record.levelname, "INFO"),
            # Libraries put what they please into their texts; ours are constant.
            "message": record.getMessage() if record.name.startswith("functions") else record.name,
            "logger": record.name,
        }
        entry.update({name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        if record.exc_info and record.exc_info[0] is not None:
            entry |= _reported(record.exc_info[0].__name__, record.exc_info[2], str(entry["message"]))
        return json.dumps(entry, default=str)


def _reported(name: str, trace: TracebackType | None, message: str) -> dict[str, object]:
    """Return what Error Reporting groups an error by, which without the exception's own text is its kind and place."""
    places = _places(trace)
    last = traceback.extract_tb(trace)[-1] if trace else None
    where = {"filePath": last.filename, "lineNumber": last.lineno, "functionName": last.name} if last else {}
    return {
        "@type": _ERROR_EVENT,
        "message": f"{message}: {name} in {places[-1] if places else 'an unknown place'}",
        "context": {"reportLocation": where},
        "serviceContext": {"service": os.environ.get("K_SERVICE", "leadline")},
        "exception": name,
        "where": places,
    }


def _places(trace: TracebackType | None) -> list[str]:
    """Return where an exception came from, innermost last."""
    frames = traceback.extract_tb(trace)[-6:]
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in frames]


def set_up(level: int = logging.INFO, stream: TextIO = sys.stdout) -> None:
    """Send all logs to a stream in Cloud Logging's form."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_CloudFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        # httpx logs whole URLs at INFO.
        logging.getLogger(name).setLevel(logging.WARNING)
