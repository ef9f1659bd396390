"""A store that knows one line and forgets the rest, and a queue that takes everything."""

from collections.abc import Mapping, Sequence

from functions.core.cloud_storage import CloudStorage
from functions.core.lines import Line, line_writes
from functions.core.ports import Ports
from functions.core.settings import from_environment
from functions.core.store import Document, Key, Query, Write
from functions.core.tasks import Task
from tests.payloads import NUMBER, WABA

SECRET = "app-secret"

LINE = Line(
    id="line",
    account="account",
    connection="connection",
    phone_number_id=NUMBER,
    number="+1 555 010 0001",
    name="A shop",
    waba=WABA,
    token="",
)


class IdleStore:
    """Remembers only the last commit, in `written`."""

    def __init__(self) -> None:
        self.written: Sequence[Write] = ()
        self._documents = {write.key: Document(write.key, dict(write.fields), 1) for write in line_writes(LINE)}

    async def get(self, keys: Sequence[Key]) -> list[Document | None]:
        return [self._documents.get(key) for key in keys]

    async def commit(self, writes: Sequence[Write]) -> None:
        self.written = writes

    async def query(self, query: Query) -> list[Document]:
        return []

    async def close(self) -> None: ...


class IdleTasks:
    """Forgets every task."""

    async def enqueue(self, task: Task) -> None: ...

    async def make_queue(self, queue: str) -> None: ...

    async def remove_queue(self, queue: str) -> None: ...

    async def close(self) -> None: ...


def idle_ports(environment: Mapping[str, str]) -> Ports:
    """Return ports that do nothing; the webhook has no use for the bucket, which is never opened."""
    return Ports(from_environment(environment), IdleStore(), IdleTasks(), CloudStorage("bucket"))
