/** One message: its bubble, and what went wrong with it. */
import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { Component, onError, onWillUpdateProps, useState } from "@odoo/owl";
import { sizeLabel } from "./attachment";
import { FormattedText } from "./formatted_text";
import { answerOf, labelOf, peopleOf, placeOf, templateOf, textOf } from "./message_body";
import { Tick } from "./tick";
import { timeOf } from "./timeline";
import { clock } from "./window";

const { DateTime } = luxon;

/** Who wrote an outgoing message when it was no agent. */
const AUTHORS = { phone: _t("Phone app"), system: _t("Automatic") };

/** File icons by the beginning of the MIME type or by its end. */
const ICONS = [
    [/^application\/pdf$/, "fa-file-pdf-o"],
    [/^image\//, "fa-file-image-o"],
    [/^video\//, "fa-file-video-o"],
    [/^audio\//, "fa-file-audio-o"],
    [/(zip|rar|7z|tar)/, "fa-file-archive-o"],
    [/(excel|spreadsheet|csv)/, "fa-file-excel-o"],
    [/(word|document)/, "fa-file-word-o"],
    [/(powerpoint|presentation)/, "fa-file-powerpoint-o"],
    [/^text\//, "fa-file-text-o"],
];

/** New addresses asked for one broken file before we give up. */
const ATTEMPTS = 2;

const PROPS = {
    message: Object,
    /** First of a run by one author. */
    first: Boolean,
    highlighted: Boolean,
    /** (message) its picture was asked for */
    onOpen: Function,
    /** (message, {broken}) → promise of an address that works, null when there is none */
    mediaUrl: Function,
    /** (id) the quoted message was asked for */
    onQuote: Function,
    /** (client id) */
    onSendAgain: Function,
    onDiscard: Function,
};

/**
 * What comes from outside may have any shape: a message that can't be drawn says so and costs nothing else.
 * Without this the error would take the whole web client down.
 */
export class Message extends Component {
    static template = "leadline.Message";
    static props = PROPS;

    setup() {
        this.state = useState({ broken: false });
        onError((error) => {
            console.warn("Leadline: a message could not be drawn", error.cause || error);
            this.state.broken = true;
        });
    }
}

class Bubble extends Component {
    static template = "leadline.Bubble";
    static components = { FormattedText, Tick };
    static props = PROPS;

    setup() {
        this.file = useState({ url: this.props.message.media?.url ?? null, attempts: 0 });
        onWillUpdateProps(({ message }) => {
            // A shown file keeps its address, so that a new tick or reaction doesn't load it again.
            if (message.media?.url && !this.file.url) {
                Object.assign(this.file, { url: message.media.url, attempts: 0 });
            }
        });
    }

    get message() {
        return this.props.message;
    }

    get body() {
        return templateOf(this.message);
    }

    get text() {
        return textOf(this.message);
    }

    get isNote() {
        return this.message.type === "note";
    }

    /** A system event stands in the middle: nobody said it. */
    get isEvent() {
        return this.message.type === "system";
    }

    /** Shown over the first message of a run; always there for who listens instead of looking. */
    get author() {
        const { author, direction } = this.message;
        if (direction === "out") {
            return AUTHORS[author?.kind] || author?.name || "";
        }
        return author?.name || _t("Customer");
    }

    get time() {
        return clock(timeOf(this.message));
    }

    get fullTime() {
        return timeOf(this.message).toLocaleString(DateTime.DATETIME_MED);
    }

    /** What the agent should know about a message that did not simply arrive. */
    get trouble() {
        const { status, error } = this.message;
        if (status === "unknown") {
            return _t("WhatsApp did not answer. It is not known whether this was sent.");
        }
        if (status === "failed" || error) {
            return error?.plain || error?.details || error?.title || _t("WhatsApp did not take this message.");
        }
        return "";
    }

    get quote() {
        const { reply_to } = this.message;
        if (!reply_to) {
            return null;
        }
        const { id, author, preview, type } = reply_to;
        return {
            id,
            author: author?.name || "",
            text: preview || (id ? labelOf(type) : _t("A message that is not kept here")),
        };
    }

    /** The same emoji from both sides is shown once. */
    get reactions() {
        const emoji = (this.message.reactions || []).map((reaction) => reaction.emoji).filter(Boolean);
        return emoji.length ? { emoji: [...new Set(emoji)], count: emoji.length } : null;
    }

    get fileName() {
        const { media, document } = this.message;
        return document?.filename || media?.name || labelOf(this.message.type);
    }

    get fileDetails() {
        const { mime, size } = this.message.media || {};
        const kind = this.fileName.match(/\.(\w{1,5})$/)?.[1] || mime?.split("/").pop() || "";
        return [kind.toUpperCase(), size ? sizeLabel(size) : ""].filter(Boolean).join(" · ");
    }

    get fileIcon() {
        const mime = this.message.media?.mime || "";
        return ICONS.find(([pattern]) => pattern.test(mime))?.[1] || "fa-file-o";
    }

    /** "waiting", "failed" or "shown". */
    get fileState() {
        const { media } = this.message;
        if (this.file.url) {
            return "shown";
        }
        return !media || media.state === "waiting" ? "waiting" : "failed";
    }

    get fileWaits() {
        return _t("%s is on its way", labelOf(this.message.type));
    }

    get fileFailure() {
        return this.message.media?.reason || _t("It could not be loaded.");
    }

    get place() {
        return placeOf(this.message.location);
    }

    get people() {
        return peopleOf(this.message.contacts);
    }

    get answer() {
        return answerOf(this.message.interactive);
    }

    get pictureLabel() {
        return this.text || _t("Picture from %s", this.author);
    }

    get unsupported() {
        return _t("This message (%s) can't be shown here. Open it on the phone.", this.message.type);
    }

    get reactionsLabel() {
        return _t("Reactions: %s", this.reactions.emoji.join(" "));
    }

    /** An address lives minutes; a conversation stays open for hours. */
    async onFileError() {
        this.file.url = null;
        if (this.file.attempts++ < ATTEMPTS) {
            await this.loadFile();
        }
    }

    async loadFile() {
        // What stands in its way is said by the conversation itself.
        this.file.url = await this.props.mediaUrl(this.message, { broken: true });
    }

    async onLoadAgain() {
        this.file.attempts = 0;
        await this.loadFile();
    }

    async onOpenDocument(ev) {
        ev.preventDefault();
        const url = await this.props.mediaUrl(this.message);
        if (url) {
            browser.open(url, "_blank", "noopener");
        }
    }
}

Message.components = { Bubble };
