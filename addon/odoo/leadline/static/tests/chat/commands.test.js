import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, click, press, queryAllTexts, waitFor, waitUntil } from "@odoo/hoot";
import { makeServerError, mockService, onRpc, serverState } from "@web/../tests/web_test_helpers";
import { commandsFor, parseCommand } from "@leadline/chat/commands";
import { NOW, accepting, busSays, chat, customer, input, json, openTab, playChat, shows, summary, world, write } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const OPEN = { id: "s1", state: "open", agent: null, opened_at: null, closed_at: null };
const CLOSED = { ...OPEN, state: "closed" };

async function talking(session = OPEN, given = {}) {
    world.summaries[1] = [summary("conv1", { session })];
    const talk = accepting(chat("conv1", [customer("hi")], given));
    await openTab();
    await shows(".o_leadline_message", 1);
    return talk;
}

/** Odoo does what a method says, and the summary has this session then. */
function plays(method, session, given = {}) {
    onRpc("leadline.conversation", method, ({ args }) => {
        world.calls.push([method, ...args].join(" "));
        return summary("conv1", { session, ...given });
    });
}

function playColleagues(method, found) {
    onRpc("leadline.conversation", method, ({ args }) => {
        world.calls.push([method, ...args].join(" "));
        return found;
    });
}

const names = () => queryAllTexts(".o_leadline_suggestion_label");
const headButtons = () => queryAllTexts(".o_leadline_session button");

async function give(text) {
    await write(text);
    await press("Escape");
    await press("Enter");
    await animationFrame();
}

describe("words", () => {
    test("a command is a word after a slash, at the very beginning", () => {
        expect(parseCommand("/Close")).toEqual({ name: "close", argument: "" });
        expect(parseCommand("/note call  her\nback ")).toEqual({ name: "note", argument: "call  her\nback" });
        for (const text of ["close", "/", "/ 2", "/shop/blue", "see /close", "//close"]) {
            expect(parseCommand(text)).toBe(null);
        }
    });

    test("only what makes sense is offered", () => {
        const offered = (where) => commandsFor({ canSend: true, user: 7, ...where }).map(({ name }) => name);
        expect(offered({ session: OPEN })).toEqual(["take", "transfer", "invite", "note", "template", "lead", "close"]);
        expect(offered({ session: { ...OPEN, agent: { id: 7 } } })).not.toInclude("take");
        expect(offered({ session: CLOSED })).toInclude("reopen");
        expect(offered({ session: CLOSED })).not.toInclude("close");
        expect(offered({})).toEqual(["transfer", "invite", "note", "template", "lead"]);
        expect(offered({ session: OPEN, canSend: false })).toEqual(["invite", "note"]);
    });
});

describe("the head", () => {
    test("says who has the session, also when it is not whose lead it is", async () => {
        await talking({ ...OPEN, agent: { id: 8, name: "Anton" } }, { owner: "Eve" });
        expect(".o_leadline_owner").toHaveText("Anton");
    });

    test("says that nobody has taken it", async () => {
        await talking(OPEN, { owner: "Eve" });
        expect(".o_leadline_owner").toHaveText("Waits for an agent");
    });

    test("says who looks after the customer when it is closed", async () => {
        await talking(CLOSED, { owner: "Eve" });
        await waitFor(".o_leadline_owner:contains(Eve)");
    });
});

