"""What is over goes: files by the sweep, since the store forgets documents by itself and knows of no files.

An account's policy stands in its messages as a time. When the policy changes, all of them are gone through once.
"""

import logging
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import astuple, replace

from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Directory
from functions.core.media import thumbnail_name
from functions.core.ports import Ports
from functions.core.retention import Policy, expiry, file_expiry, retention_task
from functions.core.store import NOW, REMOVE, Document, NotFound, Query, Stale, Write, update

log = logging.getLogger(__name__)

_MINUTE = timedelta(minutes=1)
"""As long as an instance works with a policy that it has read (`core.lines.CACHED`)."""

_FILES = 50
_MESSAGES = 200
_REASON = "The file was deleted: its time was over."


async def forget_files(ports: Ports) -> None:
    """Delete the files whose time is over, at most 50: the next sweep goes on. Raises `MediaUnavailable`."""
    now = ports.now().timestamp()
    over = await _over_now(ports, now)
    for message in over:
        media = message.fields["media"]
        if not message.fields.get("again"):  # The message that says the same again has the same file, and keeps it.
            await ports.media.delete(media["file"])
            await ports.media.delete(thumbnail_name(media["file"]))
        await _say_gone(ports, message)
    if over:
        log.info("files forgotten", extra={"count": len(over)})


async def _over_now(ports: Ports, now: float) -> list[Document]:
    """Return messages whose file is over. Mostly there is none, which one read tells: this is asked every minute."""
    for limit in (1, _FILES):
        due = Query("messages", {"media.state": "stored"}, order="media.expires", limit=limit)
        over = [one for one in await ports.store.query(due) if one.fields["media"]["expires"] <= now]
        if not over:
            break
    return over


async def _say_gone(ports: Ports, message: Document) -> None:
    fields = message.fields
    gone = {"state": "failed", "reason": _REASON, "id": REMOVE, "file": REMOVE, "thumbnail": REMOVE}
    line = await Directory(ports.store).line(fields["line"])
    writes: list[Write] = [update(message.key, {"media": gone, "changed": NOW}, version=message.version)]
    if line is not None:
        writes.append(
            event(
                "message.changed",
                account=fields["account"],
                connection=line.connection,
                conversation=fields["conversation"],
                message=message.key.id,
                detail="file over",
                now=ports.now(),
            )
        )
    try:
        await ports.store.commit(writes)
    except (Stale, NotFound):
        return  # It changed or went meanwhile: the next sweep looks again.
    if line is not None:
        await ports.tasks.enqueue(deliver_task(line.connection, key_of(message.key.id, "file over")))


class _Walk(Struct, frozen=True):
    """A walk through a line's conversations, the latest changed first, down to what was not changed `since`.

    Who writes meanwhile comes to stand before it, and instances know the old policy for a minute: so there is another
    walk through what was changed since this one `began`, until one has found nothing that was left to do.
    """

    line: str
    began: str
    since: str = ""
    found: str = ""
    updated: str = ""
    last: str = ""

    @property
    def after(self) -> tuple[datetime, str] | None:
        return (datetime.fromisoformat(self.updated), self.last) if self.last else None

    def reaches(self, conversation: Document) -> bool:
        return not self.since or conversation.fields["updated"] >= datetime.fromisoformat(self.since)

    def past(self, conversation: Document, *, changed: bool) -> "_Walk":
        updated = conversation.fields["updated"].isoformat()
        return replace(self, found=self.found or ("some" if changed else ""), updated=updated, last=conversation.key.id)


async def retain(ports: Ports, account: str, behind: str) -> None:
    """Bring the messages of one line's next conversation up to the account's policy, and queue what is left.

    `behind`: the line, or how far a walk is. Repeating it is harmless.
    """
    now = ports.now()
    line, *rest = behind.split(" ")
    walk = _Walk(line, *rest) if rest else _Walk(line, (now - _MINUTE).isoformat())
    policy = await Directory(ports.store).policy(account)
    query = Query("conversations", {"line": line}, order="updated", descending=True, after=walk.after, limit=1)
    found = await ports.store.query(query)
    at = None
    if found and walk.reaches(found[0]):
        following = walk.past(found[0], changed=await _apply(ports, found[0].key.id, policy))
    elif walk.found or not walk.since:
        at = now + 2 * _MINUTE
        following = _Walk(line, (at - _MINUTE).isoformat(), since=walk.began)
    else:
        log.info("policy applied", extra={"account": account, "line": line})
        return
    await ports.tasks.enqueue(retention_task(account, " ".join(astuple(following)), "walk", at))


async def _apply(ports: Ports, conversation: str, policy: Policy) -> bool:
    """Bring a conversation's messages up to the policy; returns whether any was not."""
    changed, after = False, None
    while found := await ports.store.query(
        Query("messages", {"conversation": conversation}, order="changed", after=after, limit=_MESSAGES)
    ):
        for message in found:
            if fields := _over(message, policy):
                changed = True
                try:
                    await ports.store.commit([update(message.key, fields)])
                except NotFound:
                    continue
        after = (found[-1].fields["changed"], found[-1].key.id)
    return changed


def _over(message: Document, policy: Policy) -> dict[str, object]:
    """Return what is to be said anew of when a message, and its file, are over."""
    fields = message.fields
    if "at" not in fields:
        return {}  # It waits for its message, for a time of its own.
    wanted: dict[str, object] = {}
    if fields.get("expires_at") != (over := expiry(fields["at"], policy.messages)):
        wanted["expires_at"] = over
    if fields.get("media") and fields["media"].get("expires") != (goes := file_expiry(fields["at"], policy)):
        wanted["media"] = {"expires": goes}
    return wanted
