/**
 * When to ask for news: at once when Odoo's bus says so, otherwise from time to time.
 *
 * A connected websocket does not make the bus healthy: where the chat service can't reach Odoo it is silent. So
 * we trust it once it has spoken, or once we have asked often for a while and found nothing it did not tell.
 * News found by asking end the trust; its next word brings it back.
 */
import { browser } from "@web/core/browser/browser";

/** Type of our notifications on Odoo's bus; payload {conversation, message, event, unread, version}. */
export const NOTIFICATION = "leadline/conversation";

/** Between two questions (ms), while the page is visible. */
export const SLOW = 60000;
export const FAST = 5000;
/** How long (ms) a bus that has not spoken yet is watched before it is trusted. */
export const PROBATION = 60000;

/** @type {WeakMap<Object, "speaks"|"silent">} what is known of a bus, by all tabs of the page */
const known = new WeakMap();

export class Live {
    /**
     * @param {Object} params
     * @param {Object} params.bus Odoo's bus_service
     * @param {string} params.conversation id
     * @param {(why: { event: string|null }) => Promise<boolean>} params.ask for news; answers whether there were
     *  any. `event` is the bus's word, null when nobody told us
     * @param {() => boolean} params.expects whether news must come soon: a message is on its way out
     */
    constructor({ bus, conversation, ask, expects }) {
        this.bus = bus;
        this.conversation = conversation;
        this.ask = ask;
        this.expects = expects;
        this.onNotification = this.onNotification.bind(this);
        this.onVisibility = this.onVisibility.bind(this);
        this.onOnline = this.onOnline.bind(this);
        this.onWorker = this.onWorker.bind(this);
    }

    start() {
        this.bus.subscribe(NOTIFICATION, this.onNotification);
        this.bus.addEventListener("BUS:WORKER_STATE_UPDATED", this.onWorker);
        document.addEventListener("visibilitychange", this.onVisibility);
        browser.addEventListener("online", this.onOnline);
        this.bus.start();
        this.since = Date.now();
        this.wait();
    }

    stop() {
        this.stopped = true;
        browser.clearTimeout(this.timer);
        this.bus.unsubscribe(NOTIFICATION, this.onNotification);
        this.bus.removeEventListener("BUS:WORKER_STATE_UPDATED", this.onWorker);
        document.removeEventListener("visibilitychange", this.onVisibility);
        browser.removeEventListener("online", this.onOnline);
    }

    get isHealthy() {
        if (this.bus.workerState !== "CONNECTED" || known.get(this.bus) === "silent") {
            return false;
        }
        return known.get(this.bus) === "speaks" || Date.now() - this.since > PROBATION;
    }

    onNotification({ conversation, event }) {
        if (conversation === this.conversation) {
            known.set(this.bus, "speaks");
            if (document.visibilityState === "visible") {
                this.askNow(event);
            }
        }
    }

    onVisibility() {
        if (document.visibilityState === "visible") {
            this.askNow();
        } else {
            browser.clearTimeout(this.timer);
        }
    }

    onOnline() {
        this.askNow();
    }

    onWorker({ detail: state }) {
        // While it was away the bus may have missed something.
        if (state === "CONNECTED" && this.wasAway) {
            this.askNow();
        } else {
            this.wait();
        }
        this.wasAway = state !== "CONNECTED";
    }

    async askNow(event = null) {
        browser.clearTimeout(this.timer);
        try {
            await this.ask({ event });
        } finally {
            this.wait();
        }
    }

    wait() {
        browser.clearTimeout(this.timer);
        if (!this.stopped && document.visibilityState === "visible") {
            const pause = this.isHealthy && !this.expects() ? SLOW : FAST;
            this.timer = browser.setTimeout(() => this.poll(), pause);
        }
    }

    async poll() {
        try {
            if (await this.ask({ event: null })) {
                known.set(this.bus, "silent");
            }
        } finally {
            this.wait();
        }
    }
}
