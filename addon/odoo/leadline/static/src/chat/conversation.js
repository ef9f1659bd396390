/** One open conversation: its messages, live, and the composer. Keyed by its id, so it never changes. */
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
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
import { ChatApi, Refused, Unreachable } from "./api";
import { Composer } from "./composer";
import { Head, nameOf } from "./head";
import { LINE_NOTIFICATION, Live } from "./live";
import { Message } from "./message";
import { Reader } from "./reader";
import { useScroll } from "./scroll";
import { isUnderWay, newestFromCustomer, rows } from "./timeline";
import { Unsent, asMessage } from "./unsent";
import { isPicture, usePictureViewer } from "./viewer";
import { momentOf } from "./window";

/** How long (ms) a message that was jumped to stays marked. */
const HIGHLIGHT = 2000;
/** Pages loaded in search of a quoted message. */
const QUOTE_PAGES = 10;

export class Conversation extends Component {
    static template = "leadline.Conversation";
    static components = { Composer, Head, Message };
    static props = {
        /** As Odoo knows them: {id, line, contact, unread, owner}. */
        conversation: Object,
        conversations: Array,
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

        this.draft = this.drafts.of(user.id, conversation.id);
        const api = new ChatApi({
            url: this.props.chatUrl,
            conversation: conversation.id,
            grant: this.props.grant,
        });
        this.reader = new Reader(api);
        this.unsent = new Unsent({
            api,
            entries: this.draft.unsent,
            onChange: () => this.keepDraft(),
            // The API knows better than we do whether the window is open.
            onRefused: () => this.reader.news({ conversation: true }),
            onAccepted: (message) => {
                this.reader.take([message]);
                this.live.wait();
            },
        });
        this.live = new Live({
            bus,
            conversation: conversation.id,
            ask: (why) => this.ask(why),
            expects: () => this.reading.messages.some(isUnderWay),
        });

        this.reading = useState(this.reader.state);
        this.sending = useState(this.unsent.state);
        this.state = useState({
            visible: document.visibilityState === "visible",
            highlighted: null,
            /** Raised when the line's templates have changed. */
            templates: 0,
        });
        this.scroll = useScroll(this.list, { onScroll: () => this.fill() });

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
        onMounted(() => {
            // Who has just opened the tab wants to see all of it; who opens the card wants its title.
            if (document.activeElement?.closest(".o_notebook_headers")) {
                this.root.el.scrollIntoView({ block: "nearest" });
            }
            this.live.start();
            this.ask({ event: null });
            this.unsent.drain();
        });
        this.onLine = this.onLine.bind(this);
        onMounted(() => bus.subscribe(LINE_NOTIFICATION, this.onLine));
        onWillUnmount(() => bus.unsubscribe(LINE_NOTIFICATION, this.onLine));
        onWillUnmount(() => {
            this.live.stop();
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
        const waiting =
            this.sending.changes >= 0 &&
            this.unsent.entries
                .filter(({ clientId }) => !accepted.has(clientId))
                .map((entry) => asMessage(entry, this.props.user));
        return rows([...messages, ...waiting], { unreadFrom });
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
        const reason = error?.plain || error?.details || error?.title || "";
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

    //--------------------------------------------------------------------------
    // Writing
    //--------------------------------------------------------------------------

    onSend(written) {
        this.reading.unreadFrom = null;
        this.unsent.add(written);
        this.scroll.toEnd();
    }

    /** What the template picker works with. */
    get templates() {
        const { api } = this.reader;
        return {
            list: (after) => api.templates(after),
            values: (template) => this.valuesOf(template),
            upload: (file, options) => api.upload(file, options),
            send: (message) => this.sendTemplate(message),
            contact: this.contact,
            consent: this.reading.conversation?.contact?.consent || null,
            language: this.props.language ?? null,
            version: this.state.templates,
        };
    }

    async valuesOf(template) {
        try {
            return await this.props.values(template);
        } catch (error) {
            if (error instanceof RPCError) {
                throw new Refused({ status: 422, detail: error.data?.message });
            }
            throw error instanceof ConnectionLostError ? new Unreachable(error.message) : error;
        }
    }

    /** At once, so that what is wrong with it is told where it was filled in; not before what was written earlier. */
    async sendTemplate(message) {
        if (this.unsent.entries.some(({ state }) => state !== "refused")) {
            throw new Refused({ status: 409, detail: _t("Your messages above go first. Try again in a moment.") });
        }
        try {
            const accepted = await this.reader.api.send(message);
            this.reading.unreadFrom = null;
            this.reader.take([accepted]);
            this.live.wait();
            this.scroll.toEnd();
        } catch (error) {
            if (error instanceof Refused) {
                this.reader.news({ conversation: true });
            }
            throw error;
        }
    }

    onSendAgain(clientId) {
        this.unsent.retry(clientId);
    }

    onDiscard(clientId) {
        this.unsent.discard(clientId);
    }

    keepDraft() {
        this.drafts.save(this.props.user.id, this.props.conversation.id);
    }
}
