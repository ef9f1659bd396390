import { describe, expect, mockDate, test } from "@odoo/hoot";
import { patchTranslations, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { localization } from "@web/core/l10n/localization";
import { Refused } from "@leadline/chat/api";
import { inOurWords } from "@leadline/chat/service_words";

describe.current.tags("headless");

const BUSY = "WhatsApp is busy; the message is tried again by itself.";

test("what the service says is told in the agent's language", () => {
    patchTranslations({ leadline: { [BUSY]: "O WhatsApp está ocupado." } });
    expect(inOurWords(BUSY)).toBe("O WhatsApp está ocupado.");
    expect(new Refused({ status: 422, detail: BUSY }).message).toBe("O WhatsApp está ocupado.");
});

test("a refusal with a time is told in the agent's language and time", () => {
    mockDate("2026-11-28 12:00:00", 2);
    patchWithCleanup(localization, { timeFormat: "HH:mm:ss" });
    patchTranslations({
        leadline: {
            "The 24 hours for free text ended at %s. Send a template instead.": "Terminou às %s.",
            "Word of it may still come. You can decide from %s on.": "A partir das %s.",
        },
    });
    const detail = "The 24-hour window closed at 2026-11-28 07:05 UTC. Send a template instead.";
    const refused = (problem) => new Refused({ status: 422, detail, ...problem }).message;
    expect(refused({ code: "window_closed", until: "2026-11-28T07:05:00+00:00" })).toBe("Terminou às 09:05.");
    expect(refused({ code: "too_early", since: "2026-11-28T07:05:00+00:00" })).toBe("A partir das 09:05.");
    expect(refused({ code: "window_closed", until: null })).toBe(detail);
});

test("what nobody has inOurWords is told as it came", () => {
    patchTranslations({ leadline: {} });
    expect(inOurWords("100% of this is new: %s.")).toBe("100% of this is new: %s.");
    expect(inOurWords(null)).toBe("");
});
