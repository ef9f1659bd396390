"""Everything that can be sent, with WhatsApp's limits for each: reactions, buttons, lists, links, contacts, replies."""

from datetime import timedelta

import pytest

from tests.payloads import ANA, LUCIA, inbound_text, revoke

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
BUTTONS = {
    "type": "button",
    "header": {"type": "text", "text": "Pick-up"},
    "body": {"text": "Does Friday suit you?"},
    "footer": {"text": "The shop"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "no", "title": "No"}},
        ]
    },
}
LIST = {
    "type": "list",
    "body": {"text": "Which one?"},
    "action": {
        "button": "Choose",
        "sections": [{"title": "Bikes", "rows": [{"id": "1", "title": "Blue", "description": "26 inch"}]}],
    },
}
LINK = {
    "type": "cta_url",
    "body": {"text": "Your invoice"},
    "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://shop.example/7"}},
}
PLACE = {
    "type": "location_request_message",
    "body": {"text": "Where are you?"},
    "action": {"name": "send_location"},
}
CARD = {
    "name": {"formatted_name": "Jo Doe", "first_name": "Jo"},
    "phones": [{"phone": "+15550100009", "type": "WORK"}],
    "org": {"company": "Shop"},
}


@pytest.fixture
async def tab(rig):
    return await rig.chatting(ANA)


def interactive(of, **changed):
    return {"type": "interactive", "interactive": {**of, **changed}}


def buttons(*titles):
    return {
        "buttons": [
            {"type": "reply", "reply": {"id": str(index), "title": title}} for index, title in enumerate(titles)
        ]
    }


def rows(count, title="Blue"):
    return {
        "button": "Choose",
        "sections": [{"rows": [{"id": str(index), "title": title} for index in range(count)]}],
    }


@pytest.mark.parametrize("said", [BUTTONS, LIST, LINK, PLACE], ids=lambda said: said["type"])
async def test_each_kind_of_buttons_arrives_as_it_was_given(rig, tab, said):
    answer = await tab.send(interactive(said))
    assert answer.status_code == 202, answer.text
    assert answer.json()["interactive"] == said
    await rig.drain()
    assert rig.whatsapp.messages[0]["interactive"] == said


async def test_a_header_may_be_a_file(rig, tab):
    file = {"type": "image", "image": {"id": await tab.upload(PNG, "image/png")}}
    answer = await tab.send(interactive(BUTTONS, header=file))
    assert answer.json()["media"]["mime"] == "image/png"
    await rig.drain()
    assert rig.whatsapp.messages[0]["interactive"]["header"] == {"type": "image", "image": {"id": "uploaded-1"}}
    wrong = {"type": "video", "video": {"id": await tab.upload(PNG, "image/png")}}
    refused = await tab.send(interactive(BUTTONS, header=wrong))
    assert [error["field"] for error in refused.json()["errors"]] == ["interactive.header"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (interactive(BUTTONS, body={"text": "x" * 1025}), "interactive.body.text"),
        (interactive(BUTTONS, footer={"text": "x" * 61}), "interactive.footer.text"),
        (interactive(BUTTONS, header={"type": "text", "text": "x" * 61}), "interactive.header.text"),
        (interactive(BUTTONS, action=buttons("a", "b", "c", "d")), "interactive.action.buttons"),
        (interactive(BUTTONS, action=buttons("x" * 21)), "interactive.action.buttons.0.reply.title"),
        (interactive(BUTTONS, action=buttons("same", "same")), "interactive.action"),
        (interactive(BUTTONS, action={"buttons": []}), "interactive.action.buttons"),
        (interactive(LIST, body={"text": "x" * 4097}), "interactive.body.text"),
        (interactive(LIST, action=rows(11)), "interactive.action.sections.0.rows"),
        (interactive(LIST, action=rows(1, "x" * 25)), "interactive.action.sections.0.rows.0.title"),
        (
            interactive(LIST, action={"button": "x", "sections": rows(6)["sections"] * 2}),
            "interactive.action",
        ),
        (interactive(LIST, header={"type": "image", "image": {"id": "x"}}), "interactive.header.text"),
        (
            interactive(LINK, action={"parameters": {"display_text": "x" * 21, "url": "https://x.example"}}),
            "interactive.action.parameters.display_text",
        ),
        (
            interactive(LINK, action={"parameters": {"display_text": "x", "url": "javascript:alert(1)"}}),
            "interactive.action.parameters.url",
        ),
        (interactive({"type": "carousel"}), "interactive"),
        ({"type": "contacts", "contacts": []}, "contacts"),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Jo"}}]}, "contacts.0.name"),
        ({"type": "contacts", "contacts": [{**CARD, "birthday": "yesterday"}]}, "contacts.0.birthday"),
        ({"type": "text", "text": {"body": "x" * 4097}}, "text.body"),
    ],
)
async def test_what_is_too_long_or_too_much_is_named(rig, tab, said, field):
    answer = await tab.send(said)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert field in [error["field"] for error in answer.json()["errors"]]
    await rig.drain()
    assert rig.whatsapp.messages == []


async def test_the_longest_that_whatsapp_takes_passes(tab):
    longest = {
        "header": {"type": "text", "text": "h" * 60},
        "body": {"text": "b" * 1024},
        "footer": {"text": "f" * 60},
        "action": buttons("a" * 20, "b" * 20, "c" * 20),
    }
    assert (await tab.send(interactive(BUTTONS, **longest))).status_code == 202
    assert (await tab.send(interactive(LIST, body={"text": "b" * 4096}, action=rows(10, "x" * 24)))).status_code == 202
    assert (await tab.send({"type": "contacts", "contacts": [CARD] * 257})).status_code == 202


