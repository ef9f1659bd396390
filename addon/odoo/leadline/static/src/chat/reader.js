/**
 * The reading side of one open conversation: its newest page, older pages, and what changed since.
 *
 * One request for news at a time; whoever asks meanwhile gets the round after. `state` is reactive, messages
 * are not: they are replaced, never changed.
 */
import { markRaw, reactive } from "@odoo/owl";
import { Refused, Unreachable } from "./api";
import { firstUnread, isFromCustomer, merge, newestFromCustomer } from "./timeline";

/** Signed media addresses are good for 5 minutes; ours count as old (ms) a little earlier. */
const MEDIA_LIFE = 4 * 60 * 1000;
/** Meta's error code for free text outside of the window. */
const WINDOW_CLOSED = 131047;
/** Pages looked through for the fresh address of one file. */
const MEDIA_PAGES = 10;

export class Reader {
    /** @param {import("./api").ChatApi} api */
    constructor(api) {
        this.api = api;
        this.state = reactive({
            /** "loading" | "ready" */
            phase: "loading",
            /** @type {import("./timeline").Message[]} in order */
            messages: markRaw([]),
            /** Answer of GET conversation. */
            conversation: null,
            /** Cursor of the page before the oldest loaded one; null at the beginning of the conversation. */
            older: null,
            loadingOlder: false,
            /** Id of the customer's newest message that the agent saw. */
            seen: null,
            /** Id of the message before which the unread mark stands. */
            unreadFrom: null,
            /** @type {{ kind: "unreachable"|"refused", text: string } | null} */
            trouble: null,
        });
        this.cursor = null;
        this.asking = null;
        this.again = false;
        /**
         * Message id → address of its file, when that was received (ms), and the cursor of its page.
         *
         * @type {Map<string, { url: string|null, at: number, before: string|undefined }>}
         */
        this.addresses = new Map();
    }

    /**
     * Load what is new. The first time: the conversation and its newest page.
     *
     * @param {{ conversation?: boolean }} [what] also ask for the conversation itself (window, owner, unread)
     * @returns {Promise<boolean>} whether there was something new; false as well when it could not be asked
     */
    async news({ conversation = false } = {}) {
        this.wantConversation ||= conversation;
        if (this.asking) {
            this.again = true;
            return this.asking;
        }
        this.asking = this.rounds().finally(() => (this.asking = null));
        return this.asking;
    }

    async rounds() {
        let found = false;
        do {
            this.again = false;
            found = Boolean(await this.guarded(() => this.round())) || found;
        } while (this.again && !this.state.trouble);
        return found;
    }

    async round() {
        if (this.state.phase === "loading") {
            await this.open();
            return false;
        }
        const newest = newestFromCustomer(this.state.messages)?.id;
        let changed = false;
        let after = this.cursor;
        do {
            const page = await this.api.messages({ after });
            const isNew = this.take(page.items);
            // WhatsApp says that the window is closed, whatever we thought.
            this.wantConversation ||= isNew && page.items.some(({ error }) => error?.code === WINDOW_CLOSED);
            changed = isNew || changed;
            if (page.items.some((item) => this.isElsewhere(item))) {
                await this.open();
            }
            // Also after that: what is shown already may have changed up to the newest page's cursor.
            this.cursor = page.cursor;
            after = page.next;
        } while (after);
        // The customer's word moves the window.
        if (this.wantConversation || newestFromCustomer(this.state.messages)?.id !== newest) {
            await this.refresh();
        }
        return changed;
    }

    /**
     * @param {import("./timeline").Message} message
     * @returns {boolean} whether the conversation was joined to an older one, where much lies before our cursor
     */
    isElsewhere({ conversation }) {
        return Boolean(conversation) && conversation !== this.state.conversation.id;
    }

    async open() {
        const [conversation, page] = await Promise.all([this.api.conversation(), this.api.messages()]);
        this.cursor = page.cursor;
        this.wantConversation = false;
        this.take(page.items);
        const { messages } = this.state;
        const unreadFrom = firstUnread(messages, conversation.unread);
        const unread = messages.findIndex(({ id }) => id === unreadFrom);
        Object.assign(this.state, {
            conversation: markRaw(conversation),
            older: page.next,
            unreadFrom,
            seen: newestFromCustomer(unread === -1 ? messages : messages.slice(0, unread))?.id ?? null,
            phase: "ready",
        });
    }

