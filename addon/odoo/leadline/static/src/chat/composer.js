/** Where the agent writes: text, emoji, files, and notes for colleagues. */
import { isMobileOS } from "@web/core/browser/feature_detection";
import { browser } from "@web/core/browser/browser";
import { useDropzone } from "@web/core/dropzone/dropzone_hook";
import { useEmojiPicker } from "@web/core/emoji_picker/emoji_picker";
import { _t } from "@web/core/l10n/translation";
import { formatList } from "@web/core/l10n/utils";
import { useAutoresize } from "@web/core/utils/autoresize";
import { useService } from "@web/core/utils/hooks";
import { Component, onWillUnmount, onWillUpdateProps, useEffect, useRef, useState } from "@odoo/owl";
import { Refused, Unreachable } from "./api";
import { sizeLabel, waysOf } from "./attachment";
import { COMMANDS, commandsFor, parseCommand, whyNot } from "./commands";
import { hasLink } from "./formatting";
import { labelOf } from "./message_body";
import { SuggestionList, Suggestions } from "./suggestions";
import { VoiceRecorder } from "./voice_recorder";
import { countdown } from "./window";
import { TemplatePicker } from "../template/template_picker";

/** From this share of the longest text on, the agent is told how much is left. */
const NEAR_LIMIT = 0.9;
/** Keys that move the caret, and with it what is offered. */
const MOVES = new Set(["ArrowLeft", "ArrowRight", "Home", "End"]);
/** What a command takes that is chosen from a list. */
const CHOSEN = new Set(["target", "colleague"]);

let opened = 0;

export class Composer extends Component {
    static template = "leadline.Composer";
    static components = { SuggestionList, TemplatePicker, VoiceRecorder };
    static props = {
        /** Kept by the drafts service; changed here, then `onDraft` is called. */
        draft: Object,
        onDraft: Function,
        /** What is answered, in the shape of the chat API's `reply_to`: kept in the draft, shown here. */
        replyTo: { type: [Object, { value: null }] },
        /** (replyTo) */
        onReplyTo: Function,
        /** (written) as `unsent` takes it */
        onSend: Function,
        /** () the agent writes to the customer */
        onTyping: Function,
        /** What WhatsApp takes, in the shape of `LIMITS`. */
        limits: Object,
        /** {open, until} of the chat API; null while it is not known */
        window: { type: [Object, { value: null }] },
        contact: String,
        canSend: Boolean,
        /** Reference to the element on which files may be dropped. */
        dropTarget: Object,
        /** How far (ms) the server's clock is ahead of this browser's. */
        skew: { type: Number, optional: true },
        /** What `TemplatePicker` works with. */
        templates: Object,
        /** What Odoo knows: colleagues, canned responses, to whom a conversation can be given. */
        odoo: Object,
        /** {state, agent} as Odoo tells it */
        session: { type: [Object, { value: null }], optional: true },
        /** Id of the agent who writes. */
        user: Number,
        /** (name, target) → promise; rejects with `Refused` or `Unreachable` */
        onCommand: Function,
    };

