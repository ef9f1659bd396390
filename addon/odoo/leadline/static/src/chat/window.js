/** The 24 hours in which free text is allowed, as the tab tells them. */
import { formatDateTime } from "@web/core/l10n/dates";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";

const { DateTime } = luxon;

/** Below this many minutes the countdown warns. */
const SOON = 120;

/**
 * @param {{ open: boolean, until: string|null }} window of the chat API
 * @param {number} [now] epoch ms
 * @returns {{ open: boolean, soon: boolean, text: string, next: number|null }} `text` only while it is open;
 *  `next`: ms until the text changes
 */
export function countdown(window, now = Date.now()) {
    const until = window?.until ? DateTime.fromISO(window.until) : null;
    const left = until ? until.toMillis() - now : 0;
    if (!window?.open || (until && left <= 0)) {
        return { open: false, soon: false, text: "", next: null };
    }
    if (!until) {
        return { open: true, soon: false, text: "", next: null };
    }
    const minutes = Math.floor(left / 60000);
    return {
        open: true,
        soon: minutes < SOON,
        text: _t("Free text until %(time)s, %(left)s left", { time: clock(until), left: leftText(minutes) }),
        next: (left % 60000) + 1,
    };
}

function leftText(minutes) {
    if (minutes < 1) {
        return _t("less than a minute");
    }
    if (minutes < SOON) {
        return _t("%s min", minutes);
    }
    return _t("%s h", Math.floor(minutes / 60));
}

/** Day and time of an ISO time, without the day when that is today. */
export function momentOf(iso) {
    const time = DateTime.fromISO(iso);
    return time.hasSame(DateTime.now(), "day") ? clock(time) : time.toLocaleString(DateTime.DATETIME_MED);
}

/** Hours and minutes in the user's own format. */
export function clock(time) {
    return formatDateTime(time, { format: localization.timeFormat.replace(/[:.]ss/, "") });
}
