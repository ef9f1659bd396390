"""Who gets a chat, and why: decided on plain facts, so that every situation can be written down in a table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

NEVER = datetime.min


@dataclass(frozen=True)
class Agent:
    """Somebody who may get a chat, as they are at this moment. `id` is a user's.

    `working` is inside their hours, `leave` an approved one. `capacity` is how many chats they may have at once, 0 for
    no limit; `chats` how many they have. `last` is when they last got one.
    """

    id: int
    online: bool = True
    working: bool = True
    leave: bool = False
    capacity: int = 0
    chats: int = 0
    last: datetime | None = None

    @property
    def hindrance(self) -> str:
        """Say what keeps a chat from them: `leave`, `hours`, `offline`, `full`; empty when nothing does."""
        if self.leave:
            return "leave"
        if not self.working:
            return "hours"
        if not self.online:
            return "offline"
        return "full" if self.capacity and self.chats >= self.capacity else ""


@dataclass(frozen=True)
class Decision:
    """Who gets a chat; `agent` is None when nobody does.

    `why` is `responsible`; or `queue` or `team`, with how they were found among those available: `only`, `order`,
    `fewest`, `longest`; or `nobody`, or `unmanned` where there is nobody to ask. `passed` says of those who came before
    them what kept the chat away.
    """

    agent: Agent | None
    why: str
    passed: tuple[tuple[int, str], ...] = ()


def decide(
    responsible: Agent | None,
    queue: Sequence[Agent],
    team: Sequence[Agent],
    *,
    in_order: bool = False,
    tried: Collection[int] = (),
) -> Decision:
    """Return who gets a chat: the customer's responsible first, else one of the line's queue, else one of the team.

    `in_order`: the first of the queue who is available, whatever they have to do. `tried` are those who have had this
    chat already and did not answer.
    """
    if not (responsible or queue or team):
        return Decision(None, "unmanned")
    passed: dict[int, str] = {}
    if responsible and not _hindrance(responsible, tried, passed):
        return Decision(responsible, "responsible")
    for name, agents in (("queue", queue), ("team", team)):
        available = [agent for agent in agents if not _hindrance(agent, tried, passed)]
        if available:
            agent, how = _best(available, in_order=in_order and name == "queue")
            return Decision(agent, f"{name}_{how}", tuple(passed.items()))
    return Decision(None, "nobody", tuple(passed.items()))


def _hindrance(agent: Agent, tried: Collection[int], passed: dict[int, str]) -> str:
    found = "tried" if agent.id in tried else agent.hindrance
    if found:
        passed.setdefault(agent.id, found)
    return found


def _best(available: Sequence[Agent], *, in_order: bool) -> tuple[Agent, str]:
    """Return the one with the fewest chats, and of these who has waited longest for one; they come in order."""
    if len(available) == 1:
        return available[0], "only"
    if in_order:
        return available[0], "order"
    fewest = min(agent.chats for agent in available)
    least = [agent for agent in available if agent.chats == fewest]
    if len(least) == 1:
        return least[0], "fewest"
    return min(least, key=lambda agent: agent.last or NEVER), "longest"
