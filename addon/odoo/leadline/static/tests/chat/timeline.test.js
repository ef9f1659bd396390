import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import {
    dayLabel,
    firstUnread,
    isUnderWay,
    merge,
    newestFromCustomer,
    rows,
} from "@leadline/chat/timeline";

describe.current.tags("headless");

const { DateTime } = luxon;

let serial = 0;

beforeEach(allowTranslations);

function message(id, given = {}) {
    serial++;
    return {
        id,
        version: 1,
        sort: String(serial).padStart(6, "0"),
        at: "2026-11-20T10:00:00Z",
        direction: "in",
        type: "text",
        text: { body: id },
        status: "received",
        client_id: null,
        author: { kind: "customer", id: "c", name: "Ada" },
        ...given,
    };
}

const outbound = (id, given) =>
    message(id, { direction: "out", status: "sent", author: { kind: "agent", id: "2", name: "Bob" }, ...given });

const ids = (messages) => messages.map(({ id }) => id);

describe("merge", () => {
    test("messages stand in the order of `sort`, whatever order they come in", () => {
        const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => message(id));
        expect(ids(merge(merge([], [c, d]), [b, a]))).toEqual(["a", "b", "c", "d"]);
        expect(ids(merge(merge([d], [a]), [c, b]))).toEqual(["a", "b", "c", "d"]);
    });

    test("`sort` is compared as text, not as a number", () => {
        expect(ids(merge([], [message("late", { sort: "1000" }), message("early", { sort: "0999" })]))).toEqual([
            "early",
            "late",
        ]);
        expect(ids(merge([], [message("b", { sort: "9" }), message("a", { sort: "10" })]))).toEqual(["a", "b"]);
    });

    test("two messages of the same place keep one order", () => {
        const [x, y] = [message("x", { sort: "1" }), message("y", { sort: "1" })];
        expect(ids(merge([x], [y]))).toEqual(ids(merge([y], [x])));
    });

    test("a repeated message changes nothing, not even the array", () => {
        const known = merge([], [message("a"), message("b")]);
        expect(merge(known, known.map((one) => ({ ...one })))).toBe(known);
        expect(merge(known, [])).toBe(known);
    });

    test("a later version replaces the one before", () => {
        const sent = outbound("a", { version: 3 });
        const merged = merge([sent], [{ ...sent, version: 4, status: "read" }]);
        expect(merged[0].status).toBe("read");
        expect(sent.status).toBe("sent");
    });

    test("an answer that was overtaken never brings an old version back", () => {
        const read = outbound("a", { version: 7, status: "read" });
        const known = [read];
        expect(merge(known, [{ ...read, version: 5, status: "queued" }])).toBe(known);
    });

    test("within one page the last version wins, in either order", () => {
        const one = outbound("a", { version: 1 });
        const two = { ...one, version: 2, status: "delivered" };
        expect(merge([], [one, two])[0].status).toBe("delivered");
        expect(merge([], [two, one])[0].status).toBe("delivered");
    });

    test("versions of sixteen digits (microseconds) are told apart", () => {
        const one = outbound("a", { version: 1795300000000001 });
        const two = { ...one, version: 1795300000000002, status: "read" };
        expect(merge([one], [two])[0].status).toBe("read");
    });

    test("a message that moves takes its new place", () => {
        const [a, b] = [message("a"), message("b")];
        expect(ids(merge([a, b], [{ ...a, version: 2, sort: "999999" }]))).toEqual(["b", "a"]);
    });

    test("any order of pages and changes ends in the same conversation", () => {
        const all = Array.from({ length: 40 }, (_, i) => message(`m${i}`));
        const changes = all.filter((_, i) => i % 3 === 0).map((one) => ({ ...one, version: 2 }));
        const batches = [all.slice(0, 20), changes, all.slice(15), changes.slice(4), all];
        let seed = 7;
        const random = () => (seed = (seed * 16807) % 2147483647);
        const wanted = merge(merge([], all), changes);
        for (let turn = 0; turn < 30; turn++) {
            const order = [...batches].sort(() => (random() % 2 ? 1 : -1));
            expect(order.reduce(merge, [])).toEqual(wanted);
        }
    });
});

