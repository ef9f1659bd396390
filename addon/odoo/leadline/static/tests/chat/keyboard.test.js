import { describe, expect, test } from "@odoo/hoot";
import { press, queryAll, queryAllTexts, queryOne, waitFor } from "@odoo/hoot";
import { contains } from "@web/../tests/web_test_helpers";
import { agent, busSays, chat, customer, message, openTab, PIXEL, playChat, shows } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const focused = () => document.activeElement.dataset?.messageId;

describe("the keyboard", () => {
    test("goes from message to message, and Tab reaches what the one in focus offers", async () => {
        chat("conv1", [customer("one https://a.io"), agent("two"), customer("three")]);
        await openTab();
        await shows(".o_leadline_message", 3);
        await contains(".o_leadline_list").focus();
        await press("ArrowUp");
        expect(focused()).toBe("m3");
        await press("ArrowUp");
        await press("ArrowUp");
        expect(focused()).toBe("m1");
        await press("ArrowUp");
        expect(focused()).toBe("m1");
        // Where Tab leads is what can be reached: the controls of this message and of no other.
        const reachable = queryAll(".o_leadline_list :is(a, button)").filter(({ tabIndex }) => tabIndex === 0);
        expect(reachable.map((el) => el.closest(".o_leadline_message").dataset.messageId)).toEqual(["m1", "m1", "m1"]);
        expect(reachable.map(({ className }) => className)).toEqual(["", "btn o_leadline_react", "btn o_leadline_reply"]);
        await contains(".o_leadline_list").focus();
        await press("End");
        expect(focused()).toBe("m3");
        await press("Home");
        expect(focused()).toBe("m1");
        await press("Escape");
        expect("textarea.o_leadline_input").toBeFocused();
    });

    test("stays on its message when others come in", async () => {
        const { messages } = chat("conv1", [customer("one"), customer("two")]);
        await openTab();
        await shows(".o_leadline_message", 2);
        await contains(".o_leadline_list").focus();
        await press("ArrowUp");
        messages.push(customer("three"));
        busSays("conv1", "message.received");
        await shows(".o_leadline_message", 3);
        expect(focused()).toBe("m2");
        await press("ArrowDown");
        expect(focused()).toBe("m3");
    });

    test("leaves the arrows to what needs them", async () => {
        const media = { mime: "audio/ogg", name: null, size: 9, state: "stored", url: PIXEL, voice: true };
        chat("conv1", [customer("one"), message({ type: "audio", audio: {}, media })]);
        await openTab();
        await shows(".o_leadline_message", 2);
        await contains(".o_leadline_seek").focus();
        await press("ArrowUp");
        expect(".o_leadline_seek").toBeFocused();
    });
});

describe("who listens", () => {
    const readOut = () => queryAllTexts(".o_leadline_read_out p");

    test("hears each new message once, and nothing of what stood there", async () => {
        const { messages } = chat("conv1", [customer("old")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_list").toHaveAttribute("aria-live", "off");
        expect(".o_leadline_read_out").toHaveAttribute("role", "log");
        expect(readOut()).toEqual([]);
        messages.push(customer("Is it in stock?"));
        busSays("conv1", "message.received");
        await shows(".o_leadline_read_out p");
        expect(readOut()).toEqual(["Ada: Is it in stock?"]);
        messages[1] = { ...messages[1], version: 99, reactions: [{ emoji: "👍", by: "business" }] };
        busSays("conv1", "message.changed");
        await waitFor(".o_leadline_reactions");
        expect(readOut()).toEqual(["Ada: Is it in stock?"]);
        messages.push(
            { ...message({ type: "image", image: {}, media: { state: "waiting" } }), version: 100 },
            { ...agent(undefined, { type: "note", note: { body: "loyal" }, status: null }), version: 101 }
        );
        busSays("conv1", "message.received");
        await shows(".o_leadline_read_out p", 3);
        expect(readOut().slice(1)).toEqual(["Ada: Picture", "Note from Bob: loyal"]);
    });

    test("hears nothing of older messages that are loaded", async () => {
        chat("conv1", Array.from({ length: 60 }, (_, i) => customer(`message ${i}`))).limit = 20;
        await openTab();
        await shows(".o_leadline_message", 20);
        const list = queryOne(".o_leadline_list");
        list.scrollTop = -list.scrollHeight;
        await shows(".o_leadline_message", 40);
        expect(readOut()).toEqual([]);
    });

    test("hears of each message who says what and when", async () => {
        chat("conv1", [customer("Is it in stock?"), message({ type: "system", system: { kind: "call_missed" } })]);
        await openTab();
        await shows(".o_leadline_message", 2);
        expect("[data-message-id=m1]").toHaveAttribute("role", "article");
        expect(queryOne("[data-message-id=m1]").getAttribute("aria-label")).toMatch(/^Ada: Is it in stock\?, Nov 20, 2026/);
        expect(queryOne("[data-message-id=m2]").getAttribute("aria-label")).toMatch(/^Missed call from the customer\., /);
    });
});
