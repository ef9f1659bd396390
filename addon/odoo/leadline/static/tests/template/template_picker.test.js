import { beforeEach, describe, expect, test } from "@odoo/hoot";
import {
    Deferred,
    animationFrame,
    click,
    press,
    queryAll,
    queryAllTexts,
    queryFirst,
    queryOne,
    setInputFiles,
    tick,
    waitFor,
} from "@odoo/hoot";
import { Component, reactive, xml } from "@odoo/owl";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { contains, mountWithCleanup } from "@web/../tests/web_test_helpers";
import { Refused, Unreachable } from "@leadline/chat/api";
import { TemplatePicker } from "@leadline/template/template_picker";
import { template } from "./template_builders";

describe.current.tags("desktop");
defineMailModels();

const READY = template({
    header: { format: "text", text: "Order {{1}}" },
    body: "Hi *{{1}}*, your order is ready.",
    footer: "Bike shop",
    buttons: [{ type: "url", text: "Track", url: "https://shop.test/{{1}}" }],
    parameters: [
        { field: "header.1", kind: "text", example: "77" },
        { field: "body.1", kind: "text", example: "Ada" },
        { field: "buttons.0", kind: "url_suffix", example: null },
    ],
});
const HELLO = template({ name: "hello", body: "Olá!", language: "pt_BR", category: "MARKETING" });
const LATE = template({ name: "late", body: "Sorry", sendable: false, status: "REJECTED", why: "Rejected: no." });
const PHOTO = template({
    name: "photo",
    header: { format: "image" },
    parameters: [{ field: "header", kind: "image", example: null }],
});

let sent;
let props;

async function mountPicker(given = {}) {
    Object.assign(props, given);
    class Parent extends Component {
        static template = xml`<div class="o_leadline_chat"><TemplatePicker t-props="props.picker"/></div>`;
        static components = { TemplatePicker };
        static props = ["*"];
    }
    await mountWithCleanup(Parent, { props: { picker: props } });
    await animationFrame();
}

const names = () => queryAllTexts(".o_leadline_option_name");
const field = (name) => `.o_leadline_field[data-field="${name}"]`;

async function choose(name) {
    await contains(`.o_leadline_option:has(.o_leadline_option_name:contains(${name}))`).click();
    await waitFor(".o_leadline_picker_form");
    await animationFrame();
}

beforeEach(() => {
    sent = [];
    props = {
        list: async () => ({ items: [READY, HELLO, LATE], next: null }),
        values: async () => ({}),
        send: async (message) => {
            sent.push(message);
        },
        upload: async () => "media1",
        contact: "Ada",
        consent: null,
        draft: {},
        onDraft: () => {},
    };
});

