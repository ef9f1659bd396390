import { beforeEach, describe, expect, mockDate, mockUserAgent, test } from "@odoo/hoot";
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
import { waitUntilSubscribe } from "@bus/../tests/bus_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    makeServerError,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
    serverState,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";

describe.current.tags("desktop");
defineMailModels();

class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    _records = [
        { id: 1, name: "Oslo sofa" },
        { id: 2, name: "Bergen table" },
    ];
}
class LeadlineConversation extends models.Model {
    _name = "leadline.conversation";
}
defineModels([Lead, LeadlineConversation]);

const BASE = "https://chat.test/chat/v1";
const NOW = Date.UTC(2026, 10, 20, 10);
const PIXEL =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const ARCH = `
    <form>
        <sheet>
            <field name="name"/>
            <notebook>
                <page name="chat" string="Chat"><widget name="leadline_chat"/></page>
                <page name="other" string="Other"><span class="other">other</span></page>
            </notebook>
        </sheet>
    </form>`;

/** @type {ReturnType<typeof summary>[]} what chat_open answers, by record */
let summaries;
/** Conversations of the chat API by id. */
let chats;
/** What reached the chat API and Odoo. */
let calls;
let canSend;
/** Of the line. */
let templates;
/** Set to make the chat API unreachable. */
let down;
let serial;

function summary(id, given = {}) {
    return {
        id,
        line: { id: "line1", name: "Shop", number: "+1 555 010 0001" },
        contact: "Ada",
        unread: 0,
        window_until: null,
        owner: null,
        merged_into: null,
        ...given,
    };
}

function message(given = {}) {
    serial++;
    const body = given.text === undefined && !given.type ? { body: `message ${serial}` } : given.text;
    return {
        id: `m${serial}`,
        version: serial,
        sort: String(serial).padStart(8, "0"),
        at: new Date(NOW - (1000 - serial) * 1000).toISOString(),
        direction: "in",
        type: "text",
        status: "received",
        statuses: {},
        error: null,
        author: { kind: "customer", id: "c1", name: "Ada" },
        client_id: null,
        reply_to: null,
        forwarded: false,
        reactions: [],
        media: null,
        ...given,
        text: typeof body === "string" ? { body } : body,
    };
}

const customer = (text, given) => message({ text, ...given });
const agent = (text, given) =>
    message({
        text,
        direction: "out",
        status: "sent",
        author: { kind: "agent", id: "9", name: "Bob" },
        ...given,
    });

function chat(id, messages = [], given = {}) {
    chats[id] = { messages, unread: 0, until: new Date(NOW + 4 * 3600000).toISOString(), ...given };
    return chats[id];
}

