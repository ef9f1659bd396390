/** What a message says, by its type: which template shows it and which words stand for it. */
import { _t } from "@web/core/l10n/translation";

/** What a system event is when WhatsApp gives no words for it. */
const EVENTS = {
    number_changed: _t("The customer has a new phone number."),
    user_id_changed: _t("WhatsApp knows the customer under a new id."),
    identity_changed: _t("The customer's security code has changed."),
    call_ringing: _t("Calling …"),
    call_answered: _t("In a call."),
    call_ended: _t("There was a call."),
    call_missed: _t("Missed call from the customer."),
    call_unanswered: _t("The customer did not answer the call."),
};

/** Lines shown of a filled-in form; the rest is on the phone. */
const FORM_LINES = 30;

/**
 * Types in Graph's names. `template` shows the body; `text` gives the words of it (shown as a caption where the
 * template shows more); `label` stands for it in a quotation.
 */
const TYPES = {
    text: { template: "leadline.Message.Text", text: ({ text }) => text?.body },
    note: { template: "leadline.Message.Text", text: ({ note }) => note?.body },
    button: { template: "leadline.Message.Answer", text: ({ button }) => button?.text },
    system: {
        template: "leadline.Message.Text",
        text: ({ system }) => system?.body || (Object.hasOwn(EVENTS, system?.kind) ? EVENTS[system.kind] : ""),
    },
    request_welcome: { template: "leadline.Message.Text", text: () => _t("Opened the chat for the first time.") },
    order: { template: "leadline.Message.Order", text: ({ order }) => order?.text, label: _t("Order") },
    interactive: {
        template: "leadline.Message.Interactive",
        text: ({ interactive }) => answerOf(interactive)?.title ?? interactive?.body?.text,
    },
    template: { template: "leadline.Message.Template", text: ({ template }) => template?.body, label: _t("Template") },
    image: {
        template: "leadline.Message.Media",
        text: ({ image }) => image?.caption,
        label: _t("Picture"),
    },
    sticker: { template: "leadline.Message.Media", label: _t("Sticker") },
    video: { template: "leadline.Message.Media", text: ({ video }) => video?.caption, label: _t("Video") },
    audio: { template: "leadline.Message.Media", label: _t("Audio") },
    document: {
        template: "leadline.Message.Media",
        text: ({ document }) => document?.caption,
        label: _t("Document"),
    },
    location: { template: "leadline.Message.Location", label: _t("Location") },
    contacts: { template: "leadline.Message.Contacts", label: _t("Contact") },
};

/** Templates of the files that a message can carry. */
const FILES = {
    image: "leadline.File.Picture",
    sticker: "leadline.File.Picture",
    video: "leadline.File.Video",
    audio: "leadline.File.Audio",
    document: "leadline.File.Document",
};

/** What turns the direction of all that follows. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

/** Happenings in a conversation that nobody said. */
const HAPPENINGS = new Set(["system", "request_welcome"]);

/** Templates that are nothing without their words. */
const WORDS_ONLY = new Set(["leadline.Message.Text", "leadline.Message.Answer", "leadline.Message.Interactive"]);

/** The type's name comes from outside: "constructor" is none of ours. */
function typeOf(name) {
    return Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
}

/** @returns {string} name of the OWL template for the message's body */
export function templateOf(message) {
    if (message.revoked) {
        return "leadline.Message.Revoked";
    }
    const type = typeOf(message.type);
    if (!type || (WORDS_ONLY.has(type.template) && !textOf(message))) {
        return "leadline.Message.Unsupported";
    }
    if (message.type === "order" && !productsOf(message.order).length) {
        return "leadline.Message.Unsupported";
    }
    if (type.template !== "leadline.Message.Text" && !message[message.type] && !message.media) {
        return "leadline.Message.Unsupported";
    }
    return type.template;
}

/** @returns {boolean} whether it stands in the middle as a line: nobody said it */
export function isHappening({ type }) {
    return HAPPENINGS.has(type);
}

/** @returns {string} the message's words, "" when it has none */
export function textOf(message) {
    return String(typeOf(message.type)?.text?.(message) ?? "");
}

/** @returns {string|null} the type of file it carries, in Graph's names: its own, or that of a template's header */
export function fileTypeOf({ type, template, media }) {
    const carried = type === "template" ? media && template?.header?.type : type;
    return Object.hasOwn(FILES, carried ?? "") ? carried : null;
}

/** @returns {string} the name that its file came with, "" without; nothing in it shows the ending elsewhere than it is */
export function fileNameOf({ document, media }) {
    return String(document?.filename || media?.name || "").replace(TURNING, "");
}

/** @returns {string} name of the OWL template for the message's file */
export function fileTemplateOf(message) {
    return FILES[fileTypeOf(message)];
}

