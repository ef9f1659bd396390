import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { makeRAMLocalStorage } from "@web/core/browser/browser";
import { Drafts } from "@leadline/chat/drafts";

describe.current.tags("headless");

const DAY = 24 * 60 * 60 * 1000;

let storage;

beforeEach(() => {
    storage = makeRAMLocalStorage();
    // The stand-in has no key(): forgetting old drafts needs one.
    const keys = [];
    storage.setItem = ((set) => (key, value) => {
        keys.includes(key) || keys.push(key);
        set(key, value);
    })(storage.setItem);
    storage.key = (i) => keys.filter((key) => storage.getItem(key) !== null)[i] ?? null;
});

function write(drafts, user, conversation, values) {
    Object.assign(drafts.of(user, conversation), values);
    drafts.save(user, conversation);
}

test("a draft survives leaving the tab and reloading the page", () => {
    const drafts = new Drafts(storage);
    write(drafts, 2, "conv1", { text: "half a thought", note: true });
    expect(drafts.of(2, "conv1").text).toBe("half a thought");
    const reloaded = new Drafts(storage).of(2, "conv1");
    expect([reloaded.text, reloaded.note]).toEqual(["half a thought", true]);
});

test("every user and every conversation has its own", () => {
    const drafts = new Drafts(storage);
    write(drafts, 2, "conv1", { text: "mine" });
    expect(drafts.of(3, "conv1").text).toBe("");
    expect(drafts.of(2, "conv2").text).toBe("");
});

test("files survive leaving the tab, not a reload", () => {
    const drafts = new Drafts(storage);
    const file = new File(["x"], "x.txt");
    write(drafts, 2, "conv1", { text: "see file", files: [file] });
    expect(drafts.of(2, "conv1").files).toEqual([file]);
    expect(new Drafts(storage).of(2, "conv1").files).toEqual([]);
});

test("what was not answered is kept without its passing state", () => {
    const drafts = new Drafts(storage);
    const entry = {
        clientId: "c1",
        note: false,
        body: { type: "text", text: { body: "hi" } },
        at: "2026-11-20T10:00:00Z",
        state: "going",
        progress: 0.5,
    };
    write(drafts, 2, "conv1", { unsent: [entry] });
    expect(new Drafts(storage).of(2, "conv1").unsent).toEqual([
        { clientId: "c1", note: false, body: entry.body, at: entry.at },
    ]);
});

test("what was refused is still refused after a reload, so that nothing goes by itself", () => {
    const entry = {
        clientId: "c1",
        note: false,
        body: { type: "text", text: { body: "hi" } },
        at: "2026-11-20T10:00:00Z",
        state: "refused",
        reason: "The window is closed.",
    };
    write(new Drafts(storage), 2, "conv1", { unsent: [entry] });
    expect(new Drafts(storage).of(2, "conv1").unsent).toEqual([entry]);
});

test("an empty draft leaves nothing behind", () => {
    const drafts = new Drafts(storage);
    write(drafts, 2, "conv1", { text: "x" });
    write(drafts, 2, "conv1", { text: "" });
    expect(storage.length).toBe(0);
});

test("a full or broken storage costs the reload, not the draft", () => {
    const warnings = [];
    patchWithCleanup(console, { warn: (...words) => warnings.push(words.join(" ")) });
    const drafts = new Drafts(storage);
    storage.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
    };
    write(drafts, 2, "conv1", { text: "still here" });
    expect(drafts.of(2, "conv1").text).toBe("still here");
    expect(warnings).toEqual(["Leadline: the draft could not be kept QuotaExceededError"]);
    storage = makeRAMLocalStorage();
    storage.setItem("leadline.draft.2.conv1", "{not json");
    expect(new Drafts(storage).of(2, "conv1").text).toBe("");
});

test("drafts nobody touched for a month are forgotten, other keys are not ours", () => {
    mockDate("2026-11-20 10:00:00");
    const saved = (age) => JSON.stringify({ text: "x", note: false, unsent: [], saved: Date.now() - age });
    storage.setItem("leadline.draft.2.old", saved(31 * DAY));
    storage.setItem("leadline.draft.2.new", saved(29 * DAY));
    storage.setItem("somebody.else", "x");
    const drafts = new Drafts(storage);
    expect(drafts.of(2, "old").text).toBe("");
    expect(drafts.of(2, "new").text).toBe("x");
    expect(storage.getItem("somebody.else")).toBe("x");
});

test("a template that is being filled in survives a reload, with the files that are up", () => {
    const file = new File(["x"], "x.png");
    const values = { "body.1": "Ada", header: { id: "media1", name: "x.png", file, preview: "blob:x" } };
    const filling = { key: "hello/en_US", clientId: "client-1", values };
    write(new Drafts(storage), 2, "conv1", { filling });
    expect(new Drafts(storage).of(2, "conv1").filling).toEqual({
        ...filling,
        values: { "body.1": "Ada", header: { id: "media1", name: "x.png" } },
    });
    const underWay = { ...filling, values: { header: { id: null, name: "x.png", file } } };
    write(new Drafts(storage), 2, "conv1", { filling: underWay });
    expect(new Drafts(storage).of(2, "conv1").filling.values).toEqual({});
});

test("who is mentioned is kept with the note, and who is to be alerted", () => {
    const entry = { clientId: "a1", after: "n1", alerts: [70], body: {}, at: "2026-11-20T10:00:00Z", note: false };
    const mentions = [{ name: "Ann", partner_id: 70 }];
    write(new Drafts(storage), 2, "conv1", { text: "@Ann", note: true, mentions, unsent: [entry] });
    const reloaded = new Drafts(storage).of(2, "conv1");
    expect(reloaded.mentions).toEqual(mentions);
    expect([reloaded.unsent[0].alerts, reloaded.unsent[0].after]).toEqual([[70], "n1"]);
});
