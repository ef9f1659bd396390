import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, click, press, queryAllTexts, queryOne, setInputFiles, waitFor, waitUntil } from "@odoo/hoot";
import { MockServer, contains, makeServerError, onRpc } from "@web/../tests/web_test_helpers";
import {
    NOW,
    accepting,
    busSays,
    chat,
    customer,
    input,
    json,
    openTab,
    playChat,
    shows,
    statuses,
    summary,
    world,
    write,
} from "../chat/chat_test_helpers";
import { template } from "./template_builders";

describe.current.tags("desktop");
playChat();

const GREETING = template({
    name: "greeting",
    body: "Hi {{1}}",
    parameters: [{ field: "body.1", kind: "text", example: null }],
});
const CLOSED = { until: new Date(NOW - 3600000).toISOString() };

/** What Odoo knows of the customer, by parameter. */
let values;

beforeEach(() => {
    values = { "body.1": "Ada" };
    world.templates = [GREETING, template({ name: "sale", category: "MARKETING" })];
    onRpc("leadline.conversation", "chat_template_values", ({ args }) => {
        world.calls.push(`values ${args.join(" ")}`);
        return values;
    });
});

function lineSays(event) {
    MockServer.env["bus.bus"]._sendone("broadcast", "leadline/line", { line: "line1", event });
}

async function choose(name) {
    await contains(`.o_leadline_option:has(.o_leadline_option_name:contains(${name}))`).click();
    await waitFor(".o_leadline_picker_form");
}

describe("the window", () => {
    test("when it closes while the agent types, templates take the place of the text, which is kept", async () => {
        const talk = accepting(chat("conv1", [customer("hi")], { until: new Date(NOW + 60000).toISOString() }));
        await openTab();
        await shows(".o_leadline_window");
        await write("half a tho");
        await advanceTime(61000);
        await shows(".o_leadline_picker");
        expect(".o_leadline_closed").toHaveText(/closed until Ada Lovelace writes again.*is kept until then/s);
        expect("textarea.o_leadline_input").not.toBeVisible();
        talk.messages.push(customer("still there?"));
        talk.until = new Date(NOW + 24 * 3600000).toISOString();
        busSays("conv1", "message.received");
        await shows(".o_leadline_picker", 0);
        expect(input()).toHaveValue("half a tho");
        expect(input()).toBeEnabled();
    });

    test("a template that is being filled in stays when the customer writes meanwhile", async () => {
        const talk = chat("conv1", [customer("hi")], CLOSED);
        await openTab();
        await choose("greeting");
        talk.messages.push(customer("hello again"));
        talk.until = new Date(NOW + 24 * 3600000).toISOString();
        busSays("conv1", "message.received");
        await shows(".o_leadline_message", 2);
        expect(".o_leadline_picker_form").toHaveCount(1);
        expect(".o_leadline_closed").toHaveCount(0);
    });

    test("a closed window leaves notes, and the way back to templates", async () => {
        chat("conv1", [customer("hi")], CLOSED);
        await openTab();
        await shows(".o_leadline_picker");
        await click(".o_leadline_note_instead");
        await animationFrame();
        expect(".o_leadline_picker").toHaveCount(0);
        expect("textarea.o_leadline_input").toBeFocused();
        await click(".o_leadline_note_toggle");
        await shows(".o_leadline_picker");
    });

    test("WhatsApp's word that it is closed counts, whatever the time", async () => {
        const failed = customer("x", {
            id: "mine",
            direction: "out",
            status: "failed",
            error: { code: 131047, plain: "The window is closed." },
        });
        const talk = chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_window");
        talk.messages.push({ ...failed, version: 99 });
        talk.closed = true;
        busSays("conv1", "message.status");
        await shows(".o_leadline_picker");
        expect(".o_leadline_closed").toHaveText(/^Free text is closed until Ada Lovelace writes again\./);
    });

    test("a browser whose clock is wrong counts by the server's", async () => {
        onRpc("leadline.conversation", "chat_grant", () => {
            const now = (NOW + 5 * 3600000) / 1000;
            return { token: "grant", expires: now + 300, now };
        });
        chat("conv1", [customer("hi")], { until: new Date(NOW + 6 * 3600000).toISOString() });
        await openTab();
        await shows(".o_leadline_window");
        expect(".o_leadline_window").toHaveText(/60 min left$|59 min left$/);
    });

    test("who may not answer gets no templates", async () => {
        world.canSend = false;
        chat("conv1", [customer("hi")], CLOSED);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_picker").toHaveCount(0);
    });
});

