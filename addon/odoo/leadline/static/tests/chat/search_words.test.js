import { describe, expect, test } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { matching, placesIn, wordsOf } from "@leadline/chat/search_words";

describe.current.tags("headless");

const wordsMatch = (message, term) => matching([message], term).length === 1;
const text = (body, given = {}) => ({ type: "text", text: { body }, ...given });

describe("words", () => {
    test("are found whatever their case and accents, in every script", () => {
        for (const [said, sought] of [
            ["Quero uma bicicleta AZUL", "azul"],
            ["Até amanhã, João", "ate amanha, joao"],
            ["Ate amanha", "Até AMANHÃ"],
            ["Große Straße", "strasse"],
            ["Jørgen Łukasz", "jorgen lukasz"],
            ["e\u0301te\u0301", "été"],
            ["أحمد", "احمد"],
            ["שָׁלוֹם", "שלום"],
            ["注文番号１２３", "123"],
        ]) {
            expect(wordsMatch(text(said), sought)).toBe(true);
        }
        expect(wordsMatch(text("Quero uma bicicleta"), "azul")).toBe(false);
    });

    test("are those that are shown: without WhatsApp's marks, over their borders", () => {
        expect(wordsMatch(text("the *blue* bicycle"), "the blue bicycle")).toBe(true);
        expect(wordsMatch(text("the *blue* bicycle"), "*blue*")).toBe(false);
    });

    test("of every type", () => {
        const shown = (message) => wordsOf(message);
        const media = { state: "stored", url: "x", name: "sofa.pdf" };
        expect(shown({ type: "image", image: { caption: "My room" }, media })).toEqual(["My room"]);
        expect(shown({ type: "document", document: { filename: "plan.pdf", caption: "See" }, media })).toEqual([
            "See",
            "plan.pdf",
        ]);
        expect(shown({ type: "note", note: { body: "loyal" } })).toEqual(["loyal"]);
        const template = { body: "Hi Ada", header: { text: "Offer" }, footer: "Bye", buttons: [{ text: "Call me" }] };
        expect(shown({ type: "template", template })).toEqual(["Hi Ada", "Offer", "Bye", "Call me"]);
        const people = [{ name: { formatted_name: "João" }, phones: [{ phone: "+55 11" }], emails: [{ email: "j@x.io" }] }];
        expect(shown({ type: "contacts", contacts: people })).toEqual(["João", "+55 11", "j@x.io"]);
        const location = { latitude: 1, longitude: 2, name: "Home", address: "Oslo" };
        expect(shown({ type: "location", location })).toEqual(["Home", "Oslo"]);
        const choice = { list_reply: { id: "1", title: "City bike", description: "7 gears" } };
        expect(shown({ type: "interactive", interactive: choice })).toEqual(["City bike", "7 gears"]);
        const form = { nfm_reply: { body: "Sent", response_json: '{"size":"52 cm"}' } };
        expect(shown({ type: "interactive", interactive: form })).toEqual(["Sent", "size", "52 cm"]);
        const question = { body: { text: "Which?" }, action: { buttons: [{ reply: { title: "This" } }] } };
        expect(shown({ type: "interactive", interactive: question })).toEqual(["Which?", "This"]);
        const order = { text: "Soon", product_items: [{ product_retailer_id: "CITY-7", quantity: 1 }] };
        expect(shown({ type: "order", order })).toEqual(["Soon", "CITY-7"]);
        expect(shown(text("hi", { referral: { headline: "City bikes", body: "Ride" } }))).toEqual([
            "City bikes",
            "Ride",
            "hi",
        ]);
    });

    test("of a deleted message are found no more, and one of a strange shape finds nothing", () => {
        expect(wordsMatch(text("secret", { revoked: true }), "secret")).toBe(false);
        patchWithCleanup(console, { warn: () => {} });
        expect(wordsMatch({ type: "contacts", contacts: [{ name: {}, phones: { not: "a list" } }] }, "list")).toBe(false);
    });

    test("that stand apart are not one", () => {
        const template = { body: "one", footer: "two" };
        expect(wordsMatch({ type: "template", template }, "one two")).toBe(false);
        expect(wordsMatch({ type: "template", template }, "onetwo")).toBe(false);
    });
});

test("places are those of the text as it stands", () => {
    const found = (text, term) => placesIn(text, term).map(([start, end]) => text.slice(start, end));
    expect(found("Blue, blue, BLUE", "blue")).toEqual(["Blue", "blue", "BLUE"]);
    expect(found("Até já. E\u0301te\u0301!", "ete")).toEqual(["E\u0301te\u0301"]);
    expect(found("Straße", "ss")).toEqual(["ß"]);
    expect(found("👩‍👩‍👧 ok", "ok")).toEqual(["ok"]);
    expect(found("aaa", "aa")).toEqual(["aa"]);
    expect(found("anything", " ")).toEqual([]);
});
