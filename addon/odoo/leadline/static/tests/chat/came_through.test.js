import { describe, expect, test } from "@odoo/hoot";
import { chat, customer, openTab, playChat, shows } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const link = { link: "link1", reference: "K7M4PW", label: "Spring poster", campaign: "Spring" };

test("a message that came through a link names the link", async () => {
    chat("conv1", [customer("Hello", { link }), customer("And this?", { link: null })]);
    await openTab();
    await shows(".o_leadline_message", 2);
    expect(".o_leadline_came_through").toHaveCount(1);
    expect(".o_leadline_came_through").toHaveText("Came through Spring poster");
    expect(".o_leadline_came_through .fa").toHaveAttribute("aria-hidden", "true");
});

test("a link without a label goes by its reference, and names are no markup", async () => {
    chat("conv1", [
        customer("Hello", { link: { ...link, label: null } }),
        customer("Hi", { link: { ...link, label: "<b>Poster</b>" } }),
    ]);
    await openTab();
    await shows(".o_leadline_came_through", 2);
    expect(".o_leadline_came_through:first").toHaveText("Came through K7M4PW");
    expect(".o_leadline_came_through:last").toHaveText("Came through <b>Poster</b>");
});
