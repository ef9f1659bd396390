/**
 * What the agent pressed send on and the chat API has not accepted yet.
 *
 * One request at a time, in order: the order in which the API accepts messages is the order in which the
 * customer gets them. A lost answer is asked for again with the same `client_id`, which is harmless.
 *
 * @typedef {Object} Entry
 * @property {string} clientId
 * @property {boolean} note
 * @property {Object} body what is posted (a message without its media id, or a note)
 * @property {string} [repeats] id of the message in whose place it goes; then `body` is empty
 * @property {number[]} [alerts] partners of the colleagues to alert of a note; then `body` is empty
 * @property {string} [after] client id of that note
 * @property {Object} [replyTo] what it answers, in the shape of the chat API's `reply_to`
 * @property {string} at ISO time
 * @property {"waiting"|"going"|"refused"} [state]
 * @property {string} [reason] why it was refused
 * @property {string} [fileName] present when a file belongs to it
 * @property {File} [file]
 * @property {string} [preview] object URL of the file
 * @property {string} [mediaId] known once the file is up, so that repeating sends the same body
 * @property {number} [progress] of the upload, 0 to 1
 */
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { reactive } from "@odoo/owl";
import { Refused, Unreachable } from "./api";
import { LIMITS, takesCaption } from "./attachment";

/** Waits (ms) between attempts while Leadline can't be reached; the last one repeats. */
const WAITS = [2000, 4000, 8000, 15000, 30000];
/** What was written this long ago (ms) and found again after a reload goes only when the agent says so. */
const STALE = 10 * 60 * 1000;

export class Unsent {
    /**
     * @param {Object} params
     * @param {import("./api").ChatApi} params.api
     * @param {Entry[]} params.entries of the draft; changed in place
     * @param {() => void} params.onChange after every change worth keeping
     * @param {(message: Object) => void} params.onAccepted with the API's message
     * @param {(note: string, partners: number[]) => Promise<string[]>} [params.alert] alerts colleagues of a note;
     *  answers the names of those who could not be
     * @param {(names: string[]) => void} [params.onAlerted]
     * @param {(reason: string, entry: Entry) => void} params.onRefused the API will not take an entry; one that is
     *  shown stays, with the reason
     */
    constructor({ api, entries, onChange, onAccepted, onRefused, alert, onAlerted }) {
        this.api = api;
        this.entries = entries;
        this.onChange = onChange;
        this.onAccepted = onAccepted;
        this.onRefused = onRefused;
        this.alert = alert;
        this.onAlerted = onAlerted;
        this.state = reactive({
            /** Raised when an entry changes, since entries themselves are plain. */
            changes: 0,
            unreachable: false,
        });
        this.failures = 0;
        this.running = false;
        this.stopped = false;
        for (const entry of [...entries]) {
            this.restore(entry);
        }
    }

    restore(entry) {
        if (entry.state === "refused") {
            return;
        }
        entry.state = "waiting";
        if (!isShown(entry) && !entry.alerts && isStale(entry)) {
            // Nobody waits for it any more, and nothing in the list would show it.
            this.drop(entry);
            return;
        }
        if (!isWhole(entry)) {
            this.refuse(entry, _t("The page was reloaded before this file was sent. Attach it again."));
        } else if (isStale(entry) && !entry.alerts) {
            this.refuse(entry, _t("Not sent yet."));
        }
    }

    /** @param {Written} written what the composer holds */
    add(written) {
        const { note, text, mentions = [] } = written;
        if (!note) {
            this.push(...messagesOf(written));
            return;
        }
        const clientId = uuid();
        const alerts = mentions.length ? [{ body: {}, alerts: mentions, after: clientId }] : [];
        this.push({ clientId, note: true, body: { body: text } }, ...alerts);
    }

    /**
     * @param {string} message id
     * @param {string} emoji "" takes the one that stands away
     */
    react(message, emoji) {
        this.push({ body: { type: "reaction", reaction: { message_id: message, emoji } } });
    }

    /** Send once more what a message says of which nobody knows whether it arrived, or which failed. */
    repeat(message) {
        if (this.entries.some(({ repeats }) => repeats === message)) {
            // Pressed twice before the button was gone.
            return;
        }
        this.push({ body: {}, repeats: message });
    }

