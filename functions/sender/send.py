"""Send one message: the oldest waiting in its conversation.

Read, lease, call, settle, queue what is behind. A crash between any two of them leaves a state from which the next
task goes on: before the lease the message still waits, after it the lease names the message, and that one is `unknown`
then, never repeated.

A task that may not send now queues itself for later and is answered 200: an error would slow its whole queue.
"""

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

from functions.core import outbox
from functions.core.consent import opted_out, stopped
from functions.core.events import deliver_task, status_event
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.health import Hold, hold_key, hold_of, probed
from functions.core.ids import key_of
from functions.core.joining import older_waits
from functions.core.lines import Line
from functions.core.media import MediaMissing, MediaUnavailable
from functions.core.message import message_key
from functions.core.meta_errors import MEANINGS, OPTED_OUT, Decision, own_error
from functions.core.secrets import SealBroken
from functions.core.store import NOW, AlreadyExists, Document, Key, NotFound, Stale, update
from functions.core.templates import MARKETING
from functions.sender.around import around
from functions.sender.checkup import tell_pace
from functions.sender.desk import Desk, check_line
from functions.sender.request import NoAddress, NoTarget, message_request
from functions.sender.settle import Settlement, come_back

log = logging.getLogger(__name__)

_MARKED_AT_ONCE = 20
"""How many messages of a conversation are told that their line is held."""

_NO_TOKEN = own_error(
    "No token",
    "The line's access token can't be opened on this server; an admin must enter it again.",
    Decision.ACCOUNT,
)

_CARRIED_SOON = timedelta(seconds=2)
"""How soon to look again whether what waits in a joined conversation is carried over or sent."""

_NO_MARKETING = own_error("Opted out", MEANINGS[OPTED_OUT].plain, Decision.RECIPIENT)
_STOPPED = own_error("Stopped", "The customer said STOP: nothing is sent automatically.", Decision.RECIPIENT)


class Unbuildable(Exception):
    """A stored message has a shape that no request can be made of."""


async def send(desk: Desk, line_id: str, conversation: str, *, bulk: bool = False) -> None:
    """Send the conversation's oldest waiting message, or come back later, in the queue from which this task came."""
    line = await desk.existing(line_id)
    store, now = desk.ports.store, desk.ports.now()
    if resting := desk.rests_until(line.id, now):
        await come_back(desk, line, conversation, resting, bulk=bulk)
        return
    of_conversation = Key("conversations", conversation)
    lease, held, about = await store.get([outbox.outbox_key(conversation), hold_key(line.id), of_conversation])
    if about is not None:
        check_line(about, line.id)
    box, hold = outbox.outbox_of(conversation, lease), hold_of(held)
    if box.holds and box.busy_until <= now:
        await _bury(desk, line, box, about)
        return
    if box.free_at > now:
        await come_back(desk, line, conversation, box.free_at, bulk=bulk)
        return
    if hold and not hold.may_probe(line, now):
        await _wait_for(hold, desk, line, conversation, bulk=bulk)
        return
    waiting = await store.query(outbox.waiting(conversation))
    if not waiting:
        return
    [message] = waiting
    if about is not None and await older_waits(store, about, message):
        await come_back(desk, line, conversation, now + _CARRIED_SOON, bulk=bulk)
        return
    # Read before the lease is taken: a store that fails here leaves the message as it was.
    needed = await around(store, message, about)
    probe = [probed(hold, line, message.key.id, now)] if hold else []
    try:
        await store.commit([*outbox.take(box, line.account, message, now), *probe])
    except (AlreadyExists, Stale, NotFound):
        # Another task was quicker, or the message changed; the one that this task stands for still needs a dispatch.
        await come_back(desk, line, conversation, now, bulk=bulk)
        return
    await _send_held(desk, Settlement(desk, line, box, message, needed, hold))


async def _bury(desk: Desk, line: Line, box: outbox.Outbox, conversation: Document | None) -> None:
    """Give back the lease of a sender that died; nobody knows how far it came with its message."""
    [message] = await desk.ports.store.get([message_key(box.holds or "")])
    if message is None:
        # It was erased while it was being sent.
        await desk.ports.store.commit([outbox.let_go(box, sent=desk.ports.now())])
        await come_back(desk, line, box.key.id, desk.ports.now(), bulk=False)
        return
    await Settlement(desk, line, box, message, await around(desk.ports.store, message, conversation)).unknown()


