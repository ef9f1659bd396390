"""What the chat API works with, and the one check that every route makes first."""

from dataclasses import dataclass

from functions.chat.callers import Caller
from functions.chat.problems import Problem, not_found
from functions.core.conversation import contact_key
from functions.core.lines import Directory, Line
from functions.core.memory import Memory
from functions.core.ports import Ports
from functions.core.store import Document, Key

_REDIRECTS = 5
"""How often one conversation may have been joined to another, which then was joined itself."""


@dataclass(frozen=True, slots=True)
class Open:
    """A conversation that a caller may use, with its line. A merged one is opened as the older it was joined to."""

    conversation: Document
    line: Line

    @property
    def id(self) -> str:
        return self.conversation.key.id

    @property
    def ids(self) -> tuple[str, ...]:
        """Its id, and those of the conversations that were joined to it: what was begun there goes on here."""
        return (self.id, *self.conversation.fields.get("joined", ()))


class Desk:
    """One per instance. `seen`: who was shown which conversation in which hour, as the audit trail knows."""

    def __init__(self, ports: Ports, directory: Directory) -> None:
        self.ports = ports
        self.directory = directory
        self.seen: Memory[tuple[str, str, int], bool] = Memory(10_000, 3600)

    async def open(self, caller: Caller, conversation_id: str, right: str) -> Open:
        """Return a conversation if the caller may do this in it. Raises `Problem` 403 or 404."""
        if right not in caller.can:
            raise Problem(403, "forbidden", f"This grant does not allow to {right}.")
        if caller.conversation not in (None, conversation_id):
            raise Problem(403, "other_conversation", "The grant is for another conversation.")
        conversation = await self._conversation(conversation_id)
        line = await self.directory.line(conversation.fields["line"]) if conversation else None
        # The line's own connection: a line that moved to another CRM takes its conversations with it.
        if conversation is None or line is None or not is_of(line, caller):
            raise not_found()
        return Open(conversation, line)

    async def contact(self, conversation: Document) -> Document:
        """Return the contact of a conversation."""
        [contact] = await self.ports.store.get([contact_key(conversation.fields["contact"])])
        if contact is None:
            raise not_found()
        return contact

    async def _conversation(self, conversation_id: str) -> Document | None:
        [found] = await self.ports.store.get([Key("conversations", conversation_id)])
        for _ in range(_REDIRECTS):
            if found is None or not (older := found.fields.get("merged_into")):
                break
            [found] = await self.ports.store.get([Key("conversations", older)])
        return found


def is_of(line: Line, caller: Caller) -> bool:
    """Tell whether a line is one of the caller's account, and leads to the caller's connection."""
    return (line.account, line.connection) == (caller.account, caller.connection)


def only_servers(caller: Caller) -> None:
    """Refuse a browser, whose grant is for one conversation. Raises `Problem` 403."""
    if caller.conversation is not None:
        raise Problem(403, "forbidden", "Only a CRM server may ask for this.")


async def line_of(desk: Desk, caller: Caller, name: str) -> Line:
    """Return a line of the caller's, named by its id or its phone_number_id. Raises `Problem` 403 or 404."""
    line = await desk.directory.line(name) or await desk.directory.line_of_number(name)
    if line is None or not is_of(line, caller):
        raise not_found()
    if caller.conversation is not None and (await desk.open(caller, caller.conversation, "read")).line != line:
        raise Problem(403, "forbidden", "The grant is for a conversation of another line.")
    return line
