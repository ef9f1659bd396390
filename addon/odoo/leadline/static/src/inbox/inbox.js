/**
 * What waits in the inbox, for every page of Odoo: the counter in the menu bar, the sound and the desktop notification.
 *
 * The bus says of every conversation that something happened, and nothing of whose it is. So the page asks Odoo, once
 * for all that happens in a moment, and Odoo answers with what this user may see.
 */
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { reactive } from "@odoo/owl";
import { NOTIFICATION } from "../chat/live";

const MODEL = "leadline.conversation";

/** A moment (ms): what happens within it is asked for and rung for once. */
export const MOMENT = 1500;

/** Names in one notification; more are counted. */
const NAMED = 3;

export class Inbox {
    constructor({ bus, orm, outOfFocus }) {
        this.bus = bus;
        this.orm = orm;
        this.outOfFocus = outOfFocus;
        this.state = reactive({
            isAgent: false,
            mine: 0,
            unassigned: 0,
            alerts: user.settings?.leadline_alerts !== false,
        });
        /** Of each conversation: its unread count, and the version of it that rang last. */
        this.unread = new Map();
        this.versions = new Map();
        /** Conversations that rang since Odoo was last asked. */
        this.rung = new Set();
        /** Those that stand open on this page, by how many tabs. */
        this.open = new Map();
        this.onNotification = this.onNotification.bind(this);
    }

    async start() {
        if (!(await user.hasGroup("leadline.group_agent"))) {
            return;
        }
        this.state.isAgent = true;
        this.bus.subscribe(NOTIFICATION, this.onNotification);
        document.addEventListener("visibilitychange", () => {
            if (document.visibilityState === "visible") {
                this.soon();
            }
        });
        await this.ask();
    }

    get unreadCount() {
        return this.state.mine + this.state.unassigned;
    }

    onNotification({ conversation, event, unread, version, ring }) {
        const known = this.unread.get(conversation);
        this.unread.set(conversation, unread);
        // An event that is told again rings no second time.
        if (ring && !(this.versions.get(conversation) >= version)) {
            this.versions.set(conversation, version);
            this.rung.add(conversation);
        }
        // What becomes of our own messages changes no counter.
        const changes = known === undefined ? event !== "message.status" : known !== unread;
        if (changes || this.rung.size) {
            this.soon();
        }
    }

    /** Ask when the moment is over. */
    soon() {
        this.timer ??= browser.setTimeout(() => {
            this.timer = null;
            this.ask();
        }, MOMENT);
    }

    async ask() {
        const rung = [...this.rung];
        this.rung.clear();
        let told;
        try {
            told = await this.orm.silent.call(MODEL, "inbox_status", [rung]);
        } catch (error) {
            // The next notification asks again: a counter that is late is no reason for a dialog.
            if (error instanceof RPCError || error instanceof ConnectionLostError) {
                return;
            }
            throw error;
        }
        this.state.mine = told.mine;
        this.state.unassigned = told.unassigned;
        const heard = told.rung.filter(({ conversation }) => !this.isLookedAt(conversation));
        if (heard.length && this.state.alerts) {
            await this.ring(heard.map(({ name }) => name));
        }
    }

    ring(names) {
        const others = names.length - NAMED;
        const named = names.slice(0, NAMED).join(", ");
        return this.outOfFocus.sendNotification({
            title: names.length > 1 ? _t("New WhatsApp messages") : _t("New WhatsApp message"),
            message: others > 0 ? _t("%(names)s and %(count)s more", { names: named, count: others }) : named,
            type: "info",
            icon: "/leadline/static/description/icon.png",
        });
    }

    /** Whoever reads a conversation hears nothing of it. */
    isLookedAt(conversation) {
        return this.open.has(conversation) && document.hasFocus();
    }

    /** A tab shows a conversation. @returns {() => void} to call when it no longer does */
    opened(conversation) {
        this.open.set(conversation, (this.open.get(conversation) || 0) + 1);
        return () => {
            const left = this.open.get(conversation) - 1;
            if (left) {
                this.open.set(conversation, left);
            } else {
                this.open.delete(conversation);
            }
        };
    }

    async setAlerts(alerts) {
        this.state.alerts = alerts;
        await user.setUserSettings("leadline_alerts", alerts);
    }
}

export const inboxService = {
    dependencies: ["bus_service", "orm", "mail.out_of_focus"],
    start(env, { bus_service: bus, orm, "mail.out_of_focus": outOfFocus }) {
        const inbox = new Inbox({ bus, orm, outOfFocus });
        // Not awaited: the page does not wait for a counter.
        inbox.start();
        return inbox;
    },
};

registry.category("services").add("leadline.inbox", inboxService);
