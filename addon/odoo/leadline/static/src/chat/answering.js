/**
 * Colleagues who answer the same conversation at the same time: who they are, and telling them that we do.
 *
 * Odoo's bus carries it, on a channel that only browsers get whose agent may see the card. Nobody says when they
 * stop: a word is good for some seconds, or until what was written is there.
 */
import { browser } from "@web/core/browser/browser";
import { reactive } from "@odoo/owl";
import { Refused, Unreachable } from "./api";

/** Type of the notification; payload {conversation, agent: {id, name}}. */
export const ANSWERING = "leadline/answering";
/** Between two words (ms) to colleagues while the agent writes. */
export const AGAIN = 8000;
/** How long (ms) a colleague's word is good. */
export const GOOD = 12000;

export class Answering {
    /**
     * @param {Object} params
     * @param {Object} params.bus Odoo's bus_service
     * @param {string} params.conversation id
     * @param {{ id: number }} params.user the agent, who is not shown to themselves
     * @param {import("./odoo").OdooApi} params.odoo
     */
    constructor({ bus, conversation, user, odoo }) {
        Object.assign(this, { bus, conversation, user, odoo });
        /** Names by id, in the order in which they began. */
        this.state = reactive({ agents: {} });
        this.timers = {};
        this.told = -AGAIN;
        this.onNotification = this.onNotification.bind(this);
    }

    start() {
        this.bus.subscribe(ANSWERING, this.onNotification);
        this.bus.addChannel(this.odoo.channel);
    }

    stop() {
        this.bus.unsubscribe(ANSWERING, this.onNotification);
        this.bus.deleteChannel(this.odoo.channel);
        Object.keys(this.timers).forEach((id) => this.forget(id));
    }

    onNotification({ conversation, agent }) {
        if (conversation !== this.conversation || agent.id === this.user.id) {
            return;
        }
        this.state.agents[agent.id] = agent.name;
        browser.clearTimeout(this.timers[agent.id]);
        this.timers[agent.id] = browser.setTimeout(() => this.forget(agent.id), GOOD);
    }

    /** @param {string|number} id of an agent who has answered, or is silent */
    forget(id) {
        browser.clearTimeout(this.timers[id]);
        delete this.timers[id];
        delete this.state.agents[id];
    }

    /** The agent writes. A courtesy: when it can't be told, nothing is lost. */
    async writes() {
        if (Date.now() - this.told < AGAIN) {
            return;
        }
        this.told = Date.now();
        try {
            await this.odoo.answering();
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
        }
    }

    /** What the agent wrote is on its way: the next letter is a new answer. */
    sent() {
        this.told = -AGAIN;
    }
}
