import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { Deferred, advanceTime, tick } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { Refused, Unreachable } from "@leadline/chat/api";
import { Reader } from "@leadline/chat/reader";

describe.current.tags("headless");

let calls;
/** Newest page; pages by `before`; changes by `after`. */
let pages;
let changes;
let conversation;
let fails;

const api = {
    async conversation() {
        calls.push("conversation");
        return answered({ ...conversation });
    },
    async messages({ before, after } = {}) {
        calls.push(after ? `after ${after}` : before ? `before ${before}` : "newest");
        return answered(after ? changes(after) : pages[before ?? "newest"]);
    },
    async read(id) {
        calls.push(`read ${id}`);
        return answered({ read: 9, unread: 0 });
    },
};

async function answered(value) {
    if (fails) {
        throw fails;
    }
    return value;
}

function message(id, given = {}) {
    return {
        id,
        version: 1,
        sort: id,
        at: "2026-11-20T10:00:00Z",
        direction: "in",
        type: "text",
        client_id: null,
        author: { kind: "customer" },
        ...given,
    };
}

const picture = (id, url) => message(id, { type: "image", media: { state: "stored", url } });
const shown = (reader) => reader.state.messages.map(({ id }) => id);

async function opened() {
    const reader = new Reader(api);
    await reader.news();
    calls = [];
    return reader;
}

beforeEach(() => {
    allowTranslations();
    mockDate("2026-11-20 10:00:00");
    calls = [];
    fails = null;
    conversation = { id: "conv1", unread: 0, window: { open: true, until: null } };
    pages = {
        newest: { items: [message("m3"), message("m4")], next: "m3", cursor: "10" },
        m3: { items: [message("m1"), message("m2")], next: null, cursor: "3" },
    };
    changes = () => ({ items: [], next: null, cursor: "10" });
});

describe("opening", () => {
    test("reads the conversation and one page, whatever its length", async () => {
        const reader = new Reader(api);
        await reader.news();
        expect(calls).toEqual(["conversation", "newest"]);
        expect(reader.state.phase).toBe("ready");
        expect(shown(reader)).toEqual(["m3", "m4"]);
    });

    test("what fails is tried again by the next question", async () => {
        const reader = new Reader(api);
        fails = new Unreachable("down");
        await reader.news();
        expect(reader.state.phase).toBe("loading");
        expect(reader.state.trouble.kind).toBe("unreachable");
        fails = null;
        await reader.news();
        expect(reader.state.phase).toBe("ready");
        expect(reader.state.trouble).toBe(null);
    });

    test("a refusal is kept with its sentence", async () => {
        const reader = new Reader(api);
        fails = new Refused({ status: 403, detail: "Not your conversation." });
        await reader.news();
        expect(reader.state.trouble).toEqual({ kind: "refused", text: "Not your conversation." });
    });
});

describe("a conversation that was joined to an older one", () => {
    test("shows what was said there, however long ago", async () => {
        const reader = await opened();
        const elder = { conversation: "conv0" };
        conversation = { ...conversation, id: "conv0" };
        pages.newest = { items: [message("e1", elder), message("m3", elder)], next: "e1", cursor: "20" };
        changes = () => ({ items: [message("m3", { version: 2, ...elder })], next: null, cursor: "20" });
        expect(await reader.news()).toBe(true);
        expect(calls).toEqual(["after 10", "conversation", "newest"]);
        expect(shown(reader)).toEqual(["e1", "m3", "m4"]);
        expect(reader.state.older).toBe("e1");
        changes = () => ({ items: [message("m5", elder)], next: null, cursor: "21" });
        calls = [];
        await reader.news();
        expect(calls[0]).toBe("after 20");
        expect(calls).not.toInclude("newest");
    });

    test("shows what changed meanwhile in messages that are older than its newest page", async () => {
        const reader = await opened();
        const elder = { conversation: "conv0" };
        conversation = { ...conversation, id: "conv0" };
        pages.newest = { items: [message("m5", elder)], next: "m5", cursor: "30" };
        changes = (after) =>
            after === "10"
                ? { items: [message("m4", { version: 2, ...elder })], next: "15", cursor: "15" }
                : { items: [message("m3", { version: 7, ...elder })], next: null, cursor: "20" };
        await reader.news();
        expect(calls.slice(0, 4)).toEqual(["after 10", "conversation", "newest", "after 15"]);
        expect(reader.state.messages.find(({ id }) => id === "m3").version).toBe(7);
        expect(reader.cursor).toBe("20");
    });
});