    setup() {
        this.ui = useService("ui");
        this.notification = useService("notification");
        this.input = useRef("input");
        this.picker = useRef("file");
        this.emojiButton = useRef("emoji");
        this.question = useRef("question");
        this.id = `o_leadline_composer_${opened++}`;
        const { text, note, files, preview, filling } = this.props.draft;
        this.state = useState({
            text,
            note,
            /** Whether the customer sees a preview of a link. */
            preview,
            /**
             * @type {{ file: File, as: string, voice: boolean, ways: string[], notice: string|null,
             *  picture: string|null }[]}
             */
            files: files.map(({ file, as, voice }) => ({ ...this.chosen(file, voice), as })),
            recording: false,
            now: Date.now(),
            /** What to search templates for, null while the agent is not choosing one. */
            picking: filling ? "" : null,
            /** Whether a command is being carried out, and why the last one was not. */
            busy: false,
            trouble: "",
            /** Why what looks like a command is none: the agent says whether it goes out as text. */
            question: "",
        });
        this.suggestions = new Suggestions({
            command: (term) => this.offeredCommands(term),
            transfer: (term) => this.offeredTargets(term),
            invite: (term) => this.offeredColleagues(term),
            canned: (term) => this.offeredCanned(term),
            mention: (term) => this.offeredMentions(term),
        });
        this.offered = useState(this.suggestions.state);
        /** Ids of the canned responses in the text. */
        this.canned = [];
        useEffect(
            (question) => {
                if (question) {
                    this.question.el.querySelector(".o_leadline_keep_writing").focus();
                }
            },
            () => [this.state.question]
        );
        this.props.draft.recorded?.then((file) => this.takeRecorded(file));
        this.emoji = useEmojiPicker(undefined, { onSelect: (emoji) => this.insert(emoji) });
        // Whoever closes the emoji without choosing goes on writing.
        useEffect(
            (isOpen) => {
                if (isOpen) {
                    return () => browser.setTimeout(() => this.comeBack());
                }
            },
            () => [this.emoji.isOpen]
        );
        useAutoresize(this.input);
        useEffect(
            (window) => this.watch(window),
            () => [this.props.window]
        );
        // What stands in the input's place takes the focus with it when it goes.
        useEffect(
            (replaced) => {
                if (this.replaced && !replaced) {
                    this.comeBack();
                }
                this.replaced = replaced;
            },
            () => [this.showsPicker || this.state.recording]
        );
        useDropzone(
            this.props.dropTarget,
            (ev) => this.addFiles([...ev.dataTransfer.files]),
            "",
            () => this.isOpen && !this.state.note
        );
        onWillUpdateProps(({ replyTo }) => {
            if (replyTo && replyTo !== this.props.replyTo) {
                this.input.el.focus();
            }
        });
        onWillUnmount(() => {
            this.isGone = true;
            this.suggestions.clear();
            this.state.files.forEach(forget);
        });
    }

    get countdown() {
        return countdown(this.props.window, this.state.now + this.skew);
    }

    get skew() {
        return this.props.skew || 0;
    }

    /** Whether this kind of writing is possible now: a note always is. */
    get isOpen() {
        return this.state.note || (this.props.canSend && (!this.props.window || this.countdown.open));
    }

    get isEmpty() {
        return !this.state.text.trim() && !this.state.files.length;
    }

    /** Characters as WhatsApp counts them. */
    get length() {
        return [...this.state.text.trim()].length;
    }

    get isTooLong() {
        return this.length > this.props.limits.text;
    }

    /** Shown when the text comes near the longest that WhatsApp takes. */
    get counter() {
        const { text: limit } = this.props.limits;
        return this.length > NEAR_LIMIT * limit ? `${this.length} / ${limit}` : "";
    }

    get hasLink() {
        return !this.state.note && !this.state.files.length && hasLink(this.state.text);
    }

    /** The message that is answered, as it is quoted. A note answers nobody. */
    get quote() {
        const { replyTo } = this.props;
        return replyTo && !this.state.note
            ? { author: replyTo.author?.name || "", text: replyTo.preview || labelOf(replyTo.type) }
            : null;
    }

    get placeholder() {
        if (this.state.note) {
            return _t("Note for colleagues. The customer never sees it.");
        }
        return this.isOpen ? _t("Write a message") : "";
    }

    /** What can be typed, for who listens instead of looking. */
    get help() {
        return this.state.note
            ? _t("Type @ to mention a colleague, / for commands.")
            : _t("Type / for commands, :: for canned responses.");
    }

    get inputLabel() {
        return this.state.note ? _t("Note") : _t("Message");
    }

    get sendLabel() {
        return this.state.note ? _t("Save note") : _t("Send");
    }

    /** What to do when writing is not possible. */
    get closed() {
        if (this.isOpen) {
            return "";
        }
        if (!this.props.canSend) {
            return _t("You may read this conversation, not answer in it. You can leave a note.");
        }
        const contact = this.props.contact || _t("the customer");
        // Not why: 24 hours may have passed, or WhatsApp, which has the last word, closed it before.
        return this.props.window.until
            ? _t("Free text is closed until %s writes again. Only templates can be sent.", contact)
            : _t("Free text is closed until %s writes. Only templates can be sent.", contact);
    }

    /** The text that waits in the draft while there is no place to show it. */
    get kept() {
        const isKept = this.showsPicker && (this.state.text.trim() || this.state.files.length);
        return isKept ? _t("What you have written is kept until then.") : "";
    }

    /** Templates take the place of the input when the window is closed, or when the agent asks for them. */
    get showsPicker() {
        return this.props.canSend && !this.state.note && (this.state.picking !== null || !this.isOpen);
    }