    async push(...entries) {
        for (const entry of entries) {
            const own = { clientId: uuid(), at: new Date().toISOString(), state: "waiting", note: false };
            this.entries.push({ ...own, ...entry });
        }
        this.changed();
        await this.drain();
    }

    /** Send what waits. Does nothing while that is already under way. */
    async drain() {
        if (this.running || this.stopped) {
            return;
        }
        this.running = true;
        browser.clearTimeout(this.timer);
        try {
            let entry;
            while (!this.stopped && (entry = this.next())) {
                await this.deliver(entry);
            }
            this.reached();
        } catch (error) {
            if (!(error instanceof Unreachable)) {
                throw error;
            }
            this.lost();
        } finally {
            this.running = false;
        }
    }

    /** The first that may go: nobody is alerted of a note that is not there. */
    next() {
        const there = new Set(this.entries.map(({ clientId }) => clientId));
        return this.entries.find(({ state, after }) => state !== "refused" && !there.has(after));
    }

    async deliver(entry) {
        entry.state = "going";
        this.changed();
        try {
            const message = await this.post(entry);
            this.reached();
            this.drop(entry);
            if (entry.alerts) {
                this.onAlerted(message);
            } else {
                this.onAccepted(message);
            }
        } catch (error) {
            if (error instanceof Refused) {
                if (isShown(entry)) {
                    this.refuse(entry, error.message);
                } else {
                    this.drop(entry);
                }
                this.onRefused(error.message, entry);
            } else {
                entry.state = "waiting";
                // Thrown away by the agent while it was under way: nothing of it may come again.
                if (this.entries.includes(entry)) {
                    throw error;
                }
            }
        }
        this.changed();
    }

    async post(entry) {
        const { clientId, body } = entry;
        if (entry.note) {
            return this.api.note({ ...body, client_id: clientId });
        }
        if (entry.alerts) {
            return this.alert(entry.after, entry.alerts);
        }
        if (entry.repeats) {
            return this.api.settle(entry.repeats, { as: "send_again", client_id: clientId });
        }
        if (entry.fileName && !entry.mediaId) {
            entry.abort = new AbortController();
            entry.mediaId = await this.api.upload(entry.file, {
                signal: entry.abort.signal,
                onProgress: (share) => {
                    entry.progress = share;
                    this.state.changes++;
                },
            });
            entry.progress = 1;
            this.changed();
        }
        if (!this.entries.includes(entry)) {
            throw new Unreachable("thrown away");
        }
        const media = entry.mediaId ? { [body.type]: { id: entry.mediaId, ...body[body.type] } } : {};
        return this.api.send({ ...body, ...media, client_id: clientId });
    }

    /** Try at once: the agent asked for it, or the network is back. */
    retry(clientId) {
        const entry = this.entries.find((entry) => entry.clientId === clientId);
        if (entry?.state === "refused") {
            entry.state = "waiting";
            delete entry.reason;
            this.changed();
        }
        return this.drain();
    }

    /** @returns {Entry|undefined} the entry that was thrown away, when it was still there */
    discard(clientId) {
        const entry = this.entries.find((entry) => entry.clientId === clientId);
        if (entry) {
            this.entries.filter(({ after }) => after === clientId).forEach((alert) => this.drop(alert));
            this.drop(entry);
            entry.abort?.abort();
            this.changed();
        }
        return entry;
    }

    /** The message reached the API by another way (its answer was lost, its text came back with the news). */
    settle(clientIds) {
        for (const entry of this.entries.filter(({ clientId }) => clientIds.has(clientId))) {
            this.drop(entry);
            this.changed();
        }
    }

    /** The tab closes: what is under way may end, nothing new begins. */
    stop() {
        this.stopped = true;
        browser.clearTimeout(this.timer);
        for (const { abort } of this.entries) {
            abort?.abort();
        }
    }

    drop(entry) {
        const place = this.entries.indexOf(entry);
        if (place !== -1) {
            this.entries.splice(place, 1);
        }
        if (entry.preview) {
            // The bubble may still show it until the stored picture has loaded.
            browser.setTimeout(() => URL.revokeObjectURL(entry.preview), 60000);
        }
    }

    refuse(entry, reason) {
        entry.state = "refused";
        entry.reason = reason;
    }

    reached() {
        this.failures = 0;
        this.state.unreachable = false;
    }

    lost() {
        this.state.unreachable = true;
        if (!this.stopped) {
            const wait = WAITS[Math.min(this.failures++, WAITS.length - 1)];
            this.timer = browser.setTimeout(() => this.drain(), wait);
        }
    }

