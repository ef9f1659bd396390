import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, click, press, waitFor, waitUntil } from "@odoo/hoot";
import { MockServer, makeServerError, onRpc, serverState } from "@web/../tests/web_test_helpers";
import { accepting, agent, busSays, chat, customer, openTab, playChat, shows, write } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const NOTE = ".o_leadline_colleague_answers";

function answers(id, name, conversation = "conv1") {
    MockServer.env["bus.bus"]._sendone("broadcast", "leadline/answering", { conversation, agent: { id, name } });
}

async function open(...messages) {
    const talk = accepting(chat("conv1", messages));
    await openTab();
    await shows(".o_leadline_message", messages.length);
    return talk;
}

describe("a colleague who is answering", () => {
    test("is named, until they are silent for a while", async () => {
        await open(customer("hi"));
        expect(".o_leadline_colleagues").toHaveAttribute("role", "status");
        answers(9, "Bob");
        await waitFor(NOTE);
        expect(NOTE).toHaveText("Bob is answering…");
        await advanceTime(9000);
        answers(9, "Bob");
        await animationFrame();
        await advanceTime(9000);
        expect(NOTE).toHaveText("Bob is answering…");
        await advanceTime(4000);
        await shows(NOTE, 0);
    });

    test("is named beside others", async () => {
        await open(customer("hi"));
        answers(9, "Bob");
        answers(12, "Eve");
        await waitFor(`${NOTE}:contains(Eve)`);
        expect(NOTE).toHaveText("Bob and Eve are answering…");
    });

    test("is nobody from another conversation, nor the agent in another window", async () => {
        await open(customer("hi"));
        answers(9, "Bob", "conv9");
        answers(serverState.userId, "Mitchell Admin");
        answers(12, "Eve");
        await waitFor(NOTE);
        expect(NOTE).toHaveText("Eve is answering…");
    });

    test("is done when the answer is there", async () => {
        const { messages } = await open(customer("hi"));
        answers(9, "Bob");
        await waitFor(NOTE);
        messages.push(agent("hello!"));
        busSays("conv1", "message.sent");
        await shows(".o_leadline_message", 2);
        await shows(NOTE, 0);
    });
});

describe("telling colleagues", () => {
    test("happens while the agent writes to the customer: once in 8 s, again after sending, never for a note", async () => {
        let told = 0;
        onRpc("leadline.conversation", "chat_answering", ({ args }) => {
            expect(args).toEqual(["crm.lead", 1, "conv1"]);
            told++;
        });
        await open(customer("hi"));
        await click(".o_leadline_note_toggle");
        await animationFrame();
        await write("a note");
        expect(told).toBe(0);
        await click(".o_leadline_note_toggle");
        await animationFrame();
        await write("He");
        await write("Hel");
        expect(told).toBe(1);
        await advanceTime(8500);
        await write("Hell");
        expect(told).toBe(2);
        await press("Enter");
        await shows(".o_leadline_message", 2);
        await write("And");
        expect(told).toBe(3);
    });

    test("costs nothing when it is refused", async () => {
        onRpc("leadline.conversation", "chat_answering", () => {
            throw makeServerError({ message: "no" });
        });
        const talk = await open(customer("hi"));
        await write("Hello");
        await press("Enter");
        await waitUntil(() => talk.posts.length === 1);
        expect(".o_leadline_trouble").toHaveCount(0);
    });
});

describe("who is overtaken by a colleague while writing", () => {
    test("is told before sending, and shown the message", async () => {
        const { messages } = await open(customer("hi"));
        await write("Hello Ada");
        messages.push(agent("Hello from Bob"));
        busSays("conv1", "message.sent");
        await waitFor(".o_leadline_overtaken");
        expect(".o_leadline_overtaken").toHaveText(/^Bob has just answered\. Read it before you send\.\s*Show$/);
        await click(".o_leadline_overtaken button");
        await animationFrame();
        expect(".o_leadline_highlighted").toHaveText(/Hello from Bob/);
        await press("Enter");
        await shows(".o_leadline_message", 3);
        expect(".o_leadline_overtaken").toHaveCount(0);
    });

    test("hears nothing of it once the text is gone, of a note, or of what stood there before", async () => {
        const { messages } = await open(agent("said long ago"));
        await write("Hello Ada");
        expect(".o_leadline_overtaken").toHaveCount(0);
        messages.push(agent(undefined, { type: "note", note: { body: "mine!" }, status: null }));
        busSays("conv1", "message.sent");
        await shows(".o_leadline_message", 2);
        expect(".o_leadline_overtaken").toHaveCount(0);
        messages.push(agent("Hello from Bob"));
        busSays("conv1", "message.sent");
        await waitFor(".o_leadline_overtaken");
        await write("");
        await shows(".o_leadline_overtaken", 0);
    });

    test("hears nothing while nothing is written", async () => {
        const { messages } = await open(customer("hi"));
        messages.push(agent("Hello from Bob"));
        busSays("conv1", "message.sent");
        await shows(".o_leadline_message", 2);
        expect(".o_leadline_overtaken").toHaveCount(0);
    });
});