describe("older pages", () => {
    test("stand before what is loaded, until the beginning", async () => {
        const reader = await opened();
        await reader.older();
        expect(calls).toEqual(["before m3"]);
        expect(shown(reader)).toEqual(["m1", "m2", "m3", "m4"]);
        await reader.older();
        expect(calls).toEqual(["before m3"]);
    });

    test("are asked for once, however often the agent scrolls", async () => {
        const reader = await opened();
        await Promise.all([reader.older(), reader.older(), reader.older()]);
        expect(calls).toEqual(["before m3"]);
    });

    test("don't move the place from which news are asked for", async () => {
        const reader = await opened();
        await reader.older();
        await reader.news();
        expect(calls.at(-1)).toBe("after 10");
    });

    test("a page that fails can be asked for again", async () => {
        const reader = await opened();
        fails = new Unreachable("down");
        await reader.older();
        expect(reader.state.loadingOlder).toBe(false);
        fails = null;
        await reader.older();
        expect(shown(reader)).toHaveLength(4);
    });
});

describe("news", () => {
    test("go on until there is no next page, then remember the cursor", async () => {
        const reader = await opened();
        const answers = {
            10: { items: [message("m5")], next: "10~m5", cursor: "12" },
            "10~m5": { items: [message("m6")], next: null, cursor: "15" },
            15: { items: [], next: null, cursor: "15" },
        };
        changes = (after) => answers[after];
        expect(await reader.news()).toBe(true);
        expect(shown(reader)).toEqual(["m3", "m4", "m5", "m6"]);
        expect(await reader.news()).toBe(false);
        expect(calls.filter((call) => call.startsWith("after"))).toEqual(["after 10", "after 10~m5", "after 15"]);
    });

    test("what is repeated is no news", async () => {
        const reader = await opened();
        changes = () => ({ items: [message("m4")], next: null, cursor: "10" });
        const before = reader.state.messages;
        expect(await reader.news()).toBe(false);
        expect(reader.state.messages).toBe(before);
    });

    test("the customer's word asks for the conversation too: the window has moved", async () => {
        const reader = await opened();
        changes = () => ({ items: [message("m5")], next: null, cursor: "11" });
        await reader.news();
        expect(calls).toEqual(["after 10", "conversation"]);
    });

    test("the same word repeated does not", async () => {
        const reader = await opened();
        const sent = message("m5", { direction: "out" });
        changes = () => ({ items: [message("m4"), sent], next: null, cursor: "11" });
        await reader.news();
        expect(calls).toEqual(["after 10"]);
    });

    test("a tick of ours does not", async () => {
        const reader = await opened();
        changes = () => ({ items: [message("m5", { direction: "out" })], next: null, cursor: "11" });
        await reader.news();
        expect(calls).toEqual(["after 10"]);
    });

    test("who asks meanwhile gets one more round, not one each", async () => {
        const reader = await opened();
        const first = new Deferred();
        let round = 0;
        changes = () => (round++ ? { items: [message("m5")], next: null, cursor: "11" } : first);
        const asked = [reader.news(), reader.news(), reader.news()];
        await tick();
        first.resolve({ items: [], next: null, cursor: "10" });
        expect(await Promise.all(asked)).toEqual([true, true, true]);
        expect(calls.filter((call) => call.startsWith("after"))).toHaveLength(2);
    });

    test("an answer to our own send is part of the conversation at once", async () => {
        const reader = await opened();
        reader.take([message("m5", { direction: "out", client_id: "c" })]);
        expect(shown(reader)).toEqual(["m3", "m4", "m5"]);
    });
});

