/** What a message says, by its type: which template shows it and which words stand for it. */
import { _t } from "@web/core/l10n/translation";

/** What a system event is when WhatsApp gives no words for it. */
const EVENTS = {
    number_changed: _t("The customer has a new phone number."),
    user_id_changed: _t("WhatsApp knows the customer under a new id."),
    identity_changed: _t("The customer's security code has changed."),
};

/**
 * Types in Graph's names. `template` shows the body; `text` gives the words of it (shown as a caption where the
 * template shows more); `label` stands for it in a quotation.
 */
const TYPES = {
    text: { template: "leadline.Message.Text", text: ({ text }) => text?.body },
    note: { template: "leadline.Message.Text", text: ({ note }) => note?.body },
    button: { template: "leadline.Message.Text", text: ({ button }) => button?.text },
    system: {
        template: "leadline.Message.Text",
        text: ({ system }) => system?.body || (Object.hasOwn(EVENTS, system?.kind) ? EVENTS[system.kind] : ""),
    },
    order: { template: "leadline.Message.Text", text: ({ order }) => orderOf(order), label: _t("Order") },
    request_welcome: { template: "leadline.Message.Text", text: () => _t("Opened the chat for the first time.") },
    interactive: {
        template: "leadline.Message.Interactive",
        text: ({ interactive }) => answerOf(interactive)?.title ?? interactive?.body?.text,
    },
    image: {
        template: "leadline.Message.Picture",
        text: ({ image }) => image?.caption,
        label: _t("Picture"),
    },
    sticker: { template: "leadline.Message.Picture", label: _t("Sticker") },
    video: { template: "leadline.Message.Video", text: ({ video }) => video?.caption, label: _t("Video") },
    audio: { template: "leadline.Message.Audio", label: _t("Audio") },
    document: {
        template: "leadline.Message.Document",
        text: ({ document }) => document?.caption,
        label: _t("Document"),
    },
    location: { template: "leadline.Message.Location", label: _t("Location") },
    contacts: { template: "leadline.Message.Contacts", label: _t("Contact") },
};

/** Templates that are nothing without their words. */
const WORDS_ONLY = new Set(["leadline.Message.Text", "leadline.Message.Interactive"]);

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
    if (type.template !== "leadline.Message.Text" && !message[message.type] && !message.media) {
        return "leadline.Message.Unsupported";
    }
    return type.template;
}

/** @returns {string} the message's words, "" when it has none */
export function textOf(message) {
    return String(typeOf(message.type)?.text?.(message) ?? "");
}

/** What a customer chose in a message with buttons or a list. */
export function answerOf(interactive) {
    return interactive?.button_reply ?? interactive?.list_reply;
}

/** @returns {string} the products of an order, one a line, under what the customer wrote with it */
function orderOf(order) {
    const products = Array.isArray(order?.product_items) ? order.product_items : [];
    const lines = products.map(({ product_retailer_id, quantity, item_price, currency }) =>
        [`${quantity ?? 1} × ${product_retailer_id}`, item_price && `(${item_price} ${currency ?? ""})`]
            .filter(Boolean)
            .join(" ")
    );
    return [order?.text, ...lines].filter(Boolean).join("\n");
}

/** @returns {string} what stands for a message of this type where only a line of text fits */
export function labelOf(type) {
    return String(typeOf(type)?.label ?? _t("Message"));
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
 * @returns {{ name: string, lines: { text: string, href: string|null }[] }[]}
 */
export function peopleOf(contacts) {
    return (Array.isArray(contacts) ? contacts : []).map(({ name, phones, emails, org }) => ({
        name: name?.formatted_name || name?.first_name || org?.company || _t("Contact"),
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
