import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, queryAllTexts } from "@odoo/hoot";
import { contains, mockService, onRpc } from "@web/../tests/web_test_helpers";
import { chat, customer, openTab, playChat, shows, world } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const record = (model, id, name, detail = "") => ({ model, id, name, detail });
const LEAD = record("crm.lead", 1, "Oslo sofa", "New, Mitchell Admin");
const ADA = record("res.partner", 7, "Ada Example");
const GRACE = record("res.partner", 8, "Grace Example", "grace@example.com");

function about(given = {}) {
    world.records = {
        lead: LEAD,
        contact: ADA,
        others: [GRACE],
        can_switch: true,
        card: { name: "Ada Lovelace", email: "", lang: "en_US" },
        languages: [["en_US", "English (US)"]],
        ...given,
    };
    return world.records;
}

test("the tab says what else the chat is about, and opens it", async () => {
    about();
    chat("conv1", [customer("Hello")]);
    mockService("action", { doAction: ({ res_model, res_id }) => expect.step(`${res_model} ${res_id}`) });
    await openTab();
    await shows(".o_leadline_about");
    expect(".o_leadline_about").toHaveText("Ada Example");
    await contains(".o_leadline_about").click();
    expect.verifySteps(["res.partner 7"]);
});

test("an agent turns the chat to another contact and follows it there", async () => {
    about();
    chat("conv1", [customer("Hello")]);
    mockService("action", { doAction: ({ res_model, res_id }) => expect.step(`${res_model} ${res_id}`) });
    onRpc("leadline.conversation", "chat_switch", ({ args }) => {
        expect.step(args.join(" "));
        return { ...about({ contact: GRACE, lead: null, others: [] }), here: false };
    });
    await openTab();
    await contains(".o_leadline_switch").click();
    expect(queryAllTexts(".o_leadline_record_offer")).toEqual(["Grace Example\ngrace@example.com"]);
    await contains(".o_leadline_record_offer").click();
    expect.verifySteps(["crm.lead 1 conv1 res.partner 8", "res.partner 8"]);
});

test("an agent finds a card by its name", async () => {
    about({ others: [] });
    chat("conv1", [customer("Hello")]);
    onRpc("leadline.conversation", "chat_find_records", ({ args }) => {
        expect.step(args[3]);
        return args[3] === "grace" ? [GRACE] : [];
    });
    await openTab();
    await contains(".o_leadline_switch").click();
    expect(".o_leadline_record_menu").toHaveText(/Search for one above/);
    await contains(".o_leadline_record_term").edit("grace", { confirm: false });
    await advanceTime(300);
    await shows(".o_leadline_record_offer");
    await contains(".o_leadline_record_term").edit("nobody", { confirm: false });
    await advanceTime(300);
    await animationFrame();
    expect(".o_leadline_record_menu").toHaveText(/Nothing found/);
    expect.verifySteps(["grace", "nobody"]);
});

test("who may only read is offered neither another card nor anything to take over", async () => {
    about({ can_switch: false });
    chat("conv1", [customer("I am ada@example.com")]);
    await openTab();
    await shows(".o_leadline_about");
    expect(".o_leadline_switch, .o_leadline_learnt").toHaveCount(0);
});

test("an address that the customer names is offered, and goes to the card when the agent says so", async () => {
    about();
    chat("conv1", [customer("I am ada@example.com")]);
    onRpc("leadline.conversation", "chat_learn", ({ args }) => {
        expect.step(args.slice(3).join("|"));
        return about({ card: { name: "Ada Lovelace", email: "ada@example.com", lang: "en_US" } });
    });
    await openTab();
    await shows(".o_leadline_learnt");
    expect(".o_leadline_use").toHaveText("Use ada@example.com");
    await contains(".o_leadline_use").click();
    await shows(".o_leadline_learnt", 0);
    expect.verifySteps(["email|ada@example.com|"]);
});

test("what is dismissed does not come back", async () => {
    about();
    chat("conv1", [customer("I am ada@example.com")]);
    await openTab();
    await contains(".o_leadline_dismiss").click();
    await shows(".o_leadline_learnt", 0);
    await contains(".nav-link[name=other]").click();
    await contains(".nav-link[name=chat]").click();
    await shows(".o_leadline_about");
    expect(".o_leadline_learnt").toHaveCount(0);
});
