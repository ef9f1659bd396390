import { describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { labelOf, peopleOf, placeOf, templateOf, textOf } from "@leadline/chat/message_body";

describe.current.tags("headless");

const UNSUPPORTED = "leadline.Message.Unsupported";

describe("template", () => {
    test("every known type has one", () => {
        allowTranslations();
        const media = { state: "stored", url: "u" };
        const known = [
            { type: "text", text: { body: "a" } },
            { type: "note", note: { body: "a" } },
            { type: "button", button: { text: "a" } },
            { type: "system", system: { body: "a" } },
            { type: "interactive", interactive: { button_reply: { title: "a" } } },
            { type: "image", image: {}, media },
            { type: "sticker", sticker: {}, media },
            { type: "video", video: {}, media },
            { type: "audio", audio: {}, media },
            { type: "document", document: {}, media },
            { type: "location", location: { latitude: 1, longitude: 2 } },
            { type: "contacts", contacts: [] },
            { type: "order", order: { product_items: [{ product_retailer_id: "a" }] } },
            { type: "system", system: { kind: "number_changed", body: null } },
            { type: "request_welcome", request_welcome: {} },
        ];
        for (const message of known) {
            expect(templateOf(message)).not.toBe(UNSUPPORTED, { message: message.type });
        }
    });

    test("a deleted message shows that it was there, and nothing of it", () => {
        expect(templateOf({ type: "text", text: {}, revoked: "2026-11-22T10:00:00Z" })).toBe("leadline.Message.Revoked");
    });

    test("an order lists what was asked for", () => {
        const product_items = [{ product_retailer_id: "BIKE-7", quantity: 2, item_price: 350, currency: "EUR" }];
        expect(textOf({ type: "order", order: { text: "Please", product_items } })).toBe("Please\n2 × BIKE-7 (350 EUR)");
    });

    test("an unknown type, or a known one without its content, says so", () => {
        for (const message of [
            { type: "order", order: {} },
            { type: "unsupported" },
            { type: "constructor" },
            { type: "text" },
            { type: "text", text: { body: "" } },
            { type: "interactive", interactive: { type: "nfm_reply" } },
            { type: "location" },
        ]) {
            expect(templateOf(message)).toBe(UNSUPPORTED, { message: message.type });
        }
    });
});

test("the words of a message, by its type", () => {
    expect(textOf({ type: "text", text: { body: "hi" } })).toBe("hi");
    expect(textOf({ type: "image", image: { caption: "sofa" } })).toBe("sofa");
    expect(textOf({ type: "image", image: {} })).toBe("");
    expect(textOf({ type: "interactive", interactive: { list_reply: { title: "Oslo" } } })).toBe("Oslo");
    expect(textOf({ type: "interactive", interactive: { body: { text: "Choose" } } })).toBe("Choose");
    expect(textOf({ type: "text", text: { body: 42 } })).toBe("42");
    expect(textOf({ type: "order" })).toBe("");
});

test("a quotation without words is named by its type", () => {
    allowTranslations();
    expect(labelOf("image")).toBe("Picture");
    expect(labelOf("whatever")).toBe("Message");
});

describe("location", () => {
    test("becomes a link to a map", () => {
        const place = placeOf({ latitude: "-23.56", longitude: -46.65, name: "Casa" });
        expect(place.name).toBe("Casa");
        expect(place.href).toBe("https://www.google.com/maps/search/?api=1&query=-23.56%2C-46.65");
        expect(placeOf({ latitude: 1, longitude: 2 }).name).toBe("1,2");
    });

    test("text where a number belongs is no place", () => {
        expect(placeOf({ latitude: "javascript:1", longitude: 2 })).toBe(null);
        expect(placeOf({ latitude: 1 })).toBe(null);
        expect(placeOf(undefined)).toBe(null);
    });
});

describe("contacts", () => {
    test("have a name and ways to reach them", () => {
        const [person] = peopleOf([
            {
                name: { formatted_name: "João" },
                phones: [{ phone: "+55 11 91234-5678" }],
                emails: [{ email: "j@example.com?bcc=x" }],
            },
        ]);
        expect(person.name).toBe("João");
        expect(person.lines).toEqual([
            { text: "+55 11 91234-5678", href: "tel:+5511912345678" },
            { text: "j@example.com?bcc=x", href: "mailto:j%40example.com%3Fbcc%3Dx" },
        ]);
    });

    test("of any shape cost nothing", () => {
        allowTranslations();
        expect(peopleOf(null)).toEqual([]);
        expect(peopleOf({})).toEqual([]);
        expect(peopleOf([{}])[0].lines).toEqual([]);
    });
});
