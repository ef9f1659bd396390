/** The empty chat of a card: write first, with a template, to the number that stands on it. */
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { Component, useState } from "@odoo/owl";
import { Refused, Unreachable } from "../chat/api";
import { TemplatePicker } from "./template_picker";

const MODEL = "leadline.conversation";

export class Start extends Component {
    static template = "leadline.Start";
    static components = { TemplatePicker };
    static props = {
        /** {resModel, resId} */
        card: Object,
        /** {lines, phone, name, language, refused} as Odoo knows them */
        invitation: Object,
        /** (id) the conversation has begun */
        onStarted: Function,
        /** () → promise; opens the form on which the customer's consent is recorded */
        recordConsent: { type: Function, optional: true },
        /** Leave; only where there is a conversation to go back to. */
        onBack: { type: Function, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ line: this.props.invitation.lines[0]?.id ?? null, picking: false });
        this.list = (after) => this.ask("chat_templates", [this.state.line, after]);
        this.values = ({ name, language }) => this.ask("chat_template_values", [this.state.line, name, language]);
        this.send = this.send.bind(this);
        this.recordConsent = this.props.recordConsent && (() => this.told(this.props.recordConsent()));
    }

    get line() {
        return this.props.invitation.lines.find(({ id }) => id === this.state.line);
    }

    get contact() {
        return this.props.invitation.name || this.props.invitation.phone || _t("The customer");
    }

    onLine(ev) {
        this.state.line = ev.target.value;
    }

    async send(message) {
        const { conversation, refused } = await this.ask("chat_start", [this.state.line, message]);
        if (refused) {
            throw new Refused(refused);
        }
        this.props.onStarted(conversation.id);
    }

    async ask(method, more) {
        const { resModel, resId } = this.props.card;
        return this.told(this.orm.silent.call(MODEL, method, [resModel, resId, ...more]));
    }

    async told(promise) {
        try {
            return await promise;
        } catch (error) {
            if (error instanceof RPCError) {
                throw new Refused({ status: 422, detail: error.data?.message });
            }
            if (error instanceof ConnectionLostError) {
                throw new Unreachable(error.message);
            }
            throw error;
        }
    }
}