describe("choosing", () => {
    test("templates show their category, language, quality and state, and why one can't be sent", async () => {
        await mountPicker();
        expect(names()).toEqual(["hello", "order_ready", "late"]);
        expect(".o_leadline_option:eq(0)").toHaveText(/Marketing · Brazilian Portuguese · Good quality/);
        expect(".o_leadline_option:eq(2)").toHaveText(/Rejected by WhatsApp/);
        expect(".o_leadline_option:eq(2) .o_leadline_option_why").toHaveText("Rejected: no.");
        expect(".o_leadline_option:eq(2)").toHaveAttribute("aria-disabled", "true");
        await click(".o_leadline_option:eq(2)");
        await animationFrame();
        expect(".o_leadline_picker_form").toHaveCount(0);
    });

    test("all pages are asked for", async () => {
        const pages = { null: { items: [READY], next: "p2" }, p2: { items: [HELLO], next: null } };
        await mountPicker({ list: async (after) => pages[after] });
        expect(names()).toEqual(["hello", "order_ready"]);
    });

    test("the customer's language is chosen at first, and can be changed", async () => {
        await mountPicker({ language: "pt_PT" });
        expect(names()).toEqual(["hello"]);
        await contains("select.o_leadline_language").select("");
        expect(names()).toHaveLength(3);
    });

    test("it is used by keyboard alone", async () => {
        await mountPicker({ autofocus: true });
        expect("input.o_leadline_search").toBeFocused();
        await press("ArrowDown");
        await animationFrame();
        const active = queryOne("input.o_leadline_search").getAttribute("aria-activedescendant");
        expect(`#${active}`).toHaveAttribute("aria-selected", "true");
        expect(`#${active}`).toHaveText(/order_ready/);
        await press("Enter");
        await waitFor(".o_leadline_picker_form");
        await animationFrame();
        expect(`${field("header.1")} input`).toBeFocused();
        await press("Escape");
        await animationFrame();
        expect("input.o_leadline_search").toBeFocused();
    });

    test("Escape empties the search, then leaves", async () => {
        let closed = 0;
        await mountPicker({ autofocus: true, onClose: () => closed++ });
        await contains("input.o_leadline_search").edit("late", { confirm: false });
        expect(names()).toEqual(["late"]);
        await press("Escape");
        await animationFrame();
        expect(names()).toHaveLength(3);
        expect(closed).toBe(0);
        await press("Escape");
        expect(closed).toBe(1);
    });

    test("when there is nothing to choose it says what to do", async () => {
        await mountPicker({ list: async () => ({ items: [], next: null }) });
        expect(".o_leadline_picker_note").toHaveText(/no templates for this number yet\. Write one in WhatsApp Manager/);
    });

    test("when nothing is found or approved it says so", async () => {
        await mountPicker({ list: async () => ({ items: [LATE], next: null }) });
        expect(".o_leadline_picker_note").toHaveText(/has not approved any/);
        await contains("input.o_leadline_search").edit("zebra", { confirm: false });
        expect(".o_leadline_picker_note:eq(1)").toHaveText(/No template fits “zebra”/);
    });

    test("who opted out gets no marketing", async () => {
        await mountPicker({ consent: { marketing: { value: "stop", source: "whatsapp" }, stopped: false } });
        expect(".o_leadline_option:contains(hello)").toHaveAttribute("aria-disabled", "true");
        expect(".o_leadline_option:contains(hello)").toHaveText(/Ada wants no marketing\./);
        expect(".o_leadline_option:contains(order_ready)").toHaveAttribute("aria-disabled", "false");
    });

    test("who has not agreed to marketing gets none where the line asks for it, and it can be recorded", async () => {
        let recorded = 0;
        await mountPicker({ optIn: true, onRecordConsent: async () => recorded++ });
        expect(".o_leadline_option:contains(hello)").toHaveAttribute("aria-disabled", "true");
        expect(".o_leadline_option:contains(hello)").toHaveText(/Ada has not agreed to marketing\. Record/);
        expect(".o_leadline_option:contains(order_ready)").toHaveAttribute("aria-disabled", "false");
        await contains(".o_leadline_record_consent").click();
        expect(recorded).toBe(1);
    });

    test("who agreed to marketing gets it, and there is nothing to record", async () => {
        const marketing = { value: "resume", source: "crm" };
        const onRecordConsent = async () => {};
        await mountPicker({ optIn: true, onRecordConsent, consent: { marketing, agreed: true, stopped: false } });
        expect(".o_leadline_option:contains(hello)").toHaveAttribute("aria-disabled", "false");
        expect(".o_leadline_record_consent").toHaveCount(0);
    });

    test("why it can't be recorded is said where it was asked for", async () => {
        const onRecordConsent = async () => {
            throw new Refused({ status: 422, detail: "There is no contact yet." });
        };
        await mountPicker({ optIn: true, onRecordConsent });
        await contains(".o_leadline_record_consent").click();
        await animationFrame();
        expect(".o_leadline_picker_consent .o_leadline_fault").toHaveText("There is no contact yet.");
    });

    test("when they can't be loaded they can be asked for again", async () => {
        let isDown = true;
        await mountPicker({
            list: async () => {
                if (isDown) {
                    throw new Unreachable("gone");
                }
                return { items: [READY], next: null };
            },
        });
        expect(".o_leadline_picker_note").toHaveText(/Can't reach Leadline/);
        isDown = false;
        await click(".o_leadline_reload");
        await animationFrame();
        expect(names()).toEqual(["order_ready"]);
    });

    test("templates that changed are loaded anew, and the agent's place is kept", async () => {
        const shared = reactive({ items: [READY], version: 0 });
        class Parent extends Component {
            static template = xml`<TemplatePicker t-props="picker" version="shared.version"/>`;
            static components = { TemplatePicker };
            static props = ["*"];
            setup() {
                this.picker = { ...props, list: async () => ({ items: [...shared.items], next: null }) };
                this.shared = shared;
            }
        }
        const parent = await mountWithCleanup(Parent);
        await animationFrame();
        await contains("input.o_leadline_search").edit("e", { confirm: false });
        shared.items = [READY, LATE];
        shared.version++;
        parent.render();
        await waitFor(".o_leadline_option:contains(late)");
        expect("input.o_leadline_search").toHaveValue("e");
    });
});

describe("filling in", () => {
    test("fields know the customer, and the preview shows what is still missing", async () => {
        await mountPicker({ values: async () => ({ "body.1": "Ada" }) });
        await choose("order_ready");
        expect(`${field("body.1")} input`).toHaveValue("Ada");
        expect(".o_leadline_template_body strong").toHaveText("Ada");
        expect(".o_leadline_template_header mark").toHaveText("{{1}}");
        expect(".o_leadline_template_buttons li").toHaveClass("o_leadline_missing");
        await contains(`${field("header.1")} input`).edit("77", { confirm: false });
        expect(".o_leadline_template_header").toHaveText("Order 77");
        expect(".o_leadline_template_header mark").toHaveCount(0);
    });

    test("what the agent wrote is not written over by values that come late", async () => {
        const late = new Deferred();
        await mountPicker({ values: () => late });
        await choose("order_ready");
        await contains(`${field("body.1")} input`).edit("Mrs. Lovelace", { confirm: false });
        late.resolve({ "body.1": "Ada", "header.1": "77" });
        await tick();
        await animationFrame();
        expect(`${field("body.1")} input`).toHaveValue("Mrs. Lovelace");
        expect(`${field("header.1")} input`).toHaveValue("77");
    });

    test("nothing goes while something is missing, and the first of it gets the focus", async () => {
        await mountPicker();
        await choose("order_ready");
        await contains(`${field("header.1")} input`).edit("77", { confirm: false });
        await click(".o_leadline_template_send");
        await animationFrame();
        await animationFrame();
        expect(sent).toEqual([]);
        expect(queryAllTexts(".o_leadline_fault")).toEqual(["Fill this in.", "Fill this in."]);
        expect(`${field("body.1")} input`).toBeFocused();
        expect(`${field("body.1")} input`).toHaveAttribute("aria-invalid", "true");
    });

    test("a picture is checked, goes up and is sent by its id", async () => {
        await mountPicker({ list: async () => ({ items: [PHOTO], next: null }) });
        await choose("photo");
        expect(".o_leadline_template_media").toHaveClass("o_leadline_missing");
        await contains("input[type=file]", { visible: false, displayed: false }).click();
        await setInputFiles([new File(["x"], "notes.txt", { type: "text/plain" })]);
        await animationFrame();
        expect(".o_leadline_fault").toHaveText("This file is of another type, or too large for WhatsApp.");
        await contains("input[type=file]", { visible: false, displayed: false }).click();
        await setInputFiles([new File(["x"], "bike.png", { type: "image/png" })]);
        await waitFor("img.o_leadline_template_picture");
        await animationFrame();
        await click(".o_leadline_template_send");
        await animationFrame();
        expect(sent[0].template.components).toEqual([
            { type: "header", parameters: [{ type: "image", image: { id: "media1" } }] },
        ]);
    });

    test("what is filled in is kept, and gone on with under the same id", async () => {
        const draft = {};
        await mountPicker({ draft });
        await choose("order_ready");
        await contains(`${field("body.1")} input`).edit("Ada", { confirm: false });
        expect(draft.filling.key).toBe("order_ready/en_US");
        expect(draft.filling.values["body.1"]).toBe("Ada");
        const { clientId } = draft.filling;
        await click(".o_leadline_back");
        await animationFrame();
        expect(draft.filling).toBe(null);
        draft.filling = { key: "order_ready/en_US", values: { "body.1": "Bea" }, clientId };
        await mountPicker({ draft, values: () => expect.step("asked again") });
        await waitFor(".o_leadline_picker_form");
        expect(`${field("body.1")} input`).toHaveValue("Bea");
        expect(draft.filling.clientId).toBe(clientId);
    });

    test("a file that was on its way goes up again, one that is up does not", async () => {
        const uploads = [];
        const picture = new File(["x"], "bike.png", { type: "image/png" });
        const filling = { key: "photo/en_US", clientId: "client-1" };
        const given = {
            list: async () => ({ items: [PHOTO], next: null }),
            upload: async (file, { type }) => {
                uploads.push(`${type} ${file.name}`);
                return "media2";
            },
        };
        const draft = { filling: { ...filling, values: { header: { id: null, name: "bike.png", file: picture } } } };
        await mountPicker({ ...given, draft });
        await waitFor("img.o_leadline_template_picture");
        await animationFrame();
        expect(uploads).toEqual(["image bike.png"]);
        expect(draft.filling.values.header.id).toBe("media2");
        await mountPicker({ ...given, draft: { filling: { ...filling, values: { header: { id: "media1", name: "x" } } } } });
        await waitFor(".o_leadline_picker_form");
        expect(uploads).toHaveLength(1);
    });

    test("every input has a label", async () => {
        await mountPicker();
        await choose("order_ready");
        for (const input of queryAll(".o_leadline_fields input")) {
            expect(input.labels.length > 0 || Boolean(input.getAttribute("aria-label"))).toBe(true);
        }
    });
});

describe("sending", () => {
    const fill = async () => {
        await choose("order_ready");
        await contains(`${field("header.1")} input`).edit("77", { confirm: false });
        await contains(`${field("body.1")} input`).edit("Ada", { confirm: false });
        await contains(`${field("buttons.0")} input`).edit("t/77", { confirm: false });
    };

    test("Enter sends, and the picker is done", async () => {
        let done = 0;
        await mountPicker({ onSent: () => done++ });
        await fill();
        await press("Enter");
        await animationFrame();
        expect(sent).toHaveLength(1);
        expect(sent[0].template.name).toBe("order_ready");
        expect(sent[0].client_id).toMatch(/^[\w-]{36}$/);
        expect(done).toBe(1);
        expect(".o_leadline_picker_form").toHaveCount(0);
    });

    test("what the API refuses stands at its field, and trying again is the same message", async () => {
        const ids = [];
        await mountPicker({
            send: async ({ client_id }) => {
                ids.push(client_id);
                throw new Refused({
                    status: 422,
                    code: "template_invalid",
                    detail: "The template is not filled in rightly.",
                    errors: [
                        { field: "body.1", message: "Too long." },
                        { field: "footer", message: "No footer." },
                    ],
                });
            },
        });
        await fill();
        await click(".o_leadline_template_send");
        await animationFrame();
        expect(`${field("body.1")} .o_leadline_fault`).toHaveText("Too long.");
        expect(queryAllTexts(".o_leadline_picker_form > .o_leadline_fault")).toEqual([
            "No footer.",
            "The template is not filled in rightly.",
        ]);
        await click(".o_leadline_template_send");
        await animationFrame();
        expect(ids).toHaveLength(2);
        expect(ids[0]).toBe(ids[1]);
    });

    test("when Leadline can't be reached everything stays as it was filled in", async () => {
        await mountPicker({
            send: async () => {
                throw new Unreachable("gone");
            },
        });
        await fill();
        await click(".o_leadline_template_send");
        await animationFrame();
        expect(queryFirst(".o_leadline_picker_form > .o_leadline_fault")).toHaveText(/Can't reach Leadline/);
        expect(`${field("body.1")} input`).toHaveValue("Ada");
        expect(".o_leadline_template_send").toBeEnabled();
    });

    test("what was changed after a lost answer goes as another message, after saying that the first was sent", async () => {
        const tries = [];
        await mountPicker({
            send: async ({ client_id }) => {
                tries.push(client_id);
                if (tries.length === 1) {
                    throw new Unreachable("answer lost");
                }
                if (tries.length === 2) {
                    throw new Refused({ status: 409, code: "client_id_reused", detail: "This client_id was used." });
                }
            },
        });
        await fill();
        await click(".o_leadline_template_send");
        await animationFrame();
        await contains(`${field("body.1")} input`).edit("Mrs. Lovelace", { confirm: false });
        await click(".o_leadline_template_send");
        await animationFrame();
        expect(".o_leadline_picker_form > .o_leadline_fault").toHaveText(/Your first try was sent, as it was before/);
        await click(".o_leadline_template_send");
        await animationFrame();
        expect(".o_leadline_picker_form").toHaveCount(0);
        expect(tries).toHaveLength(3);
        expect(tries[0]).toBe(tries[1]);
        expect(tries[2]).not.toBe(tries[1]);
    });

    test("two clicks send once", async () => {
        const slow = new Deferred();
        await mountPicker({
            send: async (message) => {
                sent.push(message);
                await slow;
            },
        });
        await fill();
        await click(".o_leadline_template_send");
        await press("Enter");
        await animationFrame();
        expect(sent).toHaveLength(1);
        slow.resolve();
    });
});
