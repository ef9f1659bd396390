/**
 * Message templates: what their parameters are, what is wrong with the values, what the customer will see, and the
 * message that sends them.
 *
 * @typedef {Object} Parameter
 * @property {string} field "header", "header.1", "body.1", "body.first_name", "buttons.0"
 * @property {"text"|"image"|"video"|"document"|"location"|"url_suffix"|"copy_code"} kind
 * @property {string|null} example
 *
 * @typedef {Object} Template as the chat API gives it
 * @property {string} name
 * @property {string} language
 * @property {string} status of WhatsApp, as are category and quality
 * @property {string} category
 * @property {string|null} quality
 * @property {"named"|"positional"} parameter_format
 * @property {{ format: string, text?: string } | null} header
 * @property {string} body
 * @property {string|null} footer
 * @property {{ type: string, text: string, url?: string }[]} buttons
 * @property {Parameter[]} parameters
 * @property {boolean} sendable
 * @property {string|null} why it can't be sent
 *
 * @typedef {Object<string, any>} Values by field: a text, a place {latitude, longitude, name, address}, or a file
 *  {id, name, preview}
 */
import { _t } from "@web/core/l10n/translation";
import { inOurWords } from "../chat/service_words";

const { DateTime } = luxon;

/** Longest texts with the values filled in, and the longest coupon code. */
const LIMITS = { header: 60, body: 1024, url: 2000, code: 20 };
const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;
/** Around the name of a value that is missing: two characters that no text has. */
const [OPEN, CLOSE] = ["\uE000", "\uE001"];
const MISSING = new RegExp(`${OPEN}(\\w+)${CLOSE}`);

export const MEDIA = new Set(["image", "video", "document"]);

const CATEGORIES = {
    MARKETING: _t("Marketing"),
    UTILITY: _t("Utility"),
    AUTHENTICATION: _t("Authentication"),
};
const QUALITIES = { GREEN: _t("Good quality"), YELLOW: _t("Medium quality"), RED: _t("Low quality") };
const STATUSES = {
    APPROVED: _t("Approved"),
    PENDING: _t("Waits for WhatsApp's approval"),
    REJECTED: _t("Rejected by WhatsApp"),
    PAUSED: _t("Paused by WhatsApp"),
    DISABLED: _t("Disabled by WhatsApp"),
};

/** WhatsApp's word in ours; one that we don't know stays as it is. */
const worded = (words, word) => String(Object.hasOwn(words, word) ? words[word] : word || "");

export const categoryOf = ({ category }) => worded(CATEGORIES, category?.toUpperCase());
export const statusOf = ({ status }) => worded(STATUSES, status?.toUpperCase());
export const isApproved = ({ status }) => status?.toUpperCase() === "APPROVED";

/** @returns {string} "" while WhatsApp has no opinion */
export function qualityOf({ quality }) {
    const word = quality?.toUpperCase();
    return !word || word === "UNKNOWN" ? "" : worded(QUALITIES, word);
}

export function isMarketing({ category }) {
    return category?.toUpperCase() === "MARKETING";
}

//--------------------------------------------------------------------------
// Choosing
//--------------------------------------------------------------------------

/** @returns {string} key of a template: names alone are not unique */
export const keyOf = ({ name, language }) => `${name}/${language}`;

const normal = (code) => (code || "").replace("-", "_").toLowerCase();

/**
 * @param {Template[]} templates
 * @param {string|null} wanted a language as Odoo has it
 * @returns {string} the language among the templates' that is nearest, "" when none is near
 */
export function nearestLanguage(templates, wanted) {
    const languages = [...new Set(templates.map(({ language }) => language))];
    const [exact, family] = [normal(wanted), normal(wanted).split("_")[0]];
    return (
        (family && languages.find((code) => normal(code) === exact)) ||
        (family && languages.find((code) => normal(code).split("_")[0] === family)) ||
        ""
    );
}

/** @returns {string} a language's name in the user's own, else its code */
export function languageName(code) {
    try {
        const names = new Intl.DisplayNames(luxon.Settings.defaultLocale || undefined, { type: "language" });
        return names.of(code.replace("_", "-"));
    } catch {
        return code; // WhatsApp's codes are not all of the standard
    }
}

/**
 * @param {Template[]} templates
 * @param {{ text: string, language: string }} wanted
 * @returns {Template[]} those with all words of the text in them; what can be sent stands first
 */
