import { describe, expect, mockUserAgent, test } from "@odoo/hoot";
import {
    Deferred,
    advanceTime,
    animationFrame,
    click,
    manuallyDispatchProgrammaticEvent,
    press,
    queryAll,
    queryAllTexts,
    queryFirst,
    queryOne,
    runAllTimers,
    setInputFiles,
    waitFor,
    waitForNone,
    waitUntil,
} from "@odoo/hoot";
import { contains, makeServerError, onRpc, patchWithCleanup } from "@web/../tests/web_test_helpers";
import {
    accepting,
    agent,
    bodies,
    busSays,
    chat,
    customer,
    input,
    json,
    message,
    NOW,
    openTab,
    PIXEL,
    playChat,
    shows,
    statuses,
    summary,
    world,
    write,
} from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

describe("reading", () => {
    test("messages of both sides stand in order, with day, author, time and tick", async () => {
        chat("conv1", [
            customer("Is it in stock?"),
            agent("Yes", { status: "delivered" }),
            agent("Both colours", { status: "read", statuses: { read: "2026-11-20T09:59:00Z" } }),
        ]);
        await openTab();
        await shows(".o_leadline_message", 3);
        expect(bodies()).toEqual(["Is it in stock?", "Yes", "Both colours"]);
        expect(queryAll(".o_leadline_message").map((el) => el.dataset.direction)).toEqual(["in", "out", "out"]);
        expect(statuses()).toEqual(["received", "delivered", "read"]);
        expect(queryAllTexts(".o_leadline_day")).toEqual(["Today"]);
        expect(".o_leadline_message[data-message-id=m2] .o_leadline_author").toHaveText("Bob");
        expect(".o_leadline_message[data-message-id=m3] .o_leadline_tick").toHaveAttribute("data-status", "read");
        expect(".o_leadline_message[data-message-id=m1] .o_leadline_tick").toHaveCount(0);
        expect(".o_leadline_contact").toHaveText("Ada Lovelace");
        expect(world.calls.filter((call) => call.startsWith("chat_grant"))).toEqual(["chat_grant crm.lead 1 conv1"]);
    });

    test("text from outside stays text", async () => {
        chat("conv1", [
            customer("<img src=x onerror=alert(1)> *bold* https://a.io/?a=<b>\nnew line"),
            customer("[x](javascript:alert(1)) javascript:alert(1)"),
        ]);
        await openTab();
        await shows(".o_leadline_message", 2);
        expect(".o_leadline_body img").toHaveCount(0);
        expect(".o_leadline_body strong").toHaveText("bold");
        expect(".o_leadline_body a").toHaveCount(1);
        expect(".o_leadline_body a").toHaveAttribute("href", "https://a.io/?a=");
        expect(".o_leadline_body a").toHaveAttribute("rel", "noopener noreferrer nofollow");
        expect(queryFirst(".o_leadline_body").textContent).toBe(
            "<img src=x onerror=alert(1)> bold https://a.io/?a=<b>\nnew line"
        );
    });

    test("every type is shown, an unknown one says so", async () => {
        const stored = (mime, name = null) => ({ mime, name, size: 2048, state: "stored", url: PIXEL });
        chat("conv1", [
            message({ type: "image", image: { caption: "My room" }, media: stored("image/png") }),
            message({ type: "document", document: { filename: "plan.pdf" }, media: stored("application/pdf") }),
            message({ type: "location", location: { latitude: 1, longitude: 2, name: "Home" } }),
            message({ type: "contacts", contacts: [{ name: { formatted_name: "João" }, phones: [] }] }),
            message({ type: "interactive", interactive: { button_reply: { id: "1", title: "Call me" } } }),
            message({ type: "order", order: {} }),
            message({ type: "image", image: {}, media: { state: "waiting", url: null } }),
            message({ type: "video", video: {}, media: { state: "failed", url: null, reason: "Too old." } }),
        ]);
        await openTab();
        await shows(".o_leadline_message", 8);
        expect("img.o_leadline_picture").toHaveAttribute("alt", "My room");
        const texts = bodies();
        expect(texts[0]).toBe("My room");
        expect(texts[1]).toMatch(/plan\.pdf/);
        expect(".o_leadline_message[data-type=location] a").toHaveAttribute(
            "href",
            "https://www.google.com/maps/search/?api=1&query=1%2C2"
        );
        expect(texts[3]).toMatch(/^João\s*Save$/);
        expect(texts[4]).toBe("Call me");
        expect(texts[5]).toMatch(/can't be shown here\. Open it on the phone\./);
        expect(texts[6]).toBe("Picture is on its way");
        expect(texts[7]).toMatch(/^Too old\.\s*Try again$/);
    });

    test("a message that can't be drawn costs no other", async () => {
        patchWithCleanup(console, { warn: () => {} });
        chat("conv1", [
            customer("before"),
            message({ type: "contacts", contacts: [{ name: {}, phones: { not: "a list" } }] }),
            customer("after"),
        ]);
        await openTab();
        await shows(".o_leadline_message", 3);
        expect(bodies()[0]).toBe("before");
        expect(bodies()[1]).toBe("This message can't be shown here. Open it on the phone.");
        expect(bodies()[2]).toBe("after");
    });

    test("quotation, reactions and notes", async () => {
        const first = customer("Would it fit?", { reactions: [{ emoji: "👍", by: "business" }] });
        chat("conv1", [
            first,
            agent("It will", {
                reply_to: { id: first.id, type: "text", preview: "Would it fit?", author: first.author },
            }),
            agent(undefined, { type: "note", note: { body: "loyal" }, status: null }),
        ]);
        await openTab();
        await shows(".o_leadline_message", 3);
        expect(".o_leadline_reactions").toHaveText("👍");
        expect(".o_leadline_quote").toHaveText("Ada\nWould it fit?");
        expect(".o_leadline_note .o_leadline_body").toHaveText("loyal");
        expect(".o_leadline_note .o_leadline_tick").toHaveCount(0);
        await click(".o_leadline_quote");
        await animationFrame();
        expect(".o_leadline_message[data-message-id=m1]").toHaveClass("o_leadline_highlighted");
    });

    test("older messages come when the agent scrolls up, and nothing jumps", async () => {
        const messages = Array.from({ length: 120 }, (_, i) => customer(`message ${i}`));
        chat("conv1", messages);
        await openTab();
        await shows(".o_leadline_message", 50);
        const list = queryOne(".o_leadline_list");
        expect(list.scrollTop).toBe(0);
        list.scrollTop = -(list.scrollHeight - list.clientHeight) + 50;
        const anchor = queryAll(".o_leadline_message")[3];
        const place = anchor.getBoundingClientRect().top;
        await manuallyDispatchProgrammaticEvent(list, "scroll");
        await shows(".o_leadline_message", 100);
        expect(Math.abs(anchor.getBoundingClientRect().top - place)).toBeLessThan(2);
        expect(".o_leadline_jump").toHaveCount(1);
        await click(".o_leadline_jump");
        await animationFrame();
        expect(list.scrollTop).toBe(0);
        expect(".o_leadline_jump").toHaveCount(0);
    });

    test("what comes in below leaves the agent's place alone, and is counted", async () => {
        const { messages } = chat(
            "conv1",
            Array.from({ length: 60 }, (_, i) => customer(`message ${i}`))
        );
        await openTab();
        await shows(".o_leadline_message", 50);
        const list = queryOne(".o_leadline_list");
        list.scrollTop = -800;
        await manuallyDispatchProgrammaticEvent(list, "scroll");
        await animationFrame();
        const anchor = queryAll(".o_leadline_message").find(
            (el) => el.getBoundingClientRect().top > list.getBoundingClientRect().top
        );
        const place = anchor.getBoundingClientRect().top;
        messages.push(customer("new below"));
        busSays("conv1", "message.received");
        await waitFor(".o_leadline_unseen");
        expect(Math.abs(anchor.getBoundingClientRect().top - place)).toBeLessThan(2);
        expect(".o_leadline_unseen").toHaveText("1");
        expect(world.calls.some((call) => call.endsWith("/read"))).toBe(false);
        await click(".o_leadline_jump");
        await waitUntil(() => world.calls.some((call) => call.endsWith("/read")));
        expect(".o_leadline_unread").toHaveCount(1);
    });
});

describe("live", () => {
    test("the bus brings a message without a reload, and it is read when it is seen", async () => {
        const { messages } = chat("conv1", [customer("one")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        messages.push(customer("two"));
        busSays("conv1", "message.received");
        await shows(".o_leadline_message", 2);
        expect(bodies()).toEqual(["one", "two"]);
        await waitUntil(() => world.calls.includes("POST /conversations/conv1/read"));
    });

    test("what changes about the conversation is asked for, unless it is known", async () => {
        const talk = chat("conv1", [customer("one")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        Object.assign(talk, { owner: "Eve", version: 2 });
        busSays("conv1", "conversation.updated", { version: 2 });
        await waitFor(".o_leadline_owner:contains(Eve)", { timeout: 3000 });
        const asked = () => world.calls.filter((call) => call === "GET /conversations/conv1").length;
        const before = asked();
        busSays("conv1", "conversation.updated", { version: 2 });
        await waitUntil(() => world.calls.at(-1).includes("after="));
        await animationFrame();
        expect(asked()).toBe(before);
    });

    test("ticks change in place", async () => {
        const { messages } = chat("conv1", [agent("one", { status: "sent" })]);
        await openTab();
        await shows(".o_leadline_message", 1);
        const bubble = queryOne(".o_leadline_message");
        messages[0] = { ...messages[0], version: 99, status: "read" };
        busSays("conv1", "message.status");
        await shows(".o_leadline_tick[data-status=read]");
        expect(queryOne(".o_leadline_message")).toBe(bubble);
    });

    test("a picture takes its place when it is stored", async () => {
        const { messages } = chat("conv1", [
            message({ type: "image", image: {}, media: { state: "waiting", url: null } }),
        ]);
        await openTab();
        await shows(".o_leadline_placeholder");
        messages[0] = { ...messages[0], version: 99, media: { state: "stored", mime: "image/png", url: PIXEL } };
        busSays("conv1", "message.changed");
        await shows("img.o_leadline_picture");
        expect(".o_leadline_placeholder").toHaveCount(0);
    });

    test("the first message of a record opens its chat by itself", async () => {
        world.summaries[1] = [];
        await openTab();
        await waitFor(".o_leadline_empty:contains(No conversation yet)");
        chat("conv1", [customer("hello")]);
        world.summaries[1] = [summary("conv1")];
        busSays("conv1", "message.received");
        await shows(".o_leadline_message", 1);
    });

    test("conversations of other records are asked about once", async () => {
        chat("conv1", []);
        await openTab();
        await shows(".o_leadline_list");
        for (let i = 0; i < 3; i++) {
            busSays("elsewhere", "message.received");
            await animationFrame();
        }
        await runAllTimers();
        expect(world.calls.filter((call) => call.startsWith("chat_open"))).toHaveLength(2);
    });

    test("unread messages are marked, and read when they are seen", async () => {
        const both = [customer("read"), customer("new one"), agent("ours"), customer("new two")];
        chat("conv1", both, { unread: 2 });
        await openTab();
        await shows(".o_leadline_unread");
        const rows = queryAll(".o_leadline_rows > *").filter((el) => !el.matches(".o_leadline_older"));
        expect(rows.map((el) => el.dataset.messageId || el.className)).toEqual([
            "o_leadline_day",
            "m1",
            "o_leadline_unread",
            "m2",
            "m3",
            "m4",
        ]);
        await waitUntil(() => world.calls.includes("POST /conversations/conv1/read"));
    });

    test("nothing is read while the page is hidden", async () => {
        patchWithCleanup(document, { visibilityState: "hidden" });
        chat("conv1", [customer("new")], { unread: 1 });
        await openTab();
        await shows(".o_leadline_unread");
        await animationFrame();
        expect(world.calls.some((call) => call.endsWith("/read"))).toBe(false);
        patchWithCleanup(document, { visibilityState: "visible" });
        document.dispatchEvent(new Event("visibilitychange"));
        await waitUntil(() => world.calls.includes("POST /conversations/conv1/read"));
    });
});

describe("writing", () => {
    test("a message stands there at once and its tick follows", async () => {
        const talk = accepting(chat("conv1", [customer("hi")]));
        const taken = new Deferred();
        const { send } = talk;
        talk.send = async (body) => {
            await taken;
            return send(body);
        };
        await openTab();
        await shows(".o_leadline_message", 1);
        await write("On our way");
        await press("Enter");
        await shows(".o_leadline_message", 2);
        expect(bodies()[1]).toBe("On our way");
        expect(statuses()[1]).toBe("queued");
        expect(input()).toHaveValue("");
        taken.resolve();
        await shows("[data-message-id=m2]");
        expect(bodies()).toEqual(["hi", "On our way"]);
        expect(talk.posts[0].text).toEqual({ body: "On our way" });
        expect(talk.posts[0].client_id).toMatch(/^[\w-]{8,64}$/);
        talk.messages[1] = { ...talk.messages[1], version: 99, status: "delivered" };
        busSays("conv1", "message.status");
        await shows(".o_leadline_tick[data-status=delivered]");
    });

    test("Shift+Enter and an unfinished composition make no message", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await write("two lines");
        await press(["shift", "Enter"]);
        await manuallyDispatchProgrammaticEvent(input(), "keydown", { key: "Enter", isComposing: true });
        await animationFrame();
        expect(talk.posts).toEqual([]);
        await click(".o_leadline_send");
        await waitUntil(() => talk.posts.length === 1);
    });

    test("on a phone Enter is a new line", async () => {
        mockUserAgent("android");
        const talk = accepting(chat("conv1", []));
        await openTab();
        await write("two");
        await press("Enter");
        await animationFrame();
        expect(talk.posts).toEqual([]);
        await click(".o_leadline_send");
        await waitUntil(() => talk.posts.length === 1);
    });

    test("blank text can't be sent", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await write("   \n ");
        expect(".o_leadline_send").not.toBeEnabled();
        await press("Enter");
        await animationFrame();
        expect(talk.posts).toEqual([]);
    });

    test("a note goes to colleagues only", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await click(".o_leadline_note_toggle");
        await animationFrame();
        await write("offer 10 %");
        await press("Enter");
        await shows(".o_leadline_note");
        await waitUntil(() => world.calls.includes("POST /conversations/conv1/notes"));
        expect(talk.posts).toEqual([]);
        expect(".o_leadline_note .o_leadline_body").toHaveText("offer 10 %");
    });

    test("a file is shown before it goes, and goes by its media id", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await shows(".o_leadline_list");
        const file = new File([new Uint8Array(70)], "sofa.png", { type: "image/png" });
        await contains("input.o_leadline_file", { visible: false, displayed: false }).click();
        await setInputFiles([file]);
        await shows(".o_leadline_chosen_file");
        expect(".o_leadline_chosen_file").toHaveText(/sofa\.png/);
        await write("Here");
        await press("Enter");
        await shows("img.o_leadline_picture");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].type).toBe("image");
        expect(talk.posts[0].image).toEqual({ id: "media1", caption: "Here" });
        expect(".o_leadline_chosen_file").toHaveCount(0);
        await shows(".o_leadline_message", 1);
    });

    test("a pasted picture is attached", async () => {
        accepting(chat("conv1", []));
        await openTab();
        await shows(".o_leadline_list");
        const data = new DataTransfer();
        data.items.add(new File(["x"], "shot.png", { type: "image/png" }));
        await manuallyDispatchProgrammaticEvent(input(), "paste", { clipboardData: data });
        await shows(".o_leadline_chosen_file");
        await click(".o_leadline_chosen_file button");
        await animationFrame();
        expect(".o_leadline_chosen_file").toHaveCount(0);
    });

    test("the countdown runs, and a closed window leaves templates and notes", async () => {
        accepting(chat("conv1", [], { until: new Date(NOW + 3 * 60000).toISOString() }));
        await openTab();
        await shows(".o_leadline_window");
        expect(".o_leadline_window").toHaveText(/^Free text until .*, [23] min left$/);
        expect(".o_leadline_window").toHaveClass("o_leadline_soon");
        await advanceTime(60000);
        await advanceTime(60000);
        await advanceTime(62000);
        await shows(".o_leadline_closed");
        expect(".o_leadline_closed").toHaveText(/closed until Ada Lovelace writes again\. Only templates can be sent/);
        expect("textarea.o_leadline_input").not.toBeVisible();
        await click(".o_leadline_note_instead");
        await animationFrame();
        expect("textarea.o_leadline_input").toBeEnabled();
        expect("textarea.o_leadline_input").toBeFocused();
    });

    test("when the API closes the window the text is kept with the reason", async () => {
        const talk = chat("conv1", []);
        talk.send = () => {
            talk.until = new Date(NOW - 1000).toISOString();
            return json({ status: 422, code: "window_closed", detail: "Free text is closed." }, 422);
        };
        await openTab();
        await write("too late");
        await press("Enter");
        await shows(".o_leadline_failure");
        expect(".o_leadline_failure").toHaveText(/Free text is closed\./);
        expect(statuses()).toEqual(["failed"]);
        await shows(".o_leadline_closed");
        await click(".o_leadline_discard");
        await shows(".o_leadline_message", 0);
    });

    test("who may not answer can read and leave notes", async () => {
        world.canSend = false;
        chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect("textarea.o_leadline_input").not.toBeEnabled();
        expect(".o_leadline_closed").toHaveText(/You may read this conversation, not answer in it\./);
    });
});

