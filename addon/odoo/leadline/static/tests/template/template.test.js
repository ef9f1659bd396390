import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import {
    consentNote,
    faults,
    hindrance,
    labelOf,
    messageOf,
    nearestLanguage,
    preview,
    qualityOf,
    search,
    statusOf,
    withMissing,
} from "@leadline/template/template";
import { parse } from "@leadline/chat/formatting";
import { template } from "./template_builders";

describe.current.tags("headless");

beforeEach(() => allowTranslations());

const text = (field) => ({ field, kind: "text", example: null });
const free = { consent: null, contact: "Ada" };

describe("choosing", () => {
    test("a search finds all its words in name and body, and puts first what can be sent", () => {
        const all = [
            template({ name: "order_late", body: "Your order is late", sendable: false }),
            template({ name: "order_ready", body: "Come and get it" }),
            template({ name: "hello", body: "Hi", language: "pt_BR" }),
        ];
        const names = (wanted) => search(all, { text: "", language: "", ...wanted }).map(({ name }) => name);
        expect(names({ text: "ORDER" })).toEqual(["order_ready", "order_late"]);
        expect(names({ text: "order ready" })).toEqual(["order_ready"]);
        expect(names({ text: "late your" })).toEqual(["order_late"]);
        expect(names({ language: "pt_BR" })).toEqual(["hello"]);
        expect(names({ text: "nothing" })).toEqual([]);
    });

    test("the nearest language is the same, else one of its family, else none", () => {
        const all = ["en", "pt_PT", "pt_BR"].map((language) => template({ language }));
        expect(nearestLanguage(all, "pt_BR")).toBe("pt_BR");
        expect(nearestLanguage(all, "en_GB")).toBe("en");
        expect(nearestLanguage(all, "pt-br")).toBe("pt_BR");
        expect(nearestLanguage(all, "de_DE")).toBe("");
        expect(nearestLanguage(all, null)).toBe("");
    });

    test("what can't be sent says why", () => {
        const paused = template({ sendable: false, status: "PAUSED", why: null });
        expect(hindrance(paused, free)).toBe("Paused by WhatsApp");
        expect(hindrance({ ...paused, why: "Too many complaints." }, free)).toBe("Too many complaints.");
        const marketing = template({ category: "MARKETING" });
        const stopped = { marketing: null, stopped: true };
        expect(hindrance(marketing, free)).toBe("");
        expect(hindrance(marketing, { ...free, consent: stopped })).toBe("Ada wants no marketing.");
        expect(hindrance(template(), { ...free, consent: stopped })).toBe("");
    });

    test("WhatsApp's words are ours, and unknown ones stay as they are", () => {
        expect(statusOf({ status: "PENDING" })).toBe("Waits for WhatsApp's approval");
        expect(statusOf({ status: "LIMIT_EXCEEDED" })).toBe("LIMIT_EXCEEDED");
        expect(qualityOf({ quality: "UNKNOWN" })).toBe("");
        expect(qualityOf({ quality: "constructor" })).toBe("CONSTRUCTOR");
    });
});

describe("consent", () => {
    const said = (value, source) => ({ value, source, at: "2026-11-20T10:00:00Z" });

    test("nothing is noted while nothing stands against marketing", () => {
        expect(consentNote(null)).toBe(null);
        expect(consentNote({ marketing: null, stopped: false })).toBe(null);
        expect(consentNote({ marketing: said("resume", "whatsapp"), stopped: false })).toBe(null);
    });

    test("it says who said what, and what follows", () => {
        const off = consentNote({ marketing: said("stop", "whatsapp"), stopped: false });
        expect(off.label).toBe("No marketing");
        expect(off.why).toMatch(/switched marketing off in WhatsApp on .*2026.*Marketing templates are not sent\./);
        const stop = consentNote({ marketing: said("stop", "keyword"), stopped: true });
        expect(stop.label).toBe("Said STOP");
        expect(stop.why).toMatch(/wrote STOP.*Nothing automatic/);
        expect(consentNote({ marketing: said("stop", "elsewhere"), stopped: false }).why).toMatch(/elsewhere/);
    });
});