/**
 * What a customer chose or filled in, in a message with buttons, a list or a form.
 *
 * @returns {{ title: string, description?: string, lines?: { name: string, value: string }[] } | undefined}
 */
export function answerOf(interactive) {
    const { button_reply, list_reply, nfm_reply, call_permission_reply } = interactive ?? {};
    if (nfm_reply) {
        const lines = formOf(nfm_reply.response_json);
        return { title: [nfm_reply.body, nfm_reply.name].find(Boolean) ?? _t("A form, filled in"), lines };
    }
    if (call_permission_reply) {
        const accepted = call_permission_reply.response === "accept";
        return { title: accepted ? _t("May be called") : _t("Does not want to be called") };
    }
    return button_reply ?? list_reply;
}

/** The answers of a form: a JSON object of any shape, made of what the business named its fields. */
function formOf(json) {
    let answers;
    try {
        answers = JSON.parse(json);
    } catch {
        return []; // the title says that a form came in; what is in it can be seen on the phone
    }
    return Object.entries(answers && typeof answers === "object" ? answers : {})
        .filter(([name]) => name !== "flow_token")
        .slice(0, FORM_LINES)
        .map(([name, value]) => ({ name, value: typeof value === "string" ? value : JSON.stringify(value) }));
}

/**
 * What we ask in a message with buttons, a list or a link.
 *
 * @returns {{ header: string, footer: string, choices: string[] }}
 */
export function questionOf(interactive) {
    const { header, footer, action, type } = interactive ?? {};
    const rows = (action?.sections ?? []).flatMap((section) => section.rows ?? []);
    const choices = [
        ...(action?.buttons ?? []).map(({ reply }) => reply?.title),
        ...rows.map(({ title }) => title),
        action?.parameters?.display_text,
        type === "location_request_message" ? _t("Send location") : null,
    ];
    return { header: header?.text ?? "", footer: footer?.text ?? "", choices: choices.filter(Boolean).map(String) };
}

/**
 * @param {Object} order as Graph has it
 * @returns {{ id: string, quantity: string, price: string }[]}
 */
export function productsOf(order) {
    const products = Array.isArray(order?.product_items) ? order.product_items : [];
    return products.map(({ product_retailer_id, quantity, item_price, currency }) => ({
        id: String(product_retailer_id ?? ""),
        quantity: String(quantity ?? 1),
        price: item_price ? `${item_price} ${currency ?? ""}`.trim() : "",
    }));
}

/** @returns {string} what stands for a message of this type where only a line of text fits */
export function labelOf(type) {
    return String(typeOf(type)?.label ?? _t("Message"));
}

/**
 * The ad or post that a customer came from.
 *
 * @param {Object|null} referral as Graph has it
 * @returns {{ headline: string, body: string, href: string|null } | null} its picture is not fetched: it lies with others
 */
export function adOf(referral) {
    if (!referral) {
        return null;
    }
    const { headline, body, source_url } = referral;
    const href = /^https?:\/\//i.test(source_url ?? "") ? source_url : null;
    return { headline: String(headline ?? ""), body: String(body ?? ""), href };
}

/** @returns {string|null} the address of a file, when it is one; "javascript:" would run here instead */
export function fileAddress(url) {
    return /^(?:https?|blob|data):/i.test(url ?? "") ? url : null;
}

/**
 * @param {{ latitude: number, longitude: number, name?: string, address?: string }} location
 * @returns {{ name: string, address: string, href: string } | null} null when there is no place in it
 */
export function placeOf(location) {
    const latitude = Number(location?.latitude ?? NaN);
    const longitude = Number(location?.longitude ?? NaN);
    if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) {
        return null;
    }
    const point = `${latitude},${longitude}`;
    return {
        name: location.name || point,
        address: location.address || "",
        href: `https://www.google.com/maps/search/?api=1&query=${encodeURIComponent(point)}`,
    };
}

/**
 * @param {Object[]} contacts as Graph has them
 * @returns {{ name: string, company: string, phone: string, email: string,
 *  lines: { text: string, href: string|null }[] }[]} `phone` and `email`: the first of each, "" without
 */
export function peopleOf(contacts) {
    return (Array.isArray(contacts) ? contacts : []).map(({ name, phones, emails, org }) => ({
        name: name?.formatted_name || name?.first_name || org?.company || _t("Contact"),
        company: org?.company || "",
        phone: phones?.[0]?.phone || phones?.[0]?.wa_id || "",
        email: emails?.[0]?.email || "",
        lines: [
            ...(phones || []).map(({ phone, wa_id }) => ({
                text: phone || wa_id,
                href: `tel:${String(phone || wa_id).replace(/[^\d+]/g, "")}`,
            })),
            ...(emails || []).map(({ email }) => ({
                text: email,
                href: `mailto:${encodeURIComponent(email)}`,
            })),
        ].filter(({ text }) => text),
    }));
}