    changed() {
        this.state.changes++;
        this.onChange();
    }
}

/** Whether there is still everything it takes to send the entry: a file does not survive a reload. */
function isWhole(entry) {
    return Boolean(!entry.fileName || entry.file || entry.mediaId);
}

function isStale({ at }) {
    return Date.now() - Date.parse(at) > STALE;
}

/** Whether it becomes a message of its own in the list: a reaction and a repetition show on another one, an alert nowhere. */
export function isShown({ body, repeats, alerts }) {
    return body.type !== "reaction" && !repeats && !alerts;
}

/**
 * @typedef {Object} Written what the composer holds
 * @property {string} text
 * @property {boolean} note
 * @property {{ file: File, as: string, voice?: boolean }[]} files with the type of message each goes as
 * @property {Object|null} [replyTo] in the shape of the chat API's `reply_to`
 * @property {number[]} [mentions] partners of the colleagues to alert of a note
 * @property {boolean} [preview] whether the customer sees a preview of a link in it
 * @property {typeof LIMITS} [limits]
 */

/**
 * One message per file; the text goes with the first file that can carry it, or else before them all. What it
 * answers is quoted once, by the first.
 *
 * @param {Written} written
 */
function messagesOf({ text, files, replyTo = null, preview = false, limits = LIMITS }) {
    const fits = text && [...text].length <= limits.caption;
    const carrier = fits ? files.findIndex(({ as }) => takesCaption(as)) : -1;
    const messages = files.map(({ file, as, voice }, i) => {
        const own = {};
        if (i === carrier) {
            own.caption = text;
        }
        if (as === "document") {
            own.filename = file.name;
        }
        if (voice) {
            own.voice = true;
        }
        const body = { type: as, [as]: own };
        return { body, file, fileName: file.name, preview: URL.createObjectURL(file), progress: 0 };
    });
    if (text && carrier === -1) {
        const shown = preview ? { preview_url: true } : {};
        messages.unshift({ body: { type: "text", text: { body: text, ...shown } } });
    }
    if (replyTo && messages.length) {
        messages[0].body.context = { message_id: replyTo.id };
        messages[0].replyTo = replyTo;
    }
    return messages;
}

/**
 * An entry as the list shows it, in the shape of the chat API's messages.
 *
 * @param {Entry} entry
 * @param {{ id: number, name: string }} user
 */
export function asMessage(entry, user) {
    const type = entry.note ? "note" : entry.body.type;
    return {
        id: `unsent:${entry.clientId}`,
        client_id: entry.clientId,
        direction: "out",
        type,
        at: entry.at,
        status: entry.state === "refused" ? "failed" : entry.note ? null : "queued",
        author: { kind: "agent", id: String(user.id), name: user.name },
        error: entry.state === "refused" ? { plain: entry.reason } : null,
        reply_to: entry.replyTo ?? null,
        reactions: [],
        media: entry.fileName
            ? {
                  mime: entry.file?.type || "",
                  name: entry.fileName,
                  size: entry.file?.size || 0,
                  state: entry.preview ? "stored" : "waiting",
                  url: entry.preview || null,
                  voice: Boolean(entry.body[type]?.voice),
              }
            : null,
        unsent: { state: entry.state, progress: entry.progress ?? null, again: isWhole(entry) },
        [type]: entry.note ? entry.body : entry.body[type],
    };
}

/**
 * A message as it will be once what the agent asked for has been taken: with the reaction, or being repeated.
 *
 * @param {Object} message of the chat API
 * @param {Entry[]} entries
 */
export function withEntries(message, entries) {
    for (const { body, repeats } of entries) {
        if (repeats === message.id) {
            message = { ...message, repeating: true };
        } else if (body.type === "reaction" && body.reaction.message_id === message.id) {
            const others = (message.reactions || []).filter(({ by }) => by !== "business");
            const { emoji } = body.reaction;
            const ours = emoji ? [{ emoji, by: "business", name: null, at: null, status: "queued" }] : [];
            message = { ...message, reactions: [...others, ...ours] };
        }
    }
    return message;
}

/** `crypto.randomUUID` exists on https and localhost only; an office server may be neither. */
export function uuid() {
    if (crypto.randomUUID) {
        return crypto.randomUUID();
    }
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
