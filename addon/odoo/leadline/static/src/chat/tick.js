/** The tick of an outgoing message: how far it has come. */
import { _t } from "@web/core/l10n/translation";
import { Component } from "@odoo/owl";
import { timeOf } from "./timeline";
import { clock } from "./window";

const { DateTime } = luxon;

/** Status of the chat API → what is drawn and how it is called. */
const TICKS = {
    queued: { shape: "clock", label: _t("Waiting to be sent") },
    sending: { shape: "clock", label: _t("Being sent") },
    unknown: { shape: "question", label: _t("Not known whether it was sent") },
    sent: { shape: "one", label: _t("Sent") },
    failed: { shape: "failed", label: _t("Not sent") },
    delivered: { shape: "two", label: _t("Delivered") },
    read: { shape: "two", label: _t("Read") },
    played: { shape: "two", label: _t("Played") },
};

export class Tick extends Component {
    static template = "leadline.Tick";
    static props = { message: Object };

    get tick() {
        return TICKS[this.props.message.status];
    }

    /** "Read 14:05", with the date when it was on another day. */
    get title() {
        const { status, statuses } = this.props.message;
        const iso = statuses?.[status];
        if (!iso) {
            return this.tick.label;
        }
        const time = DateTime.fromISO(iso);
        const day = time.hasSame(timeOf(this.props.message), "day") ? "" : `${time.toLocaleString()} `;
        return `${this.tick.label} ${day}${clock(time)}`;
    }
}
