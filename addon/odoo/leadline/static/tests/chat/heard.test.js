import { expect, test } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { Heard } from "@leadline/chat/heard";

const KEY = "leadline.heard.7";

test("what was played is remembered over a reload, by all windows of the browser", () => {
    const [here, there] = [new Heard(KEY), new Heard(KEY)];
    here.add("m1");
    there.add("m2");
    here.add("m3");
    const later = new Heard(KEY);
    expect(["m1", "m2", "m3", "m4"].filter((id) => later.has(id))).toEqual(["m1", "m2", "m3"]);
});

test("so many are remembered, the newest", () => {
    browser.localStorage.setItem(KEY, JSON.stringify(Array.from({ length: 2000 }, (_, i) => `m${i}`)));
    new Heard(KEY).add("new");
    const later = new Heard(KEY);
    expect(["m0", "m1", "m1999", "new"].filter((id) => later.has(id))).toEqual(["m1", "m1999", "new"]);
});

test("a storage that is full or holds something else costs nothing", () => {
    browser.localStorage.setItem(KEY, "{not json");
    const heard = new Heard(KEY);
    patchWithCleanup(console, { warn: () => {} });
    heard.storage = {
        getItem: () => "7",
        setItem: () => {
            throw new DOMException("full", "QuotaExceededError");
        },
    };
    heard.add("m1");
    expect(heard.has("m1")).toBe(true);
});
