import { describe, expect, test } from "@odoo/hoot";
import {
    advanceTime,
    animationFrame,
    click,
    manuallyDispatchProgrammaticEvent,
    press,
    queryAllTexts,
    queryOne,
    setInputFiles,
    waitUntil,
} from "@odoo/hoot";
import { contains } from "@web/../tests/web_test_helpers";
import {
    NOW,
    accepting,
    agent,
    busSays,
    chat,
    customer,
    input,
    json,
    openTab,
    playChat,
    shows,
    world,
    write,
} from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

async function talking(...messages) {
    const talk = accepting(chat("conv1", messages));
    await openTab();
    await shows(".o_leadline_message", messages.length);
    return talk;
}

async function attach(...files) {
    await contains("input.o_leadline_file", { visible: false, displayed: false }).click();
    await setInputFiles(files);
}

describe("reply", () => {
    test("quotes the message, in the composer and in what is sent", async () => {
        const talk = await talking(customer("Would it fit?"));
        await click(".o_leadline_reply");
        await animationFrame();
        expect(".o_leadline_answering").toHaveText(/Ada\s*Would it fit\?/);
        expect("textarea.o_leadline_input").toBeFocused();
        await write("It will");
        await press("Enter");
        await shows(".o_leadline_message", 2);
        expect("[data-direction=out] .o_leadline_quote").toHaveText("Ada\nWould it fit?");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].context).toEqual({ message_id: "m1" });
        expect(".o_leadline_answering").toHaveCount(0);
    });

    test("is given up by Escape", async () => {
        const talk = await talking(customer("Would it fit?"));
        await click(".o_leadline_reply");
        await animationFrame();
        await press("Escape");
        await animationFrame();
        expect(".o_leadline_answering").toHaveCount(0);
        await write("It will");
        await press("Enter");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].context).toBe(undefined);
    });

    test("survives leaving the tab, and a note carries none", async () => {
        const talk = await talking(customer("Would it fit?"));
        await click(".o_leadline_reply");
        await animationFrame();
        await click(".o_notebook .nav-link:contains(Other)");
        await shows(".other");
        await click(".o_notebook .nav-link:contains(Chat)");
        await shows(".o_leadline_answering");
        await click(".o_leadline_note_toggle");
        await animationFrame();
        expect(".o_leadline_answering").toHaveCount(0);
        await write("loyal");
        await press("Enter");
        await shows(".o_leadline_note");
        expect(talk.posts).toEqual([]);
        await click(".o_leadline_note_toggle");
        await shows(".o_leadline_answering");
    });

    test("is offered only where WhatsApp knows the message, and while the window is open", async () => {
        await talking(
            customer("in"),
            agent("sent", { status: "sent" }),
            agent("queued", { status: "queued" }),
            agent("failed", { status: "failed" }),
            agent(undefined, { type: "note", note: { body: "psst" }, status: null })
        );
        const answerable = () => [...document.querySelectorAll(".o_leadline_message:has(.o_leadline_reply)")];
        expect(queryAllTexts(".o_leadline_message:has(.o_leadline_reply) .o_leadline_body")).toEqual(["in", "sent"]);
        expect(answerable()).toHaveLength(2);
    });

    test("is not offered when the window is closed", async () => {
        const closed = accepting(chat("conv1", [customer("in")], { until: new Date(NOW - 1000).toISOString() }));
        await openTab();
        await shows(".o_leadline_message", closed.messages.length);
        expect(".o_leadline_actions").toHaveCount(0);
    });
});

describe("reaction", () => {
    /** The API takes a reaction, and its message carries it from then on. */
    function taking(talk) {
        talk.send = (body) => {
            talk.posts.push(body);
            const { message_id, emoji } = body.reaction;
            const place = talk.messages.findIndex(({ id }) => id === message_id);
            const reactions = emoji ? [{ emoji, by: "business", name: null, status: "sent" }] : [];
            talk.messages[place] = { ...talk.messages[place], version: 100 + talk.posts.length, reactions };
            return json({ id: "r1", type: "reaction", client_id: body.client_id, version: 1 }, 202);
        };
    }

    test("is chosen from the usual ones, stands there at once, and can be taken away", async () => {
        const talk = await talking(customer("Look!"));
        taking(talk);
        await click(".o_leadline_react");
        await shows(".o_leadline_reaction", 6);
        await click(".o_leadline_reaction[title='React with 👍']");
        await shows(".o_leadline_reactions");
        expect(".o_leadline_reactions").toHaveText("👍");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].type).toBe("reaction");
        expect(talk.posts[0].reaction).toEqual({ message_id: "m1", emoji: "👍" });
        await shows(".o_leadline_reaction_waits", 0);
        await shows(".o_leadline_message", 1);
        await click(".o_leadline_react");
        await shows(".o_leadline_reaction.active");
        await click(".o_leadline_reaction.active");
        await shows(".o_leadline_reactions", 0);
        await waitUntil(() => talk.posts.length === 2);
        expect(talk.posts[1].reaction).toEqual({ message_id: "m1", emoji: "" });
    });

    test("that is refused is taken back, and says why", async () => {
        const talk = await talking(customer("Look!"));
        talk.send = () => json({ code: "window_closed", detail: "Free text is closed." }, 422);
        await click(".o_leadline_react");
        await shows(".o_leadline_reaction", 6);
        await click(".o_leadline_reaction:eq(1)");
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/Free text is closed\./);
        expect(".o_leadline_reactions").toHaveCount(0);
    });

    test("of the customer appears without a reload", async () => {
        const { messages } = await talking(agent("Here you are"));
        const reactions = [{ emoji: "😍", by: "customer", name: "Ada" }];
        messages[0] = { ...messages[0], version: 77, reactions };
        busSays("conv1", "message.changed");
        await shows(".o_leadline_reactions");
        expect(queryOne(".o_leadline_reactions").getAttribute("aria-label")).toBe("Ada: 😍");
    });
});

