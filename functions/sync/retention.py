"""What is over goes: files by the sweep, since the store forgets documents by itself and knows of no files.

An account's policy stands in its messages as a time. When the policy changes, all of them are gone through once.
"""

import logging
from datetime import datetime

from functions.core.events import deliver_task, event
from functions.core.ids import key_of
from functions.core.lines import Directory
from functions.core.media import thumbnail_name
from functions.core.ports import Ports
from functions.core.retention import Policy, expiry, file_expiry, retention_task
from functions.core.store import NOW, REMOVE, Document, NotFound, Query, Stale, Write, update

log = logging.getLogger(__name__)

_FILES = 50
_MESSAGES = 200
_REASON = "The file was deleted: its time was over."


async def forget_files(ports: Ports) -> None:
    """Delete the files whose time is over, at most 50: the next sweep goes on. Raises `MediaUnavailable`."""
    now = ports.now().timestamp()
    due = Query("messages", {"media.state": "stored"}, order="media.expires", limit=_FILES)
    over = [one for one in await ports.store.query(due) if one.fields["media"]["expires"] <= now]
    for message in over:
        media = message.fields["media"]
        if not message.fields.get("again"):  # The message that says the same again has the same file, and keeps it.
            await ports.media.delete(media["file"])
            await ports.media.delete(thumbnail_name(media["file"]))
        await _say_gone(ports, message)
    if over:
        log.info("files forgotten", extra={"count": len(over)})


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


async def retain(ports: Ports, account: str, behind: str) -> None:
    """Bring the messages of one line's next conversation up to the account's policy, and queue what is left.

    `behind`: the line, and behind a space each the time and the id of the last conversation. Repeating it is harmless.
    """
    line, *place = behind.split(" ")
    policy = await Directory(ports.store).policy(account)
    after = (datetime.fromisoformat(place[0]), place[1]) if len(place) > 1 else None
    query = Query("conversations", {"line": line}, order="updated", descending=True, after=after, limit=1)
    found = await ports.store.query(query)
    if not found:
        log.info("policy applied", extra={"account": account, "line": line})
        return
    [conversation] = found
    await _apply(ports, conversation.key.id, policy)
    place = [conversation.fields["updated"].isoformat(), conversation.key.id]
    await ports.tasks.enqueue(retention_task(account, " ".join((line, *place)), str(ports.now().timestamp())))


async def _apply(ports: Ports, conversation: str, policy: Policy) -> None:
    after = None
    while found := await ports.store.query(
        Query("messages", {"conversation": conversation}, order="changed", after=after, limit=_MESSAGES)
    ):
        for message in found:
            if fields := _over(message, policy):
                try:
                    await ports.store.commit([update(message.key, fields)])
                except NotFound:
                    continue
        after = (found[-1].fields["changed"], found[-1].key.id)


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
