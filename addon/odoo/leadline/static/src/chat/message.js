/** One message: its bubble, and what went wrong with it. */
import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";
import { Component, onError, onWillUpdateProps, useEffect, useState } from "@odoo/owl";
import { sizeLabel } from "./attachment";
import { AudioPlayer } from "./audio_player";
import { CameThrough } from "./came_through";
import { FormattedText } from "./formatted_text";
import {
    adOf,
    answerOf,
    fileAddress,
    fileNameOf,
    fileTemplateOf,
    fileTypeOf,
    isHappening,
    labelOf,
    peopleOf,
    placeOf,
    productsOf,
    questionOf,
    templateOf,
    textOf,
} from "./message_body";
import { inOurWords } from "./service_words";
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
/** Pictures narrower or wider than this (width by height) are cut where they stand; the viewer shows them whole. */
const RATIOS = { min: 0.7, max: 2.4 };
/** Characters of a message that are read out at once; all of it can be read in its place. */
const SPOKEN = 300;
/** WhatsApp knows our message: it can be quoted and reacted to. */
const ARRIVED = new Set(["sent", "delivered", "read", "played"]);

const PROPS = {
    message: Object,
    /** First of a run by one author. */
    first: Boolean,
    highlighted: Boolean,
    /** Whether the agent may answer now. */
    canAnswer: Boolean,
    /** Whether the agent may send at all, were it a template only. */
    canSend: Boolean,
    /** How far (ms) the server's clock is ahead of this browser's. */
    skew: Number,
    /** (message) its picture was asked for */
    onOpen: Function,
    /** (message, {broken}) → promise of an address that works, null when there is none */
    mediaUrl: Function,
    /** (message) → promise: its file, which could not be had from WhatsApp, is asked for once more */
    onFetch: Function,
    /** (id) another message was asked for: the quoted one, or the one that went in this one's place */
    onQuote: Function,
    /** (message) → promise of whether its file is an attachment of the card now; absent where it can't be */
    onSaveFile: { type: Function, optional: true },
    /** (message) the agent wants to answer it */
    onReply: Function,
    /** (message, element) the agent wants to react to it */
    onReact: Function,
    /** (message, "send_again"|"let_be") → promise */
    onSettle: Function,
    /** (person) a contact that was sent, as `peopleOf` gives it */
    onSavePerson: Function,
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
    static components = { AudioPlayer, CameThrough, FormattedText, Tick };
    static props = PROPS;

    setup() {
        this.file = useState({ ...addressesOf(this.props.message), attempts: 0 });
        this.heard = useService("leadline.heard");
        const heard = this.heard.has(this.props.message.id);
        this.state = useState({ now: Date.now(), asked: false, saving: false, saved: false, heard });
        onWillUpdateProps(({ message }) => {
            // A shown file keeps its address, so that a new tick or reaction doesn't load it again.
            if (message.media?.url && !this.file.url) {
                Object.assign(this.file, { ...addressesOf(message), attempts: 0 });
            }
            // What the agent asked for has been done once the message has changed.
            if (message.version !== this.message.version) {
                this.state.asked = false;
            }
        });
        useEffect(
            (from) => this.waitUntil(from),
            () => [this.message.settle?.from]
        );
    }

    /** Draw again at this time. */
    waitUntil(iso) {
        const wait = iso ? Date.parse(iso) - Date.now() - this.props.skew : 0;
        if (wait <= 0) {
            return;
        }
        const timer = browser.setTimeout(() => (this.state.now = Date.now()), wait + 1);
        return () => browser.clearTimeout(timer);
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

    get isHappening() {
        return isHappening(this.message);
    }

    /** Shown over the first message of a run; always there for who listens instead of looking. */
    get author() {
        return authorOf(this.message);
    }

    get time() {
        return clock(timeOf(this.message));
    }

    /** What is read out of it when the keyboard comes to it. */
    get summary() {
        return _t("%(said)s, %(time)s", { said: saidIn(this.message), time: this.fullTime });
    }

    get fullTime() {
        return timeOf(this.message).toLocaleString(DateTime.DATETIME_MED);
    }

    /** What the agent should know about a message that did not simply arrive. */
    get trouble() {
        const { status, error, settled, unsent } = this.message;
        if (status === "unknown") {
            return this.uncertainty;
        }
        // One that can't be shown says so in its place.
        if (settled?.as === "sent_again" || this.message.type === "unsupported") {
            return "";
        }
        if (status === "failed" || error) {
            const said = inOurWords(error?.plain) || error?.details || error?.title;
            return said || (unsent ? "" : _t("WhatsApp did not take this message."));
        }
        return "";
    }

    /** What is known of a message whose answer was lost. */
    get uncertainty() {
        const { settle, settled } = this.message;
        if (settled?.as === "let_be") {
            return _t("It is not known whether this was sent. %s let it be.", settled.by?.name || _t("An agent"));
        }
        if (settled) {
            return _t("It is not known whether this was sent.");
        }
        if (settle && !this.mayBeSettled) {
            const time = clock(DateTime.fromISO(settle.from));
            return _t("WhatsApp did not answer. Waiting for word of it; from %s you can decide.", time);
        }
        return _t("WhatsApp did not answer. The customer may or may not have this message.");
    }

    get mayBeSettled() {
        const { settle, settled } = this.message;
        return Boolean(settle) && !settled && Math.max(this.state.now, Date.now()) + this.props.skew >= Date.parse(settle.from);
    }

    /** What can be done about it: an unknown one is repeated or let be, a failed one repeated. */
    get choices() {
        const { status, unsent, again, direction, type } = this.message;
        if (unsent || again || direction !== "out" || !this.props.canSend) {
            return [];
        }
        // A template goes whether or not free text is allowed.
        const repeat = this.props.canAnswer || type === "template" ? ["send_again"] : [];
        if (status === "unknown" && this.mayBeSettled) {
            return [...repeat, "let_be"];
        }
        return status === "failed" ? repeat : [];
    }

    get choiceLabels() {
        return { send_again: _t("Send again"), let_be: _t("Let it be") };
    }

    async onChoose(choice) {
        this.state.asked = true;
        await this.props.onSettle(this.message, choice);
        this.state.asked = false;
    }

    /** Reply and react: only to what stands on the customer's phone. */
    get hasActions() {
        const { direction, status, unsent, revoked } = this.message;
        const isThere = direction === "in" || ARRIVED.has(status);
        return this.props.canAnswer && isThere && !unsent && !revoked && !this.isNote;
    }

    get actionLabels() {
        const about = this.text.slice(0, 60) || labelOf(this.message.type);
        return { reply: _t("Reply to: %s", about), react: _t("React to: %s", about), group: _t("What to do with: %s", about) };
    }

    /** A file of the customer's can be kept with the card. */
    get isSavable() {
        const { direction, media, revoked } = this.message;
        return Boolean(this.props.onSaveFile) && direction === "in" && media?.state === "stored" && !revoked;
    }

    get saveLabel() {
        return this.state.saved ? _t("Saved with this card") : _t("Save %s with this card", this.fileName);
    }

    get saveIcon() {
        const { saving, saved } = this.state;
        return saving ? "fa-circle-o-notch fa-spin" : saved ? "fa-check" : "fa-floppy-o";
    }

    async onSaveFile() {
        this.state.saving = true;
        try {
            this.state.saved = await this.props.onSaveFile(this.message);
        } finally {
            this.state.saving = false;
        }
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

    /** The same emoji from both sides is shown once. `failed`: what WhatsApp said to ours. */
    get reactions() {
        const standing = (this.message.reactions || []).filter(({ emoji }) => emoji);
        if (!standing.length) {
            return null;
        }
        const ours = standing.find(({ by }) => by === "business");
        return {
            emoji: [...new Set(standing.map(({ emoji }) => emoji))],
            count: standing.length,
            label: standing.map((reaction) => this.reactionLabel(reaction)).join("\n"),
            waits: ["queued", "sending", "unknown"].includes(ours?.status),
            failed: ours?.status === "failed",
        };
    }

    reactionLabel({ emoji, by, name, status, error }) {
        const who = by === "business" ? _t("We") : name || _t("Customer");
        const label = _t("%(who)s: %(emoji)s", { who, emoji });
        if (status === "unknown") {
            return _t("%s – WhatsApp did not answer; the customer may or may not see it", label);
        }
        return status === "failed" ? `${label} – ${inOurWords(error?.plain) || _t("not sent")}` : label;
    }

    get fileType() {
        return fileTypeOf(this.message);
    }

    get fileTemplate() {
        return fileTemplateOf(this.message);
    }

    get fileName() {
        return fileNameOf(this.message) || labelOf(this.fileType);
    }

    /** The box of a picture, before it is there. */
    get frameStyle() {
        const { width, height } = this.message.media || {};
        if (!(width > 0 && height > 0)) {
            return null;
        }
        const ratio = Math.min(Math.max(width / height, RATIOS.min), RATIOS.max);
        return `--leadline-ratio: ${ratio.toFixed(3)}`;
    }

    get audioLabel() {
        return this.message.media?.voice ? _t("Voice note from %s", this.author) : this.fileName;
    }

    /** A customer's voice note that the agent has not played. */
    get isUnheard() {
        const { direction, media } = this.message;
        return direction === "in" && Boolean(media?.voice) && !this.state.heard;
    }

    onPlay() {
        this.heard.add(this.message.id);
        this.state.heard = true;
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
        return _t("%s is on its way", labelOf(this.fileType));
    }

    get fileFailure() {
        return inOurWords(this.message.media?.reason) || _t("It could not be loaded.");
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

    get question() {
        return questionOf(this.message.interactive);
    }

    get products() {
        return productsOf(this.message.order);
    }

    get ad() {
        return adOf(this.message.referral);
    }

    /** Buttons of a template as the customer sees them. */
    get buttons() {
        return (this.message.template?.buttons ?? []).map(({ text }) => text).filter(Boolean);
    }

    get pictureLabel() {
        return this.text || _t("Picture from %s", this.author);
    }

    get unsupported() {
        const kind = this.message.unsupported?.type || this.message.type;
        return _t("This message (%s) can't be shown here. Open it on the phone.", kind);
    }

    /** An address lives minutes; a conversation stays open for hours. */
    async onFileError() {
        if (this.file.thumbnail) {
            this.file.thumbnail = null;
            return;
        }
        this.file.url = null;
        if (this.file.attempts++ < ATTEMPTS) {
            await this.loadFile();
        }
    }

    async loadFile() {
        // What stands in its way is said by the conversation itself.
        this.file.url = fileAddress(await this.props.mediaUrl(this.message, { broken: true }));
    }

    async onLoadAgain() {
        this.file.attempts = 0;
        await this.loadFile();
    }

    /** WhatsApp keeps a file for days only: what could not be had is asked for once more while it lasts. */
    async onFetch() {
        this.state.asked = true;
        await this.props.onFetch(this.message);
        this.state.asked = false;
    }

    async onOpenDocument(ev) {
        ev.preventDefault();
        const url = fileAddress(await this.props.mediaUrl(this.message));
        if (url) {
            browser.open(url, "_blank", "noopener");
        }
    }
}

/** @returns {string} who wrote it, as it is shown */
export function authorOf({ author, direction }) {
    if (direction === "out") {
        return AUTHORS[author?.kind] || author?.name || "";
    }
    return author?.name || _t("Customer");
}

/** @returns {string} the message in a sentence, for who listens: "Ada: Is it in stock?" */
export function saidIn(message) {
    const { type, revoked } = message;
    const text = revoked ? _t("This message was deleted.") : textOf(message).slice(0, SPOKEN) || labelOf(type);
    if (isHappening(message)) {
        return text;
    }
    const author = authorOf(message);
    return type === "note"
        ? _t("Note from %(author)s: %(text)s", { author, text })
        : _t("%(author)s: %(text)s", { author, text });
}

/** The addresses of a message's file: the whole of it, and a small picture of it where there is one. */
function addressesOf({ media }) {
    return { url: fileAddress(media?.url), thumbnail: media?.thumbnail ?? null };
}

Message.components = { Bubble };
