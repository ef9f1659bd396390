import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, click, press, waitFor, waitUntil } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { assets } from "@web/core/assets";
import { accepting, chat, openTab, playChat, shows, world, write } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

/** What the recording library was told to do. */
let told;
/** Set to let the microphone be refused, with the name of the browser's error. */
let refused;

/** Plays the library: no microphone, and bytes that only look like Ogg. */
class Recorder {
    static isRecordingSupported() {
        return true;
    }

    constructor(options) {
        told.push(["new", options.numberOfChannels]);
        this.audioContext = {
            createAnalyser: () => ({ fftSize: 4, getFloatTimeDomainData: (samples) => samples.fill(0.05) }),
        };
        this.sourceNode = { connect: () => {} };
    }

    async start() {
        if (refused) {
            throw new DOMException("no", refused);
        }
        told.push("start");
    }

    pause() {
        told.push("pause");
    }

    resume() {
        told.push("resume");
    }

    async stop() {
        told.push("stop");
        this.ondataavailable(new TextEncoder().encode("OggS"));
    }

    async close() {
        told.push("close");
    }
}

let talk;

beforeEach(() => {
    told = [];
    refused = null;
    patchWithCleanup(window, { Recorder, isSecureContext: true });
    patchWithCleanup(assets, { loadJS: async () => {} });
    talk = accepting(chat("conv1", []));
});

async function record() {
    await openTab();
    await shows(".o_leadline_list");
    await click(".o_leadline_record");
    await animationFrame();
    await animationFrame();
}

test("a voice note is recorded, paused, and sent as one", async () => {
    await record();
    await shows(".o_leadline_voice[data-phase=recording]");
    await advanceTime(3000);
    await animationFrame();
    expect(".o_leadline_voice_time").toHaveText("0:03");
    await click(".o_leadline_voice_pause");
    await shows(".o_leadline_voice[data-phase=paused]");
    await advanceTime(60000);
    expect(".o_leadline_voice_time").toHaveText("0:03");
    await click(".o_leadline_voice_pause");
    await shows(".o_leadline_voice[data-phase=recording]");
    await click(".o_leadline_voice_main");
    await waitUntil(() => talk.posts.length === 1);
    expect(talk.posts[0].type).toBe("audio");
    expect(talk.posts[0].audio).toEqual({ id: "media1", voice: true });
    expect(told).toEqual([["new", 1], "start", "pause", "resume", "stop", "close"]);
    await shows(".o_leadline_voice", 0);
    expect("textarea.o_leadline_input").toBeVisible();
});

test("it ends by itself when it is as long as WhatsApp takes one", async () => {
    await record();
    await shows(".o_leadline_voice[data-phase=recording]");
    await advanceTime(241000);
    await shows(".o_leadline_voice[data-phase=paused]");
    expect(".o_leadline_voice_time").toHaveText("4:00");
    expect(".o_leadline_voice_pause").not.toBeEnabled();
    expect(".o_leadline_voice [role=status]").toHaveText("WhatsApp takes no longer voice note");
    expect(".o_leadline_voice_main").toBeEnabled();
});

test("it can be listened to before it goes", async () => {
    await record();
    await click(".o_leadline_voice_listen");
    await shows(".o_leadline_voice .o_leadline_player");
    expect(".o_leadline_voice [role=status]").toHaveText("Voice note recorded");
    expect(talk.posts).toEqual([]);
    await click(".o_leadline_voice_main");
    await waitUntil(() => talk.posts.length === 1);
    expect(told.filter((word) => word === "stop")).toHaveLength(1);
});

test("it can be thrown away by keyboard, and what was written stays", async () => {
    await openTab();
    await shows(".o_leadline_list");
    await write("half a tho");
    await click(".o_leadline_record");
    await shows(".o_leadline_voice[data-phase=recording]");
    expect(".o_leadline_voice_main").toBeFocused();
    await press("Escape");
    await shows(".o_leadline_voice", 0);
    expect(told.at(-1)).toBe("close");
    expect("textarea.o_leadline_input").toHaveValue("half a tho");
    expect("textarea.o_leadline_input").toBeFocused();
    expect(talk.posts).toEqual([]);
});

test("leaving the tab lets go of the microphone and keeps what was recorded, to send or to throw away", async () => {
    await record();
    await shows(".o_leadline_voice[data-phase=recording]");
    await click(".o_notebook .nav-link:contains(Other)");
    await waitFor(".other");
    expect(told.slice(-2)).toEqual(["stop", "close"]);
    await click(".o_notebook .nav-link:contains(Chat)");
    await shows(".o_leadline_chosen_file");
    expect(".o_leadline_chosen_file").toHaveText(/^Voice note/);
    expect(".o_leadline_way").toHaveCount(0);
    await click(".o_leadline_send");
    await waitUntil(() => talk.posts.length === 1);
    expect(talk.posts[0].audio).toEqual({ id: "media1", voice: true });
});

test("a reload is asked about while something is recorded", async () => {
    const leave = () => {
        const ev = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(ev);
        return ev.defaultPrevented;
    };
    await record();
    await shows(".o_leadline_voice[data-phase=recording]");
    expect(leave()).toBe(true);
    await press("Escape");
    await shows(".o_leadline_voice", 0);
    expect(leave()).toBe(false);
});

describe("no microphone", () => {
    test("a refused one says what to do", async () => {
        refused = "NotAllowedError";
        await record();
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/The browser may not use the microphone\. Allow it/);
        expect(".o_leadline_voice").toHaveCount(0);
    });

    test("a page that is not on https says that it needs it", async () => {
        patchWithCleanup(window, { isSecureContext: false });
        await record();
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/https or localhost only/);
        expect(told).toEqual([]);
        expect(world.calls.some((call) => call.startsWith("POST /media"))).toBe(false);
    });
});
