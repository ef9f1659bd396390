/**
 * A message's file, saved with the card as one of its attachments.
 *
 * The browser fetches it from where it is shown and brings it to Odoo. So Odoo's server fetches no address that it
 * was given, and need not reach the place where the files lie.
 */
import { browser } from "@web/core/browser/browser";
import { serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { DEFAULT_MAX_FILE_SIZE } from "@web/core/utils/files";
import { session } from "@web/session";
import { Refused, Unreachable } from "./api";
import { sizeLabel } from "./attachment";
import { labelOf } from "./message_body";
import { timeOf } from "./timeline";

/**
 * @param {Object} message of the chat API, with a stored file
 * @param {Object} where
 * @param {string} where.url of the file
 * @param {{ resModel: string, resId: number }} where.card
 * @param {string} where.conversation id
 * @returns {Promise<{ id: number, name: string, store: Object }>} the attachment, and what Odoo's chatter shows of it.
 *  Saving it once more answers the same one. Rejects with `Refused` or `Unreachable`
 */
export async function saveFile(message, { url, card, conversation }) {
    const limit = session.max_file_upload_size || DEFAULT_MAX_FILE_SIZE;
    if (message.media.size > limit) {
        const detail = _t("This Odoo takes files of up to %s. Download the file instead.", sizeLabel(limit));
        throw new Refused({ status: 413, detail });
    }
    const fetched = await reached(() => browser.fetch(url, { credentials: "omit", cache: "no-store" }));
    if (!fetched.ok) {
        throw new Unreachable(`HTTP ${fetched.status}`);
    }
    const bytes = await reached(() => fetched.blob());
    const form = new FormData();
    form.append("csrf_token", odoo.csrf_token);
    form.append("res_model", card.resModel);
    form.append("res_id", card.resId);
    form.append("conversation", conversation);
    form.append("message", message.id);
    form.append("ufile", new File([bytes], nameOf(message), { type: message.media.mime || bytes.type }));
    const response = await reached(() => browser.fetch("/leadline/file", { method: "POST", body: form }));
    // Somebody who was logged out gets a page, and a proxy's limit is told by one.
    const answer = await response.json().catch(() => ({}));
    if (!answer.id) {
        const detail = answer.error || _t("Odoo did not take the file (%s). Reload the page and try again.", response.status);
        throw new Refused({ status: response.status, detail });
    }
    return answer;
}

async function reached(request) {
    try {
        return await request();
    } catch (error) {
        throw new Unreachable(error.message);
    }
}

/** What the customer called it, else what it is and when it came. Odoo adds the ending where there is none. */
function nameOf(message) {
    const { media, document } = message;
    const time = serializeDateTime(timeOf(message)).replaceAll(":", "-");
    return document?.filename || media.name || `${labelOf(message.type)} ${time}`;
}
