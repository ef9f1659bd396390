/**
 * What an agent wrote and nobody has yet: the text in the composer and what was sent but not answered.
 *
 * The notebook destroys the tab when another page is opened, so drafts live in a service. Text is also kept in
 * localStorage, by user and conversation, and so survives a reload; files cannot be kept there and live as
 * long as the page.
 *
 * @typedef {Object} Draft
 * @property {string} text
 * @property {boolean} note whether the text is a note for colleagues
 * @property {Object|null} replyTo what is answered, in the shape of the chat API's `reply_to`
 * @property {boolean} preview whether the customer sees a preview of a link in it
 * @property {{ file: File, as: string, voice?: boolean }[]} files chosen, not sent, with the type of message each goes as
 * @property {{ name: string, partner_id: number }[]} mentions colleagues mentioned in the note
 * @property {import("../template/template_picker").Filling|null} filling a template that is being filled in
 * @property {Promise<File>} [recorded] a voice note that was being recorded when the tab was left
 * @property {import("./unsent").Entry[]} unsent
 */
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

const PREFIX = "leadline.draft";
/** Drafts nobody touched for this long (ms) are forgotten. */
const KEPT = 30 * 24 * 60 * 60 * 1000;

export class Drafts {
    constructor(storage = browser.localStorage) {
        this.storage = storage;
        /** @type {Map<string, Draft>} */
        this.drafts = new Map();
        this.forgetOld();
    }

    /**
     * @param {number} user
     * @param {string} conversation
     * @returns {Draft} always the same object for the same conversation; call `save` after changing it
     */
    of(user, conversation) {
        const key = `${PREFIX}.${user}.${conversation}`;
        let draft = this.drafts.get(key);
        if (!draft) {
            const kept = this.stored(key) || {};
            const { text = "", note = false, replyTo = null, preview = true, unsent = [] } = kept;
            const { mentions = [], filling = null } = kept;
            draft = { text, note, replyTo, preview, mentions, filling, files: [], unsent };
            this.drafts.set(key, draft);
        }
        return draft;
    }

    save(user, conversation) {
        const key = `${PREFIX}.${user}.${conversation}`;
        const { text, note, replyTo, preview, mentions, filling, unsent } = this.drafts.get(key);
        if (!text && !note && !replyTo && !filling && !unsent.length) {
            this.storage.removeItem(key);
            return;
        }
        const entries = unsent.map((entry) => {
            const { clientId, note, body, at, fileName, repeats, alerts, after, replyTo, state, reason } = entry;
            // What was refused goes again only when the agent says so.
            const refused = state === "refused" ? { state, reason } : {};
            return { clientId, note, body, at, fileName, repeats, alerts, after, replyTo, ...refused };
        });
        const filled = filling && { ...filling, values: storable(filling.values) };
        const kept = { text, note, replyTo, preview, mentions, filling: filled, unsent: entries, saved: Date.now() };
        try {
            this.storage.setItem(key, JSON.stringify(kept));
        } catch (error) {
            // Storage full or switched off: the draft still lives as long as the page.
            console.warn("Leadline: the draft could not be kept", error.name);
        }
    }

    stored(key) {
        try {
            return JSON.parse(this.storage.getItem(key));
        } catch {
            this.storage.removeItem(key); // written by something else: no draft to save here
            return null;
        }
    }

    forgetOld() {
        const keys = Array.from({ length: this.storage.length }, (_, i) => this.storage.key(i));
        for (const key of keys.filter((key) => key?.startsWith(`${PREFIX}.`))) {
            const saved = this.stored(key)?.saved;
            if (!saved || Date.now() - saved > KEPT) {
                this.storage.removeItem(key);
            }
        }
    }
}

/** Of a template's values what survives a reload: a file only when it is up. */
function storable(values) {
    const kept = Object.entries(values).filter(([, value]) => value?.id !== null);
    return Object.fromEntries(
        kept.map(([field, value]) => [field, value?.file ? { id: value.id, name: value.name } : value])
    );
}

export const draftsService = {
    start() {
        return new Drafts();
    },
};

registry.category("services").add("leadline.drafts", draftsService);