describe("templates", () => {
    test("one is filled with what Odoo knows, sent, and stands in the chat", async () => {
        const talk = accepting(chat("conv1", [customer("hi")], CLOSED));
        await openTab();
        await choose("greeting");
        await waitFor(".o_leadline_template_body:contains(Hi Ada)");
        expect(world.calls).toInclude("values crm.lead 1 line1 greeting en_US");
        await click(".o_leadline_template_send");
        await waitUntil(() => talk.posts.length === 1);
        expect(talk.posts[0].template.components[0].parameters).toEqual([{ type: "text", text: "Ada" }]);
        await shows(".o_leadline_message[data-direction=out]");
        expect(statuses()).toEqual(["received", "queued"]);
    });

    test("a button and a command open them while the window is open, Escape closes them", async () => {
        const talk = accepting(chat("conv1", [customer("hi")]));
        await openTab();
        await shows(".o_leadline_message", 1);
        await click(".o_leadline_templates");
        await shows(".o_leadline_option", 2);
        expect("input.o_leadline_search").toBeFocused();
        await press("Escape");
        await animationFrame();
        expect(".o_leadline_picker").toHaveCount(0);
        expect("textarea.o_leadline_input").toBeFocused();
        await write("/template gre");
        await press("Enter");
        await shows(".o_leadline_option");
        expect("input.o_leadline_search").toHaveValue("gre");
        expect(talk.posts).toEqual([]);
    });

    test("one that is half filled in survives leaving the tab", async () => {
        chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        await write("half a tho");
        await click(".o_leadline_templates");
        await choose("greeting");
        await contains(".o_leadline_field input").edit("Mrs. Lovelace", { confirm: false });
        await click(".o_notebook .nav-link:contains(Other)");
        await waitFor(".other");
        await click(".o_notebook .nav-link:contains(Chat)");
        await waitFor(".o_leadline_picker_form");
        expect(".o_leadline_field input").toHaveValue("Mrs. Lovelace");
        await click(".o_leadline_back");
        await animationFrame();
        await click(".o_leadline_tool[title='Close the templates']");
        await shows(".o_leadline_picker", 0);
        expect(input()).toHaveValue("half a tho");
    });

    test("what is refused is told where it was filled in", async () => {
        const talk = chat("conv1", [customer("hi")], CLOSED);
        talk.send = () => {
            const errors = [{ field: "body.1", message: "Too long." }];
            return json({ status: 422, code: "template_invalid", detail: "Not filled in rightly.", errors }, 422);
        };
        await openTab();
        await choose("greeting");
        await waitFor(".o_leadline_template_body:contains(Hi Ada)");
        await click(".o_leadline_template_send");
        await shows(".o_leadline_fault", 2);
        expect(queryAllTexts(".o_leadline_fault")).toEqual(["Too long.", "Not filled in rightly."]);
        expect(".o_leadline_message[data-direction=out] .o_leadline_failure").toHaveCount(0);
    });

    test("when Odoo can't say what it knows the agent fills it in", async () => {
        onRpc("leadline.conversation", "chat_template_values", () => {
            throw makeServerError({ message: "You may not read this." });
        });
        chat("conv1", [customer("hi")], CLOSED);
        await openTab();
        await choose("greeting");
        await shows(".o_leadline_fault");
        expect(".o_leadline_fault").toHaveText("You may not read this.");
        expect(".o_leadline_field input").toBeEnabled();
    });

    test("templates that changed appear in open tabs", async () => {
        chat("conv1", [customer("hi")], CLOSED);
        await openTab();
        await shows(".o_leadline_option", 2);
        world.templates.push(template({ name: "approved_now" }));
        lineSays("template.updated");
        await shows(".o_leadline_option", 3);
        expect(".o_leadline_option").toHaveCount(3);
    });
});

