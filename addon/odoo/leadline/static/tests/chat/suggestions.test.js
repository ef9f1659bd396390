import { describe, expect, test } from "@odoo/hoot";
import {
    advanceTime,
    animationFrame,
    click,
    manuallyDispatchProgrammaticEvent,
    press,
    queryAllTexts,
    queryOne,
    runAllTimers,
    waitFor,
    waitUntil,
} from "@odoo/hoot";
import { contains, makeServerError, onRpc } from "@web/../tests/web_test_helpers";
import { begun } from "@leadline/chat/suggestions";
import { accepting, chat, customer, input, openTab, playChat, shows, world, write } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const CANNED = [
    { id: 1, source: "hello", substitution: "Hello and welcome!\nHow can we help?" },
    { id: 2, source: "help us", substitution: "Tell us more." },
];

/** Odoo finds these canned responses. */
function playCanned(found = CANNED) {
    onRpc("leadline.conversation", "chat_canned", ({ args: [term] }) => {
        world.calls.push(`canned ${term}`);
        return found.filter(({ source }) => source.includes(term));
    });
    onRpc("leadline.conversation", "chat_canned_used", ({ args: [ids] }) => {
        world.calls.push(`used ${ids}`);
        return true;
    });
}

async function talking() {
    const talk = accepting(chat("conv1", [customer("hi")]));
    await openTab();
    await shows(".o_leadline_message", 1);
    return talk;
}

const options = () => queryAllTexts(".o_leadline_suggestion_label");
/** The option that the text says is the active one. */
const active = () => document.getElementById(input().getAttribute("aria-activedescendant"))?.textContent ?? null;

async function offers(text, count) {
    await write(text);
    await advanceTime(200);
    await shows(".o_leadline_suggestion", count);
}

describe("what has been begun", () => {
    const at = (text, note = false) => begun(text, text.length, note);

    test("a command is the first word only", () => {
        expect(at("/")).toEqual({ kind: "command", term: "", from: 0, to: 1 });
        expect(at("/clo")).toEqual({ kind: "command", term: "clo", from: 0, to: 4 });
        for (const text of ["see /clo", "/close it", "/shop/blue", "//", "\n/clo"]) {
            expect(at(text)).toBe(null);
        }
    });

    test("what a command takes is looked for", () => {
        expect(at("/transfer ann b")).toEqual({ kind: "transfer", term: "ann b", from: 0, to: 15 });
        expect(at("/invite ")).toEqual({ kind: "invite", term: "", from: 0, to: 8 });
    });

    test("a canned response begins anywhere after a space, and C++ is none", () => {
        expect(at("Dear Ada, ::hel")).toEqual({ kind: "canned", term: "hel", from: 10, to: 15 });
        expect(at("Dear\n::")).toEqual({ kind: "canned", term: "", from: 5, to: 7 });
        expect(at("::good mor")).toEqual({ kind: "canned", term: "good mor", from: 0, to: 10 });
        expect(at("std::vector")).toBe(null);
        expect(begun("::hello you", 5, false)).toEqual({ kind: "canned", term: "hel", from: 0, to: 5 });
    });

    test("colleagues are mentioned in notes only, and mail addresses are none", () => {
        expect(at("ask @ann", true)).toEqual({ kind: "mention", term: "ann", from: 4, to: 8 });
        expect(at("ask @ann")).toBe(null);
        expect(at("to ann@b", true)).toBe(null);
    });
});

