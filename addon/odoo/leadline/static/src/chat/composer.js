/** Where the agent writes: text, emoji, files, and notes for colleagues. */
import { isMobileOS } from "@web/core/browser/feature_detection";
import { browser } from "@web/core/browser/browser";
import { useDropzone } from "@web/core/dropzone/dropzone_hook";
import { useEmojiPicker } from "@web/core/emoji_picker/emoji_picker";
import { _t } from "@web/core/l10n/translation";
import { useAutoresize } from "@web/core/utils/autoresize";
import { useService } from "@web/core/utils/hooks";
import { Component, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { kindOf, sizeLabel } from "./attachment";
import { countdown } from "./window";
import { TemplatePicker } from "../template/template_picker";

/** What opens the templates when it is sent, and what to search for. */
const COMMAND = /^\/template\b\s*(.*)$/s;

export class Composer extends Component {
    static template = "leadline.Composer";
    static components = { TemplatePicker };
    static props = {
        /** Kept by the drafts service; changed here, then `onDraft` is called. */
        draft: Object,
        onDraft: Function,
        /** ({text, note, files}) */
        onSend: Function,
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
        const { text, note, files } = this.props.draft;
        this.state = useState({
            text,
            note,
            /** @type {{ file: File, preview: string|null }[]} */
            files: files.map(withPreview),
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
        // The picker takes the focus with it when it goes.
        useEffect(
            (picks) => {
                if (this.picked && !picks && document.activeElement === document.body) {
                    this.input.el.focus();
                }
                this.picked = picks;
            },
            () => [this.showsPicker]
        );
        useDropzone(
            this.props.dropTarget,
            (ev) => this.addFiles([...ev.dataTransfer.files]),
            "",
            () => this.isOpen && !this.state.note
        );
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
        const { until } = this.props.window;
        if (!until) {
            return _t("Free text is closed until %s writes. Only templates can be sent.", contact);
        }
        // WhatsApp has the last word: it may close the window before its time.
        return Date.parse(until) > this.state.now + this.skew
            ? _t("WhatsApp has closed free text until %s writes again. Only templates can be sent.", contact)
            : _t("Free text is closed: 24 hours have passed since %s wrote. Only templates can be sent.", contact);
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
            files: this.state.files.map(({ file }) => file),
        });
        this.props.onDraft();
    }

    onInput() {
        this.state.text = this.input.el.value;
        this.keep();
    }

    onKeydown(ev) {
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
            const { refused } = kindOf(file);
            if (refused) {
                this.notification.add(`${file.name}: ${refused}`, { type: "danger" });
            } else {
                this.state.files.push(withPreview(file));
            }
        }
        this.keep();
        this.input.el.focus();
    }

    removeFile(index) {
        this.state.files.splice(index, 1).forEach(forget);
        this.keep();
        this.input.el.focus();
    }

    removeLabel(file) {
        return _t("Remove %s", file.name);
    }

    detailsOf(file) {
        return sizeLabel(file.size);
    }

    send() {
        if (this.isEmpty || !this.isOpen) {
            return;
        }
        const { text, note, files } = this.state;
        const command = !note && text.match(COMMAND);
        if (command) {
            Object.assign(this.state, { text: "", picking: command[1].trim() });
            this.keep();
            return;
        }
        this.props.onSend({ text: text.trim(), note, files: note ? [] : files.map(({ file }) => file) });
        files.forEach(forget);
        Object.assign(this.state, { text: "", files: note ? files : [] });
        this.keep();
        this.input.el.focus();
    }
}

function withPreview(file) {
    return { file, preview: file.type.startsWith("image/") ? URL.createObjectURL(file) : null };
}

function forget({ preview }) {
    if (preview) {
        URL.revokeObjectURL(preview);
    }
}