describe("health and consent", () => {
    test("a line that is held says why, and that nothing is lost", async () => {
        const talk = chat("conv1", [customer("hi")]);
        await openTab();
        await shows(".o_leadline_message", 1);
        expect(".o_leadline_held").toHaveCount(0);
        const error = { code: 131042, plain: "Add a payment method in Meta's settings." };
        talk.health = { sending: "held", error, since: "2026-11-20T09:30:00Z" };
        lineSays("line.health");
        await shows(".o_leadline_held");
        expect(".o_leadline_held").toHaveText(/Sending is stopped since .*Add a payment method.*waits and goes by itself/);
        talk.health = { sending: "ok", error: null, since: null };
        lineSays("line.health");
        await shows(".o_leadline_held", 0);
    });

    test("the head says who wants no marketing and why, and marketing can't be chosen", async () => {
        const talk = chat("conv1", [customer("STOP")], CLOSED);
        const marketing = { value: "stop", source: "keyword", at: "2026-11-20T09:00:00Z" };
        talk.consent = { marketing, stopped: true };
        await openTab();
        await shows(".o_leadline_consent");
        expect(".o_leadline_consent").toHaveText("Said STOP");
        expect(queryOne(".o_leadline_consent").title).toMatch(/wrote STOP on.*Nothing automatic/);
        await shows(".o_leadline_option", 2);
        expect(".o_leadline_option:contains(sale)").toHaveAttribute("aria-disabled", "true");
        expect(".o_leadline_option:contains(greeting)").toHaveAttribute("aria-disabled", "false");
    });
});