describe("canned responses", () => {
    test("are offered by their shortcut and put in place, by arrows and Enter", async () => {
        playCanned();
        const talk = await talking();
        await offers("Hi Ada, ::hel", 2);
        expect(options()).toEqual(["hello", "help us"]);
        expect(active()).toMatch(/^hello/);
        await press("ArrowDown");
        await animationFrame();
        expect(active()).toMatch(/^help us/);
        await press("ArrowDown");
        await animationFrame();
        expect(active()).toMatch(/^hello/);
        await press("Enter");
        await animationFrame();
        expect(input()).toHaveValue("Hi Ada, Hello and welcome!\nHow can we help?");
        expect(input().selectionStart).toBe(input().value.length);
        expect(".o_leadline_suggestion").toHaveCount(0);
        expect(talk.posts).toEqual([]);
        await press("Enter");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].text.body).toBe("Hi Ada, Hello and welcome!\nHow can we help?");
        await waitUntil(() => world.calls.includes("used 1"));
    });

    test("stand in the middle of a text, chosen by Tab or by a click", async () => {
        playCanned();
        await talking();
        await write("Dear ::hel – Bob");
        input().setSelectionRange(10, 10);
        await manuallyDispatchProgrammaticEvent(input(), "keyup", { key: "ArrowLeft" });
        await advanceTime(200);
        await shows(".o_leadline_suggestion", 2);
        await press("Tab");
        await animationFrame();
        expect(input()).toHaveValue("Dear Hello and welcome!\nHow can we help? – Bob");
        expect(input()).toBeFocused();
        await offers("::us", 1);
        await click(".o_leadline_suggestion");
        await animationFrame();
        expect(input()).toHaveValue("Tell us more.");
        expect(input()).toBeFocused();
    });

    test("Escape leaves the text alone until something else is begun", async () => {
        playCanned();
        const talk = await talking();
        await offers("::hel", 2);
        await press("Escape");
        await animationFrame();
        expect(".o_leadline_suggestion").toHaveCount(0);
        await press("Enter");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].text.body).toBe("::hel");
        await offers("::us", 1);
    });

    test("none says where to make them, and who writes on is left alone", async () => {
        playCanned([]);
        await talking();
        await write("::bye");
        await advanceTime(200);
        await waitFor(".o_leadline_suggestions_said");
        expect(".o_leadline_suggestions_said").toHaveText(/No canned response fits “bye”/);
        await write("::bye and so on");
        await advanceTime(200);
        await shows(".o_leadline_suggestions", 0);
    });

    test("Odoo's refusal is shown, and the text stays", async () => {
        onRpc("leadline.conversation", "chat_canned", () => {
            throw makeServerError({ message: "Only agents may read chats." });
        });
        await talking();
        await write("::h");
        await advanceTime(200);
        await waitFor(".o_leadline_suggestions_said");
        expect(".o_leadline_suggestions_said").toHaveText("Only agents may read chats.");
        expect(input()).toHaveValue("::h");
    });

    test("a screen reader hears of the list", async () => {
        playCanned();
        await talking();
        expect(input()).not.toHaveAttribute("aria-controls");
        await offers("::hel", 2);
        expect(".o_leadline_writing > [role=status]").toHaveText("Canned responses: 2 to choose from, with the arrow keys");
        const list = document.getElementById(input().getAttribute("aria-controls"));
        expect(list).toHaveAttribute("role", "listbox");
        expect(list).toHaveAttribute("aria-label", "Canned responses");
        expect(list.querySelectorAll("[role=option][aria-selected=true]").length).toBe(1);
        await press("Escape");
        await animationFrame();
        expect(input()).not.toHaveAttribute("aria-activedescendant");
    });

    test("a click elsewhere closes the list", async () => {
        playCanned();
        await talking();
        await offers("::hel", 2);
        queryOne(".o_leadline_send").focus();
        await shows(".o_leadline_suggestion", 0);
    });
});

test("an emoji stands where the caret is, and the keyboard opens the picker", async () => {
    await talking();
    await write("Hello !");
    input().setSelectionRange(6, 6);
    queryOne(".o_leadline_tool[title=Emoji]").focus();
    await press("Enter");
    await waitFor(".o-Emoji[data-codepoints]", { timeout: 10000 });
    await contains(".o-Emoji[data-codepoints='😀']").click();
    await animationFrame();
    expect(input()).toHaveValue("Hello 😀!");
    expect(input().selectionStart).toBe(8);
    expect(input()).toBeFocused();
    queryOne(".o_leadline_tool[title=Emoji]").focus();
    await press("Enter");
    await waitFor(".o-EmojiPicker input");
    await animationFrame();
    await press("Escape");
    await shows(".o-EmojiPicker", 0);
    await runAllTimers();
    expect(input()).toBeFocused();
});