describe("filling in", () => {
    test("what is missing or can't be sent is told by field", () => {
        const given = template({
            header: { format: "image" },
            body: "Hi {{1}}, {{2}}",
            buttons: [
                { type: "url", text: "Track", url: "https://shop.test/{{1}}" },
                { type: "copy_code", text: "Copy" },
            ],
            parameters: [
                { field: "header", kind: "image" },
                text("body.1"),
                text("body.2"),
                { field: "buttons.0", kind: "url_suffix" },
                { field: "buttons.1", kind: "copy_code" },
            ],
        });
        expect(Object.keys(faults(given, {}))).toEqual(["header", "body.1", "body.2", "buttons.0", "buttons.1"]);
        const bad = { header: { id: null }, "body.1": " ", "body.2": "a\tb", "buttons.0": "a b" };
        const told = faults(given, { ...bad, "buttons.1": "x".repeat(21) });
        expect(told.header).toBe("Wait until the file is uploaded.");
        expect(told["body.1"]).toBe("Fill this in.");
        expect(told["body.2"]).toMatch(/tabs/);
        expect(told["buttons.0"]).toBe("A web address has no spaces.");
        expect(told["buttons.1"]).toBe("A code has at most 20 characters.");
        const good = { header: { id: "m1" }, "body.1": "Ada", "body.2": "x", "buttons.0": "77", "buttons.1": "WELCOME" };
        expect(faults(given, good)).toEqual({});
    });

    test("a text that its values make too long is told as a whole", () => {
        const given = template({ body: "Hi {{1}}", parameters: [text("body.1")] });
        expect(faults(given, { "body.1": "😀".repeat(1021) })).toEqual({});
        expect(faults(given, { "body.1": "😀".repeat(1022) }).body).toMatch(/1025 characters/);
        const headed = template({ header: { format: "text", text: "For {{1}}" }, parameters: [text("header.1")] });
        expect(faults(headed, { "header.1": "x".repeat(57) }).header).toMatch(/61 characters/);
    });

    test("a place needs numbers on the globe", () => {
        const given = template({ header: { format: "location" }, parameters: [{ field: "header", kind: "location" }] });
        for (const place of [undefined, {}, { latitude: "91", longitude: "4" }, { latitude: "x", longitude: "4" }]) {
            expect(faults(given, { header: place }).header).toMatch(/latitude and longitude/);
        }
        expect(faults(given, { header: { latitude: "52.37", longitude: "-4.89" } })).toEqual({});
    });

    test("fields are called by what they fill", () => {
        const given = template({ buttons: [{ type: "url", text: "Track" }] });
        expect(labelOf(text("body.1"), given)).toBe("{{1}}");
        expect(labelOf(text("body.first_name"), given)).toBe("first name");
        expect(labelOf(text("header.1"), given)).toBe("Heading: {{1}}");
        expect(labelOf({ field: "buttons.0", kind: "url_suffix" }, given)).toBe("End of the address of “Track”");
        expect(labelOf({ field: "header", kind: "video" }, given)).toBe("Video");
    });
});

describe("what the customer will see", () => {
    const given = template({
        header: { format: "TEXT", text: "Order {{1}}" },
        body: "Hi *{{1}}*, see https://shop.test/{{2}}",
        buttons: [{ type: "url", text: "Track", url: "https://shop.test/{{1}}" }],
        parameters: [text("header.1"), text("body.1"), text("body.2"), { field: "buttons.0", kind: "url_suffix" }],
    });
    const shown = (values) => withMissing(parse(preview(given, values).body));

    test("values stand in their places, formatted as WhatsApp does", () => {
        const values = { "header.1": "77", "body.1": " Ada ", "body.2": "x", "buttons.0": "77" };
        const seen = preview(given, values);
        expect(seen.header).toEqual({ type: "text", text: "Order 77" });
        expect(seen.buttons[0].url).toBe("https://shop.test/77");
        expect(seen.buttons[0].missing).toBe(false);
        expect(shown(values)[1]).toEqual({ type: "bold", children: [{ type: "text", text: "Ada" }] });
    });

    test("a missing value stands out wherever it is, and makes no link", () => {
        const nodes = shown({ "body.1": "" });
        expect(nodes[1]).toEqual({ type: "bold", children: [{ type: "missing", text: "{{1}}" }] });
        expect(nodes.slice(2)).toEqual([
            { type: "text", text: ", see " },
            { type: "text", text: "https://shop.test/" },
            { type: "missing", text: "{{2}}" },
        ]);
        expect(preview(given, {}).buttons[0].missing).toBe(true);
    });

    test("a value that looks like a variable is only text", () => {
        expect(preview(given, { "body.1": "{{2}}", "body.2": "x" }).body).toBe("Hi *{{2}}*, see https://shop.test/x");
    });
});

describe("the message", () => {
    test("values go in Graph's shape", () => {
        const given = template({
            header: { format: "document" },
            parameters: [
                { field: "header", kind: "document" },
                text("body.1"),
                text("body.2"),
                { field: "buttons.1", kind: "url_suffix" },
                { field: "buttons.2", kind: "copy_code" },
            ],
        });
        const values = {
            header: { id: "m1", name: "plan.pdf", preview: null },
            "body.1": " Ada ",
            "body.2": "two",
            "buttons.1": "77",
            "buttons.2": "WELCOME",
        };
        expect(messageOf(given, values)).toEqual({
            type: "template",
            template: {
                name: "order_ready",
                language: { code: "en_US" },
                components: [
                    {
                        type: "header",
                        parameters: [{ type: "document", document: { id: "m1", filename: "plan.pdf" } }],
                    },
                    {
                        type: "body",
                        parameters: [
                            { type: "text", text: "Ada" },
                            { type: "text", text: "two" },
                        ],
                    },
                    { type: "button", sub_type: "url", index: 1, parameters: [{ type: "text", text: "77" }] },
                    {
                        type: "button",
                        sub_type: "copy_code",
                        index: 2,
                        parameters: [{ type: "coupon_code", coupon_code: "WELCOME" }],
                    },
                ],
            },
        });
    });

    test("named values name themselves, and a place is made of numbers", () => {
        const given = template({
            parameter_format: "named",
            parameters: [{ field: "header", kind: "location" }, text("body.first_name")],
        });
        const place = { latitude: "52.37", longitude: "4.89", name: "Shop" };
        const { components } = messageOf(given, { header: place, "body.first_name": "Ada" }).template;
        expect(components[0].parameters[0].location).toEqual({ latitude: 52.37, longitude: 4.89, name: "Shop" });
        expect(components[1].parameters[0]).toEqual({ type: "text", parameter_name: "first_name", text: "Ada" });
    });

    test("a template without values has no components", () => {
        expect(messageOf(template(), {}).template.components).toEqual([]);
    });
});
