/**
 * The chat tab of a lead or a contact: `<widget name="leadline_chat"/>`.
 *
 * Odoo says which conversations the record has and gives grants for them; everything said in them comes from
 * the chat API itself.
 */
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import {
    Component,
    onMounted,
    onWillUnmount,
    useEffect,
    useExternalListener,
    useState,
} from "@odoo/owl";
import { Conversation } from "./conversation";
import { NOTIFICATION } from "./live";
import { Start } from "../template/start";

const MODEL = "leadline.conversation";

export class Chat extends Component {
    static template = "leadline.Chat";
    static components = { Conversation, Start };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.bus = useService("bus_service");
        this.action = useService("action");
        this.state = useState({
            phase: "loading",
            conversations: [],
            selected: null,
            trouble: "",
            /** Whether the agent begins a conversation on another line. */
            starting: false,
        });
        /** Whose conversations these are: the form puts another record into the same `record` object. */
        this.card = {};
        /** Raised with each question, so that a late answer to the one before is dropped. */
        this.turn = 0;
        /** Conversations the bus spoke of that are not ours. */
        this.foreign = new Set();
        this.onNotification = this.onNotification.bind(this);

        useEffect(
            (resModel, resId) => {
                this.load({ resModel, resId });
            },
            () => [this.props.record.resModel, this.props.record.resId]
        );
        onMounted(() => {
            this.bus.subscribe(NOTIFICATION, this.onNotification);
            this.bus.start();
        });
        onWillUnmount(() => {
            this.turn++;
            this.bus.unsubscribe(NOTIFICATION, this.onNotification);
        });
        useExternalListener(document, "visibilitychange", () => {
            if (document.visibilityState === "visible" && !this.state.conversations.length) {
                this.refresh();
            }
        });
    }

    /** Whether what is shown belongs to the record in the form. */
    get isCurrent() {
        const { resModel, resId } = this.props.record;
        return this.card.resModel === resModel && this.card.resId === resId;
    }

    get selected() {
        return this.state.conversations.find(({ id }) => id === this.state.selected);
    }

    /** Lines on which the customer has no conversation yet, as far as one may be begun. */
    get freeLines() {
        const { invitation, conversations } = this.state;
        const taken = new Set(conversations.map(({ line }) => line.id));
        return invitation && !invitation.refused ? invitation.lines.filter(({ id }) => !taken.has(id)) : [];
    }

    get invitation() {
        const { invitation, starting } = this.state;
        return starting ? { ...invitation, lines: this.freeLines } : invitation;
    }

    /** @param {{ resModel: string, resId: number | false }} card */
    async load(card) {
        this.card = card;
        this.foreign.clear();
        Object.assign(this.state, {
            phase: "loading",
            conversations: [],
            selected: null,
            trouble: "",
            starting: false,
        });
        await this.refresh();
    }

    async refresh() {
        const { resModel, resId } = this.card;
        const turn = ++this.turn;
        if (!resId) {
            this.state.phase = "unsaved";
            return;
        }
        let answer;
        try {
            answer = await this.orm.silent.call(MODEL, "chat_open", [resModel, resId]);
        } catch (error) {
            if (turn === this.turn) {
                const said = error instanceof RPCError ? error.data?.message : "";
                Object.assign(this.state, { phase: "failed", trouble: said || _t("Can't reach Odoo.") });
            }
            return;
        }
        if (turn === this.turn) {
            this.show(answer);
        }
    }

    show({ conversations, chat_url, user, can_send, invitation = null }) {
        const ids = new Set(conversations.map(({ id }) => id));
        // A conversation that was joined to another one shown here is the same chat.
        const shown = conversations.filter(({ merged_into }) => !ids.has(merged_into));
        Object.assign(this.state, {
            phase: "ready",
            /** Conversations of different connections may live at different addresses. */
            chatUrl: chat_url,
            user,
            canSend: Boolean(can_send),
            /** What it takes to write first; null when Odoo does not offer it. */
            invitation,
            conversations: shown,
            selected: this.selected ? this.state.selected : null,
        });
        if (!this.selected) {
            const chosen = browser.sessionStorage.getItem(this.choiceKey);
            this.state.selected = (shown.find(({ id }) => id === chosen) ?? shown[0])?.id ?? null;
        }
    }

    /** Where it is kept which of the record's conversations the agent looks at. */
    get choiceKey() {
        return `leadline.chosen.${this.card.resModel}.${this.card.resId}`;
    }

    /** @param {string} id of the conversation that the agent looks at from now on, also after leaving the tab */
    onSelect(id) {
        this.state.selected = id;
        browser.sessionStorage.setItem(this.choiceKey, id);
    }

    async onNotification({ conversation, unread, event }) {
        const known = this.state.conversations.find(({ id }) => id === conversation);
        if (known && event === "session") {
            // Somebody has taken, closed or reopened it.
            await this.refresh();
        } else if (known) {
            known.unread = unread;
        } else if (this.card.resId && !this.foreign.has(conversation)) {
            // Perhaps the record's first message. If it is not ours we don't ask for it again.
            this.foreign.add(conversation);
            await this.refresh();
        }
    }

    /** @param {string} id of a conversation that the agent has read; the record may have changed meanwhile */
    onRead(id) {
        const read = this.state.conversations.find((conversation) => conversation.id === id);
        if (read) {
            read.unread = 0;
        }
    }

    /** @param {Object} summary what Odoo knows of a conversation now */
    onSummary(summary) {
        this.state.conversations = this.state.conversations.map((known) =>
            known.id === summary.id ? { ...known, ...summary } : known
        );
    }

    /** The values that a template's parameters have on the record. */
    valuesFor(conversation) {
        const { resModel, resId } = this.card;
        const { line } = this.state.conversations.find(({ id }) => id === conversation);
        return ({ name, language }) =>
            this.orm.silent.call(MODEL, "chat_template_values", [resModel, resId, line.id, name, language]);
    }

    /** Open the form on which the customer's consent is recorded. */
    async recordConsent(conversation, onClose) {
        const { resModel, resId } = this.card;
        const action = await this.orm.silent.call(MODEL, "chat_record_consent", [resModel, resId, conversation]);
        await this.action.doAction(action, { onClose });
    }

    async onStarted(conversation) {
        await this.refresh();
        this.onSelect(conversation);
        this.state.starting = false;
    }

    grantFor(conversation) {
        const { resModel, resId } = this.card;
        return () => this.orm.silent.call(MODEL, "chat_grant", [resModel, resId, conversation]);
    }
}

export const chat = {
    component: Chat,
};

registry.category("view_widgets").add("leadline_chat", chat);
