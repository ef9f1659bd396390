import { describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import {
    adOf,
    answerOf,
    fileAddress,
    fileNameOf,
    fileTypeOf,
    labelOf,
    peopleOf,
    placeOf,
    productsOf,
    questionOf,
    templateOf,
    textOf,
} from "@leadline/chat/message_body";

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
            { type: "template", template: { body: "a" } },
            { type: "interactive", interactive: { nfm_reply: { response_json: "{}" } } },
        ];
        for (const message of known) {
            expect(templateOf(message)).not.toBe(UNSUPPORTED, { message: message.type });
        }
    });

    test("a deleted message shows that it was there, and nothing of it", () => {
        expect(templateOf({ type: "text", text: {}, revoked: "2026-11-22T10:00:00Z" })).toBe("leadline.Message.Revoked");
    });

    test("an order lists what was asked for", () => {
        const product_items = [{ product_retailer_id: "BIKE-7", quantity: 2, item_price: 350, currency: "EUR" }, {}];
        expect(productsOf({ product_items })).toEqual([
            { id: "BIKE-7", quantity: "2", price: "350 EUR" },
            { id: "", quantity: "1", price: "" },
        ]);
        expect(textOf({ type: "order", order: { text: "Please", product_items } })).toBe("Please");
    });

    test("an unknown type, or a known one without its content, says so", () => {
        for (const message of [
            { type: "order", order: {} },
            { type: "unsupported" },
            { type: "constructor" },
            { type: "text" },
            { type: "text", text: { body: "" } },
            { type: "interactive", interactive: { type: "a new one" } },
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

describe("interactive", () => {
    test("a form that was filled in tells its answers, without WhatsApp's own", () => {
        const response_json = JSON.stringify({ flow_token: "x", color: "blue", sizes: ["S", "M"] });
        expect(answerOf({ nfm_reply: { name: "flow", body: "Sent", response_json } })).toEqual({
            title: "Sent",
            lines: [
                { name: "color", value: "blue" },
                { name: "sizes", value: '["S","M"]' },
            ],
        });
    });

    test("a form of any shape costs nothing", () => {
        allowTranslations();
        for (const response_json of ["{", "null", "7", undefined]) {
            const { title, lines } = answerOf({ nfm_reply: { response_json } });
            expect([String(title), lines]).toEqual(["A form, filled in", []]);
        }
    });

    test("what we ask shows its choices", () => {
        allowTranslations();
        const buttons = [{ reply: { title: "Yes" } }, { reply: { title: "No" } }];
        const sections = [{ rows: [{ title: "Oslo" }] }, { rows: [{ title: "Bergen" }] }];
        expect(questionOf({ header: { text: "Hi" }, action: { buttons } })).toEqual({
            header: "Hi",
            footer: "",
            choices: ["Yes", "No"],
        });
        expect(questionOf({ action: { sections } }).choices).toEqual(["Oslo", "Bergen"]);
        expect(questionOf({ action: { parameters: { display_text: "Pay" } } }).choices).toEqual(["Pay"]);
        expect(questionOf(undefined).choices).toEqual([]);
    });
});

test("an ad's address is a web address or none", () => {
    expect(adOf({ headline: "Sale", body: "All bikes", source_url: "https://fb.me/1" })).toEqual({
        headline: "Sale",
        body: "All bikes",
        href: "https://fb.me/1",
    });
    expect(adOf({ source_url: "javascript:alert(1)" }).href).toBe(null);
    expect(adOf(null)).toBe(null);
});

test("a file's address is where a file lies, or none", () => {
    for (const url of ["https://a.io/f?s=1", "http://localhost:8080/f", "blob:https://a.io/1", "data:image/png;base64,"]) {
        expect(fileAddress(url)).toBe(url);
    }
    for (const url of ["javascript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "vbscript:1", "/web", "", null]) {
        expect(fileAddress(url)).toBe(null);
    }
});

test("a file is named by the message's type, or by the header of its template", () => {
    expect(fileTypeOf({ type: "image" })).toBe("image");
    expect(fileTypeOf({ type: "template", template: { header: { type: "video" } }, media: {} })).toBe("video");
    expect(fileTypeOf({ type: "template", template: { header: { type: "text" } }, media: {} })).toBe(null);
    expect(fileTypeOf({ type: "template", template: {}, media: null })).toBe(null);
    expect(fileTypeOf({ type: "constructor" })).toBe(null);
});

test("a file's ending is shown where it is", () => {
    expect(fileNameOf({ document: { filename: "invoice\u202efdp.exe" } })).toBe("invoicefdp.exe");
    expect(fileNameOf({ media: { name: "\u05e2.pdf" } })).toBe("\u05e2.pdf");
    expect(fileNameOf({})).toBe("");
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
        expect([person.name, person.phone, person.email]).toEqual([
            "João",
            "+55 11 91234-5678",
            "j@example.com?bcc=x",
        ]);
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
