"""What a CRM says of a line's rules, and of what a customer agreed to or took back with it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, Field, StringConstraints

from functions.chat.callers import Caller, Door
from functions.chat.desk import Desk, line_of, only_servers
from functions.chat.shapes import Strict
from functions.core.consent import consent_view, stated
from functions.core.conversation import contact_key
from functions.core.ids import key_of
from functions.core.limits import TEXT
from functions.core.lines import rules_write
from functions.core.rules import Rules
from functions.core.store import NOW, Write, merge
from functions.core.telling import contact_told

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=40)]
Words = Annotated[list[Word], Field(max_length=50)]


class StatedRules(Strict):
    """All of a line's rules; what is left out is as usual. `notice`: the text with its link, empty for none."""

    opt_in: bool = True
    stop_words: Words = Field(default_factory=list)
    resume_words: Words = Field(default_factory=list)
    stop_replied: bool = True
    stop_reply: Annotated[str, Field(max_length=TEXT)] = ""
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9@_-]{2,20})?$")] = "en"
    notice: Annotated[str, Field(max_length=TEXT)] = ""

    def rules(self) -> Rules:
        return Rules(
            opt_in=self.opt_in,
            stop_words=tuple(self.stop_words),
            resume_words=tuple(self.resume_words),
            stop_replied=self.stop_replied,
            stop_reply=self.stop_reply.strip(),
            language=self.language,
            notice=self.notice.strip(),
        )


class StatedConsent(Strict):
    """What a CRM has on record of marketing: by `crm` that the customer agreed (`resume`) or took it back (`stop`).

    `blacklist`: their number was put on its list of those who get nothing, or taken off; the latter is no agreement.
    """

    value: Literal["stop", "resume"]
    source: Literal["crm", "blacklist"] = "crm"
    at: AwareDatetime


def consent_write(desk: Desk, contact: str, account: str, said: StatedConsent) -> Write:
    """Return the write that keeps on a contact what a CRM says."""
    # Of the future it can't speak: nothing that the customer says would count until then.
    at = min(said.at, desk.ports.now())
    kept = stated(said.value, said.source, int(at.timestamp()))
    return merge(contact_key(contact), {"account": account, "consent": kept, "updated": NOW})


async def record(desk: Desk, caller: Caller, conversation: str, said: StatedConsent) -> dict[str, Any]:
    """Keep what a CRM says of the contact of a conversation, and return what holds then. Raises `Problem`."""
    only_servers(caller)
    opened = await desk.open(caller, conversation, "send")
    contact = await desk.contact(opened.conversation)
    # Other tabs, and the CRMs of the other lines, see it too: in one commit, since saying it again changes nothing.
    cause = key_of("consent", said.value, said.source, str(int(said.at.timestamp())))
    told, tasks = await contact_told(desk.ports.store, contact.key.id, cause, desk.ports.now())
    await desk.ports.store.commit([consent_write(desk, contact.key.id, opened.line.account, said), *told])
    for task in tasks:
        await desk.ports.tasks.enqueue(task)
    after = await desk.contact(opened.conversation)
    return consent_view(after.fields)


async def decide(desk: Desk, caller: Caller, line: str, rules: StatedRules) -> dict[str, Any]:
    """State a line's rules anew. They hold everywhere within a minute. Raises `Problem`."""
    only_servers(caller)
    owner = await line_of(desk, caller, line)
    await desk.ports.store.commit([rules_write(owner.id, rules.rules())])
    return rules.rules().fields()


def routes(desk: Desk, door: Door) -> APIRouter:
    """Return the routes, for CRM servers."""
    router = APIRouter(prefix="/v1")
    calling = Annotated[Caller, Depends(door.caller)]

    @router.put("/lines/{line}/rules")
    async def state_rules(caller: calling, line: str, rules: StatedRules) -> dict[str, Any]:
        """Say who may get marketing, which words stop it, and what customers are told (CRM servers only)."""
        return await decide(desk, caller, line, rules)

    @router.put("/conversations/{conversation}/consent")
    async def state_consent(caller: calling, conversation: str, said: StatedConsent) -> dict[str, Any]:
        """Say what is on record of a customer's consent; the latest word counts (CRM servers only)."""
        return await record(desk, caller, conversation, said)

    return router
