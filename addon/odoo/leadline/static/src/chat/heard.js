/**
 * Which voice notes this agent has played, kept by the browser: WhatsApp lets no business say so to the customer, and
 * what one agent has heard another has not.
 */
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";

/** How many are remembered; older ones count as new again. */
const REMEMBERED = 2000;

export class Heard {
    constructor(key, storage = browser.localStorage) {
        Object.assign(this, { key, storage });
        this.ids = new Set(this.stored());
    }

    has(id) {
        return this.ids.has(id);
    }

    add(id) {
        if (this.ids.has(id)) {
            return;
        }
        // Another window may have played some meanwhile.
        this.ids = new Set([...this.stored(), ...this.ids, id].slice(-REMEMBERED));
        try {
            this.storage.setItem(this.key, JSON.stringify([...this.ids]));
        } catch (error) {
            // Storage full or switched off: known as long as the page.
            console.warn("Leadline: what was played could not be kept", error.name);
        }
    }

    stored() {
        try {
            const ids = JSON.parse(this.storage.getItem(this.key));
            return Array.isArray(ids) ? ids : [];
        } catch {
            return []; // written by something else
        }
    }
}

export const heardService = {
    start() {
        return new Heard(`leadline.heard.${user.userId}`);
    },
};

registry.category("services").add("leadline.heard", heardService);