describe("read marks", () => {
    test("nothing unread, nothing told", async () => {
        const reader = await opened();
        await reader.look(true);
        expect(calls).toEqual([]);
        expect(reader.state.unreadFrom).toBe(null);
    });

    test("watching the newest message marks everything read, and the mark stays to be seen", async () => {
        conversation.unread = 1;
        const reader = await opened();
        expect(reader.state.unreadFrom).toBe("m4");
        expect(reader.state.seen).toBe("m3");
        await reader.look(true);
        expect(calls).toEqual(["read m4"]);
        expect(reader.state.conversation.unread).toBe(0);
        expect(reader.state.unreadFrom).toBe("m4");
        await reader.look(true);
        expect(calls).toHaveLength(1);
    });

    test("who does not watch has not read", async () => {
        const reader = await opened();
        reader.take([message("m5"), message("m6")]);
        await reader.look(false);
        expect(calls).toEqual([]);
        expect(reader.state.unreadFrom).toBe("m5");
        expect(reader.unseen.map(({ id }) => id)).toEqual(["m5", "m6"]);
        reader.take([message("m7")]);
        await reader.look(false);
        expect(reader.state.unreadFrom).toBe("m5");
        await reader.look(true);
        expect(calls).toEqual(["read m7"]);
    });

    test("the mark moves to what came after it was seen", async () => {
        conversation.unread = 1;
        const reader = await opened();
        await reader.look(true);
        reader.take([message("m5")]);
        await reader.look(false);
        expect(reader.state.unreadFrom).toBe("m5");
    });

    test("what comes in while marking is marked next", async () => {
        conversation.unread = 1;
        const reader = await opened();
        const looking = reader.look(true);
        reader.take([message("m5")]);
        await looking;
        expect(calls).toEqual(["read m4", "read m5"]);
    });

    test("a mark that could not be told is told later", async () => {
        conversation.unread = 1;
        const reader = await opened();
        fails = new Unreachable("down");
        await reader.look(true);
        expect(reader.state.seen).toBe("m3");
        fails = null;
        await reader.look(true);
        expect(calls).toEqual(["read m4", "read m4"]);
    });
});

describe("addresses of files", () => {
    test("a young address is used as it is", async () => {
        pages.newest.items = [picture("m4", "u1")];
        const reader = await opened();
        expect(await reader.mediaUrl(reader.state.messages[0])).toBe("u1");
        expect(calls).toEqual([]);
    });

    test("an old or broken one is signed anew by reading its page", async () => {
        pages.newest.items = [picture("m4", "u1")];
        const reader = await opened();
        pages.newest.items = [picture("m4", "u2")];
        expect(await reader.mediaUrl(reader.state.messages[0], { broken: true })).toBe("u2");
        await advanceTime(5 * 60 * 1000);
        pages.newest.items = [picture("m4", "u3")];
        expect(await reader.mediaUrl(reader.state.messages[0])).toBe("u3");
        expect(calls).toEqual(["newest", "newest"]);
    });

    test("a message of an older page is found on that page", async () => {
        pages.m3.items = [picture("m1", "u1")];
        const reader = await opened();
        await reader.older();
        pages.m3.items = [picture("m1", "u2")];
        expect(await reader.mediaUrl(reader.state.messages[0], { broken: true })).toBe("u2");
        expect(calls).toEqual(["before m3", "before m3"]);
    });

    test("repeated news bring a fresh address without a change of the message", async () => {
        pages.newest.items = [picture("m4", "u1")];
        const reader = await opened();
        const before = reader.state.messages;
        changes = () => ({ items: [picture("m4", "u2")], next: null, cursor: "10" });
        await reader.news();
        expect(reader.state.messages).toBe(before);
        expect(reader.addressOf(before[0])).toBe("u2");
    });

    test("a file of this browser has its own address", async () => {
        const reader = await opened();
        const message = { ...picture("unsent:1", "blob:1"), unsent: {} };
        expect(await reader.mediaUrl(message, { broken: true })).toBe("blob:1");
        expect(calls).toEqual([]);
    });
});