describe("trouble", () => {
    test("when Leadline can't be reached the text is kept, and goes by itself later", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await shows(".o_leadline_list");
        world.down = true;
        await write("are you there?");
        await press("Enter");
        await shows(".o_leadline_trouble");
        expect(".o_leadline_trouble").toHaveText(/Can't reach Leadline\. Your text is kept\./);
        expect(bodies()).toEqual(["are you there?"]);
        expect(statuses()).toEqual(["queued"]);
        world.down = false;
        await advanceTime(2500);
        await shows(".o_leadline_trouble", 0);
        await waitUntil(() => talk.posts.length === 1);
        expect(bodies()).toEqual(["are you there?"]);
    });

    test("it is asked for again soon, though the bus is well", async () => {
        const { messages } = chat("conv1", [customer("one")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        world.down = true;
        busSays("conv1", "message.received");
        await shows(".o_leadline_trouble");
        world.down = false;
        messages.push(customer("two"));
        await advanceTime(5500);
        await shows(".o_leadline_message", 2);
        expect(".o_leadline_trouble").toHaveCount(0);
    });

    test("the agent can try again at once", async () => {
        world.down = true;
        chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_trouble");
        world.down = false;
        await click(".o_leadline_retry");
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_trouble").toHaveCount(0);
    });

    test("drafts and unsent messages survive leaving the tab", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await shows(".o_leadline_list");
        world.down = true;
        await write("first");
        await press("Enter");
        await shows(".o_leadline_message", 1);
        await write("half a tho");
        await click(".o_notebook .nav-link:contains(Other)");
        await waitFor(".other");
        expect(".o_leadline_chat").toHaveCount(0);
        world.down = false;
        await click(".o_notebook .nav-link:contains(Chat)");
        await waitFor("textarea.o_leadline_input");
        expect(input()).toHaveValue("half a tho");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].text.body).toBe("first");
    });

    test("a refusal is shown as it was said, and not asked for again and again", async () => {
        onRpc("leadline.conversation", "chat_grant", () => {
            world.calls.push("refused grant");
            throw makeServerError({ message: "You may not read this lead." });
        });
        chat("conv1", []);
        await openTab();
        await shows(".o_leadline_trouble");
        expect(".o_leadline_trouble").toHaveText(/You may not read this lead\./);
        const before = world.calls.length;
        await advanceTime(30000);
        expect(world.calls).toHaveLength(before);
    });

    test("when Odoo refuses the tab it says why", async () => {
        onRpc("leadline.conversation", "chat_open", () => {
            throw makeServerError({ message: "Only agents may read chats." });
        });
        await openTab();
        await waitFor(".o_leadline_empty:contains(Only agents may read chats.)");
    });
});