    async refresh() {
        this.wantConversation = false;
        this.state.conversation = markRaw(await this.api.conversation());
    }

    /**
     * Load the page before the oldest message. Who asks while one is on its way waits for that one.
     *
     * @param {{ limit?: number }} [options] messages wanted
     */
    async older({ limit } = {}) {
        if (this.state.older === null) {
            return;
        }
        this.loadingOlder ??= this.loadOlder(limit).finally(() => (this.loadingOlder = null));
        await this.loadingOlder;
    }

    async loadOlder(limit) {
        this.state.loadingOlder = true;
        await this.guarded(async () => {
            const page = await this.api.messages({ before: this.state.older, limit });
            this.take(page.items, this.state.older);
            this.state.older = page.next;
        });
        this.state.loadingOlder = false;
    }

    /**
     * @param {import("./timeline").Message[]} items
     * @param {string} [before] cursor of the page they came with
     * @returns {boolean} whether any of it was new
     */
    take(items, before) {
        this.keepAddresses(items, before);
        const messages = merge(this.state.messages, items);
        const changed = messages !== this.state.messages;
        if (changed) {
            this.state.messages = markRaw(messages);
        }
        return changed;
    }

    keepAddresses(items, before) {
        for (const { id, media } of items) {
            if (media) {
                this.addresses.set(id, { url: media.url, at: Date.now(), before });
            }
        }
    }

    /**
     * The agent looks at the conversation. Watching its newest message marks everything as read; otherwise the
     * unread mark moves to what came in since the agent last saw it.
     *
     * @param {boolean} watching whether the newest message is in view
     */
    async look(watching) {
        this.watching = watching;
        const newest = newestFromCustomer(this.state.messages);
        if (this.state.phase !== "ready" || this.marking || !newest || newest.id === this.state.seen) {
            return;
        }
        if (!watching) {
            if (this.unseen.every(({ id }) => id !== this.state.unreadFrom)) {
                this.state.unreadFrom = this.unseen[0].id;
            }
            return;
        }
        this.marking = true;
        const marked = await this.guarded(() => this.markRead(newest));
        this.marking = false;
        if (marked) {
            await this.look(this.watching); // something may have come in meanwhile
        }
    }

    async markRead(message) {
        const { read, unread } = await this.api.read(message.id);
        this.state.conversation = markRaw({ ...this.state.conversation, read, unread });
        this.state.seen = message.id;
        return true;
    }

    /** Loaded messages of the customer that the agent has not seen, oldest first. */
    get unseen() {
        const { messages, seen } = this.state;
        const place = messages.findIndex(({ id }) => id === seen);
        return messages.slice(place + 1).filter(isFromCustomer);
    }

    /**
     * An address of the message's file that still works.
     *
     * @param {import("./timeline").Message} message
     * @param {{ broken?: boolean }} [options] the address we have was tried and failed
     * @returns {Promise<string|null>}
     * @throws {Refused | Unreachable}
     */
    async mediaUrl(message, { broken = false } = {}) {
        const known = this.addresses.get(message.id);
        if (known && (broken || Date.now() - known.at > MEDIA_LIFE)) {
            await this.signAgain(message.id);
        }
        return this.addressOf(message);
    }

    /** The last address we got for the message's file; its own when that is a file of this browser. */
    addressOf(message) {
        const known = this.addresses.get(message.id);
        return known ? known.url : message.media.url;
    }

    /** Addresses are signed when a page is read: read the message's page again, or those before it by now. */
    async signAgain(id) {
        let { before } = this.addresses.get(id);
        for (let i = 0; i < MEDIA_PAGES; i++) {
            const page = await this.api.messages({ before });
            this.keepAddresses(page.items, before);
            if (!page.next || page.items.some((message) => message.id === id)) {
                return;
            }
            before = page.next;
        }
    }

    async guarded(request) {
        try {
            const result = await request();
            this.state.trouble = null;
            return result;
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
            this.state.trouble = {
                kind: error instanceof Refused ? "refused" : "unreachable",
                text: error.message,
            };
            return null;
        }
    }
}
