/** Which words a message shows, and whether some stand among them: whatever their case and accents. */
import { normalize } from "@web/core/l10n/utils";
import { plain } from "./formatting";
import {
    adOf,
    answerOf,
    fileNameOf,
    fileTypeOf,
    peopleOf,
    placeOf,
    productsOf,
    questionOf,
    templateOf,
    textOf,
} from "./message_body";

/** @type {WeakMap<Object, string>} messages are replaced, never changed */
const known = new WeakMap();

/**
 * What a message shows, piece by piece; a deleted one shows nothing any more.
 *
 * @param {import("./timeline").Message} message
 * @returns {string[]}
 */
export function wordsOf(message) {
    if (message.revoked) {
        return [];
    }
    const ad = adOf(message.referral);
    return [ad?.headline, ad?.body, plain(textOf(message)), ...partsOf(message)].filter(Boolean).map(String);
}

/** What stands beside the text, by what shows it. */
function partsOf(message) {
    switch (templateOf(message)) {
        case "leadline.Message.Media":
            return [shownName(message)];
        case "leadline.Message.Template": {
            const { header, footer, buttons } = message.template;
            return [shownName(message), header?.text, footer, ...(buttons ?? []).map(({ text }) => text)];
        }
        case "leadline.Message.Interactive": {
            const answer = answerOf(message.interactive);
            if (answer) {
                return [answer.description, ...(answer.lines ?? []).flatMap(({ name, value }) => [name, value])];
            }
            const { header, footer, choices } = questionOf(message.interactive);
            return [header, footer, ...choices];
        }
        case "leadline.Message.Location": {
            const place = placeOf(message.location);
            return [place?.name, place?.address];
        }
        case "leadline.Message.Contacts":
            return peopleOf(message.contacts).flatMap(({ name, lines }) => [name, ...lines.map(({ text }) => text)]);
        case "leadline.Message.Order":
            return productsOf(message.order).flatMap(({ id, price }) => [id, price]);
        case "leadline.Message.Unsupported":
            return [message.unsupported?.details];
        default:
            return [];
    }
}

/** Of pictures and sounds the name is not shown. */
function shownName(message) {
    return fileTypeOf(message) === "document" ? fileNameOf(message) : "";
}

/**
 * @param {import("./timeline").Message[]} messages
 * @param {string} term
 * @returns {import("./timeline").Message[]} those that show these words, one after the other
 */
export function matching(messages, term) {
    const sought = folded(term.trim());
    return sought ? messages.filter((message) => foldedWords(message).includes(sought)) : [];
}

/** One string; what stands apart is kept apart. */
function foldedWords(message) {
    if (!known.has(message)) {
        let words = [];
        try {
            words = wordsOf(message);
        } catch (error) {
            // Of a shape that can't be drawn either: see Message.
            console.warn("Leadline: a message could not be searched", error);
        }
        known.set(message, words.map(folded).join("\u0000"));
    }
    return known.get(message);
}

/** The same for all spellings: as `placesIn` has it, letter by letter. */
function folded(text) {
    return Array.from(text, normalize).join("");
}

/**
 * @param {string} text
 * @param {string} term
 * @returns {[number, number][]} where the term stands in the text
 */
export function placesIn(text, term) {
    const sought = folded(term.trim());
    /** Of each letter of the folded text: where the letter begins that it is of. */
    const from = [];
    let letters = "";
    let at = 0;
    for (const char of text) {
        const as = normalize(char);
        letters += as;
        from.push(...Array(as.length).fill(at));
        at += char.length;
    }
    from.push(at);
    const places = [];
    for (let i = sought ? letters.indexOf(sought) : -1; i !== -1; i = letters.indexOf(sought, i + sought.length)) {
        const start = from[i];
        // Up to where the next letter begins: an accent that stands by itself belongs to the one before.
        const end = from.slice(i + sought.length).find((next) => next > from[i + sought.length - 1]) ?? at;
        places.push([start, end]);
    }
    return places;
}
