import { describe, expect, test } from "@odoo/hoot";
import { Deferred, animationFrame, click, press, queryAllTexts, queryOne, waitFor, waitUntil } from "@odoo/hoot";
import { contains, onRpc } from "@web/../tests/web_test_helpers";
import { agent, busSays, chat, customer, openTab, playChat, shows, summary, world } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

async function search(term) {
    if (!document.querySelector(".o_leadline_search")) {
        await contains(".o_leadline_find").click();
    }
    await contains(".o_leadline_search_input").edit(term, { confirm: false });
    await animationFrame();
}

const found = () => queryOne(".o_leadline_highlighted").dataset.messageId;
const marked = (name) => [...(CSS.highlights.get(name) ?? [])].map(String);

test("matches are counted, marked and gone through, the newest first", async () => {
    chat("conv1", [customer("A blue sofa?"), agent("Blue or grey"), customer("nothing"), customer("so *blué*!")]);
    await openTab();
    await shows(".o_leadline_message", 4);
    await search("blue");
    expect(".o_leadline_search_count").toHaveText("1 of 3");
    expect(".o_leadline_search_count").toHaveAttribute("role", "status");
    expect(found()).toBe("m4");
    expect(marked("leadline-match-here")).toEqual(["blué"]);
    expect(marked("leadline-match")).toEqual(["Blue", "blue"]);
    await press("Enter");
    await animationFrame();
    expect(".o_leadline_search_count").toHaveText("2 of 3");
    expect(found()).toBe("m2");
    await press("ArrowUp");
    await press("ArrowUp");
    await animationFrame();
    expect(found()).toBe("m4");
    await press(["shift", "Enter"]);
    await animationFrame();
    expect(found()).toBe("m1");
    await click(".o_leadline_search_newer");
    await animationFrame();
    expect(found()).toBe("m2");
    expect(marked("leadline-match-here")).toEqual(["Blue"]);
});

test("what comes in while searching is counted, and what is shown stays", async () => {
    const { messages } = chat("conv1", [customer("blue one")]);
    await openTab();
    await shows(".o_leadline_message", 1);
    await search("blue");
    expect(".o_leadline_search_count").toHaveText("1 of 1");
    messages.push(customer("blue two"));
    busSays("conv1", "message.received");
    await shows(".o_leadline_message", 2);
    expect(".o_leadline_search_count").toHaveText("2 of 2");
});

test("without a match it says so, and how far back was looked", async () => {
    chat("conv1", [customer("hello")]);
    await openTab();
    await shows(".o_leadline_message", 1);
    await search("blue");
    expect(".o_leadline_search_count").toHaveText("No match");
    expect(".o_leadline_search_scope").toHaveText("The whole conversation was looked through.");
    expect(".o_leadline_search_older").not.toBeEnabled();
    expect(".o_leadline_look_back").toHaveCount(0);
    expect(marked("leadline-match")).toEqual([]);
});

test("looking further back loads pages until something matches, and ends at the beginning", async () => {
    const old = (days) => ({ at: new Date(Date.UTC(2026, 10, 20 - days, 9)).toISOString() });
    const talk = chat("conv1", [
        customer("the very first"),
        ...Array.from({ length: 120 }, (_, i) => customer(`before ${i}`, old(9))),
        customer("a blue sofa", old(8)),
        ...Array.from({ length: 250 }, (_, i) => customer(`after ${i}`)),
    ]);
    talk.limit = 50;
    await openTab();
    await shows(".o_leadline_message", 50);
    await search("blue");
    expect(".o_leadline_search_scope").toHaveText(/^Looked back to Today\.\s*Look further back$/);
    await click(".o_leadline_look_back");
    await waitUntil(() => document.querySelector(".o_leadline_highlighted")?.textContent.includes("a blue sofa"));
    await waitFor(".o_leadline_look_back:contains(Look further back)");
    expect(".o_leadline_search_count").toHaveText("1 of 1");
    const older = () => world.calls.filter((call) => call.includes("before=")).length;
    expect(older()).toBe(5);
    await search("the very first");
    await click(".o_leadline_look_back");
    await waitFor(".o_leadline_search_scope:contains(The whole conversation was looked through.)");
    expect(".o_leadline_search_count").toHaveText("1 of 1");
    expect(".o_leadline_look_back").toHaveCount(0);
});

test("looking further back can be stopped, and stops by itself after some pages", async () => {
    const talk = chat("conv1", Array.from({ length: 900 }, (_, i) => customer(`message ${i}`)));
    talk.limit = 50;
    await openTab();
    await shows(".o_leadline_message", 50);
    await search("blue");
    const held = new Deferred();
    onRpc("https://chat.test/chat/v1/conversations/<id>/messages", async () => {
        await held;
    }, { pure: true });
    const older = () => world.calls.filter((call) => call.includes("before=")).length;
    await click(".o_leadline_look_back");
    await waitFor(".o_leadline_look_back:contains(Stop)");
    await click(".o_leadline_look_back");
    held.resolve();
    await waitFor(".o_leadline_look_back:contains(Look further back)");
    await shows(".o_leadline_message", 100);
    expect(older()).toBe(1);
    await click(".o_leadline_look_back");
    await waitUntil(() => older() === 6);
    await waitFor(".o_leadline_look_back:contains(Look further back)");
    expect(older()).toBe(6);
});

test("what can't be reached stops it, and the tab says so", async () => {
    const talk = chat("conv1", Array.from({ length: 200 }, (_, i) => customer(`message ${i}`)));
    talk.limit = 50;
    await openTab();
    await shows(".o_leadline_message", 50);
    await search("blue");
    world.down = true;
    await click(".o_leadline_look_back");
    await shows(".o_leadline_trouble");
    await waitFor(".o_leadline_look_back:contains(Look further back)");
});

test("Escape closes it and gives the focus back; the marks go with it", async () => {
    chat("conv1", [customer("blue")]);
    await openTab();
    await shows(".o_leadline_message", 1);
    await contains("textarea.o_leadline_input").focus();
    await press(["alt", "shift", "f"]);
    await shows(".o_leadline_search");
    expect(".o_leadline_search_input").toBeFocused();
    await search("blue");
    expect(marked("leadline-match-here")).toEqual(["blue"]);
    await press("Escape");
    await shows(".o_leadline_search", 0);
    expect(".o_leadline_find").toBeFocused();
    expect(CSS.highlights.has("leadline-match-here")).toBe(false);
    await contains(".o_leadline_list").focus();
    await press("/");
    await shows(".o_leadline_search");
    expect(".o_leadline_search_input").toBeFocused();
});

test("another conversation is another search", async () => {
    world.summaries[1] = [summary("conv1"), summary("conv2", { contact: "Bea" })];
    chat("conv1", [customer("blue")]);
    chat("conv2", [customer("red")]);
    await openTab();
    await shows(".o_leadline_message", 1);
    await search("blue");
    await click(".o_leadline_select");
    await shows(".o_leadline_other", 2);
    await click(".o_leadline_other:eq(1)");
    await waitFor(".o_leadline_body:contains(red)");
    expect(".o_leadline_search").toHaveCount(0);
    expect(queryAllTexts(".o_leadline_body")).toEqual(["red"]);
});
