/** Chooses a template, fills it in and sends it: in the composer's place, or as the first word of a conversation. */
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import {
    Component,
    markRaw,
    onWillDestroy,
    onWillUpdateProps,
    toRaw,
    useEffect,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";
import { Refused, Unreachable } from "../chat/api";
import { waysOf } from "../chat/attachment";
import { uuid } from "../chat/unsent";
import {
    MEDIA,
    categoryOf,
    faults,
    hindrance,
    isApproved,
    keyOf,
    labelOf,
    lacksConsent,
    languageName,
    messageOf,
    nearestLanguage,
    preview,
    qualityOf,
    search,
    statusOf,
} from "./template";
import { TemplateView } from "./template_view";

/** Rows drawn at once; whoever looks further searches. */
const SHOWN = 50;
/** Pages asked for: WhatsApp allows an account 6,000 templates. */
const PAGES = 60;
/** Files that a header takes, for the browser's own dialog. */
const ACCEPTED = { image: "image/jpeg,image/png", video: "video/mp4,video/3gpp", document: "" };

/**
 * A template that is being filled in, as the draft keeps it.
 *
 * @typedef {Object} Filling
 * @property {string} key of the template
 * @property {import("./template").Values} values
 * @property {string} clientId of the message that it becomes
 */

let opened = 0;

export class TemplatePicker extends Component {
    static template = "leadline.TemplatePicker";
    static components = { TemplateView };
    static props = {
        /** (cursor) → promise of a page {items, next} */
        list: Function,
        /** (template) → promise of texts by field: what is known of the customer */
        values: Function,
        /** (message) → promise; rejects with `Refused` or `Unreachable` */
        send: Function,
        /** (file, {type, onProgress, signal}) → promise of a media id */
        upload: Function,
        contact: String,
        consent: { type: [Object, { value: null }] },
        /** Whether marketing needs the customer's agreement first. */
        optIn: { type: Boolean, optional: true },
        /** Open the form on which it is recorded. */
        onRecordConsent: { type: Function, optional: true },
        /** The customer's language as Odoo has it. */
        language: { type: [String, { value: null }], optional: true },
        /** What to search for at first. */
        text: { type: String, optional: true },
        /** Raised when the templates have changed. */
        version: { type: Number, optional: true },
        autofocus: { type: Boolean, optional: true },
        /** A template was chosen: the agent is at work here. */
        onChoose: { type: Function, optional: true },
        /** Leave without sending; only where there is something to go back to. */
        onClose: { type: Function, optional: true },
        onSent: { type: Function, optional: true },
        /** Keeps what is being filled in, as `filling`; `onDraft` is called after each change. */
        draft: Object,
        onDraft: Function,
    };

    setup() {
        this.id = `o_leadline_picker_${opened++}`;
        this.ui = useService("ui");
        this.root = useRef("root");
        this.searchInput = useRef("search");
        this.state = useState({
            /** "loading" | "ready" | "failed" */
            phase: "loading",
            trouble: "",
            /** Why no consent can be recorded. */
            unrecorded: "",
            templates: [],
            text: this.props.text || "",
            language: "",
            active: 0,
            /** @type {import("./template").Template|null} */
            chosen: null,
            /** @type {import("./template").Values} */
            values: {},
            /** Share of a file that is up, by field. */
            uploads: {},
            faults: {},
            said: "",
            sending: false,
        });
        this.load();
        onWillUpdateProps(({ version }) => {
            if (version !== this.props.version) {
                this.load();
            }
        });
        useExternalListener(window, "pagehide", () => this.forget());
        useEffect(
            (chosen, phase) => {
                if (chosen) {
                    // On a phone the keyboard would cover what the customer will see.
                    const first = this.ui.isSmall ? ".o_leadline_back" : ".o_leadline_fields input";
                    this.root.el.querySelector(`${first}, .o_leadline_template_send`).focus();
                } else if (phase === "ready" && this.props.autofocus) {
                    this.searchInput.el?.focus();
                }
            },
            () => [this.state.chosen && keyOf(this.state.chosen), this.state.phase]
        );
        useEffect(
            () => {
                this.root.el.querySelector("[aria-invalid=true]")?.focus();
            },
            () => [this.state.faults]
        );
        useEffect(
            () => {
                this.root.el.querySelector(".o_leadline_option.active")?.scrollIntoView({ block: "nearest" });
            },
            () => [this.state.active, this.state.text]
        );
        onWillDestroy(() => {
            this.isGone = true;
            this.forget();
        });
    }

    //--------------------------------------------------------------------------
    // Choosing
    //--------------------------------------------------------------------------

    async load() {
        const turn = (this.turn = (this.turn || 0) + 1);
        try {
            const templates = await this.pages();
            if (turn !== this.turn || this.isGone) {
                return;
            }
            const isFirst = this.state.phase !== "ready";
            Object.assign(this.state, { phase: "ready", trouble: "", templates });
            if (isFirst) {
                this.state.language = nearestLanguage(templates, this.props.language);
                this.goOn();
            }
        } catch (error) {
            if (turn === this.turn && !this.isGone) {
                Object.assign(this.state, { phase: "failed", trouble: this.sentence(error) });
            }
        }
    }

    /** Go on with what was being filled in when the tab was left. */
    goOn() {
        const { filling } = this.props.draft;
        const chosen = filling && this.state.templates.find((template) => keyOf(template) === filling.key);
        if (!chosen || this.hindrance(chosen)) {
            return;
        }
        this.clientId = filling.clientId;
        Object.assign(this.state, { chosen, values: { ...filling.values } });
        this.props.onChoose?.();
        for (const { field, kind } of chosen.parameters) {
            const { id, file } = this.state.values[field] || {};
            if (file && !id) {
                this.upload({ field, kind }, file);
            } else if (file) {
                this.state.values[field].preview = pictureOf(file, kind);
            }
        }
    }

    /** Keep what is filled in, and under which id it goes; null when nothing is. */
    keep() {
        const { chosen, values } = this.state;
        this.props.draft.filling = chosen && { key: keyOf(chosen), values: { ...toRaw(values) }, clientId: this.clientId };
        this.props.onDraft();
    }

    async pages() {
        const found = [];
        let after = null;
        for (let i = 0; i < PAGES; i++) {
            const { items, next } = await this.props.list(after);
            found.push(...items);
            if (!next) {
                break;
            }
            after = next;
        }
        return found;
    }

    onReload() {
        this.state.phase = "loading";
        this.load();
    }

    get found() {
        return search(this.state.templates, this.state);
    }

    get shown() {
        return this.found.slice(0, SHOWN);
    }

    get hidden() {
        return Math.max(this.found.length - SHOWN, 0);
    }

    get hiddenText() {
        return _t("Search to find %s more.", this.hidden);
    }

    get languages() {
        const codes = [...new Set(this.state.templates.map(({ language }) => language))];
        return codes
            .map((code) => ({ code, name: languageName(code) }))
            .sort((a, b) => a.name.localeCompare(b.name));
    }

    /** What to do when there is nothing to choose from. */
    get nothing() {
        const { templates, text } = this.state;
        if (!templates.length) {
            return _t(
                "There are no templates for this number yet. Write one in WhatsApp Manager; it appears here by itself within some minutes."
            );
        }
        if (!this.shown.length) {
            return text
                ? _t("No template fits “%s”. Search for another word, or in all languages.", text)
                : _t("No template in this language. Look in all languages.");
        }
        return "";
    }

    /** None of them can go: the agent should know before going through them all. */
    get noneSendable() {
        return this.state.templates.length && !this.state.templates.some(({ sendable }) => sendable)
            ? _t("WhatsApp has not approved any of these templates. See in WhatsApp Manager what is missing.")
            : "";
    }

    optionId(index) {
        return `${this.id}_${index}`;
    }

    get activeId() {
        return this.shown.length ? this.optionId(this.state.active) : false;
    }

    hindrance(template) {
        return hindrance(template, this.props);
    }

    /** Some of the templates wait for nothing but the customer's consent, which can be recorded from here. */
    get needsConsent() {
        const { consent, optIn, onRecordConsent } = this.props;
        return onRecordConsent && this.shown.some((template) => lacksConsent(template, { consent, optIn }));
    }

    async onRecordConsent() {
        this.state.unrecorded = "";
        try {
            await this.props.onRecordConsent();
        } catch (error) {
            this.state.unrecorded = this.sentence(error);
        }
    }

    details(template) {
        const isTold = this.state.chosen || template.language !== this.state.language;
        const language = isTold && languageName(template.language);
        return [categoryOf(template), language, qualityOf(template)].filter(Boolean);
    }

    /** Its state, when WhatsApp has not simply approved it. */
    status(template) {
        return isApproved(template) ? "" : statusOf(template);
    }

    onSearch(ev) {
        Object.assign(this.state, { text: ev.target.value, active: 0 });
    }

    onLanguage(ev) {
        Object.assign(this.state, { language: ev.target.value, active: 0 });
    }

    onSearchKeydown(ev) {
        const last = this.shown.length - 1;
        const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 };
        if (moves[ev.key]) {
            this.state.active = Math.min(Math.max(this.state.active + moves[ev.key], 0), Math.max(last, 0));
        } else if (ev.key === "Enter") {
            const template = this.shown[this.state.active];
            if (template) {
                this.choose(template);
            }
        } else if (ev.key === "Escape" && (this.state.text || this.props.onClose)) {
            if (this.state.text) {
                Object.assign(this.state, { text: "", active: 0 });
            } else {
                this.props.onClose();
            }
        } else {
            return;
        }
        // Odoo's form listens to Escape, and to Enter in its inputs.
        ev.preventDefault();
        ev.stopPropagation();
    }

    async choose(template) {
        if (this.hindrance(template)) {
            return;
        }
        this.forget();
        // Repeated with the same id, so that a lost answer never sends it twice.
        this.clientId = uuid();
        Object.assign(this.state, { chosen: template, values: {}, uploads: {}, faults: {}, said: "" });
        this.keep();
        this.props.onChoose?.();
        try {
            const known = await this.props.values(template);
            if (this.state.chosen && keyOf(this.state.chosen) === keyOf(template)) {
                // What the agent has written meanwhile stays.
                this.state.values = { ...known, ...this.state.values };
                this.keep();
            }
        } catch (error) {
            this.state.said = this.sentence(error);
        }
    }

    onBack() {
        this.forget();
        this.state.chosen = null;
        this.keep();
    }

    //--------------------------------------------------------------------------
    // Filling in
    //--------------------------------------------------------------------------

    get preview() {
        return preview(this.state.chosen, this.state.values);
    }

    get fields() {
        const { chosen, values, faults, uploads } = this.state;
        return chosen.parameters.map(({ field, kind, example }) => ({
            field,
            kind,
            id: `${this.id}_${field.replace(".", "_")}`,
            label: labelOf({ field, kind }, chosen),
            example: example ? _t("Such as %s", example) : "",
            accept: ACCEPTED[kind],
            isFile: MEDIA.has(kind),
            value: values[field],
            fault: faults[field] || "",
            progress: uploads[field] ?? null,
        }));
    }

    /** What is wrong with a text as a whole, and what belongs to no field that is shown. */
    get generalFaults() {
        const fields = new Set(this.state.chosen.parameters.map(({ field }) => field));
        return Object.entries(this.state.faults)
            .filter(([field]) => !fields.has(field))
            .map(([, fault]) => fault);
    }

    onFormKeydown(ev) {
        if (ev.key === "Escape") {
            ev.preventDefault();
            ev.stopPropagation();
            this.onBack();
        } else if (ev.key === "Enter") {
            ev.stopPropagation();
        }
    }

    onValue(field, value) {
        this.state.values[field] = value;
        delete this.state.faults[field];
        this.state.said = "";
        this.keep();
    }

    onPlace(field, key, value) {
        this.onValue(field, { ...this.state.values[field], [key]: value });
    }

    onFile(field, ev) {
        const file = ev.target.files[0];
        ev.target.value = "";
        if (file) {
            this.upload(field, file);
        }
    }

    async upload({ field, kind }, file) {
        const { ways, refused } = waysOf(file);
        if (!ways.includes(kind)) {
            this.state.faults[field] = refused || _t("This file is of another type, or too large for WhatsApp.");
            return;
        }
        this.forget();
        this.abort = new AbortController();
        const { signal } = this.abort;
        const { name } = file;
        this.onValue(field, { id: null, name, file: markRaw(file), preview: pictureOf(file, kind) });
        this.state.uploads[field] = 0;
        try {
            const id = await this.props.upload(file, {
                type: kind,
                signal,
                onProgress: (share) => (this.state.uploads[field] = share),
            });
            if (!signal.aborted) {
                this.onValue(field, { ...this.state.values[field], id });
            }
        } catch (error) {
            if (!signal.aborted) {
                this.onFileRemoved(field);
                this.state.faults[field] = this.sentence(error);
            }
        } finally {
            if (!signal.aborted) {
                delete this.state.uploads[field];
            }
        }
    }

    onFileRemoved(field) {
        this.forget();
        delete this.state.values[field];
        delete this.state.uploads[field];
        this.keep();
    }

    /** Let go of a file: its upload and its picture. */
    forget() {
        this.abort?.abort();
        for (const value of Object.values(this.state.values)) {
            if (value?.preview) {
                URL.revokeObjectURL(value.preview);
            }
        }
    }

    //--------------------------------------------------------------------------
    // Sending
    //--------------------------------------------------------------------------

    async onSubmit() {
        const { chosen, values, sending } = this.state;
        if (sending) {
            return;
        }
        this.state.said = "";
        this.state.faults = faults(chosen, values);
        if (Object.keys(this.state.faults).length) {
            return;
        }
        this.state.sending = true;
        try {
            await this.props.send({ ...messageOf(chosen, values), client_id: this.clientId });
        } catch (error) {
            if (this.isGone) {
                return;
            }
            this.state.said = this.sentence(error);
            if (error.code === "client_id_reused") {
                // The answer to an earlier try was lost, and something was changed since.
                this.clientId = uuid();
                this.keep();
                this.state.said = _t(
                    "Your first try was sent, as it was before your changes. Press “Send template” again to send this one, too, or go back."
                );
            }
            this.state.faults = Object.fromEntries((error.errors || []).map(({ field, message }) => [field, message]));
            return;
        } finally {
            this.state.sending = false;
        }
        this.forget();
        this.state.chosen = null;
        this.keep();
        this.props.onSent?.();
    }

    sentence(error) {
        if (error instanceof Refused) {
            return error.message;
        }
        if (error instanceof Unreachable) {
            return _t("Can't reach Leadline. Try again in a moment.");
        }
        throw error;
    }
}

function pictureOf(file, kind) {
    return kind === "image" ? URL.createObjectURL(file) : null;
}
