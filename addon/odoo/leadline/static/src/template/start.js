/** The empty chat of a card: write first, with a template, to the number that stands on it. */
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { Component, useState } from "@odoo/owl";
import { Refused, putFile } from "../chat/api";
import { answered } from "../chat/odoo";
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
        const drafts = useService("leadline.drafts");
        const { resModel, resId } = this.props.card;
        const key = `start.${resModel}.${resId}`;
        this.draft = drafts.of(user.userId, key);
        this.keepDraft = () => drafts.save(user.userId, key);
        const { lines } = this.props.invitation;
        const first = lines.find(({ id }) => id === this.draft.line) || lines[0];
        this.state = useState({ line: first?.id ?? null, picking: Boolean(this.draft.filling) });
        this.list = (after) => this.ask("chat_templates", [this.state.line, after]);
        this.values = ({ name, language }) => this.ask("chat_template_values", [this.state.line, name, language]);
        this.send = this.send.bind(this);
        this.upload = this.upload.bind(this);
        this.recordConsent = this.props.recordConsent && (() => answered(this.props.recordConsent()));
    }

    get line() {
        return this.props.invitation.lines.find(({ id }) => id === this.state.line);
    }

    get contact() {
        return this.props.invitation.name || this.props.invitation.phone || _t("The customer");
    }

    onLine(ev) {
        this.draft.line = this.state.line = ev.target.value;
    }

    async send(message) {
        const { conversation, refused } = await this.ask("chat_start", [this.state.line, message]);
        if (refused) {
            throw new Refused(refused);
        }
        this.props.onStarted(conversation.id);
    }

    /** The conversation in which the file belongs is not there yet: it is announced for the line. */
    async upload(file, { type, ...options }) {
        const { name, size } = file;
        const announced = { type, filename: name, mime: file.type || "application/octet-stream", size };
        const { id, upload, refused } = await this.ask("chat_start_upload", [this.state.line, announced]);
        if (refused) {
            throw new Refused(refused);
        }
        await putFile(upload, file, options);
        return id;
    }

    ask(method, more) {
        const { resModel, resId } = this.props.card;
        return answered(this.orm.silent.call(MODEL, method, [resModel, resId, ...more]));
    }
}