describe("the list", () => {
    test("appears with the slash, narrows with the word, and is chosen by the keyboard", async () => {
        plays("chat_close", CLOSED);
        await talking();
        await write("/");
        await shows(".o_leadline_suggestion", 7);
        expect(".o_leadline_suggestion:eq(0)").toHaveText(/\/take\s*Take the conversation/);
        await write("/cl");
        await shows(".o_leadline_suggestion");
        expect(names()).toEqual(["/close"]);
        await press("Enter");
        await waitUntil(() => world.calls.includes("chat_close crm.lead 1 conv1"));
        await waitFor(".o_notification:contains(The session is closed.)");
        expect(input()).toHaveValue("");
        expect(headButtons()).toEqual(["Reopen"]);
    });

    test("Tab only completes the word", async () => {
        plays("chat_close", CLOSED);
        await talking();
        await write("/cl");
        await shows(".o_leadline_suggestion");
        await press("Tab");
        await animationFrame();
        expect(input()).toHaveValue("/close ");
        expect(input()).toBeFocused();
        expect(world.calls.some((call) => String(call).startsWith("chat_close"))).toBe(false);
        await press("Enter");
        await waitUntil(() => world.calls.includes("chat_close crm.lead 1 conv1"));
    });

    test("who may not send is offered what colleagues see only", async () => {
        world.canSend = false;
        await talking();
        await click(".o_leadline_note_toggle");
        await animationFrame();
        await write("/");
        await shows(".o_leadline_suggestion", 2);
        expect(names()).toEqual(["/invite", "/note"]);
        expect(".o_leadline_session").toHaveCount(0);
    });
});

describe("what goes wrong", () => {
    test("a refusal is a sentence and the text stays", async () => {
        onRpc("leadline.conversation", "chat_close", () => {
            throw makeServerError({ message: "Rate the conversation first." });
        });
        const talk = await talking();
        await give("/close");
        await waitFor(".o_leadline_question[role=alert]");
        expect(".o_leadline_question").toHaveText("Rate the conversation first.");
        expect(input()).toHaveValue("/close");
        expect(input()).toBeEnabled();
        expect(talk.posts).toEqual([]);
        await write("/close it");
        await animationFrame();
        expect(".o_leadline_question").toHaveCount(0);
    });

    test("an unknown command goes out as text only when the agent says so", async () => {
        const talk = await talking();
        await give("/clsoe");
        expect(".o_leadline_question").toHaveText(/There is no command \/clsoe\./);
        expect(".o_leadline_keep_writing").toBeFocused();
        await press("Escape");
        await animationFrame();
        expect(input()).toBeFocused();
        expect(input()).toHaveValue("/clsoe");
        expect(talk.posts).toEqual([]);
        await press("Enter");
        await animationFrame();
        await click(".o_leadline_as_text");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].text.body).toBe("/clsoe");
        expect(input()).toHaveValue("");
    });

    test("text after a command that stands alone is not thrown away", async () => {
        const talk = await talking();
        await give("/close thanks");
        expect(".o_leadline_question").toHaveText(/The command \/close stands alone\./);
        expect(input()).toHaveValue("/close thanks");
        expect(talk.posts).toEqual([]);
    });

    test("a command that makes no sense now says why", async () => {
        await talking(CLOSED);
        await give("/close");
        expect(".o_leadline_question").toHaveText(/There is no open session\./);
        await click(".o_leadline_keep_writing");
        await give("/take");
        expect(".o_leadline_question").toHaveText(/There is no open session\./);
    });

    test("a path is no command", async () => {
        const talk = await talking();
        await give("/shop/blue is sold");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].text.body).toBe("/shop/blue is sold");
    });
});