    onTemplates(text = "") {
        this.state.picking = text;
    }

    /** A template that is being filled in stays, though the window may open meanwhile. */
    onTemplateChosen() {
        this.state.picking ??= "";
    }

    onTemplatesClosed() {
        this.state.picking = null;
    }

    /** Redraw the countdown when its text changes. */
    watch(window) {
        const turn = () => {
            this.state.now = Date.now();
            const { next } = countdown(window, this.state.now + this.skew);
            timer = next === null ? null : browser.setTimeout(turn, next);
        };
        let timer = null;
        turn();
        return () => browser.clearTimeout(timer);
    }

    keep() {
        Object.assign(this.props.draft, {
            text: this.state.text,
            note: this.state.note,
            preview: this.state.preview,
            files: this.state.files.map(({ file, as, voice }) => ({ file, as, voice })),
        });
        this.props.onDraft();
    }

    /** Put a text into the input, with the caret at its end or there. */
    setText(text, caret = text.length) {
        this.state.text = text;
        this.keep();
        const { el } = this.input;
        if (el) {
            el.value = text;
            el.setSelectionRange(caret, caret);
            el.focus();
        }
    }

    /** See what can be offered for what stands before the caret. */
    look() {
        const { selectionStart, selectionEnd } = this.input.el;
        if (selectionStart === selectionEnd) {
            this.suggestions.look(this.state.text, selectionStart, this.state.note);
        }
    }

    onInput() {
        this.state.text = this.input.el.value;
        Object.assign(this.state, { trouble: "", question: "" });
        this.keep();
        // Also while a word is being composed: on a phone every word is.
        this.look();
        if (!this.state.note && !this.isEmpty) {
            this.props.onTyping();
        }
    }

    onKeyup({ key }) {
        if (MOVES.has(key)) {
            this.look();
        }
    }

    onBlur() {
        this.suggestions.clear();
    }

    /** @returns {boolean} whether the key was meant for what is offered */
    onSuggestionKey({ key, shiftKey }) {
        const { suggestions } = this;
        if (key === "Escape" && (suggestions.isOpen || this.offered.said)) {
            suggestions.pass();
        } else if (!suggestions.isOpen) {
            return false;
        } else if (key === "ArrowDown" || key === "ArrowUp") {
            suggestions.move(key === "ArrowDown" ? 1 : -1);
        } else if ((key === "Enter" || key === "Tab") && !shiftKey) {
            this.choose(suggestions.active, key === "Tab");
        } else {
            return false;
        }
        return true;
    }

    onKeydown(ev) {
        if (!ev.isComposing && this.onSuggestionKey(ev)) {
            ev.preventDefault();
            ev.stopPropagation();
            return;
        }
        if (ev.key === "Escape" && this.quote) {
            ev.preventDefault();
            ev.stopPropagation();
            this.props.onReplyTo(null);
        }
        // On a phone's keyboard Enter is the only way to a new line.
        if (ev.key === "Enter" && !ev.shiftKey && !ev.isComposing && !isMobileOS()) {
            ev.preventDefault();
            this.send();
        }
    }

    onPaste(ev) {
        const files = [...(ev.clipboardData?.files || [])];
        if (files.length && !this.state.note) {
            ev.preventDefault();
            this.addFiles(files);
        }
    }

    onPick() {
        this.addFiles([...this.picker.el.files]);
        this.picker.el.value = "";
    }

    onToggleNote() {
        this.state.note = !this.state.note;
        this.suggestions.clear();
        this.keep();
        this.input.el.focus();
    }

    onEmoji() {
        this.emoji.toggle(this.ui.isSmall ? undefined : this.emojiButton);
    }

    /** Take the focus when nothing else has it. */
    comeBack() {
        if (document.activeElement === document.body) {
            this.input.el?.focus();
        }
    }

    insert(emoji) {
        const { selectionStart, selectionEnd } = this.input.el;
        const { text } = this.state;
        this.setText(
            text.slice(0, selectionStart) + emoji + text.slice(selectionEnd),
            selectionStart + emoji.length
        );
    }

