"""What a function works with: settings and ports, wired in one place.

`google_ports` is the cloud's wiring; one machine has its own in `functions.local`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from functions.core.media import MediaStore
from functions.core.settings import BadSetting, Settings
from functions.core.store import Store
from functions.core.tasks import TaskQueue

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Ports:
    """The settings and the three ports; the clock can be moved by tests."""

    settings: Settings
    store: Store
    tasks: TaskQueue
    media: MediaStore
    now: Clock = utc_now


def google_ports(settings: Settings) -> Ports:
    """Wire Google's adapters. They connect at first use. Raises `BadSetting` for a setting of one machine's."""
    # Imported here, so that one machine needs none of Google's clients.
    from functions.core.cloud_storage import CloudStorage
    from functions.core.cloud_tasks import CloudTasks
    from functions.core.firestore import FirestoreStore
    from functions.core.gathered import GatheredTasks

    store, tasks, media = (
        _cloud(name, text, scheme)
        for name, text, scheme in (
            ("LEADLINE_STORE", settings.store, "firestore"),
            ("LEADLINE_TASKS", settings.tasks, "cloud-tasks"),
            ("LEADLINE_MEDIA", settings.media, "gs"),
        )
    )
    return Ports(
        settings=settings,
        store=FirestoreStore(*store),
        tasks=GatheredTasks(
            CloudTasks(
                *tasks,
                urls={"sender": settings.sender_url, "sync": settings.sync_url},
                account=settings.tasks_account,
            ),
            utc_now,
        ),
        media=CloudStorage(*media),
    )


def _cloud(name: str, text: str, scheme: str) -> list[str]:
    parts = urlsplit(text)
    if parts.scheme != scheme:
        raise BadSetting(f"{name} is wrong: a function in the cloud needs {scheme}://…, not {text}.")
    return [part for part in (parts.netloc, parts.path.strip("/")) if part]
