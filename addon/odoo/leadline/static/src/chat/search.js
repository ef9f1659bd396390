/** Looking for words in a conversation: in what is loaded, and further back page by page. */
import { _t } from "@web/core/l10n/translation";
import { Component, onMounted, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { matching, placesIn } from "./search_words";
import { dayLabel, timeOf } from "./timeline";

/** Pages looked through for one press of the button, and how many messages each has. */
const PAGES = 5;
const PAGE = 100;

export class Search extends Component {
    static template = "leadline.Search";
    static props = {
        /** The conversation's `Reader`. */
        reader: Object,
        /** Reference to the element that shows the messages. */
        list: Object,
        /** (id) a message that was found is to be shown */
        onShow: Function,
        onClose: Function,
    };

    setup() {
        this.input = useRef("input");
        this.reading = useState(this.props.reader.state);
        this.state = useState({
            term: "",
            /** Id of the match that is shown. */
            current: null,
            looking: false,
        });
        this.cameFrom = document.activeElement;
        onMounted(() => this.input.el.focus());
        useEffect(
            () => this.mark(),
            () => [this.state.term, this.state.current, this.reading.messages]
        );
        onWillUnmount(() => {
            this.state.looking = false;
            highlight([], []);
        });
    }

    /** Ids of the messages that match, newest first. */
    get matches() {
        const { term } = this.state;
        const { messages } = this.reading;
        // Asked for several times by each drawing.
        if (this.found?.messages !== messages || this.found.term !== term) {
            const ids = matching(messages, term).map(({ id }) => id);
            this.found = { messages, term, ids: ids.reverse() };
        }
        return this.found.ids;
    }

    get place() {
        return this.matches.indexOf(this.state.current);
    }

    /** "2 of 7", counted from the newest. */
    get count() {
        const { length } = this.matches;
        if (!this.state.term.trim()) {
            return "";
        }
        if (!length) {
            return _t("No match");
        }
        return _t("%(place)s of %(count)s", { place: this.place + 1, count: length });
    }

    /** How far back was looked. */
    get scope() {
        const [oldest] = this.reading.messages;
        if (this.state.looking) {
            return _t("Looking, back to %s …", dayLabel(timeOf(oldest)));
        }
        if (this.reading.older === null) {
            return _t("The whole conversation was looked through.");
        }
        return oldest ? _t("Looked back to %s.", dayLabel(timeOf(oldest))) : "";
    }

    get canLookBack() {
        return Boolean(this.state.term.trim()) && this.reading.older !== null;
    }

    onInput() {
        this.state.term = this.input.el.value;
        this.show(this.matches[0] ?? null);
    }

    onKeydown(ev) {
        const steps = { Enter: ev.shiftKey ? -1 : 1, ArrowUp: 1, ArrowDown: -1 };
        if (ev.key === "Escape") {
            this.close();
        } else if (ev.target === this.input.el && ev.key in steps && !ev.isComposing) {
            this.step(steps[ev.key]);
        } else {
            return;
        }
        // Odoo's form would take Escape for leaving it, and Enter for saving.
        ev.preventDefault();
        ev.stopPropagation();
    }

    /** @param {number} step 1 to the match before in time, -1 to the one after */
    step(step) {
        const { matches, place } = this;
        if (matches.length) {
            this.show(matches[(Math.max(place, 0) + (place < 0 ? 0 : step) + matches.length) % matches.length]);
        }
    }

    show(id) {
        this.state.current = id;
        if (id) {
            this.props.onShow(id);
        }
    }

    /** Load older messages until some match, for some pages at most. Again while it runs: stop. */
    async lookBack() {
        if (this.state.looking) {
            this.state.looking = false;
            return;
        }
        this.state.looking = true;
        const { term } = this.state;
        const known = this.matches.length;
        const isWanted = () => this.state.looking && this.state.term === term;
        const isAtEnd = () => this.reading.older === null || this.reading.trouble || this.matches.length > known;
        for (let i = 0; i < PAGES && isWanted() && !isAtEnd(); i++) {
            await this.props.reader.older({ limit: PAGE });
        }
        if (isWanted() && this.matches.length > known) {
            this.show(this.matches[known]);
        }
        this.state.looking = false;
    }

    close() {
        this.props.onClose();
        if (this.cameFrom?.isConnected) {
            this.cameFrom.focus();
        }
    }

    /** Mark the words where they stand. */
    mark() {
        const { term, current } = this.state;
        const others = [];
        const here = [];
        for (const id of this.matches) {
            const row = this.props.list.el?.querySelector(`[data-message-id="${CSS.escape(id)}"]`);
            for (const body of row?.querySelectorAll(".o_leadline_body, .o_leadline_ad") ?? []) {
                (id === current ? here : others).push(...rangesOf(body, term));
            }
        }
        highlight(others, here);
    }
}

/** Where words stand in an element, whatever elements they are spread over. */
function rangesOf(element, term) {
    const nodes = [];
    let text = "";
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        nodes.push({ node: walker.currentNode, from: text.length });
        text += walker.currentNode.data;
    }
    const at = (offset, isEnd) => {
        const { node, from } = nodes.findLast(({ from }) => (isEnd ? from < offset : from <= offset));
        return [node, offset - from];
    };
    return placesIn(text, term).map(([start, end]) => {
        const range = new Range();
        range.setStart(...at(start, false));
        range.setEnd(...at(end, true));
        return range;
    });
}

/** By the browser itself, so that nothing in the messages changes; one that can't shows the message found alone. */
function highlight(others, here) {
    if (!window.CSS.highlights) {
        return;
    }
    for (const [name, ranges] of Object.entries({ "leadline-match": others, "leadline-match-here": here })) {
        if (ranges.length) {
            CSS.highlights.set(name, new Highlight(...ranges));
        } else {
            CSS.highlights.delete(name);
        }
    }
}