describe("writing first", () => {
    const invitation = (given = {}) => ({
        lines: [{ id: "line1", name: "Shop", number: "+1 555 010 0001", held: false }],
        phone: "+15550102030",
        name: "Ada Lovelace",
        language: "en_US",
        refused: null,
        ...given,
    });

    beforeEach(() => {
        world.summaries[1] = [];
        world.invitation = invitation();
        onRpc("leadline.conversation", "chat_templates", ({ args }) => {
            world.calls.push(`templates ${args.join(" ")}`);
            return { items: world.templates, next: null };
        });
    });

    test("an empty chat offers a template, and the conversation is there at once", async () => {
        onRpc("leadline.conversation", "chat_start", ({ args: [model, id, line, message] }) => {
            world.calls.push(`start ${model} ${id} ${line} ${message.template.name}`);
            chat("conv9", [customer("x", { direction: "out", status: "queued" })]);
            world.summaries[1] = [{ ...begun }];
            return { conversation: begun };
        });
        const begun = { id: "conv9", line: { id: "line1", name: "Shop", number: "" }, contact: "Ada", unread: 0 };
        await openTab();
        await waitFor(".o_leadline_start:contains(+15550102030)");
        await click(".o_leadline_start_button");
        await choose("greeting");
        await waitFor(".o_leadline_template_body:contains(Hi Ada)");
        await click(".o_leadline_template_send");
        await shows(".o_leadline_message", 1);
        expect(world.calls).toInclude("start crm.lead 1 line1 greeting");
    });

    test("the line can be chosen, and its templates are shown", async () => {
        world.invitation.lines.push({ id: "line2", name: "Support", number: "+1 555 010 0002", held: true });
        await openTab();
        await contains(".o_leadline_start_line select").select("line2");
        expect(".o_leadline_start_refused").toHaveText(/Sending is stopped on this line/);
        await click(".o_leadline_start_button");
        await shows(".o_leadline_option", 2);
        expect(world.calls.filter((call) => call.startsWith("templates"))).toEqual(["templates crm.lead 1 line2 "]);
    });

    test("the first message carries a file, which is announced for the line", async () => {
        world.templates.push(
            template({
                name: "photo",
                header: { format: "image" },
                parameters: [{ field: "header", kind: "image", example: null }],
            })
        );
        onRpc("leadline.conversation", "chat_start_upload", ({ args: [model, id, line, file] }) => {
            world.calls.push(`announced ${model} ${id} ${line} ${file.type} ${file.filename} ${file.mime} ${file.size}`);
            return { id: "upload1", upload: { method: "PUT", url: "https://chat.test/chat/v1/up/1", headers: {} } };
        });
        onRpc("leadline.conversation", "chat_start", ({ args: [, , , message] }) => {
            world.calls.push(`sent ${message.template.components[0].parameters[0].image.id}`);
            return { refused: { status: 422, code: "opted_out", detail: "Enough." } };
        });
        values = {};
        await openTab();
        await click(".o_leadline_start_button");
        await choose("photo");
        await contains("input[type=file]", { visible: false, displayed: false }).click();
        await setInputFiles([new File(["x"], "bike.png", { type: "image/png" })]);
        await waitFor("img.o_leadline_template_picture");
        await waitUntil(() => world.calls.includes("PUT /up/1"));
        await shows(".progress", 0);
        expect(world.calls).toInclude("announced crm.lead 1 line1 image bike.png image/png 1");
        await click(".o_leadline_template_send");
        await waitUntil(() => world.calls.includes("sent upload1"));
    });

    test("what is filled in survives leaving the tab", async () => {
        await openTab();
        await click(".o_leadline_start_button");
        await choose("greeting");
        await contains(".o_leadline_field input").edit("Mrs. Lovelace", { confirm: false });
        await click(".o_notebook .nav-link:contains(Other)");
        await waitFor(".other");
        await click(".o_notebook .nav-link:contains(Chat)");
        await waitFor(".o_leadline_picker_form");
        expect(".o_leadline_field input").toHaveValue("Mrs. Lovelace");
    });

    test("what stands in the way is said instead", async () => {
        world.invitation = invitation({ refused: "There is no phone number on this card. Add one.", phone: null });
        await openTab();
        await shows(".o_leadline_start_refused");
        expect(".o_leadline_start_refused").toHaveText("There is no phone number on this card. Add one.");
        expect(".o_leadline_start_button").toHaveCount(0);
    });

    test("a refusal stands where the template was filled in", async () => {
        onRpc("leadline.conversation", "chat_start", () => ({
            refused: { status: 422, code: "opted_out", detail: "Ada wants no marketing." },
        }));
        await openTab();
        await click(".o_leadline_start_button");
        await choose("greeting");
        await waitFor(".o_leadline_template_body:contains(Hi Ada)");
        await click(".o_leadline_template_send");
        await shows(".o_leadline_fault");
        expect(".o_leadline_fault").toHaveText("Ada wants no marketing.");
    });

    test("another line can write to who has a conversation already", async () => {
        world.summaries[1] = [summary("conv1")];
        chat("conv1", [customer("hi")]);
        world.invitation.lines.push({ id: "line2", name: "Support", number: "+1 555 010 0002", held: false });
        await openTab();
        await shows(".o_leadline_message", 1);
        await click(".o_leadline_select");
        await waitFor(".o_leadline_start_elsewhere");
        await click(".o_leadline_start_elsewhere");
        await waitFor(".o_leadline_start:contains(No conversation on this line yet)");
        expect(queryAllTexts(".o_leadline_start_line option")).toEqual(["Support +1 555 010 0002"]);
        await click(".o_leadline_start_back");
        await shows(".o_leadline_message", 1);
    });
});
