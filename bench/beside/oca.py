"""OCA's mail_gateway with its Telegram channel: fetched at first use, run as it is in a database of its own.

These modules are AGPL. They lie in `.leadline/bench`, Odoo alone imports them, and nothing of them is part of Leadline.
Of the WhatsApp channel there is no release for Odoo 19; what becomes of the one for Odoo 18 is tried and told.
"""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, fields
from itertools import count
from typing import Any

from bench.peers.home import FOLDER
from bench.texts import SENTENCE
from functions.local.odoo.install import OdooHome
from tests.google.parts import MissingPart

MODULES = {"mail_gateway": "19.0.1.1.0", "mail_gateway_telegram": "19.0.1.0.0.3"}
WHATSAPP = {"mail_gateway_whatsapp": "18.0.2.2.0"}
_LIBRARIES = ("python-telegram-bot==22.8", "lottie==0.7.2", "cairosvg==2.9.1")

_HOME = FOLDER / f"oca-{'-'.join([*MODULES.values(), *WHATSAPP.values()])}"
ADDONS = _HOME / "modules" / "odoo" / "addons"
_IMPORTED, _ONE = _HOME / "imported", _HOME / "one.pem"

NOWHERE = {"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
"""What keeps a process of others from reaching anything but this machine."""

HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = "secret-of-the-webhook"
PATH = "/gateway/telegram/bench/update"

_BUTTONS = "mail_gateway/static/src/core/common/thread_actions.esm.js"
"""With these two ("New Partner", "Open Contact") Discuss draws no message, of no channel: they ask for its page to be
drawn anew through a reactive proxy of the component, and that rendering of OWL's never ends."""

# The gateway as its form makes it, but for the call to Telegram that announces the webhook, and for the buttons.
PREPARE = f"""
gateway = env["mail.gateway"].create({{
    "name": "Bench", "token": "1:token", "gateway_type": "telegram", "webhook_key": "bench",
    "webhook_secret": {SECRET!r}, "member_ids": env.ref("base.user_admin").ids,
}})
gateway.integrated_webhook_state = "integrated"
env["ir.asset"].create({{
    "name": "Two buttons", "directive": "remove", "bundle": "web.assets_backend", "path": {_BUTTONS!r},
}})
"""

# Odoo's own command, which takes this one module's version for one of Odoo 19.
_LENIENT = f"""
from odoo.modules import module

strict = module.check_version
module.check_version = lambda version, *rest, **more: version in {list(WHATSAPP.values())} or strict(
    version, *rest, **more)

import odoo.cli

odoo.cli.main()
"""


class OcaHome(OdooHome):
    """The same Odoo with what the modules import. It reaches no address but this machine's own.

    The Telegram channel makes a client of Telegram's API for each update, and that loads all root certificates, which
    takes many times what the rest does. Here there is one, so that what is measured is the gateway.
    """

    def environment(self) -> dict[str, str]:
        plain = super().environment()
        return {**plain, "PYTHONPATH": f"{plain['PYTHONPATH']}:{_IMPORTED}", "SSL_CERT_FILE": str(_ONE), **NOWHERE}


def oca_home(odoo: OdooHome, *, lenient: bool = False) -> OcaHome:
    """Return an Odoo that can load the modules, fetching them if need be. `lenient`: also that of Odoo 18.

    Raises MissingPart.
    """
    _fetch(odoo)
    parts: dict[str, Any] = {field.name: getattr(odoo, field.name) for field in fields(odoo)}
    if lenient:
        parts["script"] = _HOME / "lenient.py"
    return OcaHome(**parts)


def _fetch(odoo: OdooHome) -> None:
    done = _HOME / "complete"
    if done.exists():
        return
    shutil.rmtree(_HOME, ignore_errors=True)
    pip = (str(odoo.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target")
    released = [f"odoo-addon-{name}=={version}" for name, version in {**MODULES, **WHATSAPP}.items()]
    _run(*pip, str(_HOME / "modules"), "--no-deps", *released)
    _run(*pip, str(_IMPORTED), *_LIBRARIES)
    first, end, _ = (_IMPORTED / "certifi" / "cacert.pem").read_text().partition("-----END CERTIFICATE-----\n")
    _ONE.write_text(first + end)
    (_HOME / "lenient.py").write_text(_LENIENT)
    done.touch()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MissingPart(f"OCA's modules can't be installed: {last}")


def client_seconds(odoo: OdooHome) -> float:
    """Return the CPU that making a client of Telegram's API takes with all root certificates, as they come."""
    script = (
        "import time, telegram\n"
        "telegram.Bot('1:token')\n"
        "started = time.process_time()\n"
        "for _ in range(10): telegram.Bot('1:token')\n"
        "print((time.process_time() - started) / 10)\n"
    )
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_IMPORTED)}
    command = [str(odoo.python), "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout)


# What Telegram would send.

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Writer:
    """Someone with Telegram."""

    id: int
    name: str


def writers(count_: int, *, first: int = 1000) -> list[Writer]:
    """Return so many different people."""
    return [Writer(first + number, f"Customer {number}") for number in range(count_)]


def update(writer: Writer, **content: Any) -> bytes:
    """Return one update with a new message; `content` is what is said."""
    number = next(_numbers)
    who = {"id": writer.id, "first_name": writer.name}
    said = {
        "message_id": number,
        "date": int(time.time()),
        "chat": {**who, "type": "private"},
        "from": {**who, "is_bot": False},
        **content,
    }
    return json.dumps({"update_id": number, "message": said}).encode()


def text(writer: Writer, number: int) -> bytes:
    """Return one update with a text that ends in a number."""
    return update(writer, text=f"{SENTENCE} {number}")
