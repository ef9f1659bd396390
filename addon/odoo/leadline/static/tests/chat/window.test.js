import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { allowTranslations, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { localization } from "@web/core/l10n/localization";
import { countdown } from "@leadline/chat/window";

describe.current.tags("headless");

const MINUTE = 60000;
const NOW = Date.UTC(2026, 10, 20, 10);

beforeEach(() => {
    allowTranslations();
    mockDate("2026-11-20 10:00:00", 0);
    patchWithCleanup(localization, { timeFormat: "HH:mm:ss" });
});

const until = (minutes) => ({ open: true, until: new Date(NOW + minutes * MINUTE).toISOString() });

const shown = (window, now = NOW) => String(countdown(window, now).text);

test("the countdown says until when and how long", () => {
    expect(shown(until(245))).toBe("Free text until 14:05, 4 h left");
    expect(shown(until(119))).toBe("Free text until 11:59, 119 min left");
    expect(shown(until(1))).toBe("Free text until 10:01, 1 min left");
    expect(shown(until(0.5))).toBe("Free text until 10:00, less than a minute left");
});

test("it warns in the last two hours", () => {
    expect(countdown(until(121), NOW).soon).toBe(false);
    expect(countdown(until(119), NOW).soon).toBe(true);
});

test("the window closes by itself when its time has come", () => {
    expect(countdown(until(1), NOW + MINUTE).open).toBe(false);
    expect(countdown(until(1), NOW + MINUTE - 1).open).toBe(true);
});

test("what the service says is closed stays closed, whatever this clock says", () => {
    expect(countdown({ ...until(100), open: false }, NOW).open).toBe(false);
    expect(countdown({ open: false, until: null }, NOW).open).toBe(false);
    expect(countdown(null, NOW).open).toBe(false);
});

test("`next` is when the text changes", () => {
    const window = until(90.25);
    const { next } = countdown(window, NOW);
    expect(shown(window, NOW + next - 2)).toBe(shown(window));
    expect(shown(window, NOW + next)).not.toBe(shown(window));
});
