import { describe, expect, test } from "@odoo/hoot";
import { animationFrame, queryOne, waitFor } from "@odoo/hoot";
import { contains, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { session } from "@web/session";
import { chat, customer, openTab, playChat, shows, world } from "./chat_test_helpers";

describe.current.tags("desktop");
playChat();

const FILE = "https://files.test/offer?signed";
const DOCUMENT = {
    type: "document",
    document: { filename: "offer.pdf" },
    media: { mime: "application/pdf", name: "offer.pdf", size: 9, state: "stored", url: FILE },
};

let fetched;
let posted;

/** The place of files and Odoo's route answer; everything else as always. */
function playFiles({ file = () => new Response("%PDF-1.4!"), saved = () => ({ id: 5, name: "offer.pdf", store: {} }) } = {}) {
    fetched = [];
    posted = [];
    const real = browser.fetch;
    patchWithCleanup(browser, {
        fetch: async (url, options = {}) => {
            if (url === FILE) {
                fetched.push(options);
                return file();
            }
            if (url === "/leadline/file") {
                posted.push(options.body);
                const answer = saved();
                return answer instanceof Response
                    ? answer
                    : new Response(JSON.stringify(answer), { status: answer.error ? 422 : 200 });
            }
            return real(url, options);
        },
    });
}

async function received(given = {}) {
    chat("conv1", [customer(undefined, { ...DOCUMENT, ...given })]);
    await openTab();
    await shows(".o_leadline_message", 1);
}

test("one click brings a received file to Odoo, with its name and type", async () => {
    playFiles();
    await received();
    expect(queryOne(".o_leadline_save_file").getAttribute("aria-label")).toBe("Save offer.pdf with this card");
    await contains(".o_leadline_save_file").click();
    await waitFor(".o_notification:contains(offer.pdf is among the attachments now.)");
    const [form] = posted;
    const file = form.get("ufile");
    expect(file.name).toBe("offer.pdf");
    expect(file.type).toBe("application/pdf");
    expect(await file.text()).toBe("%PDF-1.4!");
    expect([form.get("res_model"), form.get("res_id"), form.get("conversation"), form.get("message")]).toEqual([
        "crm.lead",
        "1",
        "conv1",
        "m1",
    ]);
    // The signed address carries its own right; Odoo's cookies stay at home.
    expect(fetched[0].credentials).toBe("omit");
    expect(".o_leadline_save_file").not.toBeEnabled();
    expect(queryOne(".o_leadline_save_file").title).toBe("Saved with this card");
});

test("a file without a name is called what it is and when it came", async () => {
    playFiles();
    await received({
        type: "audio",
        document: undefined,
        media: { ...DOCUMENT.media, mime: "audio/ogg", name: null, voice: true },
        at: "2026-11-20T08:30:00Z",
    });
    await contains(".o_leadline_save_file").click();
    await waitFor(".o_notification");
    expect(posted[0].get("ufile").name).toMatch(/^Audio 2026-11-20 \d\d-30-00$/);
});

test("Odoo's refusal is shown, and it can be tried again", async () => {
    playFiles({ saved: () => ({ error: "You may read this card, not save files with it." }) });
    await received();
    await contains(".o_leadline_save_file").click();
    await waitFor(".o_notification:contains(not save files with it)");
    await animationFrame();
    expect(".o_leadline_save_file").toBeEnabled();
});

test("a page in place of an answer says what to do", async () => {
    playFiles({ saved: () => new Response("<html>Log in</html>", { status: 200 }) });
    await received();
    await contains(".o_leadline_save_file").click();
    await waitFor(".o_notification:contains(Reload the page and try again.)");
});

test("a file that Odoo would not take is not even fetched", async () => {
    playFiles();
    patchWithCleanup(session, { max_file_upload_size: 8 });
    await received();
    await contains(".o_leadline_save_file").click();
    await waitFor(".o_notification:contains(This Odoo takes files of up to)");
    expect(fetched).toEqual([]);
});

test("a place of files that does not answer says so", async () => {
    playFiles({
        file: () => {
            throw new TypeError("Failed to fetch");
        },
    });
    await received();
    await contains(".o_leadline_save_file").click();
    await waitFor(".o_notification:contains(Can't reach Leadline. Try again.)");
    expect(posted).toEqual([]);
});

test("only a received file can be saved, and only by who may change the card", async () => {
    playFiles();
    world.canSend = false;
    await received();
    expect(".o_leadline_save_file").toHaveCount(0);
});

test("what is still on its way, was sent, or was taken back is not offered", async () => {
    chat("conv1", [
        customer(undefined, { ...DOCUMENT, media: { ...DOCUMENT.media, state: "waiting", url: null } }),
        customer(undefined, { ...DOCUMENT, direction: "out", status: "sent" }),
        customer(undefined, { ...DOCUMENT, revoked: true }),
        customer("words"),
    ]);
    await openTab();
    await shows(".o_leadline_message", 4);
    expect(".o_leadline_save_file").toHaveCount(0);
});
