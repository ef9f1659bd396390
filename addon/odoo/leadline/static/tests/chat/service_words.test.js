import { describe, expect, test } from "@odoo/hoot";
import { patchTranslations } from "@web/../tests/web_test_helpers";
import { Refused } from "@leadline/chat/api";
import { inOurWords } from "@leadline/chat/service_words";

describe.current.tags("headless");

const BUSY = "WhatsApp is busy; the message is tried again by itself.";

test("what the service says is told in the agent's language", () => {
    patchTranslations({ leadline: { [BUSY]: "O WhatsApp está ocupado." } });
    expect(inOurWords(BUSY)).toBe("O WhatsApp está ocupado.");
    expect(new Refused({ status: 422, detail: BUSY }).message).toBe("O WhatsApp está ocupado.");
});

test("what nobody has inOurWords is told as it came", () => {
    patchTranslations({ leadline: {} });
    expect(inOurWords("100% of this is new: %s.")).toBe("100% of this is new: %s.");
    expect(inOurWords(null)).toBe("");
});
