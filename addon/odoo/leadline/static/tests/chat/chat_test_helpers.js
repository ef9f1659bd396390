/** The tab in a form, with the chat API and Odoo's answers played. */
import { beforeEach, mockDate } from "@odoo/hoot";
import { animationFrame, queryAll, queryAllTexts, queryOne, waitUntil } from "@odoo/hoot";
import { onWebsocketEvent } from "@bus/../tests/mock_websocket";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { LIMITS } from "@leadline/chat/attachment";

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
const BASE = "https://chat.test/chat/v1";
export const NOW = Date.UTC(2026, 10, 20, 10);
export const PIXEL =
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

/** The world that a test plays in; made anew for each. */
export const world = {
    /** @type {Object<number, ReturnType<typeof summary>[]>} what chat_open answers, by record */
    summaries: {},
    /** Conversations of the chat API by id. */
    chats: {},
    /** What reached the chat API and Odoo. */
    calls: [],
    canSend: true,
    /** Of the line. */
    templates: [],
    /** What chat_open says of writing first. */
    invitation: null,
    /** What chat_records answers. */
    records: null,
    /** Set to make the chat API unreachable. */
    down: false,
    /** What WhatsApp takes, as the chat API tells. */
    limits: LIMITS,
};
let serial;

export function summary(id, given = {}) {
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

export function message(given = {}) {
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

export const customer = (text, given) => message({ text, ...given });
export const agent = (text, given) =>
    message({
        text,
        direction: "out",
        status: "sent",
        author: { kind: "agent", id: "9", name: "Bob" },
        ...given,
    });

export function chat(id, messages = [], given = {}) {
    world.chats[id] = { messages, unread: 0, until: new Date(NOW + 4 * 3600000).toISOString(), ...given };
    return world.chats[id];
}

export function json(value, status = 200) {
    return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

function mockChatApi() {
    const route = (path, answer) =>
        onRpc(
            `${BASE}${path}`,
            async (request, { id } = {}) => {
                const { pathname, search } = new URL(request.url);
                world.calls.push(`${request.method} ${pathname.replace("/chat/v1", "")}${search}`);
                if (world.down) {
                    throw new TypeError("Failed to fetch");
                }
                const text = request.method === "POST" ? await request.text() : "";
                const body = text ? JSON.parse(text) : null;
                return answer(world.chats[id], body, request);
            },
            { pure: true }
        );
    route("/conversations/<id>", (chat, body, request) =>
        json({
            id: request.url.split("/").pop(),
            line: { id: "line1", name: "Shop", number: "+1 555 010 0001", health: chat.health || null },
            contact: { name: "Ada Lovelace", phone: "+15550102030", consent: chat.consent || null },
            window: { open: !chat.closed && new Date(chat.until) > Date.now(), until: chat.until },
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
    route("/templates", () => json({ items: world.templates, next: null }));
    route("/media", () => json({ id: "media1", upload: { method: "PUT", url: `${BASE}/up/1`, headers: {} } }, 201));
    route("/up/1", () => json({}));
    route("/limits", () => json(world.limits));
    route("/conversations/<id>/typing", () => json({}, 202));
    route("/conversations/<id>/messages/<message>/fetch", () => json({}, 202));
    route("/conversations/<id>/messages/<message>/settle", (chat, body, request) =>
        chat.settle(request.url.split("/").at(-2), body)
    );
}

/** The API takes a message: it joins the conversation as queued. */
export function accepting(chat) {
    chat.posts = [];
    chat.send = (body) => {
        chat.posts.push(body);
        const { client_id, type } = body;
        const accepted = agent(undefined, { type, [type]: body[type], status: "queued", client_id });
        if (body[type].id) {
            accepted.media = { mime: "image/png", name: null, size: 70, state: "stored", url: PIXEL };
        }
        if (body.context) {
            const { id, type, text, author } = chat.messages.find(({ id }) => id === body.context.message_id);
            accepted.reply_to = { id, type, preview: text?.body ?? null, author };
        }
        accepted.author = { kind: "agent", id: String(serverState.userId), name: "Mitchell Admin" };
        chat.messages.push(accepted);
        return json(accepted, 202);
    };
    return chat;
}

export async function openTab(resId = 1, resIds) {
    let listens = false;
    const forget = onWebsocketEvent("subscribe", () => (listens = true));
    const view = await mountView({ type: "form", resModel: "crm.lead", resId, resIds, arch: ARCH });
    // The first tab of a run takes its time.
    await waitUntil(() => listens, { timeout: 10000 });
    forget();
    await animationFrame();
    return view;
}

/** Wait until a selector is there this many times. */
export async function shows(selector, count = 1) {
    await waitUntil(() => queryAll(selector).length === count, {
        timeout: 3000,
        message: () => `${selector}: ${queryAll(selector).length} instead of ${count}`,
    });
}

export const bodies = () => queryAllTexts(".o_leadline_body");
export const statuses = () => queryAll(".o_leadline_message").map((el) => el.dataset.status);
export const input = () => queryOne("textarea.o_leadline_input");

export async function write(text) {
    await contains("textarea.o_leadline_input").edit(text, { confirm: false });
}

/** Odoo's bus says that something happened in a conversation. */
export function busSays(conversation, event, given = {}) {
    MockServer.env["bus.bus"]._sendone("broadcast", "leadline/conversation", {
        conversation,
        message: null,
        event,
        unread: 0,
        version: 1,
        ...given,
    });
}

/** Call it once in a file of tests. */
export function playChat() {
    defineMailModels();
    defineModels([Lead, LeadlineConversation]);
    beforeEach(() => {
        mockDate("2026-11-20 10:00:00", 0);
        browser.localStorage.clear();
        serial = 0;
        const summaries = { 1: [summary("conv1")], 2: [] };
        Object.assign(world, { summaries, chats: {}, calls: [], canSend: true, templates: [], down: false });
        world.invitation = null;
        world.records = { lead: null, contact: null, others: [], can_switch: false, card: null, languages: [] };
        world.limits = structuredClone(LIMITS);
        mockChatApi();
        onRpc("leadline.conversation", "chat_open", ({ args: [model, id] }) => {
            world.calls.push(`chat_open ${model} ${id}`);
            return {
                conversations: world.summaries[id],
                chat_url: "https://chat.test/chat",
                user: { id: serverState.userId, name: "Mitchell Admin" },
                can_send: world.canSend,
                invitation: world.invitation,
            };
        });
        onRpc("leadline.conversation", "chat_records", () => world.records);
        onRpc("leadline.conversation", "inbox_status", () => ({ mine: 0, unassigned: 0, rung: [] }));
        onRpc("leadline.conversation", "chat_grant", ({ args: [model, id, conversation] }) => {
            world.calls.push(`chat_grant ${model} ${id} ${conversation}`);
            return { token: "grant", expires: Date.now() / 1000 + 300 };
        });
    });
}
