/**
 * What stands in a conversation and in which order: pure functions over the messages of the chat API.
 *
 * @typedef {Object} Message as the chat API answers it
 * @property {string} id
 * @property {number} version raised at every change
 * @property {string} sort place in the conversation, compared as a string
 * @property {string} at ISO time
 * @property {"in"|"out"} direction
 * @property {string} type
 * @property {string|null} status
 * @property {string|null} client_id
 * @property {{ kind: string, id: string, name: string }} author
 */
import { _t } from "@web/core/l10n/translation";

const { DateTime } = luxon;

/** A message this young (ms) that has not left yet will soon change. */
const UNDER_WAY = 2 * 60 * 1000;
/** Messages of one author closer than this (ms) stand together. */
const TOGETHER = 5 * 60 * 1000;

/** @type {WeakMap<Message, import("luxon").DateTime>} parsing is what costs in a long conversation */
const times = new WeakMap();

/** @returns {import("luxon").DateTime} the message's time in the user's zone */
export function timeOf(message) {
    let time = times.get(message);
    if (!time) {
        time = DateTime.fromISO(message.at);
        times.set(message, time);
    }
    return time;
}

/**
 * Add what was received to what is known. Requests overlap and overtake each other, so a message known in the
 * same or a later version stays.
 *
 * @param {Message[]} messages in order
 * @param {Message[]} received in any order
 * @returns {Message[]} in order; the very same array when nothing is new
 */
export function merge(messages, received) {
    const known = new Map(messages.map((message) => [message.id, message]));
    let changed = false;
    for (const message of received) {
        const old = known.get(message.id);
        if (!old || old.version < message.version) {
            known.set(message.id, message);
            changed = true;
        }
    }
    return changed ? [...known.values()].sort(bySort) : messages;
}

function bySort(a, b) {
    if (a.sort !== b.sort) {
        return a.sort < b.sort ? -1 : 1;
    }
    return a.id < b.id ? -1 : 1;
}

/**
 * What is new at the end: not what older pages bring.
 *
 * @param {Message[]} before in order
 * @param {Message[]} messages in order, with those of before
 * @returns {Message[]}
 */
export function arrivals(before, messages) {
    const known = new Set(before.map(({ id }) => id));
    return messages.filter((message) => !known.has(message.id) && !(bySort(message, before[0] ?? message) < 0));
}

/**
 * The oldest of the last `unread` messages from the customer, which is where the unread mark belongs.
 *
 * @param {Message[]} messages in order
 * @param {number} unread
 * @returns {string|null} id; null when nothing is unread
 */
export function firstUnread(messages, unread) {
    let id = null;
    for (let i = messages.length - 1; i >= 0 && unread > 0; i--) {
        if (isFromCustomer(messages[i])) {
            id = messages[i].id;
            unread--;
        }
    }
    return id;
}

/** @returns {Message|undefined} the customer's newest message */
export function newestFromCustomer(messages) {
    return messages.findLast(isFromCustomer);
}

export function isFromCustomer(message) {
    return message.direction === "in";
}

/** Whether the message was sent just now and WhatsApp has not said yet that it has it. */
export function isUnderWay(message) {
    return ["queued", "sending"].includes(message.status) && Date.now() - timeOf(message) < UNDER_WAY;
}

/**
 * What the list shows: messages with a line before each new day and one before the first unread message.
 *
 * @param {Message[]} messages in order
 * @param {Object} [options]
 * @param {string|null} [options.unreadFrom] id of the first unread message
 * @returns {({ kind: "day", key: string, label: string } | { kind: "unread", key: string }
 *  | { kind: "message", key: string, message: Message, first: boolean })[]} `first` of a run by one author
 */
export function rows(messages, { unreadFrom = null } = {}) {
    const result = [];
    let before = null;
    for (const message of messages) {
        const day = timeOf(message).toISODate();
        const newDay = !before || timeOf(before).toISODate() !== day;
        if (newDay) {
            result.push({ kind: "day", key: `day:${day}:${message.id}`, label: dayLabel(timeOf(message)) });
        }
        if (message.id === unreadFrom) {
            result.push({ kind: "unread", key: "unread" });
        }
        result.push({
            kind: "message",
            key: message.client_id ? `client:${message.client_id}` : message.id,
            message,
            first: newDay || message.id === unreadFrom || !together(before, message),
        });
        before = message;
    }
    return result;
}

function together(before, message) {
    return (
        before.direction === message.direction &&
        (before.type === "note") === (message.type === "note") &&
        before.author?.kind === message.author?.kind &&
        before.author?.id === message.author?.id &&
        timeOf(message) - timeOf(before) < TOGETHER
    );
}

/** @param {import("luxon").DateTime} day */
export function dayLabel(day, now = DateTime.now()) {
    const days = Math.round(now.startOf("day").diff(day.startOf("day"), "days").days);
    if (days === 0) {
        return _t("Today");
    }
    if (days === 1) {
        return _t("Yesterday");
    }
    if (days > 1 && days < 7) {
        return day.toLocaleString({ weekday: "long" });
    }
    const year = day.year === now.year ? {} : { year: "numeric" };
    return day.toLocaleString({ weekday: "short", day: "numeric", month: "long", ...year });
}
