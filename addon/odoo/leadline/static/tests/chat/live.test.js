import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { advanceTime, tick } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { EventBus } from "@odoo/owl";
import { FAST, Live, NOTIFICATION, PROBATION, SLOW } from "@leadline/chat/live";

describe.current.tags("headless");

let bus;
let asked;
/** What the next questions find. */
let finds;
let expects;

function makeBus(workerState) {
    const words = new EventBus();
    const events = new EventBus();
    return {
        workerState,
        listeners: 0,
        start() {},
        subscribe(type, callback) {
            this.listeners++;
            words.addEventListener(type, (callback.wrapper = ({ detail }) => callback(detail)));
        },
        unsubscribe(type, callback) {
            this.listeners--;
            words.removeEventListener(type, callback.wrapper);
        },
        addEventListener(...args) {
            this.listeners++;
            events.addEventListener(...args);
        },
        removeEventListener(...args) {
            this.listeners--;
            events.removeEventListener(...args);
        },
        say(payload) {
            words.trigger(NOTIFICATION, payload);
        },
        turn(state) {
            this.workerState = state;
            events.trigger("BUS:WORKER_STATE_UPDATED", state);
        },
    };
}

function live() {
    const watch = new Live({
        bus,
        conversation: "conv1",
        ask: async ({ event }) => {
            asked.push(event);
            return finds.shift() ?? false;
        },
        expects: () => expects,
    });
    watch.start();
    return watch;
}

function page(visibilityState) {
    patchWithCleanup(document, { visibilityState });
    document.dispatchEvent(new Event("visibilitychange"));
}

/** Time passes by the second, so that what is asked can be answered in between. */
async function pass(ms) {
    for (let passed = 0; passed < ms; passed += 1000) {
        await advanceTime(Math.min(1000, ms - passed));
        await tick();
    }
}

beforeEach(() => {
    mockDate("2026-11-20 10:00:00");
    patchWithCleanup(document, { visibilityState: "visible" });
    bus = makeBus("CONNECTED");
    asked = [];
    finds = [];
    expects = false;
});

test("the bus's word about our conversation is followed at once", async () => {
    const watch = live();
    bus.say({ conversation: "conv1", event: "message.received" });
    expect(asked).toEqual(["message.received"]);
    watch.stop();
});

test("its word about others is not", async () => {
    const watch = live();
    bus.say({ conversation: "conv2", event: "message.received" });
    expect(asked).toEqual([]);
    watch.stop();
});

describe("polling", () => {
    test("every 5 s while the bus is not connected", async () => {
        bus.workerState = "DISCONNECTED";
        const watch = live();
        await pass(FAST * 3 + 900);
        expect(asked).toHaveLength(3);
        watch.stop();
    });

    test("every 60 s once the bus has spoken", async () => {
        const watch = live();
        bus.say({ conversation: "conv1", event: "message.received" });
        await pass(SLOW - 2000);
        expect(asked).toHaveLength(1);
        await pass(3000);
        expect(asked).toHaveLength(2);
        watch.stop();
    });

    test("a bus that has not spoken is watched for a minute, then trusted", async () => {
        const watch = live();
        await pass(PROBATION + FAST);
        const during = asked.length;
        expect(during).toBeGreaterThan(11);
        await pass(SLOW - FAST);
        expect(asked.length - during).toBeLessThan(2);
        watch.stop();
    });

    test("a bus that kept something from us is not trusted until it speaks again", async () => {
        const watch = live();
        bus.say({ conversation: "conv1", event: "message.received" });
        await tick();
        finds = [true];
        await pass(SLOW);
        asked = [];
        await pass(FAST * 2 + 900);
        expect(asked).toHaveLength(2);
        bus.say({ conversation: "conv1", event: "message.received" });
        asked = [];
        await pass(SLOW - 2000);
        expect(asked).toHaveLength(0);
        watch.stop();
    });

    test("what one tab learnt of the bus holds for the next", async () => {
        finds = [true];
        const one = live();
        await pass(FAST);
        one.stop();
        await pass(PROBATION * 2);
        asked = [];
        const two = live();
        await pass(PROBATION + FAST * 3);
        expect(asked.length).toBeGreaterThan(13);
        two.stop();
    });

    test("while a message is on its way out news are asked for often", async () => {
        const watch = live();
        bus.say({ conversation: "conv1", event: "message.received" });
        await tick();
        expects = true;
        watch.wait();
        asked = [];
        await pass(FAST * 2 + 900);
        expect(asked).toHaveLength(2);
        watch.stop();
    });

    test("never while the page is hidden, at once when it is seen again", async () => {
        bus.workerState = "DISCONNECTED";
        const watch = live();
        page("hidden");
        await pass(SLOW * 5);
        bus.say({ conversation: "conv1", event: "message.received" });
        expect(asked).toHaveLength(0);
        page("visible");
        expect(asked).toHaveLength(1);
        await pass(FAST + 1900);
        expect(asked).toHaveLength(2);
        watch.stop();
    });

    test("a slow answer never lets questions pile up", async () => {
        bus.workerState = "DISCONNECTED";
        let open = 0;
        let most = 0;
        const watch = new Live({
            bus,
            conversation: "conv1",
            ask: async () => {
                most = Math.max(most, ++open);
                await new Promise((resolve) => setTimeout(resolve, FAST * 3));
                open--;
                return false;
            },
            expects: () => false,
        });
        watch.start();
        await pass(FAST * 10);
        expect(most).toBe(1);
        watch.stop();
        await pass(FAST * 4);
    });
});

describe("coming back", () => {
    test("after the websocket was away we ask at once", async () => {
        const watch = live();
        bus.turn("DISCONNECTED");
        bus.turn("CONNECTING");
        expect(asked).toHaveLength(0);
        bus.turn("CONNECTED");
        expect(asked).toHaveLength(1);
        watch.stop();
    });

    test("after the network was away too", async () => {
        const watch = live();
        window.dispatchEvent(new Event("online"));
        expect(asked).toHaveLength(1);
        watch.stop();
    });
});

test("a stopped watch hears and asks nothing", async () => {
    bus.workerState = "DISCONNECTED";
    const watch = live();
    watch.stop();
    expect(bus.listeners).toBe(0);
    bus.say({ conversation: "conv1", event: "message.received" });
    bus.turn("CONNECTED");
    page("visible");
    window.dispatchEvent(new Event("online"));
    await pass(SLOW * 2);
    expect(asked).toEqual([]);
});