    addFiles(files) {
        if (!this.isOpen || this.state.note) {
            return;
        }
        for (const file of files) {
            const { refused } = waysOf(file, this.props.limits);
            if (refused) {
                this.notification.add(`${file.name}: ${refused}`, { type: "danger" });
            } else {
                this.state.files.push(this.chosen(file));
            }
        }
        this.keep();
        this.input.el.focus();
    }

    /** A file with the ways in which it can go, the usual one first. */
    chosen(file, voice = false) {
        const { ways, notice } = waysOf(file, this.props.limits);
        const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : null;
        return { file, voice, as: ways[0], ways: voice ? ["audio"] : ways, notice, picture };
    }

    /** What goes with the message, for who listens instead of looking. */
    get filesStatus() {
        const names = this.state.note ? [] : this.state.files.map((chosen) => this.nameOf(chosen));
        return names.length ? _t("Goes with the message: %s", formatList(names)) : "";
    }

    nameOf({ file, voice }) {
        return voice ? _t("Voice note") : file.name;
    }

    iconOf({ voice }) {
        return voice ? "fa-microphone" : "fa-file-o";
    }

    onWay(chosen, ev) {
        chosen.as = ev.target.value;
        this.keep();
    }

    wayLabel(way) {
        return labelOf(way);
    }

    removeFile(index) {
        this.state.files.splice(index, 1).forEach(forget);
        this.keep();
        this.input.el.focus();
    }

    removeLabel(chosen) {
        return _t("Remove %s", this.nameOf(chosen));
    }

    wayOf(chosen) {
        return _t("Send %s as", this.nameOf(chosen));
    }

    onPreview(ev) {
        this.state.preview = ev.target.checked;
        this.keep();
    }

    onRecord() {
        this.state.recording = true;
    }

    onRecorded() {
        this.state.recording = false;
    }

    /** A voice note goes by itself; what was written meanwhile stays. */
    sendVoice(file) {
        this.hand({ text: "", note: false, files: [{ file, as: "audio", voice: true }] });
    }

    /** The tab is left while a voice note is recorded: it waits in the draft. @param {Promise<File>} file */
    keepRecorded(file) {
        this.props.draft.recorded = file;
    }

    takeRecorded(file) {
        if (!this.isGone) {
            delete this.props.draft.recorded;
            this.state.files.push({ ...this.chosen(file, true), as: "audio" });
            this.keep();
        }
    }

    /** Give what was written away, with what it answers. */
    hand(written) {
        const { replyTo, limits } = this.props;
        this.props.onSend({ ...written, replyTo: written.note ? null : replyTo, limits });
        if (!written.note) {
            this.props.onReplyTo(null);
        }
    }

    detailsOf(file) {
        return sizeLabel(file.size);
    }

    send() {
        if (this.isEmpty || this.isTooLong || !this.isOpen || this.state.busy) {
            return;
        }
        const command = parseCommand(this.state.text);
        if (command) {
            this.give(command);
        } else {
            this.sendText();
        }
    }

    sendText() {
        const { text, note, files } = this.state;
        const written = text.trim();
        this.hand({
            text: written,
            note,
            files: note ? [] : files.map(({ file, as, voice }) => ({ file, as, voice })),
            preview: this.hasLink && this.state.preview,
            mentions: note ? this.mentionsIn(written) : [],
            canned: this.canned,
        });
        const sent = note ? [] : files;
        sent.forEach(forget);
        Object.assign(this.state, { files: note ? files : [], preview: true, trouble: "", question: "" });
        this.canned = [];
        this.props.draft.mentions = [];
        this.suggestions.clear();
        this.setText("");
    }

    //--------------------------------------------------------------------------
    // Commands
    //--------------------------------------------------------------------------

    get commands() {
        return commandsFor(this.props);
    }

    /** Do what a command says, or say why that can't be done. What was written stays until it is. */
    give({ name, argument }) {
        const command = COMMANDS.find((one) => one.name === name);
        if (!command) {
            this.state.question = _t("There is no command /%s.", name);
        } else if (!this.commands.includes(command)) {
            this.state.question = whyNot(name, this.props);
        } else if (argument && !command.takes) {
            this.state.question = _t("The command /%s stands alone.", name);
        } else if (name === "note") {
            this.state.note = true;
            this.setText(argument);
        } else if (name === "template") {
            this.setText("");
            Object.assign(this.state, { note: false, picking: argument });
        } else if (command.takes) {
            // To be chosen from what is offered.
            this.setText(argument ? this.state.text : `/${name} `);
            this.suggestions.passed = null;
            this.look();
        } else {
            this.run(name);
        }
    }