describe("records", () => {
    test("a record without a conversation says what to do", async () => {
        world.summaries[1] = [];
        await openTab();
        await waitFor(".o_leadline_empty:contains(No conversation yet)");
        expect("textarea.o_leadline_input").toHaveCount(0);
    });

    test("a new record has to be saved first", async () => {
        await openTab(false);
        await waitFor(".o_leadline_empty:contains(Save this record to see its chat.)");
        expect(world.calls).toEqual([]);
    });

    test("another record is another chat; an edit of the record is not", async () => {
        world.summaries[2] = [summary("conv2")];
        chat("conv1", [customer("of one")]);
        chat("conv2", [customer("of two")]);
        await openTab(1, [1, 2]);
        await shows(".o_leadline_message", 1);
        const root = queryOne(".o_leadline_conversation");
        await contains(".o_field_widget[name=name] input").edit("Renamed");
        await animationFrame();
        expect(queryOne(".o_leadline_conversation")).toBe(root);
        expect(world.calls.filter((call) => call.startsWith("chat_open"))).toHaveLength(1);
        await contains(".o_pager_next").click();
        await waitFor(".o_leadline_body:contains(of two)", { timeout: 3000 });
        expect(bodies()).toEqual(["of two"]);
        expect(world.calls.filter((call) => call.startsWith("chat_open"))).toEqual([
            "chat_open crm.lead 1",
            "chat_open crm.lead 2",
        ]);
    });

    test("a late answer for the record before is dropped", async () => {
        const late = new Deferred();
        world.summaries[2] = [summary("conv2")];
        chat("conv2", [customer("of two")]);
        chat("conv1", [customer("of one")]);
        onRpc("leadline.conversation", "chat_open", async ({ args: [, id] }) => {
            if (id === 1) {
                await late;
            }
        });
        await openTab(1, [1, 2]);
        await contains(".o_pager_next").click();
        await waitFor(".o_leadline_body:contains(of two)", { timeout: 3000 });
        late.resolve();
        await animationFrame();
        await animationFrame();
        expect(bodies()).toEqual(["of two"]);
    });

    test("several conversations: the agent chooses in the head", async () => {
        world.summaries[1] = [
            summary("conv1"),
            summary("conv2", { line: { name: "Support", number: "+1 555 010 0002" }, unread: 3 }),
        ];
        chat("conv1", [customer("to the shop")]);
        chat("conv2", [customer("to support")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_dot").toHaveCount(1);
        await click(".o_leadline_select");
        await shows(".o_leadline_other", 2);
        expect(".o_leadline_other:eq(1)").toHaveText(/Support/);
        expect(".o_leadline_other:eq(1) .badge").toHaveText("3");
        await click(".o_leadline_other:eq(1)");
        await waitFor(".o_leadline_body:contains(to support)");
        expect(bodies()).toEqual(["to support"]);
    });

    test("what is unread in the others is shown live, and the choice survives leaving the tab", async () => {
        world.summaries[1] = [summary("conv1"), summary("conv2", { contact: "Bea" })];
        chat("conv1", [customer("to the shop")]);
        chat("conv2", [customer("to support")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_dot").toHaveCount(0);
        busSays("conv2", "message.received", { unread: 2 });
        await shows(".o_leadline_dot");
        await click(".o_leadline_select");
        await shows(".o_leadline_other", 2);
        expect(queryAllTexts(".o_leadline_other .badge")).toEqual(["2"]);
        await click(".o_leadline_other:eq(1)");
        await waitFor(".o_leadline_body:contains(to support)");
        busSays("conv1", "message.received", { unread: 1 });
        await shows(".o_leadline_dot");
        await click(".o_notebook .nav-link:contains(Other)");
        await waitFor(".other");
        await click(".o_notebook .nav-link:contains(Chat)");
        await waitFor(".o_leadline_body:contains(to support)");
        expect(bodies()).toEqual(["to support"]);
    });

    test("two conversations that turned out to be one are shown once", async () => {
        world.summaries[1] = [summary("conv1"), summary("conv2", { merged_into: "conv1" })];
        chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_select").toHaveCount(0);
    });

    test("a closed tab asks nothing more", async () => {
        chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        await click(".o_notebook .nav-link:contains(Other)");
        await waitForNone(".o_leadline_chat");
        const before = world.calls.length;
        busSays("conv1", "message.received");
        await advanceTime(120000);
        expect(world.calls).toHaveLength(before);
    });
});

test("the list is a log that can be reached by keyboard, and every button has a name", async () => {
    chat("conv1", [customer("hi")]);
    await openTab();
    await shows(".o_leadline_message", 1);
    expect(".o_leadline_list").toHaveAttribute("role", "log");
    expect(".o_leadline_list").toHaveAttribute("tabindex", "0");
    expect(".o_leadline_list").toHaveAttribute("aria-label", "Messages with Ada Lovelace");
    for (const button of queryAll(".o_leadline_chat button")) {
        expect(Boolean(button.getAttribute("aria-label") || button.textContent.trim())).toBe(true);
    }
});
