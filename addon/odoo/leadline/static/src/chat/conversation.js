/** One open conversation: its messages, live, and the composer. Keyed by its id, so it never changes. */
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { formatList } from "@web/core/l10n/utils";
import { usePopover } from "@web/core/popover/popover_hook";
import { useService } from "@web/core/utils/hooks";
import {
    Component,
    onMounted,
    onWillUnmount,
    useEffect,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";
import { Answering } from "./answering";
import { ChatApi, Refused, Unreachable } from "./api";
import { LIMITS } from "./attachment";
import { Commands } from "./commands";
import { Composer } from "./composer";
import { Head, nameOf } from "./head";
import { LINE_NOTIFICATION, Live } from "./live";
import { Message, saidIn } from "./message";
import { textOf } from "./message_body";
import { OdooApi, answered } from "./odoo";
import { ReactionPicker } from "./reaction_picker";
import { Reader } from "./reader";
import { Records } from "./records";
import { useRoving } from "./roving";
import { saveFile } from "./saved_file";
import { useScroll } from "./scroll";
import { Search } from "./search";
import { inOurWords } from "./service_words";
import { Session } from "./session";
import { arrivals, isUnderWay, newestFromCustomer, rows } from "./timeline";
import { Unsent, asMessage, isShown, withEntries } from "./unsent";
import { isPicture, usePictureViewer } from "./viewer";
import { countdown, momentOf } from "./window";

/** How long (ms) a message that was jumped to stays marked. */
const HIGHLIGHT = 2000;
/** Pages loaded in search of a quoted message. */
const QUOTE_PAGES = 10;
/** Between two words (ms) to WhatsApp that an answer is being written; it shows each for 25 s. */
const TYPING = 20000;
/** New messages that are kept for being read out. */
const READ_OUT = 5;

export class Conversation extends Component {
    static template = "leadline.Conversation";
    static components = { Composer, Head, Message, Records, Search, Session };
    static props = {
        /** As Odoo knows them: {id, line, contact, unread, owner}. */
        conversation: Object,
        conversations: Array,
        /** {resModel, resId} whose chat this is */
        card: Object,
        /** (summary) Odoo knows something new of a conversation */
        onSummary: Function,
        onSelect: Function,
        /** (id) the agent has seen everything */
        onRead: Function,
        chatUrl: String,
        user: Object,
        canSend: Boolean,
        /** () → promise of {token, expires, now} */
        grant: Function,
        /** (template) → promise of texts by parameter: what the record knows */
        values: Function,
        /** (afterwards) → promise; opens the form on which the customer's consent is recorded */
        recordConsent: { type: Function, optional: true },
        /** The customer's, as Odoo has it. */
        language: { type: [String, { value: null }], optional: true },
        /** Whether there is another line to write from, and () the agent wants to. */
        canStart: { type: Boolean, optional: true },
        onStart: { type: Function, optional: true },
    };

    setup() {
        const { conversation, user } = this.props;
        const bus = useService("bus_service");
        this.drafts = useService("leadline.drafts");
        this.root = useRef("root");
        this.list = useRef("list");
        this.viewPictures = usePictureViewer();
        this.notification = useService("notification");
        this.action = useService("action");
        const limits = useService("leadline.limits");
        this.popover = usePopover(ReactionPicker, { position: "top" });
        /** When WhatsApp was last told that an answer is being written (ms). */
        this.typed = -TYPING;

        this.draft = this.drafts.of(user.id, conversation.id);
        const api = (this.api = new ChatApi({
            url: this.props.chatUrl,
            conversation: conversation.id,
            grant: this.props.grant,
        }));
        this.reader = new Reader(api);
        this.odoo = new OdooApi(useService("orm"), this.props.card, conversation.id);
        this.commands = new Commands({
            odoo: this.odoo,
            notification: this.notification,
            action: this.action,
            onSummary: (summary) => this.props.onSummary(summary),
        });
        this.unsent = new Unsent({
            api,
            alert: (note, partners) => this.odoo.alert(note, partners),
            onAlerted: (names) => this.onAlerted(names),
            entries: this.draft.unsent,
            onChange: () => this.keepDraft(),
            onRefused: (reason, entry) => {
                if (!isShown(entry)) {
                    this.notification.add(reason, { type: "danger" });
                }
                // The API knows better than we do whether the window is open.
                this.reader.news({ conversation: true });
            },
            onAccepted: (message) => this.onAccepted(message),
        });
        this.live = new Live({
            bus,
            conversation: conversation.id,
            ask: (why) => this.ask(why),
            expects: () => this.isUnreachable || this.reading.messages.some(isUnderWay),
        });
        const { odoo } = this;
        const answering = (this.answering = new Answering({ bus, conversation: conversation.id, user, odoo }));

        this.reading = useState(this.reader.state);
        this.sending = useState(this.unsent.state);
        this.colleagues = useState(answering.state);
        this.state = useState({
            visible: document.visibilityState === "visible",
            highlighted: null,
            /** Raised when the line's templates have changed. */
            templates: 0,
            replyTo: this.draft.replyTo,
            limits: LIMITS,
            searching: false,
            /** Sentences to read out to who listens: what came in while the tab was open. */
            readOut: [],
            /** A colleague's message that came while the agent was writing: {id, name}. */
            overtaken: null,
        });
        // Saving changes the card: only for who may.
        this.saveFile = this.props.canSend ? (message) => this.onSaveFile(message) : undefined;
        this.store = useService("mail.store");
        this.scroll = useScroll(this.list, { onScroll: () => this.fill() });
        this.roving = useRoving(this.list, {
            rows: ".o_leadline_message",
            keys: { "/": () => this.onSearch(), Escape: () => this.focusInput() },
        });

        useExternalListener(document, "visibilitychange", () => {
            this.state.visible = document.visibilityState === "visible";
        });
        useEffect(
            () => {
                this.look();
            },
            () => [this.isReady, this.newest, this.scroll.atEnd, this.state.visible]
        );
        useEffect(
            () => {
                this.drawn = this.reading.messages;
                this.fill();
            },
            () => [this.isReady, this.reading.messages, this.reading.trouble]
        );
        useEffect(
            (isReady, messages) => {
                if (isReady) {
                    // What stands there when the tab is opened is no news.
                    this.onArrivals(arrivals(this.seenBefore ?? messages, messages));
                    this.seenBefore = messages;
                }
            },
            () => [this.isReady, this.reading.messages]
        );
        onMounted(() => {
            // Who has just opened the tab wants to see all of it; who opens the card wants its title.
            if (document.activeElement?.closest(".o_notebook_headers")) {
                this.root.el.scrollIntoView({ block: "nearest" });
            }
            this.live.start();
            answering.start();
            this.ask({ event: null });
            this.unsent.drain();
            limits.of(api).then((told) => (this.state.limits = told));
        });
        this.onLine = this.onLine.bind(this);
        onMounted(() => bus.subscribe(LINE_NOTIFICATION, this.onLine));
        onWillUnmount(() => bus.unsubscribe(LINE_NOTIFICATION, this.onLine));
        onWillUnmount(() => {
            this.live.stop();
            answering.stop();
            this.unsent.stop();
            browser.clearTimeout(this.highlightTimer);
        });
    }

    //--------------------------------------------------------------------------
    // What is shown
    //--------------------------------------------------------------------------

    get isReady() {
        return this.reading.phase === "ready";
    }

    get rows() {
        const { messages, unreadFrom } = this.reading;
        const accepted = new Set(messages.map(({ client_id }) => client_id));
        // Entries are plain objects: reading the count of their changes is what makes us draw again.
        const entries = this.sending.changes >= 0 && this.unsent.entries;
        const waiting = entries
            .filter((entry) => isShown(entry) && !accepted.has(entry.clientId))
            .map((entry) => asMessage(entry, this.props.user));
        const others = entries.filter((entry) => !isShown(entry));
        const shown = others.length ? messages.map((message) => withEntries(message, others)) : messages;
        return rows([...shown, ...waiting], { unreadFrom });
    }

    /** Whether what stands here can be answered: replied to, reacted to, sent again. */
    get canAnswer() {
        const { window } = this.reading.conversation || {};
        return this.props.canSend && countdown(window, Date.now() + this.api.skew).open;
    }

    get newest() {
        return newestFromCustomer(this.reading.messages)?.id;
    }

    get unseen() {
        return this.reading.seen === this.newest ? 0 : this.reader.unseen.length;
    }

    get contact() {
        return this.reading.conversation?.contact?.name || nameOf(this.props.conversation.contact);
    }

    get listLabel() {
        return _t("Messages with %s", this.contact);
    }

    /** Who else is writing to the customer now. */
    get answeringNote() {
        const names = Object.values(this.colleagues.agents);
        if (!names.length) {
            return "";
        }
        return names.length > 1 ? _t("%s are answering…", formatList(names)) : _t("%s is answering…", names[0]);
    }

    get overtakenNote() {
        const { overtaken } = this.state;
        return overtaken ? _t("%s has just answered. Read it before you send.", overtaken.name) : "";
    }

    get isUnreachable() {
        return this.reading.trouble?.kind === "unreachable" || this.sending.unreachable;
    }

    /** Why the API says no, when asking again by ourselves is no use. */
    get refusal() {
        return this.reading.trouble?.kind === "refused" ? this.reading.trouble.text : "";
    }

    /** What holds the line's sending up, null when nothing does. */
    get held() {
        const health = this.reading.conversation?.line?.health;
        if (health?.sending !== "held") {
            return null;
        }
        const { error, since } = health;
        const reason = inOurWords(error?.plain) || error?.details || error?.title || "";
        return since
            ? _t("Sending is stopped since %(since)s. %(reason)s", { since: momentOf(since), reason })
            : _t("Sending is stopped. %s", reason);
    }

    //--------------------------------------------------------------------------
    // Reading
    //--------------------------------------------------------------------------

    /** Something is new about a line: its health stands in the conversation's head. */
    onLine({ line, event }) {
        if (line !== this.props.conversation.line.id) {
            return;
        }
        if (event === "template.updated") {
            this.state.templates++;
        } else {
            this.reader.news({ conversation: true });
        }
    }

    /** @param {{ event: string|null, version?: number }} why what the bus said, null when nobody told us */
    async ask({ event, version }) {
        if (this.refusal && !event) {
            return false;
        }
        const about = event?.split(".")[0];
        const isKnown = about === "conversation" && this.reading.conversation?.version >= version;
        const conversation = ["conversation", "contact"].includes(about) && !isKnown;
        const found = await this.reader.news({ conversation });
        if (!this.reading.trouble) {
            this.unsent.settle(new Set(this.reading.messages.map(({ client_id }) => client_id)));
            if (this.sending.unreachable) {
                this.unsent.drain();
            }
            await this.look();
        }
        return found;
    }

    async onRetry() {
        this.reading.trouble = null;
        this.unsent.drain();
        await this.ask({ event: null });
    }

    async look() {
        if (!this.isReady || !this.list.el) {
            return;
        }
        if (!this.isPlaced) {
            this.isPlaced = true;
            // The agent begins to read where the unread messages begin.
            const mark = this.list.el.querySelector(".o_leadline_unread");
            if (mark) {
                this.scroll.toRow(mark);
            }
        }
        await this.reader.look(this.scroll.atEnd && this.state.visible);
        if (this.reading.seen === this.newest) {
            this.props.onRead(this.props.conversation.id);
        }
    }

    /** Load what stands before the oldest message when the agent comes near to it. */
    fill() {
        // Only what is drawn says how near the agent is.
        const isDrawn = this.isReady && this.list.el && this.drawn === this.reading.messages;
        if (isDrawn && !this.reading.trouble && this.scroll.isNearStart()) {
            this.reader.older();
        }
    }

    /** @param {import("./timeline").Message[]} messages that came in while the agent looks on */
    onArrivals(messages) {
        const news = messages.filter(({ author, direction }) => direction === "in" || !this.isMine(author));
        for (const { id, author, direction, type } of news) {
            if (direction === "out" && author?.kind === "agent") {
                this.answering.forget(author.id);
                if (type !== "note" && this.draft.text.trim() && !this.draft.note) {
                    this.state.overtaken = { id, name: author.name };
                }
            }
        }
        if (news.length) {
            const said = news.map((message) => ({ id: message.id, text: saidIn(message) }));
            this.state.readOut = [...this.state.readOut, ...said].slice(-READ_OUT);
        }
    }

    /** The agent goes on writing after a look at it. */
    onShowOvertaken() {
        this.onQuote(this.state.overtaken.id);
        this.focusInput();
    }

    focusInput() {
        this.root.el.querySelector(".o_leadline_input").focus();
    }

    isMine(author) {
        return author?.kind === "agent" && author.id === String(this.props.user.id);
    }

    onSearch() {
        const input = this.root.el.querySelector(".o_leadline_search_input");
        if (input) {
            input.select();
        }
        this.state.searching = true;
    }

    async onQuote(id) {
        for (let i = 0; i < QUOTE_PAGES && !this.isLoaded(id) && this.reading.older !== null; i++) {
            await this.reader.older();
        }
        if (!this.isLoaded(id)) {
            return;
        }
        this.state.highlighted = id;
        browser.clearTimeout(this.highlightTimer);
        this.highlightTimer = browser.setTimeout(() => (this.state.highlighted = null), HIGHLIGHT);
        // Loaded is not yet drawn.
        browser.requestAnimationFrame(() => {
            const row = this.list.el?.querySelector(`[data-message-id="${CSS.escape(id)}"]`);
            if (row) {
                this.scroll.toMiddle(row);
            }
        });
    }

    isLoaded(id) {
        return this.reading.messages.some((message) => message.id === id);
    }

    //--------------------------------------------------------------------------
    // Files
    //--------------------------------------------------------------------------

    async mediaUrl(message, options) {
        return this.reader.guarded(() => this.reader.mediaUrl(message, options));
    }

    async openPicture(message) {
        if (!(await this.mediaUrl(message))) {
            return;
        }
        const shown = message.unsent ? [...this.reading.messages, message] : this.reading.messages;
        this.viewPictures(shown.filter(isPicture), message.id, (picture) => this.reader.addressOf(picture));
    }

    /** @returns {Promise<boolean>} whether the message's file is an attachment of the card now */
    onSaveFile(message) {
        const { card, conversation } = this.props;
        return this.told(async () => {
            const url = await this.mediaUrl(message);
            if (url) {
                const { name, store } = await saveFile(message, { url, card, conversation: conversation.id });
                // The chatter beside the chat shows it at once.
                this.store.insert(store);
                this.notification.add(_t("%s is among the attachments now.", name), { type: "success" });
            }
            return Boolean(url);
        });
    }

    //--------------------------------------------------------------------------
    // Writing
    //--------------------------------------------------------------------------

    onSend(written) {
        this.reading.unreadFrom = null;
        this.unsent.add(written);
        this.answering.sent();
        this.state.overtaken = null;
        this.scroll.toEnd();
        if (written.canned?.length) {
            this.courtesy(() => this.odoo.cannedUsed(written.canned));
        }
    }

    onAlerted(names) {
        for (const name of names) {
            this.notification.add(_t("%s may not read this card and was not alerted.", name), { type: "warning" });
        }
    }

    /** What the template picker works with. */
    get templates() {
        const { api } = this;
        return {
            list: (after) => api.templates(after),
            values: (template) => this.valuesOf(template),
            upload: (file, options) => api.upload(file, options),
            send: (message) => this.sendTemplate(message),
            contact: this.contact,
            consent: this.reading.conversation?.contact?.consent || null,
            optIn: Boolean(this.reading.conversation?.line?.opt_in),
            onRecordConsent: this.props.recordConsent && (() => this.recordConsent()),
            language: this.props.language ?? null,
            version: this.state.templates,
        };
    }

    valuesOf(template) {
        return answered(this.props.values(template));
    }

    recordConsent() {
        return answered(this.props.recordConsent(() => this.reader.news({ conversation: true })));
    }

    /** At once, so that what is wrong with it is told where it was filled in; not before what was written earlier. */
    async sendTemplate(message) {
        if (this.unsent.entries.some(({ state }) => state !== "refused")) {
            throw new Refused({ status: 409, detail: _t("Your messages above go first. Try again in a moment.") });
        }
        try {
            const accepted = await this.api.send(message);
            this.reading.unreadFrom = null;
            this.onAccepted(accepted);
            this.scroll.toEnd();
        } catch (error) {
            if (error instanceof Refused) {
                this.reader.news({ conversation: true });
            }
            throw error;
        }
    }

    /** The API took an entry: it is a message now, or what it changes will be found on another one. */
    onAccepted(message) {
        if (message.type !== "reaction") {
            this.reader.take([message]);
        }
        if (message.type === "reaction" || message.again_of) {
            this.live.askNow();
        } else {
            this.live.wait();
        }
    }

    setReplyTo(replyTo) {
        this.draft.replyTo = this.state.replyTo = replyTo;
        this.keepDraft();
    }

    onReply(message) {
        const { id, type, author } = message;
        this.setReplyTo({ id, type, author, preview: textOf(message).slice(0, 200) });
    }

    onReact(message, target) {
        const shown = withEntries(message, this.unsent.entries);
        const chosen = shown.reactions?.find(({ by, emoji }) => by === "business" && emoji)?.emoji ?? null;
        this.popover.open(target, { chosen, onChoose: (emoji) => this.unsent.react(message.id, emoji) });
    }

    /** The customer sees that an answer is being written. A courtesy: when it can't be told, nothing is lost. */
    async onTyping() {
        this.answering.writes();
        if (Date.now() - this.typed < TYPING) {
            return;
        }
        this.typed = Date.now();
        await this.courtesy(() => this.api.typing());
    }

    /** Tell what it costs nothing not to have told. */
    async courtesy(request) {
        try {
            await request();
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
        }
    }

    /** @param {"send_again"|"let_be"} as */
    async onSettle(message, as) {
        if (as === "send_again") {
            this.unsent.repeat(message.id);
            return;
        }
        await this.told(async () => this.reader.take([await this.api.settle(message.id, { as })]));
    }

    async onFetch(message) {
        await this.told(() => this.api.fetchFile(message.id));
    }

    /** Do what the agent asked for, and answer what came of it; when it can't be done say why. Then see how things stand. */
    async told(request) {
        let result;
        try {
            result = await request();
        } catch (error) {
            if (!(error instanceof Refused || error instanceof Unreachable)) {
                throw error;
            }
            const reason = error instanceof Refused ? error.message : _t("Can't reach Leadline. Try again.");
            this.notification.add(reason, { type: "danger" });
        }
        await this.live.askNow();
        return result;
    }

    /** A contact that was sent becomes one of ours when the agent saves the form. */
    onSavePerson({ name, company, phone, email }) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            views: [[false, "form"]],
            target: "new",
            context: {
                default_name: name,
                default_company_name: company,
                default_phone: phone,
                default_email: email,
            },
        });
    }

    onSendAgain(clientId) {
        this.unsent.retry(clientId);
    }

    onDiscard(clientId) {
        this.unsent.discard(clientId);
    }

    keepDraft() {
        if (!this.draft.text.trim()) {
            this.state.overtaken = null;
        }
        this.drafts.save(this.props.user.id, this.props.conversation.id);
    }
}
