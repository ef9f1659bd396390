import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    allowTranslations,
    contains,
    defineModels,
    mockService,
    models,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { user } from "@web/core/user";
import { Inbox, MOMENT } from "@leadline/inbox/inbox";
import { InboxMenu } from "@leadline/inbox/inbox_menu";

describe.current.tags("desktop");

class LeadlineConversation extends models.Model {
    _name = "leadline.conversation";
}
defineMailModels();
defineModels([LeadlineConversation]);

const NAMES = { conv1: "Ada", conv2: "Grace", conv3: "Lena", conv4: "Alan" };

let odoo, inbox;

/** An inbox on a bus, an Odoo and a desktop that are played. */
beforeEach(async () => {
    allowTranslations();
    odoo = { asked: [], rang: [], mine: 0, unassigned: 0, down: false };
    patchWithCleanup(user, { hasGroup: async () => true });
    inbox = new Inbox({
        bus: { subscribe: () => {} },
        orm: {
            silent: {
                call: async (model, method, [rung]) => {
                    odoo.asked.push(rung);
                    const known = rung.filter((id) => id in NAMES);
                    return {
                        mine: odoo.mine,
                        unassigned: odoo.unassigned,
                        rung: known.map((conversation) => ({ id: 1, conversation, name: NAMES[conversation] })),
                    };
                },
            },
        },
        outOfFocus: { sendNotification: (said) => odoo.rang.push(said) },
    });
    await inbox.start();
    odoo.asked = [];
});

const said = () => odoo.rang.map(({ title, message }) => [String(title), String(message)]);

const wrote = (conversation, given = {}) =>
    inbox.onNotification({ conversation, event: "message.received", unread: 1, version: 1, ring: true, ...given });

test("a customer who writes rings once and is counted", async () => {
    odoo.mine = 1;
    wrote("conv1");
    wrote("conv1", { unread: 2, version: 2, ring: undefined });
    wrote("conv1", { unread: 3, version: 3, ring: undefined });
    await advanceTime(MOMENT);
    expect(odoo.asked).toEqual([["conv1"]]);
    expect(said()).toEqual([["New WhatsApp message", "Ada"]]);
    expect(inbox.unreadCount).toBe(1);
});

test("several who write in a moment ring once together", async () => {
    ["conv1", "conv2", "conv3", "conv4"].forEach((id) => wrote(id));
    await advanceTime(MOMENT);
    expect(said()).toEqual([
        ["New WhatsApp messages", "Ada, Grace, Lena and 1 more"],
    ]);
});

test("what is told again rings no second time", async () => {
    wrote("conv1", { version: 4 });
    await advanceTime(MOMENT);
    wrote("conv1", { version: 4 });
    await advanceTime(MOMENT);
    expect(odoo.rang).toHaveLength(1);
});

test("a conversation of somebody else's rings for nobody here", async () => {
    wrote("conv9");
    await advanceTime(MOMENT);
    expect(odoo.rang).toEqual([]);
});

test("whoever reads the conversation hears nothing, and does again after leaving it", async () => {
    patchWithCleanup(document, { hasFocus: () => true });
    const leave = inbox.opened("conv1");
    wrote("conv1");
    await advanceTime(MOMENT);
    expect(odoo.rang).toEqual([]);
    leave();
    wrote("conv1", { version: 2 });
    await advanceTime(MOMENT);
    expect(odoo.rang).toHaveLength(1);
});

test("what becomes of our own messages asks nothing of Odoo", async () => {
    wrote("conv1", { event: "message.status", unread: 0, ring: undefined });
    wrote("conv1", { event: "message.status", unread: 0, version: 2, ring: undefined });
    await advanceTime(MOMENT);
    expect(odoo.asked).toEqual([]);
    wrote("conv1", { event: "conversation.updated", unread: 1, version: 3, ring: undefined });
    await advanceTime(MOMENT);
    expect(odoo.asked).toHaveLength(1);
});

test("silence is kept, and remembered by Odoo", async () => {
    patchWithCleanup(user, { setUserSettings: async (key, value) => expect.step(`${key}: ${value}`) });
    await inbox.setAlerts(false);
    expect.verifySteps(["leadline_alerts: false"]);
    odoo.unassigned = 1;
    wrote("conv1");
    await advanceTime(MOMENT);
    expect(odoo.rang).toEqual([]);
    expect(inbox.unreadCount).toBe(1);
});

test("the menu counts, opens the inbox where it is asked to, and switches the sound", async () => {
    mockService("leadline.inbox", () => inbox);
    mockService("action", {
        doAction: (action, { additionalContext }) => expect.step([action, Object.keys(additionalContext)]),
    });
    odoo.mine = 2;
    odoo.unassigned = 3;
    await inbox.ask();
    await mountWithCleanup(InboxMenu);
    expect(".o_leadline_inbox_count").toHaveText("5");
    expect(".o_leadline_inbox").toHaveAttribute("aria-label", "WhatsApp: 5 with unread messages");
    await contains(".o_leadline_inbox").click();
    expect(".o_leadline_inbox_mine").toHaveText(/Mine\s*2/);
    onRpc("res.users.settings", "set_res_users_settings", () => ({ leadline_alerts: false }));
    await contains(".o_leadline_inbox_alerts").click();
    await animationFrame();
    expect(".o_leadline_inbox_alerts").toHaveAttribute("aria-checked", "false");
    await contains(".o_leadline_inbox_unassigned").click();
    expect.verifySteps([
        [
            "leadline.leadline_conversation_action",
            [
                "search_default_current",
                "search_default_unassigned",
                "search_default_unread",
            ],
        ],
    ]);
});

test("who is no agent sees no counter", async () => {
    inbox.state.isAgent = false;
    mockService("leadline.inbox", () => inbox);
    await mountWithCleanup(InboxMenu);
    expect(".o_leadline_inbox").toHaveCount(0);
});