test("the customer sees that an answer is being written: once in 20 s, never for a note", async () => {
    await talking(customer("hi"));
    const told = () => world.calls.filter((call) => call.endsWith("/typing")).length;
    await click(".o_leadline_note_toggle");
    await animationFrame();
    await write("psst");
    expect(told()).toBe(0);
    await click(".o_leadline_note_toggle");
    await animationFrame();
    await write("On");
    await write("On our");
    await waitUntil(() => told() === 1);
    await advanceTime(20001);
    await write("On our way");
    await waitUntil(() => told() === 2);
});

test("a link goes with a preview unless the agent says otherwise", async () => {
    const talk = await talking();
    await write("no link");
    expect(".o_leadline_preview").toHaveCount(0);
    await write("see https://a.io");
    await animationFrame();
    expect(".o_leadline_preview input").toBeChecked();
    await press("Enter");
    await waitUntil(() => talk.posts.length === 1);
    expect(talk.posts[0].text).toEqual({ body: "see https://a.io", preview_url: true });
    await write("see https://b.io");
    await animationFrame();
    await click(".o_leadline_preview input");
    await contains("textarea.o_leadline_input").focus();
    await press("Enter");
    await waitUntil(() => talk.posts.length === 2);
    expect(talk.posts[1].text).toEqual({ body: "see https://b.io" });
});

test("a text longer than WhatsApp takes can't be sent, and says by how much", async () => {
    world.limits.text = 20;
    const talk = await talking();
    await waitUntil(() => world.calls.includes("GET /limits"));
    await write("x".repeat(18));
    await animationFrame();
    expect(".o_leadline_counter").toHaveCount(0);
    await write("x".repeat(21));
    await animationFrame();
    expect(".o_leadline_counter").toHaveText("21 / 20");
    expect(".o_leadline_send").not.toBeEnabled();
    await press("Enter");
    expect(talk.posts).toEqual([]);
    // An emoji is one character, though two to JavaScript.
    input().value = "😀".repeat(19);
    await manuallyDispatchProgrammaticEvent(input(), "input");
    await animationFrame();
    expect(".o_leadline_counter").toHaveText("19 / 20");
    expect(".o_leadline_send").toBeEnabled();
});

describe("files", () => {
    test("the agent chooses as what a picture goes", async () => {
        const talk = await talking();
        await attach(new File(["x"], "plan.png", { type: "image/png" }));
        await shows(".o_leadline_way");
        expect(".o_leadline_composer > [role=status]:contains(plan.png)").toHaveText("Goes with the message: plan.png");
        await contains(".o_leadline_way").select("document");
        await click(".o_leadline_send");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].document).toEqual({ id: "media1", filename: "plan.png" });
    });

    test("a format that WhatsApp does not show is offered as a document, and says so", async () => {
        await talking();
        await attach(new File(["x"], "photo.webp", { type: "image/webp" }));
        await shows(".o_leadline_notice");
        expect(".o_leadline_notice").toHaveText("WhatsApp does not show the format WEBP. Goes as a document.");
    });

    test("a kind that WhatsApp does not take is refused by its type", async () => {
        await talking();
        await attach(new File(["x"], "all.zip", { type: "application/zip" }));
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/all\.zip: WhatsApp does not take files of the type zip\./);
        expect(".o_leadline_chosen_file").toHaveCount(0);
    });

    test("an empty one is refused before anything goes up", async () => {
        await talking();
        await attach(new File([], "void.pdf", { type: "application/pdf" }));
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/void\.pdf: This file is empty\./);
        expect(".o_leadline_chosen_file").toHaveCount(0);
        expect(world.calls.some((call) => call.startsWith("POST /media"))).toBe(false);
    });

    test("the limits are the API's", async () => {
        world.limits.files.document.size = 1;
        await talking();
        await waitUntil(() => world.calls.includes("GET /limits"));
        await animationFrame();
        await attach(new File(["two"], "two.pdf", { type: "application/pdf" }));
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/two\.pdf: Too large/);
    });
});

test("typing goes on in the composer after a reply was chosen by keyboard", async () => {
    await talking(customer("hi"));
    queryOne(".o_leadline_reply").focus();
    await press("Enter");
    await animationFrame();
    expect(input()).toBe(document.activeElement);
});
