/**
 * What the tab asks of Odoo itself about one conversation of a card.
 *
 * Every request either answers, or throws `Refused` or `Unreachable` as the client of the chat API does.
 */
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { Refused, Unreachable } from "./api";

const MODEL = "leadline.conversation";

/** Wait for what Odoo answers; its errors become ours. */
export async function answered(promise) {
    try {
        return await promise;
    } catch (error) {
        if (error instanceof RPCError) {
            throw new Refused({ status: 422, detail: error.data?.message });
        }
        throw error instanceof ConnectionLostError ? new Unreachable(error.message) : error;
    }
}

export class OdooApi {
    /**
     * @param {Object} orm the service
     * @param {{ resModel: string, resId: number }} card
     * @param {string} conversation id
     */
    constructor(orm, { resModel, resId }, conversation) {
        this.orm = orm;
        this.place = [resModel, resId, conversation];
    }

    /** Each answers the conversation's summary as `chat_open` gives it. */
    take() {
        return this.ask("chat_take");
    }

    close() {
        return this.ask("chat_close");
    }

    reopen() {
        return this.ask("chat_reopen");
    }

    /** @param {{ kind: "user"|"line", id: number }} target */
    transfer({ kind, id }) {
        return this.ask("chat_transfer", kind, id);
    }

    /** @returns {Promise<{ kind: string, id: number, name: string, available: boolean, why: string }[]>} */
    transferTargets(term) {
        return this.ask("chat_transfer_targets", term);
    }

    /** @returns {Promise<{ id: number, name: string, created: boolean }>} the customer's open lead, or a new one */
    lead() {
        return this.ask("chat_lead");
    }

    /**
     * @param {string} term
     * @param {boolean} [everyone] also those who may not read the card, with the reason `why`
     * @returns {Promise<{ id: number, partner_id: number, name: string, why: string }[]>}
     */
    colleagues(term, everyone = false) {
        return this.ask("chat_mentions", term, everyone);
    }

    /** @returns {Promise<{ name: string, follows: boolean }>} */
    invite(user) {
        return this.ask("chat_invite", user);
    }

    /** @returns {Promise<string[]>} names of those who may not read the card and were not alerted */
    alert(note, partners) {
        return this.ask("chat_note_alert", note, partners);
    }

    /** @returns {Promise<{ id: number, source: string, substitution: string }[]>} */
    canned(term) {
        return answered(this.orm.silent.call(MODEL, "chat_canned", [term]));
    }

    cannedUsed(ids) {
        return answered(this.orm.silent.call(MODEL, "chat_canned_used", [ids]));
    }

    /** Where colleagues who have the conversation open are told of each other: given to who may see the card. */
    get channel() {
        return ["leadline.conversation", ...this.place].join("/");
    }

    /** Tell colleagues that the agent is writing to the customer. */
    answering() {
        return this.ask("chat_answering");
    }

    ask(method, ...more) {
        return answered(this.orm.silent.call(MODEL, method, [...this.place, ...more]));
    }
}
