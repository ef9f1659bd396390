/** What is offered while an agent writes: commands, colleagues, canned responses. */
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { Component, markRaw, reactive, useEffect, useRef } from "@odoo/owl";
import { Refused, Unreachable } from "./api";

/** Wait (ms) for the next letter before Odoo is asked. */
const PAUSE = 150;

/**
 * @typedef {Object} Place what is being written
 * @property {"command"|"transfer"|"invite"|"canned"|"mention"} kind
 * @property {string} term
 * @property {number} from
 * @property {number} to
 *
 * @typedef {Object} Option
 * @property {string} key
 * @property {string} label
 * @property {string} [detail]
 * @property {string} icon
 * @property {string} [why] why it can't be chosen
 * @property {any} value
 */

const BEGINNINGS = [
    // Only as the first word.
    { kind: "command", pattern: /^()(\/)([\p{L}_-]*)$/u },
    { kind: "transfer", pattern: /^()(\/transfer\s+)([^\n]*)$/i },
    { kind: "invite", pattern: /^()(\/invite\s+)([^\n]*)$/i },
    { kind: "canned", pattern: /(^|\s)(::)((?:(?!::)[^\n]){0,40})$/ },
    { kind: "mention", pattern: /(^|[\s(])(@)([^\n@]{0,40})$/, note: true },
];

/**
 * @param {string} text
 * @param {number} caret
 * @param {boolean} note only in a note are colleagues mentioned
 * @returns {Place|null} what the agent has begun before the caret
 */
export function begun(text, caret, note) {
    const before = text.slice(0, caret);
    for (const { kind, pattern, note: inNotes } of BEGINNINGS) {
        const found = (!inNotes || note) && before.match(pattern);
        if (found) {
            const [whole, space, , term] = found;
            return { kind, term: term.trim(), from: caret - whole.length + space.length, to: caret };
        }
    }
    return null;
}

export class Suggestions {
    /**
     * @param {Object<string, (term: string) => Option[] | Promise<Option[]>>} sources by kind of place; a source that
     *  is missing offers nothing
     */
    constructor(sources) {
        this.sources = sources;
        /** @type {Place|null} */
        this.place = null;
        /** What the agent has chosen or closed: not offered again while it stands there. */
        this.passed = null;
        this.turn = 0;
        this.state = reactive({
            kind: null,
            /** @type {Option[]} */
            options: markRaw([]),
            active: 0,
            /** Why there is nothing to choose from. */
            said: "",
        });
    }

    get isOpen() {
        return this.state.options.length > 0;
    }

    get active() {
        return this.state.options[this.state.active];
    }

    /** The agent has written, or moved the caret. */
    look(text, caret, note) {
        const place = begun(text, caret, note);
        browser.clearTimeout(this.timer);
        if (!place || !this.sources[place.kind]) {
            this.passed = null;
            this.clear();
            return;
        }
        if (this.passed?.kind === place.kind && this.passed.from === place.from) {
            return;
        }
        const isSame = this.place?.kind === place.kind && this.place.term === place.term;
        this.place = place;
        if (isSame) {
            return;
        }
        if (place.kind !== this.state.kind) {
            this.show(place.kind, [], "");
        }
        const turn = ++this.turn;
        if (place.kind === "command") {
            this.show(place.kind, this.sources.command(place.term), "");
        } else {
            this.timer = browser.setTimeout(() => this.ask(turn, place), PAUSE);
        }
    }

    async ask(turn, { kind, term }) {
        let options = [];
        let said = "";
        try {
            options = await this.sources[kind](term);
            said = options.length ? "" : NOTHING[kind](term);
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
            said = error instanceof Refused ? error.message : _t("Can't reach Odoo. Try again in a moment.");
        }
        if (turn === this.turn) {
            this.show(kind, options, said);
        }
    }

    show(kind, options, said) {
        Object.assign(this.state, { kind, options: markRaw(options), active: 0, said });
    }

    move(step) {
        const count = this.state.options.length;
        this.state.active = (this.state.active + step + count) % count;
    }

    /** Nothing more is offered for what stands there. */
    pass() {
        this.passed = this.place;
        this.clear();
    }

    clear() {
        this.turn++;
        browser.clearTimeout(this.timer);
        this.place = null;
        this.show(null, [], "");
    }
}

/** Nothing found, and what to do. Who goes on writing after a double colon or an "at" meant something else. */
const NOTHING = {
    transfer: (term) =>
        term ? _t("No colleague and no line is called “%s”.", term) : _t("There is nobody to give it to."),
    invite: (term) => (term ? _t("No colleague is called “%s”.", term) : _t("There is nobody to invite.")),
    mention: (term) =>
        term.includes(" ")
            ? ""
            : term
              ? _t("No colleague called “%s” may read this card.", term)
              : _t("No colleague but you may read this card."),
    canned: (term) =>
        term.includes(" ")
            ? ""
            : term
              ? _t("No canned response fits “%s”. Make them in Discuss, under Configuration.", term)
              : _t("There are no canned responses yet. Make them in Discuss, under Configuration."),
};

export class SuggestionList extends Component {
    static template = "leadline.SuggestionList";
    static props = {
        id: String,
        /** The state of `Suggestions`. */
        offered: Object,
        /** (option) */
        onChoose: Function,
    };

    setup() {
        this.root = useRef("root");
        useEffect(
            () => {
                this.root.el?.querySelector(".active")?.scrollIntoView({ block: "nearest" });
            },
            () => [this.props.offered.active, this.props.offered.options]
        );
    }

    /** Said to who listens instead of looking, when the list appears or changes. */
    get count() {
        const { length } = this.props.offered.options;
        return length ? _t("%(list)s: %(count)s to choose from, with the arrow keys", { list: this.label, count: length }) : "";
    }

    get label() {
        const labels = {
            command: _t("Commands"),
            transfer: _t("Give the conversation to"),
            invite: _t("Invite"),
            canned: _t("Canned responses"),
            mention: _t("Mention"),
        };
        return labels[this.props.offered.kind] || "";
    }
}
