import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, click, queryAll, queryAllTexts, queryOne, waitUntil } from "@odoo/hoot";
import { mockService, patchWithCleanup } from "@web/../tests/web_test_helpers";
import {
    PIXEL,
    accepting,
    agent,
    bodies,
    busSays,
    chat,
    customer,
    json,
    message,
    openTab,
    playChat,
    shows,
    world,
} from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const stored = (mime, given = {}) => ({ mime, name: null, size: 2048, state: "stored", url: PIXEL, ...given });

/** Open the tab on these messages. */
async function showing(...messages) {
    const talk = accepting(chat("conv1", messages));
    await openTab();
    await shows(".o_leadline_message", messages.length);
    return talk;
}

describe("what customers send", () => {
    test("a picture has its box before it is there, and shows its small form", async () => {
        const media = stored("image/jpeg", { url: "https://chat.test/big", thumbnail: PIXEL, width: 1600, height: 800 });
        await showing(message({ type: "image", image: {}, media }));
        expect(queryOne(".o_leadline_frame").style.getPropertyValue("--leadline-ratio")).toBe("2.000");
        // Odoo's tests keep pictures from being loaded: their addresses stand in data-src.
        expect("img.o_leadline_picture").toHaveAttribute("data-src", PIXEL);
        const { width, height } = queryOne("img.o_leadline_picture").getBoundingClientRect();
        expect(Math.abs(width / height - 2)).toBeLessThan(0.05);
    });

    test("a very tall picture is cut, not the list", async () => {
        await showing(message({ type: "image", image: {}, media: stored("image/jpeg", { width: 10, height: 9000 }) }));
        expect(queryOne(".o_leadline_frame").style.getPropertyValue("--leadline-ratio")).toBe("0.700");
    });

    test("a file that could not be had says why, and is asked for again", async () => {
        const failed = { mime: "image/jpeg", state: "failed", url: null, reason: "WhatsApp no longer has it." };
        const { messages } = await showing(message({ type: "image", image: {}, media: failed }));
        expect(".o_leadline_placeholder").toHaveText(/WhatsApp no longer has it\./);
        await click(".o_leadline_fetch");
        await waitUntil(() => world.calls.includes("POST /conversations/conv1/messages/m1/fetch"));
        messages[0] = { ...messages[0], version: 99, media: stored("image/png") };
        busSays("conv1", "message.changed");
        await shows("img.o_leadline_picture");
        expect(".o_leadline_fetch").toHaveCount(0);
    });

    test("a button, a choice from a list and a form show what was chosen", async () => {
        const response_json = JSON.stringify({ flow_token: "secret", size: "52 cm" });
        await showing(
            message({ type: "button", button: { payload: "yes-1", text: "Yes, please" } }),
            message({
                type: "interactive",
                interactive: { list_reply: { id: "1", title: "City bike", description: "7 gears" } },
            }),
            message({ type: "interactive", interactive: { nfm_reply: { body: "Sent", response_json } } })
        );
        expect(bodies()).toEqual(["Yes, please", "City bike\n7 gears", "Sent\nsize\n52 cm"]);
    });

    test("an order and a question about a product", async () => {
        const product_items = [{ product_retailer_id: "BIKE-7", quantity: 2, item_price: 350, currency: "EUR" }];
        await showing(
            message({ type: "order", order: { text: "By Friday?", product_items } }),
            customer("Is it blue?", { product: { product_retailer_id: "BIKE-7" } })
        );
        expect(bodies()[0]).toMatch(/^2 × BIKE-7\s*350 EUR\s*By Friday\?$/);
        expect(".o_leadline_mark").toHaveText("About product BIKE-7");
    });

    test("an ad is a card, whose picture is not fetched", async () => {
        const referral = {
            headline: "Summer sale",
            body: "All bikes",
            source_url: "https://fb.me/1",
            image_url: "https://elsewhere.test/a.jpg",
        };
        await showing(customer("Hi", { referral }));
        expect(".o_leadline_ad").toHaveText(/Summer sale/);
        expect(".o_leadline_ad a").toHaveAttribute("href", "https://fb.me/1");
        expect(".o_leadline_ad img").toHaveCount(0);
    });

    test("happenings stand in the middle, said by nobody", async () => {
        await showing(
            message({ type: "system", system: { kind: "number_changed", body: null } }),
            message({ type: "request_welcome", request_welcome: {} })
        );
        expect(queryAllTexts(".o_leadline_happened .o_leadline_body")).toEqual([
            "The customer has a new phone number.",
            "Opened the chat for the first time.",
        ]);
        expect(".o_leadline_bubble").toHaveCount(0);
    });

    test("what can't be shown is said by its kind", async () => {
        const unsupported = { type: "poll", code: 131051, details: "Message type is not supported." };
        await showing(message({ type: "unsupported", unsupported, error: { plain: "Not supported." } }));
        expect(".o_leadline_failure").toHaveCount(0);
        expect(bodies()[0]).toMatch(/^This message \(poll\) can't be shown here\. Open it on the phone\./);
        expect(bodies()[0]).toMatch(/Message type is not supported\.$/);
    });

    test("marks: forwarded, from history, edited, deleted", async () => {
        await showing(
            customer("one", { forwarded: true }),
            customer("two", { forwarded: true, frequently_forwarded: true }),
            customer("three", { history: true }),
            customer("four", { edited: "2026-11-20T09:59:00Z" }),
            customer(undefined, { text: {}, revoked: "2026-11-20T09:59:00Z" })
        );
        expect(queryAllTexts(".o_leadline_mark")).toEqual([
            "Forwarded",
            "Forwarded many times",
            "From the phone's history",
        ]);
        expect("[data-message-id=m4] .o_leadline_meta").toHaveText(/^Edited/);
        expect(bodies()[4]).toBe("This message was deleted.");
    });

    test("a contact that was sent becomes one of ours", async () => {
        const actions = [];
        mockService("action", { doAction: (action) => actions.push(action) });
        await showing(
            message({
                type: "contacts",
                contacts: [{ name: { formatted_name: "João" }, phones: [{ phone: "+55 11 91234-5678" }] }],
            })
        );
        await click(".o_leadline_save_person");
        expect(actions).toHaveLength(1);
        expect(actions[0].res_model).toBe("res.partner");
        expect(actions[0].context.default_name).toBe("João");
        expect(actions[0].context.default_phone).toBe("+55 11 91234-5678");
    });

    test("reactions say whose they are; a failed one of ours says why", async () => {
        await showing(
            agent("Hello", {
                reactions: [
                    { emoji: "👍", by: "customer", name: "Ada", status: null },
                    { emoji: "❤️", by: "business", status: "failed", error: { plain: "The window is closed." } },
                ],
            })
        );
        expect(".o_leadline_reactions").toHaveText(/👍❤️\s*2/);
        const said = queryOne(".o_leadline_reactions").getAttribute("aria-label");
        expect(said).toBe("Ada: 👍\nWe: ❤️ – The window is closed.");
        expect(".o_leadline_reactions .text-danger").toHaveCount(1);
    });

    test("a reaction of ours of which nobody knows whether it arrived says so", async () => {
        await showing(agent("Hello", { reactions: [{ emoji: "👍", by: "business", status: "unknown", error: null }] }));
        const said = queryOne(".o_leadline_reactions").getAttribute("aria-label");
        expect(said).toBe("We: 👍 – WhatsApp did not answer; the customer may or may not see it");
    });
});

test("a template shows what the customer sees", async () => {
    await showing(
        agent(undefined, {
            type: "template",
            template: {
                header: { type: "image" },
                body: "Your order *7* is ready",
                footer: "Bike Shop",
                buttons: [{ type: "url", text: "Track it" }],
            },
            media: stored("image/png"),
        })
    );
    expect("img.o_leadline_picture").toHaveCount(1);
    expect(".o_leadline_text strong").toHaveText("7");
    expect(bodies()[0]).toMatch(/Your order 7 is ready\s*Bike Shop\s*Track it/);
});

describe("sound", () => {
    test("is played in place, one at a time, with speed and length", async () => {
        const played = [];
        patchWithCleanup(HTMLMediaElement.prototype, {
            async play() {
                played.push(this);
                Object.defineProperty(this, "paused", { value: false, configurable: true });
                this.dispatchEvent(new Event("play"));
            },
            pause() {
                Object.defineProperty(this, "paused", { value: true, configurable: true });
                this.dispatchEvent(new Event("pause"));
            },
        });
        const voice = { ...stored("audio/ogg"), voice: true };
        await showing(
            message({ type: "audio", audio: {}, media: voice }),
            message({ type: "audio", audio: {}, media: voice })
        );
        const [first, second] = queryAll("audio");
        const unheard = () => queryAll(".o_leadline_unheard").map((el) => el.closest("[data-message-id]").dataset.messageId);
        expect(unheard()).toEqual(["m1", "m2"]);
        expect(".o_leadline_unheard:eq(0)").toHaveAttribute("aria-label", "Voice note, not played yet");
        Object.defineProperty(first, "duration", { value: 65.4 });
        first.dispatchEvent(new Event("loadedmetadata"));
        await animationFrame();
        expect(".o_leadline_length:eq(0)").toHaveText("1:05");
        expect(".o_leadline_length:eq(0) .fa-microphone").toHaveCount(1);
        expect(".o_leadline_play:eq(0)").toHaveAttribute("aria-label", "Play Voice note from Ada");
        await click(".o_leadline_speed:eq(0)");
        await animationFrame();
        expect(".o_leadline_speed:eq(0)").toHaveText("1.5×");
        await click(".o_leadline_play:eq(0)");
        await animationFrame();
        expect(first.playbackRate).toBe(1.5);
        expect(".o_leadline_play:eq(0)").toHaveAttribute("aria-label", "Pause");
        // Played is played, also when the tab is opened again.
        expect(unheard()).toEqual(["m2"]);
        await click(".o_leadline_play:eq(1)");
        await animationFrame();
        expect(first.paused).toBe(true);
        expect(played).toEqual([first, second]);
    });
});

describe("what did not simply arrive", () => {
    const unknown = (given = {}) =>
        agent("Did you get this?", { status: "unknown", settle: { from: "2026-11-20T10:10:00Z" }, ...given });

    test("an unknown message says when it may be settled, and then offers both ways", async () => {
        await showing(unknown());
        expect(".o_leadline_failure").toHaveText(
            /^WhatsApp did not answer\. Waiting for word of it; from .* you can decide\.$/
        );
        expect(".o_leadline_choice").toHaveCount(0);
        await advanceTime(10 * 60 * 1000 + 10);
        await animationFrame();
        expect(queryAllTexts(".o_leadline_choice")).toEqual(["Send again", "Let it be"]);
        expect(".o_leadline_failure").toHaveText(/The customer may or may not have this message\./);
    });

    test("it can be let be, with the name of who did", async () => {
        const talk = await showing(unknown({ settle: { from: "2026-11-20T09:00:00Z" } }));
        talk.settle = (id, decision) => {
            expect([id, decision]).toEqual(["m1", { as: "let_be" }]);
            const settled = { as: "let_be", by: { id: "9", name: "Bob" }, at: "2026-11-20T10:00:00Z" };
            talk.messages[0] = { ...talk.messages[0], version: 50, settled };
            return json(talk.messages[0]);
        };
        await click("[data-choice=let_be]");
        await shows(".o_leadline_choice", 0);
        expect(".o_leadline_failure").toHaveText("It is not known whether this was sent. Bob let it be.");
    });

    test("it can be sent again; both messages name each other", async () => {
        const talk = await showing(unknown({ settle: { from: "2026-11-20T09:00:00Z" } }));
        talk.settle = (id, { as, client_id }) => {
            expect([id, as]).toEqual(["m1", "send_again"]);
            const next = agent("Did you get this?", { status: "queued", client_id, again_of: "m1" });
            const settled = { as, by: { id: "9", name: "Bob" }, at: "2026-11-20T10:00:00Z" };
            talk.messages[0] = { ...talk.messages[0], version: 50, settled, again: next.id };
            talk.messages.push(next);
            return json(next, 202);
        };
        await click("[data-choice=send_again]");
        await shows(".o_leadline_message", 2);
        await shows(".o_leadline_other_one", 2);
        expect(queryAllTexts(".o_leadline_other_one")).toEqual(["Sent again below", "In place of an earlier message"]);
        await click(".o_leadline_other_one:eq(1)");
        await animationFrame();
        expect("[data-message-id=m1]").toHaveClass("o_leadline_highlighted");
    });

    test("what was settled meanwhile says so", async () => {
        const talk = await showing(unknown({ settle: { from: "2026-11-20T09:00:00Z" } }));
        talk.settle = () => json({ code: "settled_already", detail: "WhatsApp has delivered it meanwhile." }, 409);
        await click("[data-choice=send_again]");
        await shows(".o_notification");
        expect(".o_notification").toHaveText(/WhatsApp has delivered it meanwhile\./);
        await shows(".o_leadline_message", 1);
    });

    test("a failed one says why and can be sent again", async () => {
        await showing(agent("one", { status: "failed", error: { plain: "This number is not on WhatsApp." } }));
        expect(".o_leadline_failure").toHaveText(/^This number is not on WhatsApp\.\s*Send again$/);
        expect(".o_leadline_failure").toHaveClass("text-danger");
    });

    test("what holds a waiting message up is said, and is no failure", async () => {
        await showing(agent("one", { status: "queued", error: { plain: "The number is being checked by Meta." } }));
        expect(".o_leadline_failure").toHaveText("The number is being checked by Meta.");
        expect(".o_leadline_failure").not.toHaveClass("text-danger");
        expect(".o_leadline_choice").toHaveCount(0);
    });

    test("when free text is closed an unknown one can still be let be, and a template sent again", async () => {
        const given = { settle: { from: "2026-11-20T09:00:00Z" } };
        const talk = chat("conv1", [
            unknown(given),
            unknown({ ...given, type: "template", template: { name: "hello", body: "Hello", buttons: [] } }),
            agent("one", { status: "failed" }),
        ]);
        talk.closed = true;
        await openTab();
        await shows(".o_leadline_message", 3);
        expect(queryAllTexts(".o_leadline_choice")).toEqual(["Let it be", "Send again", "Let it be"]);
    });

    test("who may not send is offered nothing", async () => {
        world.canSend = false;
        await showing(unknown({ settle: { from: "2026-11-20T09:00:00Z" } }), agent("one", { status: "failed" }));
        expect(".o_leadline_choice").toHaveCount(0);
    });

    test("ticks never go back", async () => {
        const { messages } = await showing(agent("one", { status: "read", version: 9 }));
        messages[0] = { ...messages[0], version: 8, status: "delivered" };
        busSays("conv1", "message.status");
        await animationFrame();
        await animationFrame();
        expect(".o_leadline_tick").toHaveAttribute("data-status", "read");
    });
});

test("an address that has run out is asked for anew: first the small picture gives way, then the whole is signed again", async () => {
    const media = stored("image/jpeg", { url: "https://chat.test/old", thumbnail: "https://chat.test/small" });
    const { messages } = await showing(message({ type: "image", image: {}, media }));
    const source = () => queryOne("img.o_leadline_picture").dataset.src;
    const breaks = () => queryOne("img.o_leadline_picture").dispatchEvent(new Event("error"));
    expect(source()).toBe("https://chat.test/small");
    breaks();
    await animationFrame();
    expect(source()).toBe("https://chat.test/old");
    messages[0] = { ...messages[0], media: { ...media, url: "https://chat.test/new" } };
    breaks();
    await waitUntil(() => document.querySelector("[data-src='https://chat.test/new']"), { timeout: 3000 });
    expect(".o_leadline_placeholder").toHaveCount(0);
});