function json(value, status = 200) {
    return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

function mockChatApi() {
    const route = (path, answer) =>
        onRpc(
            `${BASE}${path}`,
            async (request, { id } = {}) => {
                calls.push(`${request.method} ${path.replace("<id>", id)}${new URL(request.url).search}`);
                if (down) {
                    throw new TypeError("Failed to fetch");
                }
                const body = request.method === "POST" ? await request.json() : null;
                return answer(chats[id], body, request);
            },
            { pure: true }
        );
    route("/conversations/<id>", (chat, body, request) =>
        json({
            id: request.url.split("/").pop(),
            contact: { name: "Ada Lovelace", phone: "+15550102030" },
            window: { open: new Date(chat.until) > Date.now(), until: chat.until },
            unread: chat.unread,
            received: 10,
            read: 10 - chat.unread,
            owner: { id: "9", name: chat.owner || "Bob" },
            version: chat.version || 1,
        })
    );
    route("/conversations/<id>/messages", async (chat, body, request) => {
        if (body) {
            return chat.send(body);
        }
        const query = new URL(request.url).searchParams;
        const cursor = String(Math.max(0, ...chat.messages.map(({ version }) => version)));
        if (query.has("after")) {
            const items = chat.messages.filter(({ version }) => version >= query.get("after"));
            return json({ items, next: null, cursor });
        }
        const before = chat.messages.filter(({ sort }) => !query.has("before") || sort < query.get("before"));
        const items = before.slice(-(chat.limit || 50));
        return json({ items, next: items.length < before.length ? items[0].sort : null, cursor });
    });
    route("/conversations/<id>/notes", (chat, { client_id, body }) => {
        const note = agent(undefined, { type: "note", note: { body }, status: null, client_id });
        chat.messages.push(note);
        return json(note, 201);
    });
    route("/conversations/<id>/read", (chat) => {
        chat.unread = 0;
        return json({ read: 10, unread: 0 });
    });
    route("/templates", () => json({ items: templates, next: null }));
    route("/media", () => json({ id: "media1", upload: { method: "PUT", url: `${BASE}/up/1`, headers: {} } }, 201));
    route("/up/1", () => json({}));
}

/** The API takes a message: it joins the conversation as queued. */
function accepting(chat) {
    chat.posts = [];
    chat.send = (body) => {
        chat.posts.push(body);
        const { client_id, type } = body;
        const accepted = agent(undefined, { type, [type]: body[type], status: "queued", client_id });
        if (body[type].id) {
            accepted.media = { mime: "image/png", name: null, size: 70, state: "stored", url: PIXEL };
        }
        accepted.author = { kind: "agent", id: String(serverState.userId), name: "Mitchell Admin" };
        chat.messages.push(accepted);
        return json(accepted, 202);
    };
    return chat;
}

async function openTab(resId = 1, resIds) {
    const listening = waitUntilSubscribe();
    const view = await mountView({ type: "form", resModel: "crm.lead", resId, resIds, arch: ARCH });
    await listening;
    await animationFrame();
    return view;
}

/** Wait until a selector is there this many times. */
async function shows(selector, count = 1) {
    await waitUntil(() => queryAll(selector).length === count, {
        timeout: 3000,
        message: () => `${selector}: ${queryAll(selector).length} instead of ${count}`,
    });
}

const bodies = () => queryAllTexts(".o_leadline_body");
const statuses = () => queryAll(".o_leadline_message").map((el) => el.dataset.status);
const input = () => queryOne("textarea.o_leadline_input");

async function write(text) {
    await contains("textarea.o_leadline_input").edit(text, { confirm: false });
}

/** Odoo's bus says that something happened in a conversation. */
function busSays(conversation, event, given = {}) {
    MockServer.env["bus.bus"]._sendone("broadcast", "leadline/conversation", {
        conversation,
        message: null,
        event,
        unread: 0,
        version: 1,
        ...given,
    });
}

beforeEach(() => {
    mockDate("2026-11-20 10:00:00", 0);
    browser.localStorage.clear();
    serial = 0;
    summaries = { 1: [summary("conv1")], 2: [] };
    chats = {};
    calls = [];
    canSend = true;
    templates = [];
    down = false;
    mockChatApi();
    onRpc("leadline.conversation", "chat_open", ({ args: [model, id] }) => {
        calls.push(`chat_open ${model} ${id}`);
        return {
            conversations: summaries[id],
            chat_url: "https://chat.test/chat",
            user: { id: serverState.userId, name: "Mitchell Admin" },
            can_send: canSend,
        };
    });
    onRpc("leadline.conversation", "chat_grant", ({ args: [model, id, conversation] }) => {
        calls.push(`chat_grant ${model} ${id} ${conversation}`);
        return { token: "grant", expires: Date.now() / 1000 + 300 };
    });
});

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
        expect(calls.filter((call) => call.startsWith("chat_grant"))).toEqual(["chat_grant crm.lead 1 conv1"]);
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
        expect(texts[3]).toBe("João");
        expect(texts[4]).toBe("Call me");
        expect(texts[5]).toMatch(/can't be shown here\. Open it on the phone\./);
        expect(texts[6]).toBe("Picture is on its way");
        expect(texts[7]).toBe("Too old.");
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

    test("what went wrong is said in words", async () => {
        chat("conv1", [
            agent("one", { status: "failed", error: { code: 131026, plain: "This number is not on WhatsApp." } }),
            agent("two", { status: "unknown" }),
        ]);
        await openTab();
        await shows(".o_leadline_failure", 2);
        expect(queryAllTexts(".o_leadline_failure")).toEqual([
            "This number is not on WhatsApp.",
            "WhatsApp did not answer. It is not known whether this was sent.",
        ]);
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
        expect(calls.some((call) => call.endsWith("/read"))).toBe(false);
        await click(".o_leadline_jump");
        await waitUntil(() => calls.some((call) => call.endsWith("/read")));
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
        await waitUntil(() => calls.includes("POST /conversations/conv1/read"));
    });

    test("what changes about the conversation is asked for, unless it is known", async () => {
        const talk = chat("conv1", [customer("one")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        Object.assign(talk, { owner: "Eve", version: 2 });
        busSays("conv1", "conversation.updated", { version: 2 });
        await waitFor(".o_leadline_owner:contains(Eve)", { timeout: 3000 });
        const asked = () => calls.filter((call) => call === "GET /conversations/conv1").length;
        const before = asked();
        busSays("conv1", "conversation.updated", { version: 2 });
        await waitUntil(() => calls.at(-1).includes("after="));
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
        summaries[1] = [];
        await openTab();
        await waitFor(".o_leadline_empty:contains(No conversation yet)");
        chat("conv1", [customer("hello")]);
        summaries[1] = [summary("conv1")];
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
        expect(calls.filter((call) => call.startsWith("chat_open"))).toHaveLength(2);
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
        await waitUntil(() => calls.includes("POST /conversations/conv1/read"));
    });

    test("nothing is read while the page is hidden", async () => {
        patchWithCleanup(document, { visibilityState: "hidden" });
        chat("conv1", [customer("new")], { unread: 1 });
        await openTab();
        await shows(".o_leadline_unread");
        await animationFrame();
        expect(calls.some((call) => call.endsWith("/read"))).toBe(false);
        patchWithCleanup(document, { visibilityState: "visible" });
        document.dispatchEvent(new Event("visibilitychange"));
        await waitUntil(() => calls.includes("POST /conversations/conv1/read"));
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
        await press("shift+Enter");
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
        await waitUntil(() => calls.includes("POST /conversations/conv1/notes"));
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
        expect(".o_leadline_closed").toHaveText(/24 hours have passed since Ada Lovelace wrote\. Only templates can be sent/);
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
        canSend = false;
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
        down = true;
        await write("are you there?");
        await press("Enter");
        await shows(".o_leadline_trouble");
        expect(".o_leadline_trouble").toHaveText(/Can't reach Leadline\. Your text is kept\./);
        expect(bodies()).toEqual(["are you there?"]);
        expect(statuses()).toEqual(["queued"]);
        down = false;
        await advanceTime(2500);
        await shows(".o_leadline_trouble", 0);
        await waitUntil(() => talk.posts.length === 1);
        expect(bodies()).toEqual(["are you there?"]);
    });

    test("the agent can try again at once", async () => {
        down = true;
        chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_trouble");
        down = false;
        await click(".o_leadline_retry");
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_trouble").toHaveCount(0);
    });

    test("drafts and unsent messages survive leaving the tab", async () => {
        const talk = accepting(chat("conv1", []));
        await openTab();
        await shows(".o_leadline_list");
        down = true;
        await write("first");
        await press("Enter");
        await shows(".o_leadline_message", 1);
        await write("half a tho");
        await click(".o_notebook .nav-link:contains(Other)");
        await waitFor(".other");
        expect(".o_leadline_chat").toHaveCount(0);
        down = false;
        await click(".o_notebook .nav-link:contains(Chat)");
        await waitFor("textarea.o_leadline_input");
        expect(input()).toHaveValue("half a tho");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].text.body).toBe("first");
    });

    test("a refusal is shown as it was said, and not asked for again and again", async () => {
        onRpc("leadline.conversation", "chat_grant", () => {
            calls.push("refused grant");
            throw makeServerError({ message: "You may not read this lead." });
        });
        chat("conv1", []);
        await openTab();
        await shows(".o_leadline_trouble");
        expect(".o_leadline_trouble").toHaveText(/You may not read this lead\./);
        const before = calls.length;
        await advanceTime(30000);
        expect(calls).toHaveLength(before);
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
        summaries[1] = [];
        await openTab();
        await waitFor(".o_leadline_empty:contains(No conversation yet)");
        expect("textarea.o_leadline_input").toHaveCount(0);
    });

    test("a new record has to be saved first", async () => {
        await openTab(false);
        await waitFor(".o_leadline_empty:contains(Save this record to see its chat.)");
        expect(calls).toEqual([]);
    });

    test("another record is another chat; an edit of the record is not", async () => {
        summaries[2] = [summary("conv2")];
        chat("conv1", [customer("of one")]);
        chat("conv2", [customer("of two")]);
        await openTab(1, [1, 2]);
        await shows(".o_leadline_message", 1);
        const root = queryOne(".o_leadline_conversation");
        await contains(".o_field_widget[name=name] input").edit("Renamed");
        await animationFrame();
        expect(queryOne(".o_leadline_conversation")).toBe(root);
        expect(calls.filter((call) => call.startsWith("chat_open"))).toHaveLength(1);
        await contains(".o_pager_next").click();
        await waitFor(".o_leadline_body:contains(of two)", { timeout: 3000 });
        expect(bodies()).toEqual(["of two"]);
        expect(calls.filter((call) => call.startsWith("chat_open"))).toEqual([
            "chat_open crm.lead 1",
            "chat_open crm.lead 2",
        ]);
    });

    test("a late answer for the record before is dropped", async () => {
        const late = new Deferred();
        summaries[2] = [summary("conv2")];
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
        summaries[1] = [
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

    test("two conversations that turned out to be one are shown once", async () => {
        summaries[1] = [summary("conv1"), summary("conv2", { merged_into: "conv1" })];
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
        const before = calls.length;
        busSays("conv1", "message.received");
        await advanceTime(120000);
        expect(calls).toHaveLength(before);
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
