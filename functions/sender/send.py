"""Send one message: the oldest waiting in its conversation.

Read, lease, call, settle, queue what is behind. A crash between any two of them leaves a state from which the next
task goes on: before the lease the message still waits, after it the lease names the message, and that one is `unknown`
then, never repeated.
"""

from datetime import timedelta

from functions.core import outbox
from functions.core.conversation import contact_key
from functions.core.graph import NotSent, Refused, Uncertain
from functions.core.media import MediaMissing, MediaUnavailable
from functions.core.message import message_key
from functions.core.meta_errors import own_error
from functions.core.store import AlreadyExists, Document, Key, NotFound, Stale
from functions.sender.desk import Access, Desk
from functions.sender.request import NoAddress, message_request
from functions.sender.settle import Settlement, come_back


async def send(desk: Desk, line_id: str, conversation: str) -> None:
    """Send the conversation's oldest waiting message, or come back later."""
    access = await desk.access(line_id)
    store, now = desk.ports.store, desk.ports.now()
    [lease] = await store.get([outbox.outbox_key(conversation)])
    box = outbox.outbox_of(conversation, lease)
    if box.busy_until > now:
        await come_back(desk, access.line, conversation, box.busy_until)
        return
    if box.holds:
        await Settlement(desk, access.line, conversation, box.holds).unknown()
        return
    waiting = await store.query(outbox.waiting(conversation))
    if not waiting:
        return
    [message] = waiting
    # Read before the lease is taken: a store that fails here leaves the message as it was.
    contact, quoted = await _around(desk, message)
    try:
        await store.commit(outbox.take(box, access.line.account, message.key.id, now))
    except (AlreadyExists, Stale, NotFound):
        # Another task was quicker; the message that this one stands for still needs a dispatch.
        await come_back(desk, access.line, conversation, now + timedelta(seconds=1))
        return
    await _send_held(desk, access, message, contact, quoted)


async def _send_held(
    desk: Desk, access: Access, message: Document, contact: Document | None, quoted: Document | None
) -> None:
    """Call Meta for a message whose lease we hold, and settle what came of it."""
    settlement = Settlement(desk, access.line, message.fields["conversation"], message.key.id)
    try:
        if contact is None:
            raise NoAddress
        body = message_request(
            message,
            contact,
            line=access.line.id,
            media_id=await _upload(desk, access, message) if "media" in message.fields else None,
            quoted_wamid=quoted.fields.get("wamid") if quoted else None,
        )
        accepted = await desk.graph.send(access.line.phone_number_id, access.token, body)
    except NoAddress:
        await settlement.failed(own_error("No address", "No number of this customer is known."))
    except MediaMissing:
        await settlement.failed(own_error("No file", "The file is no longer there. Please attach it again."))
    except NotSent:
        await settlement.not_sent()
    except Uncertain:
        await settlement.unknown()
    except Refused as refusal:
        await settlement.refused(refusal)
    else:
        await settlement.accepted(accepted, contact)


async def _around(desk: Desk, message: Document) -> tuple[Document | None, Document | None]:
    """Return the message's contact, unless it was erased, and the message that it quotes."""
    quoted = (message.fields.get("context") or {}).get("message_id")
    conversation, quoted_message = await desk.ports.store.get(
        [Key("conversations", message.fields["conversation"]), message_key(quoted or message.key.id)]
    )
    if conversation is None:
        return None, None
    [contact] = await desk.ports.store.get([contact_key(conversation.fields["contact"])])
    if quoted_message and quoted_message.fields.get("conversation") != conversation.key.id:
        # A wamid of somebody else's conversation, which holds their number, must not leave through this one.
        quoted_message = None
    return contact, quoted_message if quoted else None


async def _upload(desk: Desk, access: Access, message: Document) -> str:
    """Put the message's file up at Meta, which fetches no links of ours, and return its media id there."""
    media = message.fields["media"]
    chunks = desk.ports.media.read(media["file"])
    try:
        return await desk.graph.upload(
            access.line.phone_number_id, access.token, chunks, media["mime"], media["name"] or "file"
        )
    except (Uncertain, MediaUnavailable) as error:
        # Nobody sees an upload, so it may be repeated.
        raise NotSent(str(error)) from None
