"""Secrets as an admin hands them over: typed without echo, from standard input, a file, or Secret Manager.

Never as an argument: what stands in a command line is seen by every user of the machine, and kept in its history.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import httpx

from functions.local.failure import SetUpFailed

SETTINGS = (
    "LEADLINE_TOKEN_KEYS",
    "LEADLINE_CONNECTION_KEYS",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
)
"""The settings that are secrets; for a command they may name where Secret Manager keeps them."""

HELP = "Where it is: - for standard input, a file, or projects/P/secrets/S/versions/V. Left out, it is asked for."

_REFERENCE = re.compile(r"projects/[^/]+/secrets/[^/]+(/versions/[^/]+)?")
_API = "https://secretmanager.googleapis.com/v1"


def handed_over(source: str | None, what: str) -> str:
    """Return a secret from where it is, or as it is typed. Raises `SetUpFailed`."""
    if source is None:
        text: str = click.prompt(what, hide_input=True, err=True)
    elif source == "-":
        text = sys.stdin.readline()
    elif _REFERENCE.fullmatch(source):
        text = of_secret_manager(source)
    else:
        text = _of_file(Path(source))
    if not text.strip():
        raise SetUpFailed(f"{what}: nothing was given.")
    return text.strip()


def resolved(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with its secret settings in place of the references to them. Raises `SetUpFailed`."""
    referred = {
        name: of_secret_manager(environment[name])
        for name in SETTINGS
        if _REFERENCE.fullmatch(environment.get(name, ""))
    }
    return {**environment, **referred}


def of_secret_manager(reference: str) -> str:
    """Read a secret with the admin's own rights (`gcloud auth application-default login`). Raises `SetUpFailed`."""
    # Imported here: one machine has nothing to do with Google.
    import base64

    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    version = reference if "/versions/" in reference else f"{reference}/versions/latest"
    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        if not credentials.valid:
            credentials.refresh(Request())  # type: ignore[no-untyped-call]
        headers = {"Authorization": f"Bearer {credentials.token}"}
        answer = httpx.get(f"{_API}/{version}:access", headers=headers, timeout=20)
    except (GoogleAuthError, httpx.HTTPError) as error:
        raise SetUpFailed(f"{reference} can't be read ({type(error).__name__}). {_LOG_IN}") from None
    if answer.status_code != httpx.codes.OK:
        raise SetUpFailed(f"{reference} can't be read (status {answer.status_code}). {_LOG_IN}")
    return base64.b64decode(answer.json()["payload"]["data"]).decode().strip()


_LOG_IN = "Log in with `gcloud auth application-default login`, with the right to read it."


def _of_file(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SetUpFailed(f"{path} can't be read ({type(error).__name__}).") from None
