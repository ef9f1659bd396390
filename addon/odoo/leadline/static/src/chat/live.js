/**
 * When to ask for news: at once when Odoo's bus says so, otherwise from time to time.
 *
 * A connected websocket does not make the bus healthy: where the chat service can't reach Odoo it is silent. So
 * we trust it once it has spoken, or once we have asked often for a while and found nothing it did not tell.
 * News found by asking end the trust; its next word brings it back.
 */
import { browser } from "@web/core/browser/browser";
import { toRaw } from "@odoo/owl";

/** Type of our notifications on Odoo's bus; payload {conversation, message, event, unread, version}. */
export const NOTIFICATION = "leadline/conversation";

/** Another one: something about a line; payload {line, event}. */
export const LINE_NOTIFICATION = "leadline/line";

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
     * @param {(why: { event: string|null, version?: number }) => Promise<boolean>} params.ask for news; answers
     *  whether there were any. `event` and the conversation's `version` are the bus's word; `event` is null when
     *  nobody told us
     * @param {() => boolean} params.expects whether news must come soon: a message is on its way out
     */
    constructor({ bus, conversation, ask, expects }) {
        // Each component gets a proxy of its own; what is known of the bus belongs to the bus.
        this.bus = toRaw(bus);
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
        this.wasConnected = this.bus.workerState === "CONNECTED";
        this.isAway = false;
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

    onNotification({ conversation, event, version }) {
        if (conversation === this.conversation) {
            known.set(this.bus, "speaks");
            if (document.visibilityState === "visible") {
                this.askNow({ event, version });
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
        const isBack = state === "CONNECTED" && this.isAway;
        this.isAway = state !== "CONNECTED" && (this.isAway || this.wasConnected);
        this.wasConnected = state === "CONNECTED";
        // While the bus was away we may have missed something; before it first came there was nothing to miss.
        if (isBack) {
            this.askNow();
        } else {
            this.wait();
        }
    }

    async askNow(why = { event: null }) {
        browser.clearTimeout(this.timer);
        try {
            await this.ask(why);
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
