"""Another account on the same installation, of which nothing may be reached from ours."""

import json

from functions.core.secrets import derive
from tests.payloads import ANA, LUCIA, WABA, inbound_image, inbound_text
from tests.rig import Rig

THEIR_LINE, THEIR_CONNECTION, THEIR_NUMBER = "their-line", "their-connection", "200"
THEIR_SECRET = "c" * 43


async def their_account(rig: Rig) -> dict[str, str]:
    """Let a customer of theirs have written and sent a picture, something wait to be sent, and a link be made.

    Returns what of theirs has an id. Ana has written to us.
    """
    await rig.add_connection(THEIR_CONNECTION, THEIR_SECRET, url="http://their.test", account="their")
    await rig.add_line(
        THEIR_LINE, number=THEIR_NUMBER, connection=THEIR_CONNECTION, account="their", waba=f"{WABA}9", token="theirs"
    )
    rig.start()
    rig.whatsapp.files["photo"] = b"photo"
    await rig.deliver(inbound_text(LUCIA, number=THEIR_NUMBER))
    await rig.deliver(inbound_image(LUCIA, "photo", b"photo", number=THEIR_NUMBER))
    [conversation] = rig.names("conversations")
    [contact] = rig.names("contacts")
    [picture] = [task.payload["message"] for task in rig.tasks.of_kind("fetch_media")]
    theirs = {"connection": THEIR_CONNECTION, "key": derive(THEIR_SECRET, "calls")}
    author = {"kind": "agent", "id": "2", "name": "Marc"}
    waiting = {"client_id": "client-of-theirs", "type": "text", "text": {"body": "To their customer"}, "author": author}
    sent = await rig.call("POST", f"/v1/conversations/{conversation}/messages", waiting, **theirs)
    assert sent.status_code == 202, sent.text
    link = await rig.call("POST", "/v1/links", {"line": THEIR_LINE, "text": "Hello"}, **theirs)
    assert link.status_code == 201, link.text
    await rig.deliver(inbound_text(ANA))
    rig.tasks.waiting.clear()
    ids = {"conversation": conversation, "message": picture, "contact": contact, "link": link.json()["id"]}
    return {**ids, "line": THEIR_LINE}


def all_of_theirs(rig: Rig) -> list[str]:
    """Return what is kept of their line, and what is waiting for it."""
    names = ("messages", "conversations", "outboxes", "events", "links", "uploads")
    kept = [one for name in names for one in rig.documents(name)]
    return sorted(text for one in kept if THEIR_LINE in (text := json.dumps(one, sort_keys=True)))