export function search(templates, { text, language }) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = templates.filter((template) => {
        const told = `${template.name.replaceAll("_", " ")} ${template.name} ${template.body}`.toLowerCase();
        return (!language || template.language === language) && words.every((word) => told.includes(word));
    });
    return found.sort((a, b) => b.sendable - a.sendable || a.name.localeCompare(b.name));
}

/**
 * Why a template can't be sent to this customer, "" when it can.
 *
 * @param {Template} template
 * @param {{ consent: Object|null, contact: string, optIn?: boolean }} to `optIn`: whether marketing needs the customer's
 *   agreement first
 */
export function hindrance(template, { consent, contact, optIn }) {
    if (!template.sendable) {
        return inOurWords(template.why) || statusOf(template);
    }
    if (isMarketing(template) && isOptedOut(consent)) {
        return _t("%s wants no marketing.", contact || _t("The customer"));
    }
    if (lacksConsent(template, { consent, optIn })) {
        return _t("%s has not agreed to marketing. Record their consent first.", contact || _t("The customer"));
    }
    return "";
}

//--------------------------------------------------------------------------
// Consent
//--------------------------------------------------------------------------

export function isOptedOut(consent) {
    return Boolean(consent?.stopped) || consent?.marketing?.value === "stop";
}

/** Whether all that keeps a template back is that nobody has recorded the customer's consent. */
export function lacksConsent(template, { consent, optIn }) {
    const wants = template.sendable && isMarketing(template) && !isOptedOut(consent);
    return Boolean(optIn) && wants && !consent?.agreed;
}

/**
 * @param {{ marketing: { value: string, source: string, at: string }|null, stopped: boolean }|null} consent
 * @returns {{ label: string, why: string }|null} null while nothing stands against marketing
 */
export function consentNote(consent) {
    if (!isOptedOut(consent)) {
        return null;
    }
    const { source, at } = consent.marketing || {};
    const day = at ? DateTime.fromISO(at).toLocaleString(DateTime.DATE_MED) : "";
    const reasons = {
        keyword: _t("The customer wrote STOP on %s.", day),
        whatsapp: _t("The customer switched marketing off in WhatsApp on %s.", day),
        crm: _t("It is on record since %s that the customer wants no marketing.", day),
        blacklist: _t("The customer's number is on the phone blacklist since %s.", day),
    };
    const rule = consent.stopped
        ? _t("Nothing automatic and no marketing is sent. You may still answer.")
        : _t("Marketing templates are not sent.");
    return {
        label: !consent.stopped ? _t("No marketing") : source === "blacklist" ? _t("Blacklisted") : _t("Said STOP"),
        why: [worded(reasons, source), rule].filter(Boolean).join(" "),
    };
}

//--------------------------------------------------------------------------
// Filling in
//--------------------------------------------------------------------------

const isFilled = (value) => (typeof value === "string" ? Boolean(value.trim()) : Boolean(value));

/** @returns {string} what a field is called beside its input */
export function labelOf({ field, kind }, template) {
    const [part, name] = field.split(".");
    if (part === "buttons") {
        const text = template.buttons[Number(name)]?.text || name;
        return kind === "copy_code" ? _t("Code of “%s”", text) : _t("End of the address of “%s”", text);
    }
    const kinds = { image: _t("Picture"), video: _t("Video"), document: _t("Document"), location: _t("Place") };
    if (kinds[kind]) {
        return kinds[kind];
    }
    const variable = /^\d+$/.test(name) ? `{{${name}}}` : name.replaceAll("_", " ");
    return part === "header" ? _t("Heading: %s", variable) : variable;
}

/**
 * What is wrong with the values, as far as we can tell before WhatsApp does.
 *
 * @param {Template} template
 * @param {Values} values
 * @returns {Object<string, string>} sentences by field; "header" and "body" also stand for the whole text
 */
export function faults(template, values) {
    const found = {};
    for (const parameter of template.parameters) {
        const fault = faultOf(parameter, values[parameter.field], template);
        if (fault) {
            found[parameter.field] = fault;
        }
    }
    for (const part of ["header", "body"]) {
        const text = part === "body" ? template.body : template.header?.text;
        const length = [...plain(filled(text || "", part, values))].length;
        if (length > LIMITS[part]) {
            found[part] ??= _t("With these values it has %(length)s characters. WhatsApp takes %(limit)s.", {
                length,
                limit: LIMITS[part],
            });
        }
    }
    return found;
}

