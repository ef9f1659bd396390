/** What WhatsApp takes as a file, and as which kind of message. */
import { _t } from "@web/core/l10n/translation";

const KB = 1024;
const MB = 1024 * KB;

const IMAGES = ["image/jpeg", "image/png"];
const VIDEOS = ["video/mp4", "video/3gpp"];
const SOUNDS = ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"];
const OFFICE = "application/vnd.openxmlformats-officedocument";

/** Cloud API, "Supported media types"; sizes in bytes. Used until the chat API has told its own. */
export const LIMITS = {
    text: 4096,
    caption: 1024,
    files: {
        image: { mimes: IMAGES, size: 5 * MB },
        video: { mimes: VIDEOS, size: 16 * MB },
        audio: { mimes: SOUNDS, size: 16 * MB },
        sticker: { mimes: ["image/webp"], size: 500 * KB },
        document: {
            mimes: [
                "application/pdf",
                "application/msword",
                `${OFFICE}.wordprocessingml.document`,
                "application/vnd.ms-excel",
                `${OFFICE}.spreadsheetml.sheet`,
                "application/vnd.ms-powerpoint",
                `${OFFICE}.presentationml.presentation`,
                "text/plain",
                ...IMAGES,
                ...VIDEOS,
                ...SOUNDS,
                "image/webp",
            ],
            size: 100 * MB,
        },
    },
};
/** What a browser says of a file that it knows no type for; the API looks at its name. */
const UNTOLD = new Set(["", "application/octet-stream"]);
/** Kinds in the order in which they are preferred. A sticker only when the agent says so: it must be a square. */
const PREFERRED = ["image", "video", "audio", "document", "sticker"];
/** Kinds of message that can carry a text of their own. */
const CAPTIONED = new Set(["image", "video", "document"]);

/**
 * @param {{ type: string, size: number }} file
 * @param {typeof LIMITS} [limits]
 * @returns {{ ways: string[], refused: string|null, notice: string|null }} as which types of message it can go, the
 *  usual one first; `refused` says why it can't at all, `notice` why it goes as a document only
 */
export function waysOf(file, { files: limits } = LIMITS) {
    if (file.size === 0) {
        return { ways: [], refused: _t("This file is empty."), notice: null };
    }
    const kinds = PREFERRED.filter((kind) => takes(kind, limits, file));
    const ways = kinds.filter((kind) => file.size <= limits[kind].size);
    if (!ways.length) {
        const reason = kinds.length
            ? _t("Too large: WhatsApp takes up to %s.", sizeLabel(limits.document.size))
            : _t("WhatsApp does not take files of the type %s.", bareMime(file).split("/").pop());
        return { ways, refused: reason, notice: null };
    }
    return { ways, refused: null, notice: ways[0] === "document" ? noticeOf(file, limits) : null };
}

/** Why a picture, video or sound goes as a document. */
function noticeOf(file, limits) {
    const [kind, format] = bareMime(file).split("/");
    if (!["image", "video", "audio"].includes(kind)) {
        return null;
    }
    if (limits[kind].mimes.includes(bareMime(file))) {
        const limit = sizeLabel(limits[kind].size);
        return _t("Over %(limit)s, WhatsApp's limit for this kind. Goes as a document.", { limit });
    }
    return _t("WhatsApp does not show the format %s. Goes as a document.", format.toUpperCase());
}

/** What the browser has no type for may be a document: the chat API knows more by its name. */
function takes(kind, limits, file) {
    const mime = bareMime(file);
    return limits[kind].mimes.includes(mime) || (kind === "document" && UNTOLD.has(mime));
}

/** @returns {string} the MIME type without its parameters */
function bareMime({ type }) {
    return type.split(";")[0].trim().toLowerCase();
}

export function takesCaption(type) {
    return CAPTIONED.has(type);
}

/** @returns {string} bytes as people read them, in their language: "1.2 MB" */
export function sizeLabel(bytes) {
    const [unit, size] = bytes < MB ? ["kilobyte", bytes / KB] : ["megabyte", bytes / MB];
    const format = { style: "unit", unit, maximumFractionDigits: size < 10 ? 1 : 0 };
    return new Intl.NumberFormat(luxon.Settings.defaultLocale || undefined, format).format(size);
}
