/** Pictures of a conversation, large, one after the other: Odoo's file viewer for files that are not Odoo's. */
import { FileViewer } from "@web/core/file_viewer/file_viewer";
import { registry } from "@web/core/registry";
import { onWillDestroy } from "@odoo/owl";
import { fileTypeOf } from "./message_body";

const viewers = registry.category("main_components");
let opened = 0;

/** A browser ignores `download` for another host's file and would leave Odoo: its links open a new page. */
export class PictureViewer extends FileViewer {
    static template = "leadline.PictureViewer";
}

/**
 * @returns {(messages: import("./timeline").Message[], id: string,
 *  address: (message: import("./timeline").Message) => string|null) => void} shows the picture of message `id`
 *  among those of `messages`; `address` is asked when the viewer turns to a picture
 */
export function usePictureViewer() {
    const key = `leadline.picture_viewer.${opened++}`;
    const close = () => viewers.remove(key);
    onWillDestroy(close);
    return (messages, id, address) => {
        close();
        viewers.add(key, {
            Component: PictureViewer,
            props: {
                files: messages.map((message) => viewable(message, address)),
                startIndex: messages.findIndex((message) => message.id === id),
                close,
            },
        });
    };
}

function viewable(message, address) {
    return {
        name: message.media.name || "",
        mimetype: message.media.mime,
        isImage: true,
        isViewable: true,
        get defaultSource() {
            return address(message);
        },
        get downloadUrl() {
            return address(message);
        },
    };
}

export function isPicture(message) {
    return ["image", "sticker"].includes(fileTypeOf(message)) && message.media?.state === "stored";
}
