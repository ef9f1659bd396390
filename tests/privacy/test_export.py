"""All that is held of a person, handed out: by the API page by page, by the command line as one zip."""

import json
from zipfile import ZipFile

from functions.core.belongings import AT_ONCE, person_of
from functions.local.contact_archive import write_archive
from tests.payloads import ANA, LUCIA, inbound_image, inbound_text
from tests.privacy.test_erasure import SECRETS, everything_of_vera
from tests.traces import found


async def handed_out(rig, contact):
    pages = [(await rig.call("GET", f"/v1/contacts/{contact}?by=7")).json()]
    while cursor := pages[-1]["next"]:
        pages.append((await rig.call("GET", f"/v1/contacts/{contact}?after={cursor}")).json())
    return pages


async def test_whatever_would_be_erased_is_handed_out(rig):
    contact, _ = await everything_of_vera(rig)
    text = json.dumps(await handed_out(rig, contact))
    # But for the forms of her number that nobody ever wrote.
    assert {*SECRETS} - found(text.encode(), SECRETS) <= {"552176543210", "552112340987"}


async def test_every_message_is_there_once_with_a_line_to_read(rig):
    tab = await rig.chatting(ANA)
    for n in range(AT_ONCE + 5):
        await rig.deliver(inbound_text(ANA, f"message {n}"))
    await tab.say("An answer")
    contact = (await tab.head())["contact"]["id"]
    pages = await handed_out(rig, contact)
    messages = [one for page in pages for one in page["messages"]]
    assert len(messages) == len({one["id"] for one in messages}) == AT_ONCE + 7
    assert [page["about"] is not None for page in pages] == [True, False]
    assert any(one["text"].endswith("Marc: [text] An answer") for one in messages)


async def test_a_file_comes_with_its_message(rig):
    rig.whatsapp.files["photo"] = b"the photo"
    await rig.deliver(inbound_image(ANA, "photo", b"the photo"))
    await rig.drain()
    contact = rig.crm.events[-1]["conversation"]["contact"]["id"]
    [page] = await handed_out(rig, contact)
    [message] = page["messages"]
    assert (await rig.files.get(message["message"]["media"]["url"])).content == b"the photo"
    assert message["file"].endswith(".jpg")


async def test_the_archive_holds_texts_json_and_files_and_only_its_owner_may_read_it(rig, tmp_path):
    rig.whatsapp.files["photo"] = b"the photo"
    await rig.deliver(inbound_image(ANA, "photo", b"the photo", caption="Look"), inbound_text(LUCIA, "Not hers"))
    await rig.deliver(inbound_text(ANA, "Hello"))
    await rig.drain()
    contact = rig.crm.of_type("message.received")[-1]["conversation"]["contact"]["id"]
    person = await person_of(rig.ports.store, contact)
    path = tmp_path / "ana.zip"
    assert await write_archive(rig.ports, person, path) == 2
    assert path.stat().st_mode & 0o077 == 0
    with ZipFile(path) as archive:
        names = archive.namelist()
        [file] = [name for name in names if name.startswith("files/")]
        [transcript] = [name for name in names if name.endswith(".txt")]
        assert archive.read(file) == b"the photo"
        assert archive.read(transcript).decode().splitlines()[0].endswith("Ana: [image] Look")
        assert json.loads(archive.read("person.json"))["contact"]["wa_id"] == ANA.wa_id
        assert "Not hers" not in "".join(archive.read(name).decode("latin-1") for name in names)


async def test_who_was_handed_out_by_whom_is_known(rig):
    tab = await rig.chatting(ANA)
    contact = (await tab.head())["contact"]["id"]
    await handed_out(rig, contact)
    acts = (await rig.call("GET", "/v1/audit")).json()["items"]
    assert [(one["act"], one["agent"], one["contact"]) for one in acts if one["act"] == "exported"] == [
        ("exported", "7", contact)
    ]
