import { describe, expect, test } from "@odoo/hoot";
import { Unreachable } from "@leadline/chat/api";
import { LIMITS } from "@leadline/chat/attachment";
import { Limits } from "@leadline/chat/limits";

describe.current.tags("headless");

const told = structuredClone(LIMITS);

test("the API is asked once", async () => {
    let asked = 0;
    const api = { base: "https://one.test", limits: async () => (asked++, told) };
    const limits = new Limits();
    expect(await limits.of(api)).toBe(told);
    await limits.of(api);
    expect(asked).toBe(1);
});

test("while it can't tell our own table serves, and it is asked again", async () => {
    let down = true;
    const api = {
        base: "https://one.test",
        async limits() {
            if (down) {
                throw new Unreachable("down");
            }
            return told;
        },
    };
    const limits = new Limits();
    expect(await limits.of(api)).toBe(LIMITS);
    down = false;
    expect(await limits.of(api)).toBe(told);
});