async def _wait_for(hold: Hold, desk: Desk, line: Line, conversation: str, *, bulk: bool) -> None:
    """Come back after the line's next try; the agent reads what the messages wait for, once for each hold."""
    waiting = await desk.ports.store.query(outbox.waiting(conversation, _MARKED_AT_ONCE))
    if not waiting:
        return
    now = desk.ports.now()
    if unaware := [message for message in waiting if message.fields.get("held_up") != hold.error]:
        marked = [update(message.key, {"held_up": hold.error, "changed": NOW}) for message in unaware]
        told = [status_event(line, conversation, message.key.id, "waiting", now) for message in unaware]
        # One that was erased meanwhile leaves the rest to the next time.
        with suppress(NotFound):
            await desk.ports.store.commit([*marked, *told])
        await desk.ports.tasks.enqueue(deliver_task(line.connection, key_of(conversation, "waiting", str(hold.since))))
    await come_back(desk, line, conversation, hold.next_try, bulk=bulk)


async def _send_held(desk: Desk, settlement: Settlement) -> None:
    """Call Meta for a message whose lease we hold, and settle what came of it."""
    line = settlement.line
    if unwanted := _unwanted(settlement):
        await settlement.failed(unwanted)
        return
    try:
        token = desk.token(line)
        body = await _body(desk, token, settlement)
        accepted = await desk.graph.send(line.phone_number_id, token, body)
    except SealBroken:
        await settlement.held(_NO_TOKEN)
    except NoAddress:
        await settlement.failed(own_error("No address", "No number of this customer is known.", Decision.RECIPIENT))
    except NoTarget:
        await settlement.failed(own_error("No target", "The message that this reacts to is not known to WhatsApp."))
    except Unbuildable:
        log.exception("a message can't be built", extra={"message_id": settlement.message.key.id, "line": line.id})
        await settlement.failed(own_error("Not built", "This message can't be sent. Please report it to your admin."))
    except MediaMissing:
        await settlement.failed(own_error("No file", "The file is no longer there. Please attach it again."))
    except NotSent:
        await settlement.not_sent()
    except Uncertain:
        await settlement.unknown()
    except Refused as refusal:
        await settlement.refused(refusal)
    else:
        await settlement.accepted(accepted)
    await tell_pace(desk, line)


def _unwanted(settlement: Settlement) -> dict[str, Any] | None:
    """Return why the customer does not want this message, if he said so while it waited."""
    fields, contact = settlement.message.fields, settlement.around.contact
    if contact is None:
        return None
    if fields.get("automatic") and stopped(contact.fields):
        return _STOPPED
    is_marketing = fields.get("template", {}).get("category") == MARKETING
    return _NO_MARKETING if is_marketing and opted_out(contact.fields) else None


async def _body(desk: Desk, token: str, settlement: Settlement) -> dict[str, Any]:
    """Return the request of a message, its file put up. Nothing has left yet: a mistake here is no unknown end."""
    message, needed = settlement.message, settlement.around
    media, named = message.fields.get("media"), needed.named
    try:
        return message_request(
            message,
            needed.contact,
            line=settlement.line.id,
            media_id=await _upload(desk, settlement.line, token, media) if media else None,
            named_wamid=named.fields.get("wamid") if named else None,
        )
    except (LookupError, TypeError, ValueError) as error:
        raise Unbuildable from error


async def _upload(desk: Desk, line: Line, token: str, media: dict[str, Any]) -> str:
    """Put the message's file up at Meta, which fetches no links of ours, and return its media id there."""
    chunks = desk.ports.media.read(media["file"])
    try:
        return await desk.graph.upload(
            line.phone_number_id, token, chunks, media["mime"], media["name"] or "file", media["size"]
        )
    except (Uncertain, MediaUnavailable) as error:
        # Nobody sees an upload, so it may be repeated.
        raise NotSent(str(error)) from None