describe("commands", () => {
    test("/note makes a note of the text, which one more Enter keeps", async () => {
        const talk = await talking();
        await give("/note call her back");
        expect(input()).toHaveValue("call her back");
        expect(".o_leadline_composing_note").toHaveCount(1);
        await press("Enter");
        await shows(".o_leadline_note");
        expect(talk.posts).toEqual([]);
        expect(".o_leadline_note .o_leadline_body").toHaveText("call her back");
    });

    test("/transfer looks for colleagues and lines, with who is there", async () => {
        playColleagues("chat_transfer_targets", [
            { kind: "user", id: 7, name: "Ann", available: true, why: "" },
            { kind: "user", id: 8, name: "Anton", available: false, why: "Off until Monday" },
            { kind: "line", id: 2, name: "Service", available: true, why: "" },
        ]);
        plays("chat_transfer", { ...OPEN, agent: { id: 8, name: "Anton" } }, { owner: { id: 8, name: "Anton" } });
        await talking();
        await write("/tra");
        await shows(".o_leadline_suggestion");
        await press("Enter");
        await advanceTime(200);
        await shows(".o_leadline_suggestion", 3);
        expect(input()).toHaveValue("/transfer ");
        expect(queryAllTexts(".o_leadline_suggestion_detail")).toEqual(["Available", "Off until Monday", "Available"]);
        await write("/transfer an");
        await advanceTime(200);
        await waitUntil(() => world.calls.includes("chat_transfer_targets crm.lead 1 conv1 an"));
        await animationFrame();
        await press("ArrowDown");
        await press("Enter");
        await waitUntil(() => world.calls.includes("chat_transfer crm.lead 1 conv1 user 8"));
        await waitFor(".o_notification:contains(The conversation was given to Anton.)");
        expect(input()).toHaveValue("");
    });

    test("/transfer with nobody of that name says so, and Enter sends nothing", async () => {
        playColleagues("chat_transfer_targets", []);
        const talk = await talking();
        await write("/transfer zoe");
        await advanceTime(200);
        await waitFor(".o_leadline_suggestions_said");
        expect(".o_leadline_suggestions_said").toHaveText("No colleague and no line is called “zoe”.");
        await press("Enter");
        await animationFrame();
        expect(talk.posts).toEqual([]);
        expect(input()).toHaveValue("/transfer zoe");
    });

    test("/invite asks a colleague, and says of others what to do", async () => {
        playColleagues("chat_mentions", [
            { id: 7, partner_id: 70, name: "Ann", why: "" },
            { id: 8, partner_id: 80, name: "Anton", why: "Anton may not open this card." },
        ]);
        onRpc("leadline.conversation", "chat_invite", ({ args }) => {
            world.calls.push(`invite ${args.at(-1)}`);
            return { name: "Ann", follows: true };
        });
        await talking();
        await write("/invite an");
        await advanceTime(200);
        await shows(".o_leadline_suggestion", 2);
        expect(world.calls).toInclude("chat_mentions crm.lead 1 conv1 an true");
        await click(".o_leadline_suggestion:eq(1)");
        await animationFrame();
        expect(".o_leadline_question").toHaveText("Anton may not open this card.");
        expect(input()).toHaveValue("/invite an");
        await click(".o_leadline_suggestion:eq(0)");
        await waitUntil(() => world.calls.includes("invite 7"));
        await waitFor(".o_notification:contains(Ann was asked to join and follows this card now.)");
        expect(input()).toHaveValue("");
    });

    test("/lead leads to the customer's lead", async () => {
        const opened = [];
        onRpc("leadline.conversation", "chat_lead", () => ({ id: 12, name: "Oslo sofa", created: true }));
        mockService("action", { doAction: (action) => opened.push(action) });
        await talking();
        await give("/lead");
        await waitFor(".o_notification:contains(The lead Oslo sofa was made.)");
        await click(".o_notification_buttons button");
        await animationFrame();
        expect(opened[0].res_model).toBe("crm.lead");
        expect(opened[0].res_id).toBe(12);
    });

    test("work in a note too, as when the window is closed", async () => {
        plays("chat_close", CLOSED);
        await talking(OPEN, { until: new Date(NOW - 1000).toISOString() });
        await click(".o_leadline_note_instead");
        await animationFrame();
        await give("/close");
        await waitUntil(() => world.calls.includes("chat_close crm.lead 1 conv1"));
        await shows(".o_leadline_note", 0);
    });
});