describe("unread", () => {
    test("the mark stands before the oldest unread message of the customer", () => {
        const messages = [message("a"), outbound("b"), message("c"), outbound("d"), message("e")];
        expect(firstUnread(messages, 2)).toBe("c");
        expect(firstUnread(messages, 1)).toBe("e");
    });

    test("nothing unread, no mark", () => {
        expect(firstUnread([message("a")], 0)).toBe(null);
        expect(firstUnread([], 3)).toBe(null);
    });

    test("more unread than loaded: the mark stands before everything", () => {
        expect(firstUnread([outbound("a"), message("b"), message("c")], 99)).toBe("b");
    });

    test("the customer's newest message is found behind our own", () => {
        expect(newestFromCustomer([message("a"), message("b"), outbound("c")]).id).toBe("b");
        expect(newestFromCustomer([outbound("c")])).toBe(undefined);
    });
});

describe("rows", () => {
    const kinds = (list) => list.map((row) => (row.kind === "message" ? row.message.id : row.kind));

    test("each day begins with a line", () => {
        const list = rows([
            message("a", { at: "2026-11-18T10:00:00Z" }),
            message("b", { at: "2026-11-18T11:00:00Z" }),
            message("c", { at: "2026-11-20T09:00:00Z" }),
        ]);
        expect(kinds(list)).toEqual(["day", "a", "b", "day", "c"]);
    });

    test("days are those of the agent's zone", () => {
        mockDate("2026-11-20 12:00:00", +9);
        const list = rows([
            message("a", { at: "2026-11-18T14:30:00Z" }),
            message("b", { at: "2026-11-18T15:30:00Z" }),
        ]);
        expect(kinds(list)).toEqual(["day", "a", "day", "b"]);
    });

    test("the unread mark stands between the day and the message", () => {
        const list = rows([message("a")], { unreadFrom: "a" });
        expect(kinds(list)).toEqual(["day", "unread", "a"]);
    });

    test("messages of one author within five minutes stand together", () => {
        const list = rows([
            outbound("a", { at: "2026-11-20T10:00:00Z" }),
            outbound("b", { at: "2026-11-20T10:04:00Z" }),
            outbound("c", { at: "2026-11-20T10:20:00Z" }),
        ]);
        expect(list.filter(({ kind }) => kind === "message").map(({ first }) => first)).toEqual([true, false, true]);
    });

    test("another agent, a note and an unread mark begin a new run", () => {
        const list = rows(
            [
                outbound("a"),
                outbound("b", { author: { kind: "agent", id: "3", name: "Eve" } }),
                outbound("c", { type: "note", author: { kind: "agent", id: "3", name: "Eve" } }),
                message("d"),
                message("e"),
            ],
            { unreadFrom: "e" }
        );
        expect(list.filter(({ kind }) => kind === "message").map(({ first }) => first)).toEqual([
            true,
            true,
            true,
            true,
            true,
        ]);
    });

    test("a message keeps its key when the API accepts it", () => {
        const unsent = outbound("unsent:1", { client_id: "1" });
        const accepted = outbound("m1", { client_id: "1" });
        expect(rows([unsent]).at(-1).key).toBe(rows([accepted]).at(-1).key);
    });

    test("keys are unique", () => {
        const list = rows([message("a"), outbound("b", { client_id: "b" }), message("c")], { unreadFrom: "c" });
        expect(new Set(list.map(({ key }) => key)).size).toBe(list.length);
    });

    test("an empty conversation has no rows", () => {
        expect(rows([])).toEqual([]);
    });
});

describe("days", () => {
    const now = DateTime.fromISO("2026-11-20T12:00:00");
    const label = (iso) => String(dayLabel(DateTime.fromISO(iso), now));

    test("near days have their names, far ones their dates", () => {
        expect(label("2026-11-20T00:01:00")).toBe("Today");
        expect(label("2026-11-19T23:59:00")).toBe("Yesterday");
        expect(label("2026-11-17T08:00:00")).toBe("Tuesday");
        expect(label("2026-11-13T08:00:00")).toBe("Fri, November 13");
        expect(label("2025-11-13T08:00:00")).toBe("Thu, November 13, 2025");
    });

    test("a day that has not come (a wrong clock) is shown by its date", () => {
        expect(label("2026-11-21T08:00:00")).toBe("Sat, November 21");
    });
});

test("what was just sent is under way until WhatsApp has it, two minutes at most", () => {
    mockDate("2026-11-20 10:01:00");
    const at = "2026-11-20T10:00:00Z";
    expect(isUnderWay(outbound("a", { at, status: "queued" }))).toBe(true);
    expect(isUnderWay(outbound("a", { at, status: "sending" }))).toBe(true);
    expect(isUnderWay(outbound("a", { at, status: "sent" }))).toBe(false);
    expect(isUnderWay(outbound("a", { at: "2026-11-20T09:50:00Z", status: "queued" }))).toBe(false);
});
