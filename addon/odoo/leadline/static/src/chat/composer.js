/** Where the agent writes: text, emoji, files, and notes for colleagues. */
import { isMobileOS } from "@web/core/browser/feature_detection";
import { browser } from "@web/core/browser/browser";
import { useDropzone } from "@web/core/dropzone/dropzone_hook";
import { useEmojiPicker } from "@web/core/emoji_picker/emoji_picker";
import { _t } from "@web/core/l10n/translation";
import { useAutoresize } from "@web/core/utils/autoresize";
import { useService } from "@web/core/utils/hooks";
import { Component, onWillUnmount, onWillUpdateProps, useEffect, useRef, useState } from "@odoo/owl";
import { sizeLabel, waysOf } from "./attachment";
import { hasLink } from "./formatting";
import { labelOf } from "./message_body";
import { VoiceRecorder } from "./voice_recorder";
import { countdown } from "./window";
import { TemplatePicker } from "../template/template_picker";

/** What opens the templates when it is sent, and what to search for. */
const COMMAND = /^\/template\b\s*(.*)$/s;

/** From this share of the longest text on, the agent is told how much is left. */
const NEAR_LIMIT = 0.9;

export class Composer extends Component {
    static template = "leadline.Composer";
    static components = { TemplatePicker, VoiceRecorder };
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
    };

    setup() {
        this.ui = useService("ui");
        this.notification = useService("notification");
        this.input = useRef("input");
        this.picker = useRef("file");
        this.emojiButton = useRef("emoji");
        const { text, note, files, preview } = this.props.draft;
        this.state = useState({
            text,
            note,
            /** Whether the customer sees a preview of a link. */
            preview,
            /** @type {{ file: File, as: string, ways: string[], notice: string|null, picture: string|null }[]} */
            files: files.map(({ file, as }) => ({ ...this.chosen(file), as })),
            recording: false,
            now: Date.now(),
            /** What to search templates for, null while the agent is not choosing one. */
            picking: null,
        });
        this.emoji = useEmojiPicker(undefined, { onSelect: (emoji) => this.insert(emoji) });
        useAutoresize(this.input);
        useEffect(
            (window) => this.watch(window),
            () => [this.props.window]
        );
        // What stands in the input's place takes the focus with it when it goes.
        useEffect(
            (replaced) => {
                if (this.replaced && !replaced && document.activeElement === document.body) {
                    this.input.el.focus();
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
        onWillUnmount(() => this.state.files.forEach(forget));
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
            files: this.state.files.map(({ file, as }) => ({ file, as })),
        });
        this.props.onDraft();
    }

    onInput() {
        this.state.text = this.input.el.value;
        this.keep();
        if (!this.state.note && !this.isEmpty) {
            this.props.onTyping();
        }
    }

    onKeydown(ev) {
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
        this.keep();
        this.input.el.focus();
    }

    onEmoji() {
        this.emoji.toggle(this.ui.isSmall ? undefined : this.emojiButton);
    }

    insert(emoji) {
        const { selectionStart, selectionEnd } = this.input.el;
        const { text } = this.state;
        this.state.text = text.slice(0, selectionStart) + emoji + text.slice(selectionEnd);
        this.input.el.value = this.state.text;
        const caret = selectionStart + emoji.length;
        this.input.el.setSelectionRange(caret, caret);
        this.input.el.focus();
        this.keep();
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
    chosen(file) {
        const { ways, notice } = waysOf(file, this.props.limits);
        const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : null;
        return { file, as: ways[0], ways, notice, picture };
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

    removeLabel(file) {
        return _t("Remove %s", file.name);
    }

    wayOf(file) {
        return _t("Send %s as", file.name);
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
        if (this.isEmpty || this.isTooLong || !this.isOpen) {
            return;
        }
        const { text, note, files } = this.state;
        const command = !note && text.match(COMMAND);
        if (command) {
            Object.assign(this.state, { text: "", picking: command[1].trim() });
            this.keep();
            return;
        }
        this.hand({
            text: text.trim(),
            note,
            files: note ? [] : files.map(({ file, as }) => ({ file, as })),
            preview: this.hasLink && this.state.preview,
        });
        const sent = note ? [] : files;
        sent.forEach(forget);
        Object.assign(this.state, { text: "", files: note ? files : [], preview: true });
        this.keep();
        this.input.el.focus();
    }
}

function forget({ picture }) {
    if (picture) {
        URL.revokeObjectURL(picture);
    }
}