describe("the head", () => {
    test("has no buttons where Odoo knows no sessions", async () => {
        await talking(null);
        expect(".o_leadline_session").toHaveCount(0);
    });

    test("takes, closes and reopens", async () => {
        const mine = { ...OPEN, agent: { id: serverState.userId, name: "Mitchell Admin" } };
        plays("chat_take", mine);
        plays("chat_close", CLOSED);
        plays("chat_reopen", mine);
        await talking();
        expect(headButtons()).toEqual(["Take", "Close"]);
        await click(".o_leadline_session [data-command=take]");
        await waitFor(".o_notification:contains(The conversation is yours.)");
        expect(headButtons()).toEqual(["Close"]);
        await click(".o_leadline_session [data-command=close]");
        await waitFor(".o_notification:contains(The session is closed.)");
        await click(".o_leadline_session [data-command=reopen]");
        await waitFor(".o_notification:contains(The session is open again.)");
        expect(headButtons()).toEqual(["Close"]);
    });

    test("shows what a colleague did with the session", async () => {
        await talking();
        world.summaries[1] = [summary("conv1", { session: CLOSED })];
        busSays("conv1", "session");
        await waitFor(".o_leadline_session [data-command=reopen]");
        expect(headButtons()).toEqual(["Reopen"]);
    });

    test("takes over from a colleague, and says why it can't", async () => {
        onRpc("leadline.conversation", "chat_take", () => {
            throw makeServerError({ message: "Ann is answering." });
        });
        await talking({ ...OPEN, agent: { id: 99, name: "Ann" } });
        expect(headButtons()).toEqual(["Take over", "Close"]);
        await click(".o_leadline_session [data-command=take]");
        await waitFor(".o_notification:contains(Ann is answering.)");
        expect(".o_leadline_session [data-command=take]").toBeEnabled();
    });
});

describe("mentions", () => {
    function playNotes(talk, answer = () => []) {
        playColleagues("chat_mentions", [{ id: 7, partner_id: 70, name: "Ann Bell", why: "" }]);
        onRpc("leadline.conversation", "chat_note_alert", ({ args: [, , , note, partners] }) => {
            world.calls.push(`alert ${partners}`);
            return answer(note);
        });
    }

    async function mention(text) {
        await click(".o_leadline_note_toggle");
        await animationFrame();
        await write(text);
        await advanceTime(200);
        await shows(".o_leadline_suggestion");
        await press("Enter");
        await animationFrame();
    }

    const alerts = () => world.calls.filter((call) => String(call).startsWith("alert")).length;

    test("a colleague is offered in a note, stands in it, and is alerted without its text", async () => {
        const talk = await talking();
        playNotes(talk);
        await mention("Ask @an");
        expect(input()).toHaveValue("Ask @Ann Bell ");
        expect(".o_leadline_suggestion").toHaveCount(0);
        await press("Enter");
        await shows(".o_leadline_note");
        await waitUntil(() => world.calls.includes("alert 70"));
        expect(talk.messages.at(-1).note.body).toBe("Ask @Ann Bell");
        expect(alerts()).toBe(1);
    });

    test("nobody is alerted whose name was taken out again", async () => {
        playNotes(await talking());
        await mention("@an");
        await write("nobody");
        await press("Enter");
        await shows(".o_leadline_note");
        await animationFrame();
        expect(alerts()).toBe(0);
    });

    test("an alert that Odoo refuses says so, and the note is kept", async () => {
        const talk = await talking();
        playNotes(talk, () => {
            throw makeServerError({ message: "This card has been deleted." });
        });
        await mention("@an");
        await press("Enter");
        await waitFor(".o_notification:contains(This card has been deleted.)");
        await shows(".o_leadline_note");
        expect(talk.messages.filter(({ type }) => type === "note").length).toBe(1);
    });

    test("who could not be alerted is named", async () => {
        playNotes(await talking(), () => ["Ann Bell"]);
        await mention("@an");
        await press("Enter");
        await waitFor(".o_notification:contains(Ann Bell may not read this card and was not alerted.)");
    });

    test("a note that is refused alerts nobody", async () => {
        playNotes(await talking());
        onRpc("https://chat.test/chat/v1/conversations/<id>/notes", () => json({ code: "invalid", detail: "Too long." }, 422), {
            pure: true,
        });
        await mention("@an");
        await press("Enter");
        await waitFor(".o_leadline_failure:contains(Too long.)");
        expect(alerts()).toBe(0);
    });
});
