"""Settings, from the environment only. A wrong one stops the start with one sentence that names it."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from functions.core.secrets import Seal

T = TypeVar("T")


class BadSetting(Exception):
    """A setting is missing or wrong; the text names it, says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a function is told by its environment; `docs/settings.md` describes each."""

    store: str
    tasks: str
    media: str
    public_url: str
    sender_url: str
    sync_url: str
    webhook_url: str
    tasks_account: str | None
    token_keys: Seal | None
    connection_keys: Seal | None
    app_secrets: tuple[str, ...]
    verify_token: str
    graph_url: str
    graph_version: str
    link_url: str
    allow_private_crm: bool
    port: int


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings. Raises `BadSetting`."""
    read = _Reader(environment)
    port = read("PORT", _port, "8080")
    public_url = read("LEADLINE_PUBLIC_URL", check_url, f"http://127.0.0.1:{port}")
    return Settings(
        store=read("LEADLINE_STORE", _scheme("sqlite", "firestore"), "sqlite:///.leadline/store.db"),
        tasks=read("LEADLINE_TASKS", _scheme("local", "cloud-tasks"), "local"),
        media=read("LEADLINE_MEDIA", _scheme("file", "gs"), "file:///.leadline/media"),
        public_url=public_url,
        sender_url=read("LEADLINE_SENDER_URL", check_url, f"{public_url}/sender"),
        sync_url=read("LEADLINE_SYNC_URL", check_url, f"{public_url}/sync"),
        webhook_url=read("LEADLINE_WEBHOOK_URL", check_url, f"{public_url}/webhook"),
        tasks_account=read("LEADLINE_TASKS_ACCOUNT", _text, "") or None,
        token_keys=read("LEADLINE_TOKEN_KEYS", _seal, ""),
        connection_keys=read("LEADLINE_CONNECTION_KEYS", _seal, ""),
        app_secrets=read("WHATSAPP_APP_SECRET", _words, ""),
        verify_token=read("WHATSAPP_VERIFY_TOKEN", _text, ""),
        graph_url=read("WHATSAPP_GRAPH_URL", check_url, "https://graph.facebook.com"),
        graph_version=read("WHATSAPP_GRAPH_VERSION", _version, "v26.0"),
        link_url=read("WHATSAPP_LINK_URL", check_url, "https://wa.me"),
        allow_private_crm=read("LEADLINE_ALLOW_PRIVATE_CRM", _flag, "0"),
        port=port,
    )


class _Reader:
    """Reads one variable at a time and names it when it is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __call__(self, name: str, parse: Callable[[str], T], default: str) -> T:
        text = self._environment.get(name, "").strip() or default
        try:
            return parse(text)
        except ValueError as error:
            raise BadSetting(f"{name} is wrong: {error}.") from None


def _text(text: str) -> str:
    return text


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("it must be 0 or 1")
    return text == "1"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError("it must be a port from 1 to 65535")
    return int(text)


def check_url(text: str) -> str:
    """Return an address without a slash at its end. Raises ValueError with a sentence for what is none."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("it must be an address such as https://chat.example.com")
    return text.rstrip("/")


def _version(text: str) -> str:
    if not re.fullmatch(r"v\d+\.\d+", text):
        raise ValueError("it must look like v26.0")
    return text


def _seal(text: str) -> Seal | None:
    keys = _words(text)
    try:
        return Seal(keys) if keys else None
    except ValueError:
        raise ValueError("each key must be 32 bytes in base64url; `leadline keys` makes one") from None


_FORMS = {
    "sqlite": (r"sqlite:///.+", "sqlite:///path/to/store.db"),
    "firestore": (r"firestore://[^/]+/[^/]+", "firestore://PROJECT/DATABASE"),
    "local": (r"local", "local"),
    "cloud-tasks": (r"cloud-tasks://[^/]+/[^/]+", "cloud-tasks://PROJECT/LOCATION"),
    "file": (r"file:///.+", "file:///path/to/media"),
    "gs": (r"gs://[^/]+", "gs://BUCKET"),
}


def _scheme(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not any(re.fullmatch(_FORMS[scheme][0], text) for scheme in schemes):
            raise ValueError("it must be " + " or ".join(_FORMS[scheme][1] for scheme in schemes))
        return text

    return parse
