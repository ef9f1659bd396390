/** What WhatsApp takes as a file, and as which kind of message. */
import { _t } from "@web/core/l10n/translation";

const MB = 1024 * 1024;

/** Cloud API, "Supported media types" and their sizes in bytes. */
const KINDS = [
    { type: "image", mimes: ["image/jpeg", "image/png"], size: 5 * MB },
    { type: "video", mimes: ["video/mp4", "video/3gpp"], size: 16 * MB },
    {
        type: "audio",
        mimes: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
        size: 16 * MB,
    },
];
const DOCUMENT = 100 * MB;
/** Kinds of message that can carry a text of their own. */
const CAPTIONED = new Set(["image", "video", "document"]);

/**
 * @param {{ type: string, size: number }} file
 * @returns {{ type: string, refused: string|null }} message type; `refused` says why it can't be sent
 */
export function kindOf(file) {
    const kind = KINDS.find(({ mimes, size }) => mimes.includes(file.type) && file.size <= size);
    if (kind) {
        return { type: kind.type, refused: null };
    }
    // Anything else, and what is too large for its kind, still goes as a document.
    const refused =
        file.size > DOCUMENT
            ? _t("Too large: WhatsApp takes up to %s.", sizeLabel(DOCUMENT))
            : file.size === 0
              ? _t("This file is empty.")
              : null;
    return { type: "document", refused };
}

export function takesCaption(type) {
    return CAPTIONED.has(type);
}

/** @returns {string} bytes as people read them, in their language: "1.2 MB" */
export function sizeLabel(bytes) {
    const [unit, size] = bytes < MB ? ["kilobyte", bytes / 1024] : ["megabyte", bytes / MB];
    const format = { style: "unit", unit, maximumFractionDigits: size < 10 ? 1 : 0 };
    return new Intl.NumberFormat(luxon.Settings.defaultLocale || undefined, format).format(size);
}
