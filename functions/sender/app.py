"""The sender's tasks: messages, received files, read marks and typing, templates, checkups."""

import time
from collections.abc import Callable

import httpx

from functions.core import work
from functions.core.http import Handler
from functions.core.management import Management
from functions.core.pace import Pace
from functions.core.ports import Ports
from functions.core.settings import BadSetting
from functions.sender.checkup import check_up
from functions.sender.desk import Desk
from functions.sender.fetch_media import add_thumbnail, fetch_media
from functions.sender.marks import mark_read, show_typing
from functions.sender.send import send
from functions.sender.templates import sync_template, sync_templates


def create(
    ports: Ports, client: httpx.AsyncClient | None = None, timer: Callable[[], float] = time.monotonic
) -> Handler:
    """Return the function's handler. Raises `BadSetting`.

    `client`: another way to the Graph API, for tests, and `timer` what measures its answers.
    """
    settings = ports.settings
    if settings.token_keys is None:
        raise BadSetting("LEADLINE_TOKEN_KEYS is missing: the sender opens the lines' tokens with it.")
    pace = Pace(timer)
    # A subclass with what admins ask: the checkup needs it, and one client serves both.
    graph = Management(client or httpx.AsyncClient(), settings.graph_url, settings.graph_version, pace)
    desk = Desk(ports, graph, settings.token_keys, pace)
    return work.handler(
        ports,
        "sender",
        {
            "send": lambda task: send(desk, task["line"], task["conversation"], bulk="bulk" in task),
            "fetch_media": lambda task: fetch_media(desk, task),
            "thumbnail": lambda task: add_thumbnail(desk, task),
            "read": lambda task: mark_read(desk, task["line"], task["message"], int(task.get("tries", "0"))),
            "typing": lambda task: show_typing(desk, task["line"], task["conversation"]),
            "checkup": lambda task: check_up(desk, graph, task["line"]),
            "templates": lambda task: sync_templates(desk, task["line"]),
            "template": lambda task: sync_template(desk, task["line"], task["name"], task["language"]),
        },
    )
