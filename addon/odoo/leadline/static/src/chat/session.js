/** Take, close and reopen: what an agent does with the session, in the head of its conversation. */
import { _t } from "@web/core/l10n/translation";
import { Component, useState } from "@odoo/owl";

export class Session extends Component {
    static template = "leadline.Session";
    static props = {
        /** {state, agent} of Odoo's summary; absent where Odoo knows no sessions */
        session: { type: [Object, { value: null }], optional: true },
        /** Id of the agent who looks. */
        user: Number,
        canSend: Boolean,
        /** (name of the command) → promise */
        onCommand: Function,
    };

    setup() {
        this.state = useState({ asked: false });
    }

    get choices() {
        const { session, user, canSend } = this.props;
        if (!session || !canSend) {
            return [];
        }
        if (session.state === "closed") {
            return [{ name: "reopen", label: _t("Reopen"), icon: "fa-undo" }];
        }
        const take = { name: "take", label: session.agent ? _t("Take over") : _t("Take"), icon: "fa-hand-paper-o" };
        const close = { name: "close", label: _t("Close"), icon: "fa-check" };
        return session.agent?.id === user ? [close] : [take, close];
    }

    async onChoose(name) {
        this.state.asked = true;
        try {
            await this.props.onCommand(name);
        } finally {
            this.state.asked = false;
        }
    }
}
