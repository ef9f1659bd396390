/**
 * What a conversation tells of the customer that the card does not know: a name, an e-mail address, a language. It is
 * found in the browser, since nothing of what is said reaches Odoo, and only offered.
 */

/** Bounded as addresses are (RFC 5321): without that, a long text that has none takes the browser seconds. */
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,9}\.\p{L}{2,24}/gu;

/** Letters of one kind before a language is guessed from them. */
const ENOUGH = 12;

/**
 * Letters and the languages that are written in them. Latin ones tell nothing, and neither do others where several
 * installed languages share them.
 */
const SCRIPTS = [
    [/\p{Script=Hangul}/gu, ["ko"]],
    [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, ["ja"]],
    [/\p{Script=Han}/gu, ["zh"]],
    [/\p{Script=Thai}/gu, ["th"]],
    [/\p{Script=Lao}/gu, ["lo"]],
    [/\p{Script=Khmer}/gu, ["km"]],
    [/\p{Script=Georgian}/gu, ["ka"]],
    [/\p{Script=Greek}/gu, ["el"]],
    [/\p{Script=Hebrew}/gu, ["he"]],
    [/\p{Script=Arabic}/gu, ["ar", "fa", "ur", "ckb"]],
    [/\p{Script=Cyrillic}/gu, ["ru", "uk", "bg", "mk", "sr", "mn", "kk", "be"]],
    [/\p{Script=Devanagari}/gu, ["hi", "ne"]],
    [/\p{Script=Bengali}/gu, ["bn"]],
    [/\p{Script=Telugu}/gu, ["te"]],
    [/\p{Script=Tamil}/gu, ["ta"]],
    [/\p{Script=Gujarati}/gu, ["gu"]],
];

/**
 * @typedef {{ what: "name"|"email"|"lang", value: string, shown: string, over: string }} Learnt `over` is what stands
 *  on the card
 *
 * @param {{ name: string, email: string, lang: string }} card
 * @param {{ name?: string, messages: Object[], languages: [string, string][] }} said the customer's name on WhatsApp,
 *  what is loaded of the conversation, and Odoo's languages as code and name
 * @returns {Learnt[]}
 */
export function learnt(card, { name, messages, languages }) {
    const texts = messages
        .filter(({ direction, type, text }) => direction === "in" && type === "text" && text?.body)
        .map(({ text }) => text.body);
    const found = [];
    if (name && isName(name) && !same(name, card.name)) {
        found.push({ what: "name", value: name, shown: name, over: card.name });
    }
    const email = texts.flatMap((text) => text.match(EMAIL) || []).at(-1);
    if (email && !same(email, card.email)) {
        found.push({ what: "email", value: email, shown: email, over: card.email });
    }
    const language = languageOf(texts.join(" "), languages);
    if (language && language[0] !== card.lang) {
        found.push({ what: "lang", value: language[0], shown: language[1], over: card.lang });
    }
    return found;
}

/** The one of Odoo's languages that is written in these letters, if there is exactly one. */
function languageOf(text, languages) {
    for (const [letters, codes] of SCRIPTS) {
        if ((text.match(letters) || []).length >= ENOUGH) {
            const written = languages.filter(([code]) => codes.includes(code.split(/[_@]/)[0]));
            return written.length === 1 ? written[0] : undefined;
        }
    }
}

/** A number or a username is no name. */
function isName(name) {
    return /\p{L}{2}/u.test(name) && !name.startsWith("@");
}

function same(one, other) {
    const plain = (text) => (text || "").normalize("NFKC").trim().toLocaleLowerCase();
    return plain(one) === plain(other);
}