function faultOf({ field, kind }, value, template) {
    if (kind === "location") {
        return placeFault(value);
    }
    if (MEDIA.has(kind)) {
        return value?.id ? "" : value ? _t("Wait until the file is uploaded.") : _t("Choose a file.");
    }
    if (!isFilled(value)) {
        return _t("Fill this in.");
    }
    if (kind === "url_suffix") {
        const { url = "" } = template.buttons[Number(field.split(".")[1])] || {};
        return /\s/.test(value)
            ? _t("A web address has no spaces.")
            : url.length + value.length > LIMITS.url
              ? _t("The address is too long.")
              : "";
    }
    if (kind === "copy_code") {
        return value.trim().length > LIMITS.code ? _t("A code has at most %s characters.", LIMITS.code) : "";
    }
    return /[\n\r\t]| {5}/.test(value) ? _t("Line breaks, tabs and rows of spaces can't be sent here.") : "";
}

function placeFault(place) {
    const fits = (text, limit) => text?.trim() && Math.abs(Number(text)) <= limit;
    return fits(place?.latitude, 90) && fits(place?.longitude, 180)
        ? ""
        : _t("Write latitude and longitude as numbers, such as 52.37 and 4.89.");
}

//--------------------------------------------------------------------------
// What the customer will see
//--------------------------------------------------------------------------

/** A template's text with its values; missing ones are marked for `withMissing`. */
function filled(text, part, values) {
    return text.replace(VARIABLE, (_, name) => {
        const value = values[`${part}.${name}`];
        return isFilled(value) ? value.trim() : `${OPEN}${name}${CLOSE}`;
    });
}

const plain = (text) => text.replaceAll(OPEN, "{{").replaceAll(CLOSE, "}}");

/**
 * @param {Template} template
 * @param {Values} values
 * @returns {Object} what `TemplateView` shows, in the shape of a message's `template`, with `media` beside it
 */
export function preview(template, values) {
    const { header, buttons, footer, category, language, name } = template;
    const format = header?.format?.toLowerCase();
    return {
        name,
        language,
        category,
        header: header && { type: format, text: header.text && filled(header.text, "header", values) },
        media: MEDIA.has(format) ? values.header || null : null,
        place: format === "location" ? values.header || null : null,
        body: filled(template.body, "body", values),
        footer,
        buttons: buttons.map((button, i) => ({
            ...button,
            url: button.url && filled(button.url, "buttons", { [`buttons.1`]: values[`buttons.${i}`] }),
            missing: template.parameters.some(
                ({ field }) => field === `buttons.${i}` && !isFilled(values[field])
            ),
        })),
    };
}

/**
 * Mark the values that are missing, wherever they stand in formatted text.
 *
 * @param {import("../chat/formatting").Node[]} nodes
 */
export function withMissing(nodes) {
    return nodes.flatMap((node) => {
        if (node.children) {
            return { ...node, children: withMissing(node.children) };
        }
        if (!node.text.includes(OPEN)) {
            return node;
        }
        // A link that is not whole leads nowhere.
        const type = node.type === "link" ? "text" : node.type;
        return node.text
            .split(MISSING)
            .map((text, i) => (i % 2 ? { type: "missing", text: `{{${text}}}` } : { type, text }))
            .filter(({ text }) => text);
    });
}

//--------------------------------------------------------------------------
// The message
//--------------------------------------------------------------------------

/**
 * @param {Template} template
 * @param {Values} values without faults
 * @returns {Object} the message in Graph's shape, without its `client_id`
 */
export function messageOf(template, values) {
    const { name, language, parameters } = template;
    const of = (part) => parameters.filter(({ field }) => field.split(".")[0] === part);
    const components = ["header", "body"]
        .filter((part) => of(part).length)
        .map((part) => ({ type: part, parameters: of(part).map((one) => told(one, values, template)) }));
    for (const { field, kind } of of("buttons")) {
        const value = values[field].trim();
        const isCode = kind === "copy_code";
        components.push({
            type: "button",
            sub_type: isCode ? "copy_code" : "url",
            index: Number(field.split(".")[1]),
            parameters: [isCode ? { type: "coupon_code", coupon_code: value } : { type: "text", text: value }],
        });
    }
    return { type: "template", template: { name, language: { code: language }, components } };
}

function told({ field, kind }, values, { parameter_format }) {
    const value = values[field];
    if (MEDIA.has(kind)) {
        const name = kind === "document" ? { filename: value.name } : {};
        return { type: kind, [kind]: { id: value.id, ...name } };
    }
    if (kind === "location") {
        const { latitude, longitude, ...words } = value;
        return { type: kind, location: { latitude: Number(latitude), longitude: Number(longitude), ...words } };
    }
    const named = parameter_format === "named" ? { parameter_name: field.split(".")[1] } : {};
    return { type: "text", ...named, text: value.trim() };
}
