import { describe, expect, test } from "@odoo/hoot";
import { learnt } from "@leadline/chat/learnt";

describe.current.tags("headless");

const card = { name: "Ada Example", email: "", lang: "en_US" };
const languages = [
    ["en_US", "English (US)"],
    ["ar_001", "Arabic"],
    ["ru_RU", "Russian"],
    ["uk_UA", "Ukrainian"],
];

const wrote = (body, given = {}) => ({ direction: "in", type: "text", text: { body }, ...given });
const found = (messages, given = {}) =>
    learnt({ ...card, ...given }, { name: given.whatsapp, messages, languages }).map(({ what, value, over }) => [
        what,
        value,
        over,
    ]);

test("the e-mail address that the customer named last is found", () => {
    expect(found([wrote("It is old@example.com."), wrote("sorry: Ada@new.example.org, thanks")])).toEqual([
        ["email", "Ada@new.example.org", ""],
    ]);
});

test("one that stands on the card already, one of ours and what is none are not offered", () => {
    expect(found([wrote("ADA@example.com")], { email: "ada@example.com" })).toEqual([]);
    expect(found([wrote("shop@example.com", { direction: "out" })])).toEqual([]);
    expect(found([wrote("see you @ five, 3@4, a@b"), wrote("", { type: "image", text: null })])).toEqual([]);
});

test("another address is offered in the place of what stands there", () => {
    expect(found([wrote("new@example.com")], { email: "old@example.com" })).toEqual([
        ["email", "new@example.com", "old@example.com"],
    ]);
});

test("the name on WhatsApp is offered when it is another, and is a name", () => {
    expect(found([], { name: "+1 202 555 0143", whatsapp: "Ada Lovelace" })).toEqual([
        ["name", "Ada Lovelace", "+1 202 555 0143"],
    ]);
    for (const whatsapp of ["ada example", "Ada Example ", "+1 202 555 0143", "@ada", "🌸", undefined]) {
        expect(found([], { whatsapp })).toEqual([]);
    }
});

test("letters tell a language only where one installed language alone is written in them", () => {
    expect(found([wrote("مرحبا، هل المنتج متوفر لديكم؟")])).toEqual([["lang", "ar_001", "en_US"]]);
    expect(found([wrote("مرحبا، هل المنتج متوفر لديكم؟")], { lang: "ar_001" })).toEqual([]);
    expect(found([wrote("Здравствуйте, есть ли велосипед?")])).toEqual([]);
    expect(found([wrote("Bonjour, avez-vous ce modèle en bleu ?"), wrote("مرحبا")])).toEqual([]);
});
