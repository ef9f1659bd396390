/** The tab's head: who is on the other end, over which line, and the other conversations of the record. */
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { Component } from "@odoo/owl";
import { consentNote } from "../template/template";

export class Head extends Component {
    static template = "leadline.Head";
    static components = { Dropdown, DropdownItem };
    static props = {
        /** All conversations of the record, as Odoo knows them. */
        conversations: Array,
        conversation: Object,
        /** The chat API's answer; null while it is not known. */
        details: { type: [Object, { value: null }] },
        onSelect: Function,
        /** () look for words in the conversation */
        onSearch: Function,
        /** () write from another line; only where there is one */
        onStart: { type: Function, optional: true },
        slots: { type: Object, optional: true },
    };

    get contact() {
        return this.props.details?.contact?.name || nameOf(this.props.conversation.contact) || _t("Customer");
    }

    get initial() {
        return [...this.contact.trim()].find((char) => /[\p{L}\p{N}]/u.test(char))?.toUpperCase() || "?";
    }

    get phone() {
        const { contact } = this.props.details || {};
        return contact?.phone || (contact?.username ? `@${contact.username}` : "");
    }

    /** What stands against marketing, and why. */
    get consent() {
        return consentNote(this.props.details?.contact?.consent);
    }

    /** Who has the session; of a conversation without one whoever looks after it. */
    get owner() {
        const { session } = this.props.conversation;
        if (session?.state === "open") {
            return nameOf(session.agent) || _t("Waits for an agent");
        }
        return nameOf(this.props.details?.owner ?? this.props.conversation.owner);
    }

    get hasOthers() {
        return this.props.conversations.length > 1;
    }

    get unreadElsewhere() {
        return this.props.conversations.some(
            ({ id, unread }) => unread && id !== this.props.conversation.id
        );
    }

    contactOf(conversation) {
        return nameOf(conversation.contact) || _t("Customer");
    }
}

/** Odoo names people as text or as {id, name}. */
export function nameOf(person) {
    return typeof person === "string" ? person : person?.name || "";
}
