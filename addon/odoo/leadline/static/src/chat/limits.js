/** What WhatsApp takes: the chat API's own table, asked for once per page and address. */
import { registry } from "@web/core/registry";
import { Refused, Unreachable } from "./api";
import { LIMITS } from "./attachment";

export class Limits {
    constructor() {
        /** @type {Map<string, Promise<typeof LIMITS>>} by address of the chat API */
        this.told = new Map();
    }

    /**
     * @param {import("./api").ChatApi} api
     * @returns {Promise<typeof LIMITS>} our own table while the API can't be asked
     */
    async of(api) {
        if (!this.told.has(api.base)) {
            this.told.set(api.base, api.limits());
        }
        try {
            return await this.told.get(api.base);
        } catch (error) {
            this.told.delete(api.base);
            if (error instanceof Refused || error instanceof Unreachable) {
                return LIMITS;
            }
            throw error;
        }
    }
}

export const limitsService = {
    start() {
        return new Limits();
    },
};

registry.category("services").add("leadline.limits", limitsService);
