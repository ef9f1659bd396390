import { describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { LIMITS, sizeLabel, takesCaption, waysOf } from "@leadline/chat/attachment";

describe.current.tags("headless");

const MB = 1024 * 1024;

const usual = (file, limits) => waysOf(file, limits).ways[0];

test("each file goes as the kind WhatsApp takes it for", () => {
    expect(usual({ type: "image/jpeg", size: MB })).toBe("image");
    expect(usual({ type: "video/mp4", size: MB })).toBe("video");
    expect(usual({ type: "audio/ogg; codecs=opus", size: MB })).toBe("audio");
    expect(usual({ type: "application/pdf", size: MB })).toBe("document");
    expect(usual({ type: "", size: 10 })).toBe("document");
});

test("the agent may send a picture as a document, and a WebP as a sticker", () => {
    expect(waysOf({ type: "image/png", size: MB }).ways).toEqual(["image", "document"]);
    expect(waysOf({ type: "image/webp", size: 90 * 1024 }).ways).toEqual(["document", "sticker"]);
    expect(waysOf({ type: "application/pdf", size: MB }).ways).toEqual(["document"]);
});

test("what is no picture to WhatsApp, or too large for one, is offered as a document and says why", () => {
    allowTranslations();
    const webp = waysOf({ type: "image/webp", size: MB });
    expect(webp.ways).toEqual(["document"]);
    expect(String(webp.notice)).toBe("WhatsApp does not show the format WEBP. Goes as a document.");
    const large = waysOf({ type: "image/jpeg", size: 6 * MB });
    expect(large.ways).toEqual(["document"]);
    expect(String(large.notice)).toBe("Over 5 MB, WhatsApp's limit for this kind. Goes as a document.");
    expect(waysOf({ type: "application/pdf", size: MB }).notice).toBe(null);
});

test("too large for WhatsApp, or empty, is refused with the limit named", () => {
    allowTranslations();
    const huge = waysOf({ type: "video/mp4", size: 101 * MB });
    expect(huge.ways).toEqual([]);
    expect(String(huge.refused)).toBe("Too large: WhatsApp takes up to 100 MB.");
    expect(String(waysOf({ type: "text/plain", size: 0 }).refused)).toBe("This file is empty.");
});

test("the limits are those that are given", () => {
    const limits = structuredClone(LIMITS);
    limits.files.image.size = MB / 2;
    expect(usual({ type: "image/png", size: MB }, limits)).toBe("document");
});

test("what WhatsApp takes in no way is refused by its type, unless the browser knows none", () => {
    allowTranslations();
    const limits = structuredClone(LIMITS);
    limits.files.document.mimes = ["application/pdf", "image/png"];
    const moving = waysOf({ type: "image/gif", size: MB }, limits);
    expect(moving.ways).toEqual([]);
    expect(String(moving.refused)).toBe("WhatsApp does not take files of the type gif.");
    expect(waysOf({ type: "", size: MB }, limits).ways).toEqual(["document"]);
    const huge = waysOf({ type: "image/png", size: 101 * MB }, limits);
    expect(String(huge.refused)).toBe("Too large: WhatsApp takes up to 100 MB.");
});

test("all but audio take a caption", () => {
    expect(["image", "video", "document", "audio"].map(takesCaption)).toEqual([true, true, true, false]);
});

test("sizes are told as people read them", () => {
    expect(sizeLabel(293 * 1024)).toBe("293 kB");
    expect(sizeLabel(1.25 * MB)).toBe("1.3 MB");
    expect(sizeLabel(100 * MB)).toBe("100 MB");
});
