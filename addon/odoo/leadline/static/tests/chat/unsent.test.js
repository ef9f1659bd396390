import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { Deferred, advanceTime, tick } from "@odoo/hoot";
import { allowTranslations, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { Refused, Unreachable } from "@leadline/chat/api";
import { Unsent, asMessage, uuid, withEntries } from "@leadline/chat/unsent";

describe.current.tags("headless");

/** What reached the API, in order. */
let calls;
/** Decides on each call: returns the answer, throws, or waits. */
let answer;
let accepted;
let refusals;
/** Names of those who could not be alerted of a note. */
let alerted;

const api = {
    async send(body) {
        calls.push(body);
        return answer(body);
    },
    async note(body) {
        calls.push({ ...body, type: "note" });
        return answer(body);
    },
    async settle(message, decision) {
        calls.push({ type: "settle", message, ...decision });
        return answer(decision);
    },
    async upload(file, { onProgress, signal }) {
        calls.push({ type: "upload", name: file.name });
        onProgress(0.5);
        return answer({ type: "upload", name: file.name, signal });
    },
};

function unsent(entries = []) {
    return new Unsent({
        api,
        entries,
        onChange: () => {},
        onAccepted: (message) => accepted.push(message.client_id),
        onRefused: (reason) => refusals.push(String(reason)),
        alert: async (note, partners) => {
            calls.push({ type: "alert", note, partners });
            return answer({ type: "alert" });
        },
        onAlerted: (names) => alerted.push(...names),
    });
}

const say = (text) => ({ text, note: false, files: [] });
const bodies = () => calls.map((call) => call.text?.body ?? call.name ?? call.body ?? call.type);
const states = (list) => list.entries.map(({ state }) => state);

const asPicture = (file) => ({ file, as: "image" });
const asPlan = (file) => ({ file, as: "document" });
const asSound = (file) => ({ file, as: "audio" });
const picture = new File(["jpeg"], "sofa.jpg", { type: "image/jpeg" });
const plan = new File(["pdf"], "plan.pdf", { type: "application/pdf" });
const voice = new File(["ogg"], "voice.ogg", { type: "audio/ogg" });

async function settle() {
    for (let i = 0; i < 12; i++) {
        await tick();
    }
}

beforeEach(() => {
    allowTranslations();
    mockDate("2026-11-20 10:00:00");
    calls = [];
    accepted = [];
    refusals = [];
    alerted = [];
    answer = (body) => (body.type === "upload" ? `media:${body.name}` : { id: "m", client_id: body.client_id });
});

describe("order", () => {
    test("one request at a time: the next waits for the answer to the one before", async () => {
        const answers = [];
        answer = () => {
            answers.push(new Deferred());
            return answers.at(-1);
        };
        const list = unsent();
        list.add(say("one"));
        list.add(say("two"));
        await settle();
        expect(bodies()).toEqual(["one"]);
        expect(states(list)).toEqual(["going", "waiting"]);
        answers[0].resolve({ client_id: "1" });
        await settle();
        expect(bodies()).toEqual(["one", "two"]);
        answers[1].resolve({ client_id: "2" });
        await settle();
        expect(list.entries).toEqual([]);
        expect(accepted).toEqual(["1", "2"]);
    });

    test("what can't be delivered holds back what is behind it", async () => {
        let down = true;
        answer = (body) => {
            if (down) {
                throw new Unreachable("down");
            }
            return { client_id: body.client_id };
        };
        const list = unsent();
        list.add(say("one"));
        list.add(say("two"));
        await settle();
        expect(bodies()).toEqual(["one"]);
        down = false;
        await advanceTime(2000);
        await settle();
        expect(bodies()).toEqual(["one", "one", "two"]);
    });

    test("what the API refuses does not", async () => {
        answer = (body) => {
            if (body.text.body === "bad") {
                throw new Refused({ status: 422, code: "invalid", detail: "Too long." });
            }
            return { client_id: body.client_id };
        };
        const list = unsent();
        list.add(say("bad"));
        list.add(say("good"));
        await settle();
        expect(bodies()).toEqual(["bad", "good"]);
        expect(list.entries).toHaveLength(1);
        expect(list.entries[0].state).toBe("refused");
        expect(list.entries[0].reason).toBe("Too long.");
        expect(refusals).toEqual(["Too long."]);
    });
});

describe("lost answers", () => {
    test("a repeated request carries the same client id and the same body", async () => {
        let times = 0;
        answer = (body) => {
            if (times++ < 2) {
                throw new Unreachable("timeout");
            }
            return { client_id: body.client_id };
        };
        const list = unsent();
        list.add(say("hi"));
        await settle();
        expect(list.state.unreachable).toBe(true);
        await advanceTime(2000);
        await settle();
        await advanceTime(4000);
        await settle();
        expect(calls).toHaveLength(3);
        expect(new Set(calls.map((call) => JSON.stringify(call))).size).toBe(1);
        expect(list.state.unreachable).toBe(false);
        expect(accepted).toHaveLength(1);
    });

    test("waits grow to half a minute and start anew after success", async () => {
        answer = () => {
            throw new Unreachable("down");
        };
        const list = unsent();
        list.add(say("hi"));
        await settle();
        for (const wait of [2000, 4000, 8000, 15000, 30000, 30000]) {
            const before = calls.length;
            await advanceTime(wait - 500);
            await settle();
            expect(calls).toHaveLength(before);
            await advanceTime(500);
            await settle();
            expect(calls).toHaveLength(before + 1);
        }
    });

    test("the agent can try at once", async () => {
        let down = true;
        answer = (body) => {
            if (down) {
                throw new Unreachable("down");
            }
            return { client_id: body.client_id };
        };
        const list = unsent();
        list.add(say("hi"));
        await settle();
        down = false;
        await list.drain();
        expect(accepted).toHaveLength(1);
    });

    test("a message that came back with the news is settled", async () => {
        answer = () => {
            throw new Unreachable("timeout after accepting");
        };
        const list = unsent();
        list.add(say("hi"));
        await settle();
        list.settle(new Set([null, calls[0].client_id]));
        expect(list.entries).toEqual([]);
        await advanceTime(60000);
        await settle();
        expect(calls).toHaveLength(1);
    });

    test("an error that is no answer at all is not swallowed", async () => {
        answer = () => {
            throw new TypeError("a mistake of ours");
        };
        const list = unsent();
        const pushed = list.push({ note: false, body: { type: "text", text: { body: "hi" } } });
        await expect(pushed).rejects.toThrow("a mistake of ours");
        expect(list.entries).toHaveLength(1);
        expect(list.running).toBe(false);
    });
});

describe("the agent's choices", () => {
    test("a refused message can be sent again with the same client id", async () => {
        let closed = true;
        answer = (body) => {
            if (closed) {
                throw new Refused({ status: 422, code: "window_closed", detail: "Closed." });
            }
            return { client_id: body.client_id };
        };
        const list = unsent();
        list.add(say("hi"));
        await settle();
        expect(states(list)).toEqual(["refused"]);
        closed = false;
        await list.retry(list.entries[0].clientId);
        expect(calls[1].client_id).toBe(calls[0].client_id);
        expect(list.entries).toEqual([]);
    });

    test("a discarded message is not sent", async () => {
        answer = () => {
            throw new Unreachable("down");
        };
        const list = unsent();
        list.add(say("one"));
        list.add(say("two"));
        await settle();
        list.discard(list.entries[1].clientId);
        list.discard(list.entries[0].clientId);
        answer = (body) => ({ client_id: body.client_id });
        await advanceTime(60000);
        await settle();
        expect(bodies()).toEqual(["one"]);
    });

    test("an upload that is cancelled sends nothing and holds nothing back", async () => {
        const stuck = new Deferred();
        answer = (body) => {
            if (body.type === "upload") {
                body.signal.addEventListener("abort", () => stuck.reject(new Unreachable("upload stopped")));
                return stuck;
            }
            return { client_id: body.client_id };
        };
        const list = unsent();
        list.add({ text: "", note: false, files: [asPicture(picture)] });
        list.add(say("after"));
        await settle();
        list.discard(list.entries[0].clientId);
        await settle();
        expect(bodies()).toEqual(["sofa.jpg", "after"]);
        expect(list.state.unreachable).toBe(false);
    });

    test("a closed tab begins nothing new", async () => {
        const first = new Deferred();
        answer = () => first;
        const list = unsent();
        list.add(say("one"));
        list.add(say("two"));
        await settle();
        list.stop();
        first.resolve({ client_id: "1" });
        await settle();
        await advanceTime(60000);
        expect(bodies()).toEqual(["one"]);
        expect(list.entries.map(({ body }) => body.text.body)).toEqual(["two"]);
    });
});

describe("what is sent", () => {
    test("a note goes to the notes", async () => {
        unsent().add({ text: "psst", note: true, files: [] });
        await settle();
        expect(calls[0].type).toBe("note");
        expect(calls[0].body).toBe("psst");
    });

    test("a file goes up first and is sent by its id with its own type", async () => {
        unsent().add({ text: "look", note: false, files: [asPicture(picture)] });
        await settle();
        expect(calls[0]).toEqual({ type: "upload", name: "sofa.jpg" });
        expect(calls[1].type).toBe("image");
        expect(calls[1].image).toEqual({ id: "media:sofa.jpg", caption: "look" });
    });

    test("each file is a message; the text goes with the first that can carry it", async () => {
        unsent().add({ text: "look", note: false, files: [asSound(voice), asPlan(plan), asPicture(picture)] });
        await settle();
        const sent = calls.filter(({ type }) => type !== "upload");
        expect(sent.map(({ type }) => type)).toEqual(["audio", "document", "image"]);
        expect(sent[0].audio).toEqual({ id: "media:voice.ogg" });
        expect(sent[1].document).toEqual({ id: "media:plan.pdf", caption: "look", filename: "plan.pdf" });
        expect(sent[2].image).toEqual({ id: "media:sofa.jpg" });
    });

    test("text that no file can carry goes before them", async () => {
        unsent().add({ text: "listen", note: false, files: [asSound(voice)] });
        await settle();
        expect(calls.filter(({ type }) => type !== "upload").map(({ type }) => type)).toEqual(["text", "audio"]);
    });

    test("after a lost answer the file is not uploaded again", async () => {
        let times = 0;
        answer = (body) => {
            if (body.type === "upload") {
                return "media1";
            }
            if (times++ === 0) {
                throw new Unreachable("timeout");
            }
            return { client_id: body.client_id };
        };
        unsent().add({ text: "", note: false, files: [asPicture(picture)] });
        await settle();
        await advanceTime(2000);
        await settle();
        expect(calls.map(({ type }) => type)).toEqual(["upload", "image", "image"]);
        expect(calls[2]).toEqual(calls[1]);
    });

    test("client ids are what the API takes, also where the browser has no randomUUID", () => {
        const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
        patchWithCleanup(crypto, { randomUUID: undefined });
        const [one, two] = [uuid(), uuid()];
        expect(one).toMatch(form);
        expect(one).not.toBe(two);
    });
});

describe("found again", () => {
    const kept = (given = {}) => ({
        clientId: "client-1",
        note: false,
        body: { type: "text", text: { body: "hi" } },
        at: "2026-11-20T09:58:00Z",
        ...given,
    });

    test("what was sent minutes ago goes on by itself", async () => {
        const list = unsent([kept()]);
        await list.drain();
        expect(bodies()).toEqual(["hi"]);
        expect(calls[0].client_id).toBe("client-1");
    });

    test("what is older waits for the agent's word", async () => {
        const list = unsent([kept({ at: "2026-11-20T08:00:00Z" })]);
        await list.drain();
        expect(calls).toEqual([]);
        expect(list.entries[0].reason.toString()).toBe("Not sent yet.");
        await list.retry("client-1");
        expect(bodies()).toEqual(["hi"]);
    });

    test("a file that was lost with the page is said to be lost", async () => {
        const list = unsent([kept({ body: { type: "image", image: {} }, fileName: "sofa.jpg" })]);
        await list.drain();
        expect(calls).toEqual([]);
        const message = asMessage(list.entries[0], { id: 2, name: "Bob" });
        expect(message.status).toBe("failed");
        expect(message.unsent.again).toBe(false);
    });
});

describe("more than text and files", () => {
    const ours = (emoji) => ({ emoji, by: "business" });

    test("a reply quotes once, by the first of its messages", async () => {
        const replyTo = { id: "m7", type: "text", preview: "Would it fit?", author: { name: "Ada" } };
        const list = unsent();
        list.add({ ...say("It will"), files: [asSound(voice)], replyTo });
        expect(asMessage(list.entries[0], { id: 2, name: "Bob" }).reply_to).toEqual(replyTo);
        await settle();
        expect(calls.filter(({ type }) => type !== "upload").map(({ context }) => context)).toEqual([
            { message_id: "m7" },
            undefined,
        ]);
    });

    test("a link goes with a preview when the agent chose it", async () => {
        const list = unsent();
        list.add({ ...say("https://a.io"), preview: true });
        list.add(say("https://a.io"));
        await settle();
        expect(calls.map(({ text }) => text)).toEqual([
            { body: "https://a.io", preview_url: true },
            { body: "https://a.io" },
        ]);
    });

    test("a text too long for a caption goes before its file", async () => {
        unsent().add({ ...say("x".repeat(1025)), files: [asPicture(picture)] });
        await settle();
        const sent = calls.filter(({ type }) => type !== "upload");
        expect(sent.map(({ type }) => type)).toEqual(["text", "image"]);
    });

    test("a voice note says that it is one", async () => {
        unsent().add({ ...say(""), files: [{ ...asSound(voice), voice: true }] });
        await settle();
        expect(calls[1].audio).toEqual({ id: "media:voice.ogg", voice: true });
    });

    test("a reaction shows on its message at once, and takes its turn like any message", async () => {
        const stuck = new Deferred();
        answer = () => stuck;
        const list = unsent();
        list.add(say("one"));
        list.react("m1", "👍");
        await settle();
        expect(bodies()).toEqual(["one"]);
        const message = { id: "m1", reactions: [ours("❤️"), { emoji: "😂", by: "customer" }] };
        const shown = withEntries(message, list.entries).reactions;
        expect(shown.map(({ emoji, by, status }) => [emoji, by, status])).toEqual([
            ["😂", "customer", undefined],
            ["👍", "business", "queued"],
        ]);
        expect(message.reactions).toHaveLength(2);
        answer = (body) => ({ client_id: body.client_id });
        stuck.resolve({ client_id: "1" });
        await settle();
        expect(calls[1].reaction).toEqual({ message_id: "m1", emoji: "👍" });
        expect(list.entries).toEqual([]);
    });

    test("one that is taken away is gone at once", () => {
        const list = unsent();
        list.stop();
        list.react("m1", "");
        expect(withEntries({ id: "m1", reactions: [ours("❤️")] }, list.entries).reactions).toEqual([]);
        expect(withEntries({ id: "m2", reactions: [ours("❤️")] }, list.entries).reactions).toHaveLength(1);
    });

    test("what is sent again goes through the API's settling, under its own client id", async () => {
        const list = unsent();
        list.repeat("m3");
        expect(withEntries({ id: "m3" }, list.entries).repeating).toBe(true);
        await settle();
        expect(calls[0].message).toBe("m3");
        expect(calls[0].as).toBe("send_again");
        expect(calls[0].client_id).toMatch(/^[0-9a-f-]{36}$/);
        expect(list.entries).toEqual([]);
    });

    test("a repetition that is asked for twice at once goes once", async () => {
        const list = unsent();
        list.repeat("m1");
        list.repeat("m1");
        await settle();
        expect(calls).toHaveLength(1);
    });

    test("a refused reaction leaves nothing behind and says why", async () => {
        answer = () => {
            throw new Refused({ status: 422, code: "window_closed", detail: "Closed." });
        };
        const list = unsent();
        list.react("m1", "👍");
        await settle();
        expect(list.entries).toEqual([]);
        expect(refusals).toEqual(["Closed."]);
    });

    test("a reaction that was forgotten over a reload is not sent hours later", async () => {
        const body = { type: "reaction", reaction: { message_id: "m1", emoji: "👍" } };
        const list = unsent([{ clientId: "c1", note: false, body, at: "2026-11-20T08:00:00Z" }]);
        await list.drain();
        expect(list.entries).toEqual([]);
        expect(calls).toEqual([]);
    });
});

test("an entry is shown in the shape of the API's messages", () => {
    const list = unsent();
    list.push({ note: false, body: { type: "text", text: { body: "hi" } } });
    const message = asMessage(list.entries[0], { id: 2, name: "Bob" });
    expect(message.text).toEqual({ body: "hi" });
    expect(message.status).toBe("queued");
    expect(message.direction).toBe("out");
    expect(message.author.name).toBe("Bob");
    list.push({ note: true, body: { body: "psst" } });
    const note = asMessage(list.entries[1], { id: 2, name: "Bob" });
    expect([note.type, note.status, note.note.body]).toEqual(["note", null, "psst"]);
});

describe("alerts of a note", () => {
    const note = { text: "ask @Ann", note: true, files: [], mentions: [70] };
    const alerts = () => calls.filter(({ type }) => type === "alert");

    test("colleagues are alerted once the note is there, by the id it was posted under", async () => {
        const list = unsent();
        answer = ({ type }) => (type === "alert" ? ["Bob"] : { client_id: "taken" });
        list.add(note);
        await settle();
        expect(calls.map(({ type }) => type)).toEqual(["note", "alert"]);
        expect(alerts()[0].note).toBe(calls[0].client_id);
        expect(alerts()[0].partners).toEqual([70]);
        expect(alerted).toEqual(["Bob"]);
        expect(accepted).toEqual(["taken"]);
        expect(list.entries).toEqual([]);
    });

    test("an alert whose answer was lost goes again, the note does not", async () => {
        const list = unsent();
        let lost = true;
        answer = ({ type }) => {
            if (type === "alert" && lost) {
                lost = false;
                throw new Unreachable("gone");
            }
            return [];
        };
        list.add(note);
        await settle();
        expect(list.state.unreachable).toBe(true);
        await advanceTime(2000);
        await settle();
        expect(calls.map(({ type }) => type)).toEqual(["note", "alert", "alert"]);
        expect(list.entries).toEqual([]);
    });

    test("a note that came back with the news is alerted of too", async () => {
        const list = unsent();
        answer = ({ type }) => {
            if (type !== "alert") {
                throw new Unreachable("answer lost");
            }
            return [];
        };
        list.add(note);
        await settle();
        const [{ clientId }] = list.entries;
        list.settle(new Set([clientId]));
        await list.drain();
        await settle();
        expect(alerts()).toHaveLength(1);
    });

    test("nobody is alerted of a note that was refused, until it goes after all; thrown away, never", async () => {
        const list = unsent();
        answer = () => {
            throw new Refused({ status: 422, detail: "Too long." });
        };
        list.add(note);
        await settle();
        expect(alerts()).toEqual([]);
        answer = () => [];
        await list.retry(list.entries[0].clientId);
        await settle();
        expect(alerts()).toHaveLength(1);
        answer = () => {
            throw new Refused({ status: 422, detail: "Too long." });
        };
        list.add(note);
        await settle();
        list.discard(list.entries[0].clientId);
        await settle();
        expect(list.entries).toEqual([]);
        expect(alerts()).toHaveLength(1);
    });

    test("one that waits survives a reload, however late", async () => {
        const at = new Date(Date.now() - 3600000).toISOString();
        answer = () => [];
        const list = unsent([{ clientId: "a", after: "n", alerts: [70], body: {}, at, note: false }]);
        await list.drain();
        await settle();
        expect(alerts()).toHaveLength(1);
    });
});