async def test_contacts_are_sent_as_a_list(rig, tab):
    answer = await tab.send({"type": "contacts", "contacts": [CARD]})
    assert answer.json()["contacts"] == [CARD]
    await rig.drain()
    assert rig.whatsapp.messages[0]["contacts"] == [CARD]


async def test_the_link_preview_is_the_agents_choice(rig, tab):
    for preview in (True, False):
        await tab.send({"type": "text", "text": {"body": "https://shop.example", "preview_url": preview}})
    await rig.drain()
    assert [sent["text"]["preview_url"] for sent in rig.whatsapp.messages] == [True, False]


async def test_any_kind_may_quote(rig, tab):
    quoted = (await tab.last())["id"]
    for said in (interactive(BUTTONS), {"type": "contacts", "contacts": [CARD]}):
        answer = await tab.send({**said, "context": {"message_id": quoted}})
        assert answer.json()["reply_to"]["id"] == quoted
    await rig.drain()
    assert all(sent["context"]["message_id"].startswith("wamid.") for sent in rig.whatsapp.messages)


# Reactions


def react(target, emoji="👍"):
    return {"type": "reaction", "reaction": {"message_id": target["id"], "emoji": emoji}}


async def test_a_reaction_shows_on_its_message_at_once_and_in_no_page(rig, tab):
    cursor = (await tab.page())["cursor"]
    target = await tab.last()
    answer = await tab.send(react(target))
    assert (answer.status_code, answer.json()["type"], answer.json()["status"]) == (202, "reaction", "queued")
    [shown] = await tab.messages()
    [mark] = shown["reactions"]
    assert (mark["emoji"], mark["by"], mark["name"], mark["status"], mark["error"]) == (
        "👍",
        "business",
        "Marc",
        "queued",
        None,
    )
    assert {one["type"] for one in (await tab.page(after=cursor))["items"]} == {"text"}
    await rig.drain()
    [sent] = rig.whatsapp.messages
    assert sent["reaction"]["emoji"] == "👍"
    assert sent["reaction"]["message_id"].startswith("wamid.")
    assert "context" not in sent
    assert [(one["status"], one["emoji"]) for one in (await tab.last())["reactions"]] == [("sent", "👍")]


async def test_a_reaction_is_taken_back_by_none(rig, tab):
    target = await tab.last()
    await tab.send(react(target))
    await tab.send(react(target, ""))
    assert (await tab.last())["reactions"] == []
    await rig.drain()
    assert [sent["reaction"]["emoji"] for sent in rig.whatsapp.messages] == ["👍", ""]


async def test_a_reaction_that_is_refused_says_why_on_its_message(rig, tab):
    await tab.send(react(await tab.last()))
    rig.whatsapp.refuses_next(131047)
    await rig.drain()
    [mark] = (await tab.last())["reactions"]
    assert mark["status"] == "failed"
    assert "24 hours" in mark["error"]["plain"]


async def test_a_customers_reaction_and_ours_stand_side_by_side(rig, tab):
    await tab.say("Done")
    await rig.drain()
    target = await tab.last()
    await tab.send(react(target, "🎉"))
    await rig.drain()
    assert rig.whatsapp.messages[-1]["reaction"] == {"message_id": "wamid.out.1", "emoji": "🎉"}


@pytest.mark.parametrize("emoji", ["👍🏽", "❤️", "🇧🇷", "1️⃣", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
async def test_every_emoji_is_one(tab, emoji):
    assert (await tab.send(react(await tab.last(), emoji))).status_code == 202


@pytest.mark.parametrize("emoji", ["x", "ok", "👍 ", "👍" * 25, ":)", "é"])
async def test_text_is_no_emoji(tab, emoji):
    answer = await tab.send(react(await tab.last(), emoji))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reaction.emoji")


async def test_only_what_whatsapp_knows_of_this_chat_can_be_reacted_to(rig, tab):
    other = await (await rig.chatting(LUCIA)).last()
    assert (await tab.send(react(other))).status_code == 404
    note = (await tab.note("between us")).json()
    waiting = await tab.say("not sent yet")
    await rig.deliver(inbound_text(ANA, "oops", wamid="wamid.oops"))
    await rig.deliver(revoke(ANA, "wamid.oops"))
    revoked = next(one for one in await tab.messages() if one["revoked"])
    for target in (note, waiting, revoked):
        answer = await tab.send(react(target))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert answer.json()["errors"][0]["field"] == "reaction.message_id"


async def test_an_old_message_can_no_longer_be_reacted_to_and_the_window_counts(rig, tab):
    old = await tab.last()
    rig.clock.forward(hours=25)
    assert (await tab.send(react(old))).json()["code"] == "window_closed"
    rig.clock.forward(days=30)
    await rig.met(ANA, "Hi again", at=(rig.clock() - timedelta(seconds=1)).timestamp())
    assert "30 days" in (await tab.send(react(old))).json()["detail"]


async def test_a_reaction_quotes_nothing_and_is_idempotent(rig, tab):
    target = await tab.last()
    quoting = {**react(target), "context": {"message_id": target["id"]}}
    assert (await tab.send(quoting)).status_code == 422
    first = await tab.send(react(target), "client-1")
    assert (await tab.send(react(target), "client-1")).json()["id"] == first.json()["id"]
    await rig.drain()
    assert len(rig.whatsapp.messages) == 1
    assert [event["message"]["what"] for event in rig.crm.of_type("message.changed")] == ["reaction"]
