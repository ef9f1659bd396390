/** What an agent can do by a word that begins with a slash. */
import { _t } from "@web/core/l10n/translation";

/**
 * `takes`: what follows the word – a name to choose from, or text; `sends`: only for who may write to the customer;
 * `session`: only where the session is in this state.
 */
export const COMMANDS = [
    { name: "take", icon: "fa-hand-paper-o", about: _t("Take the conversation"), sends: true, session: "open", done: _t("The conversation is yours.") },
    { name: "transfer", icon: "fa-share", about: _t("Give it to a colleague or another line"), sends: true, takes: "target" },
    { name: "invite", icon: "fa-user-plus", about: _t("Ask a colleague to join"), takes: "colleague" },
    { name: "note", icon: "fa-sticky-note-o", about: _t("Write a note that only colleagues see"), takes: "text" },
    { name: "template", icon: "fa-list-alt", about: _t("Send a template"), sends: true, takes: "text" },
    { name: "lead", icon: "fa-star-o", about: _t("Open the customer's lead, or make one"), sends: true },
    { name: "close", icon: "fa-check", about: _t("Close the session"), sends: true, session: "open", done: _t("The session is closed.") },
    { name: "reopen", icon: "fa-undo", about: _t("Reopen the session"), sends: true, session: "closed", done: _t("The session is open again.") },
];

/** A path such as /shop/blue is no command. */
const WORD = /^\/(\p{L}[\p{L}_-]*)(?:\s+([^]*))?$/u;

/**
 * @param {string} text
 * @returns {{ name: string, argument: string } | null} null where the text begins with no word after a slash
 */
export function parseCommand(text) {
    const [, name, argument = ""] = text.trim().match(WORD) || [];
    return name ? { name: name.toLowerCase(), argument: argument.trim() } : null;
}

/**
 * @param {{ canSend: boolean, session?: { state: string, agent: { id: number }|null }|null, user: number }} where
 * @returns {typeof COMMANDS} those that make sense for this agent now
 */
export function commandsFor({ canSend, session, user }) {
    return COMMANDS.filter(
        ({ name, sends, session: state }) =>
            (canSend || !sends) &&
            (!state || session?.state === state) &&
            !(name === "take" && session?.agent?.id === user)
    );
}

/** Why a command that exists can't be given now. */
export function whyNot(name, { canSend, session }) {
    const { sends } = COMMANDS.find((command) => command.name === name);
    if (sends && !canSend) {
        return _t("You may read this conversation, not answer in it.");
    }
    if (name === "take" && session?.state === "open") {
        return _t("The conversation is yours already.");
    }
    return session?.state === "open" ? _t("The session is open.") : _t("There is no open session.");
}

/** Does what commands say, and tells how it went; what goes wrong is thrown as `Refused` or `Unreachable`. */
export class Commands {
    /**
     * @param {Object} params
     * @param {import("./odoo").OdooApi} params.odoo
     * @param {Object} params.notification the service
     * @param {Object} params.action the service
     * @param {(summary: Object) => void} params.onSummary the conversation as Odoo knows it now
     */
    constructor({ odoo, notification, action, onSummary }) {
        Object.assign(this, { odoo, notification, action, onSummary });
    }

    /**
     * @param {string} name
     * @param {Object} [target] of a transfer, as `transferTargets` gave it, or the colleague to invite
     */
    async run(name, target) {
        const { odoo } = this;
        if (name === "lead") {
            this.tellLead(await odoo.lead());
        } else if (name === "invite") {
            const { name: colleague, follows } = await odoo.invite(target.id);
            this.tell(follows ? _t("%s was asked to join and follows this card now.", colleague) : _t("%s was asked to join.", colleague));
        } else if (name === "transfer") {
            this.onSummary(await odoo.transfer(target));
            this.tell(_t("The conversation was given to %s.", target.name));
        } else {
            this.onSummary(await odoo[name]());
            this.tell(COMMANDS.find((command) => command.name === name).done);
        }
    }

    tellLead({ id, name, created }) {
        const open = () =>
            this.action.doAction({ type: "ir.actions.act_window", res_model: "crm.lead", res_id: id, views: [[false, "form"]] });
        this.tell(created ? _t("The lead %s was made.", name) : _t("The customer's lead is %s.", name), [
            { name: _t("Open"), primary: true, onClick: open },
        ]);
    }

    tell(sentence, buttons = []) {
        this.notification.add(sentence, { type: "success", buttons });
    }
}
