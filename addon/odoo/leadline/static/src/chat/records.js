/**
 * Which lead and which contact the conversation is about, and what it tells of them: both are the agent's to say.
 */
import { browser } from "@web/core/browser/browser";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { Component, onMounted, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { Refused, Unreachable } from "./api";
import { learnt } from "./learnt";
import { OdooApi } from "./odoo";

const TYPING = 250;

export class Records extends Component {
    static template = "leadline.Records";
    static components = { Dropdown, DropdownItem };
    static props = {
        /** {resModel, resId} whose chat this is */
        card: Object,
        conversation: Object,
        /** The chat API's answer; null while it is not known. */
        details: { type: [Object, { value: null }] },
        messages: Array,
    };

    setup() {
        const { card, conversation } = this.props;
        this.odoo = new OdooApi(useService("orm"), card, conversation.id);
        this.action = useService("action");
        this.notification = useService("notification");
        const inbox = useService("leadline.inbox");
        this.state = useState({ told: null, term: "", found: null, dismissed: this.readDismissed() });
        this.find = useDebounced(() => this.look(), TYPING);
        // Not awaited: the chat does not wait for it.
        onWillStart(() => {
            this.load();
        });
        onMounted(() => (this.close = inbox.opened(conversation.id)));
        onWillUnmount(() => this.close?.());
    }

    /** What it is about, without the card that the agent stands on. */
    get about() {
        const { lead, contact } = this.state.told;
        return [lead, contact].filter((record) => record && !this.isHere(record));
    }

    get offered() {
        const { told, found } = this.state;
        return found || told.others;
    }

    isHere({ model, id }) {
        const { resModel, resId } = this.props.card;
        return model === resModel && id === resId;
    }

    kindOf({ model }) {
        return model === "crm.lead" ? _t("Lead") : _t("Contact");
    }

    iconOf({ model }) {
        return model === "crm.lead" ? "fa-star-o" : "fa-user-o";
    }

    async load() {
        this.state.told = await this.asked("chat_records", []);
    }

    async look() {
        const { term } = this.state;
        const found = term.trim() ? await this.asked("chat_find_records", [term.trim()]) : null;
        if (term === this.state.term) {
            this.state.found = found;
        }
    }

    onSearch(ev) {
        this.state.term = ev.target.value;
        this.find();
    }

    onClosed() {
        Object.assign(this.state, { term: "", found: null });
    }

    async onChoose(record) {
        const told = await this.asked("chat_switch", [record.model, record.id], { loud: true });
        if (!told) {
            return;
        }
        this.state.told = told;
        if (told.here) {
            this.notification.add(_t("This chat is about %s now.", record.name), { type: "success" });
        } else {
            // The chat is on the other card now, and so is who reads it.
            this.onOpen(record);
        }
    }

    onOpen({ model, id }) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
            target: "current",
        });
    }

    //--------------------------------------------------------------------------
    // What the conversation tells
    //--------------------------------------------------------------------------

    get learnt() {
        const { told, dismissed } = this.state;
        const { details, messages } = this.props;
        if (!told?.card || !told.can_switch) {
            return [];
        }
        if (this.read !== messages || this.readCard !== told.card || this.readName !== details?.contact?.name) {
            // Texts are searched when there are others, not each time something is drawn.
            Object.assign(this, { read: messages, readCard: told.card, readName: details?.contact?.name });
            this.known = learnt(told.card, {
                name: details?.contact?.name,
                messages,
                languages: told.languages,
            });
        }
        return this.known.filter((offer) => !dismissed.includes(keyOf(offer)));
    }

    sentenceOf({ what, over }) {
        if (what === "name") {
            return over ? _t("On WhatsApp the name is another than on the card:") : _t("The name on WhatsApp:");
        }
        if (what === "email") {
            return over ? _t("Another e-mail address than on the card:") : _t("An e-mail address that the card lacks:");
        }
        return _t("The customer writes in the letters of this language:");
    }

    buttonOf({ over, what, shown }) {
        return over && what !== "lang" ? _t("Use %(new)s instead of %(old)s", { new: shown, old: over }) : _t("Use %s", shown);
    }

    async onUse({ what, value, over }) {
        const told = await this.asked("chat_learn", [what, value, over], { loud: true });
        if (told) {
            this.state.told = told;
        }
    }

    onDismiss(offer) {
        this.state.dismissed.push(keyOf(offer));
        browser.localStorage.setItem(this.dismissedKey, JSON.stringify(this.state.dismissed));
    }

    get dismissedKey() {
        return `leadline.dismissed.${this.props.conversation.id}`;
    }

    readDismissed() {
        try {
            const kept = JSON.parse(browser.localStorage.getItem(this.dismissedKey));
            return Array.isArray(kept) ? kept : [];
        } catch {
            return [];
        }
    }

    /** Ask Odoo; what fails is said when the agent asked for it. */
    async asked(method, given, { loud = false } = {}) {
        try {
            return await this.odoo.ask(method, ...given);
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
            if (loud) {
                const reason = error instanceof Refused ? error.message : _t("Can't reach Odoo. Try again in a moment.");
                this.notification.add(reason, { type: "danger" });
            }
            return null;
        }
    }
}

function keyOf({ what, value }) {
    return `${what} ${value}`;
}
