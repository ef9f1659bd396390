/**
 * WhatsApp's text formatting, read into a tree that templates show piece by piece.
 *
 * The text comes from outside: nothing here makes markup, and only http and https become links.
 *
 * @typedef {{ type: "text"|"code"|"mono", text: string } | { type: "link", text: string, href: string }
 *  | { type: "bold"|"italic"|"strike", children: Node[] }} Node
 */

const MARKS = { "*": "bold", _: "italic", "~": "strike" };
const BLOCK = /```([\s\S]+?)```/g;
const LINK = /https?:\/\/[^\s<>"'`\u2028\u2029]+/giu;
const WORD = /[\p{L}\p{N}]/u;
const SPACE = /\s/u;
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\u{1F1E6}-\u{1F1FF}]|\u200d|\ufe0f|\s)+$/u;

/**
 * @param {string} text as WhatsApp has it
 * @returns {Node[]}
 */
export function parse(text) {
    const nodes = [];
    let end = 0;
    for (const block of text.matchAll(BLOCK)) {
        nodes.push(...inline(text.slice(end, block.index), new Set()));
        nodes.push({ type: "mono", text: block[1].replace(/^\n|\n$/g, "") });
        end = block.index + block[0].length;
    }
    nodes.push(...inline(text.slice(end), new Set()));
    return nodes;
}

/** @returns {string} what is left of a text when its marks have been read */
export function plain(text) {
    return textIn(parse(text));
}

function textIn(nodes) {
    return nodes.map(({ text, children }) => text ?? textIn(children)).join("");
}

/** Whether there is an address in it that WhatsApp can show a preview of. */
export function hasLink(text) {
    return linksOf(text).size > 0;
}

/** Up to three emoji and nothing else are shown large. */
export function isBigEmoji(text) {
    if (text.length > 40 || !EMOJI.test(text)) {
        return false;
    }
    const shown = text.replace(/\s/gu, "");
    const count = Intl.Segmenter ? [...new Intl.Segmenter().segment(shown)].length : [...shown].length;
    return count > 0 && count <= 3;
}

/**
 * @param {string} text without blocks
 * @param {Set<string>} open marks we are inside of: none opens twice, so the depth is at most three
 */
function inline(text, open) {
    const nodes = [];
    const links = linksOf(text);
    /** Place up to which we know that no mark of this kind closes: keeps hostile text linear. */
    const hopeless = {};
    let plain = "";
    const add = (node) => {
        if (plain) {
            nodes.push({ type: "text", text: plain });
            plain = "";
        }
        nodes.push(node);
    };
    let i = 0;
    while (i < text.length) {
        const char = text[i];
        const link = links.get(i);
        if (link) {
            add(link);
            i += link.text.length;
            continue;
        }
        const free = i === 0 || !WORD.test(text[i - 1]);
        if ((char === "`" || (MARKS[char] && !open.has(char))) && free && !(i < hopeless[char])) {
            const close = closing(text, i, char, links);
            if (close.found) {
                const inside = text.slice(i + 1, close.at);
                add(
                    char === "`"
                        ? { type: "code", text: inside }
                        : { type: MARKS[char], children: inline(inside, new Set([...open, char])) }
                );
                i = close.at + 1;
                continue;
            }
            hopeless[char] = close.at;
        }
        plain += char;
        i++;
    }
    if (plain) {
        nodes.push({ type: "text", text: plain });
    }
    return nodes;
}

/**
 * Where the mark at `start` closes: on the same line, not after a space, not before a letter, not in a link.
 *
 * @returns {{ found: boolean, at: number }} not found: `at` is the end of what was searched
 */
function closing(text, start, char, links) {
    if (start + 1 >= text.length || SPACE.test(text[start + 1]) || text[start + 1] === char) {
        return { found: false, at: start };
    }
    let i = start + 1;
    while (i < text.length && text[i] !== "\n") {
        const link = links.get(i);
        if (link) {
            i += link.text.length;
            continue;
        }
        const fits = !SPACE.test(text[i - 1]) && (i + 1 === text.length || !WORD.test(text[i + 1]));
        if (text[i] === char && i > start + 1 && fits) {
            return { found: true, at: i };
        }
        i++;
    }
    return { found: false, at: i };
}

/** @returns {Map<number, Node>} links by the place where they begin */
function linksOf(text) {
    const links = new Map();
    for (const match of text.matchAll(LINK)) {
        const shown = trimmed(match[0]);
        const href = hrefOf(shown);
        if (href && !(match.index > 0 && WORD.test(text[match.index - 1]))) {
            links.set(match.index, { type: "link", text: shown, href });
        }
    }
    return links;
}

/** Without the punctuation of the sentence around it, and without a bracket that opened before it. */
function trimmed(url) {
    const opened = url.indexOf("(");
    let end = url.length;
    for (;;) {
        const last = url[end - 1];
        const orphan = last === ")" && (opened === -1 || opened >= end - 1);
        if (!orphan && !".,;:!?*_~]}…»”’".includes(last)) {
            return url.slice(0, end);
        }
        end--;
    }
}

/** @returns {string|null} the address, when it is http or https and can be one at all */
export function hrefOf(text) {
    try {
        const url = new URL(text);
        return ["http:", "https:"].includes(url.protocol) && url.hostname ? url.href : null;
    } catch {
        return null; // not an address: it stays text
    }
}
