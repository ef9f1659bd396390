import { describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { kindOf, sizeLabel, takesCaption } from "@leadline/chat/attachment";

describe.current.tags("headless");

const MB = 1024 * 1024;

test("each file goes as the kind WhatsApp takes it for", () => {
    expect(kindOf({ type: "image/jpeg", size: MB }).type).toBe("image");
    expect(kindOf({ type: "video/mp4", size: MB }).type).toBe("video");
    expect(kindOf({ type: "audio/ogg", size: MB }).type).toBe("audio");
    expect(kindOf({ type: "application/pdf", size: MB }).type).toBe("document");
});

test("what is no picture to WhatsApp, or too large for one, goes as a document", () => {
    expect(kindOf({ type: "image/heic", size: MB })).toEqual({ type: "document", refused: null });
    expect(kindOf({ type: "image/jpeg", size: 6 * MB })).toEqual({ type: "document", refused: null });
    expect(kindOf({ type: "", size: 10 })).toEqual({ type: "document", refused: null });
});

test("too large for WhatsApp, or empty, is refused with the limit named", () => {
    allowTranslations();
    expect(String(kindOf({ type: "video/mp4", size: 101 * MB }).refused)).toBe(
        "Too large: WhatsApp takes up to 100 MB."
    );
    expect(String(kindOf({ type: "text/plain", size: 0 }).refused)).toBe("This file is empty.");
});

test("all but audio take a caption", () => {
    expect(["image", "video", "document", "audio"].map(takesCaption)).toEqual([true, true, true, false]);
});

test("sizes are told as people read them", () => {
    expect(sizeLabel(293 * 1024)).toBe("293 kB");
    expect(sizeLabel(1.25 * MB)).toBe("1.3 MB");
    expect(sizeLabel(100 * MB)).toBe("100 MB");
});