    async run(name, target) {
        const { text } = this.state;
        Object.assign(this.state, { busy: true, trouble: "" });
        try {
            await this.props.onCommand(name, target);
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
            this.state.trouble =
                error instanceof Refused ? error.message : _t("Can't reach Odoo. Try again in a moment.");
            return;
        } finally {
            this.state.busy = false;
        }
        // What was written meanwhile stays.
        if (this.state.text === text) {
            this.setText("");
        }
    }

    get asTextLabel() {
        return this.state.note ? _t("Save it as a note") : _t("Send it as text");
    }

    onAsText() {
        this.state.question = "";
        this.sendText();
    }

    onKeepWriting() {
        this.state.question = "";
        this.input.el.focus();
    }

    onQuestionKeydown(ev) {
        if (ev.key === "Escape") {
            ev.preventDefault();
            ev.stopPropagation();
            this.onKeepWriting();
        }
    }

    //--------------------------------------------------------------------------
    // What is offered
    //--------------------------------------------------------------------------

    /** Of the list, for who listens instead of looking. */
    get listId() {
        return this.offered.options.length ? `${this.id}_list` : false;
    }

    get activeId() {
        return this.listId && `${this.listId}_${this.offered.active}`;
    }

    offeredCommands(term) {
        return this.commands
            .filter(({ name }) => name.startsWith(term.toLowerCase()))
            .map(({ name, about, icon }) => ({ key: name, label: `/${name}`, detail: String(about), icon, value: name }));
    }

    async offeredTargets(term) {
        const targets = await this.props.odoo.transferTargets(term);
        return targets.map((target) => ({
            key: `${target.kind}/${target.id}`,
            label: target.name,
            detail: target.why || (target.available ? _t("Available") : _t("Not available")),
            icon: target.kind === "line" ? "fa-whatsapp" : target.available ? "fa-user" : "fa-user-o",
            value: target,
        }));
    }

    async offeredColleagues(term) {
        const colleagues = await this.props.odoo.colleagues(term, true);
        return colleagues.map((one) => ({ key: one.id, label: one.name, why: one.why, icon: "fa-user-plus", value: one }));
    }

    async offeredMentions(term) {
        const colleagues = await this.props.odoo.colleagues(term);
        return colleagues.map((one) => ({ key: one.id, label: one.name, icon: "fa-at", value: one }));
    }

    async offeredCanned(term) {
        const responses = await this.props.odoo.canned(term);
        return responses.map((one) => ({
            key: one.id,
            label: one.source,
            detail: one.substitution,
            icon: "fa-comment-o",
            value: one,
        }));
    }

    /**
     * @param {import("./suggestions").Option} option
     * @param {boolean} [completes] only complete what is written: a command is not given yet
     */
    choose(option, completes = false) {
        const { kind } = this.offered;
        const { value, why } = option;
        if (why) {
            this.state.trouble = why;
        } else if (kind === "command") {
            const { takes } = COMMANDS.find(({ name }) => name === value);
            if (completes || CHOSEN.has(takes)) {
                this.setText(`/${value} `);
                this.look();
            } else {
                this.suggestions.pass();
                this.setText(`/${value}`);
                this.give({ name: value, argument: "" });
            }
        } else if (kind === "mention") {
            this.props.draft.mentions = [...this.props.draft.mentions, value];
            this.put(`@${value.name} `);
        } else if (kind === "canned") {
            this.put(value.substitution);
            this.canned.push(value.id);
        } else {
            this.suggestions.pass();
            this.run(kind, value);
        }
    }

    /** Put a text in the place of what was begun. */
    put(text) {
        const { from, to } = this.suggestions.place;
        this.suggestions.pass();
        this.setText(this.state.text.slice(0, from) + text + this.state.text.slice(to), from + text.length);
    }

    /** @returns {number[]} partners of the colleagues whose names still stand in a note */
    mentionsIn(text) {
        const mentioned = this.props.draft.mentions.filter(({ name }) => text.includes(`@${name}`));
        return [...new Set(mentioned.map(({ partner_id }) => partner_id))];
    }
}

function forget({ picture }) {
    if (picture) {
        URL.revokeObjectURL(picture);
    }
}
