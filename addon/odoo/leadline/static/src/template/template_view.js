/** A template as the customer sees it: in the picker while it is filled in, and in the chat once it was sent. */
import { Component } from "@odoo/owl";
import { FormattedText } from "../chat/formatted_text";
import { parse } from "../chat/formatting";
import { withMissing } from "./template";

const BUTTON_ICONS = {
    url: "fa-external-link",
    phone_number: "fa-phone",
    copy_code: "fa-copy",
    quick_reply: "fa-reply",
};
const MEDIA_ICONS = {
    image: "fa-picture-o",
    video: "fa-video-camera",
    document: "fa-file-o",
    location: "fa-map-marker",
};

/** Text in which the values that are still missing stand out. */
export class TemplateText extends FormattedText {
    get tree() {
        return withMissing(parse(this.props.text));
    }

    get isBigEmoji() {
        return false;
    }
}

export class TemplateView extends Component {
    static template = "leadline.TemplateView";
    static components = { TemplateText };
    static props = {
        /** {header: {type, text}|null, body, footer, buttons, media, place}, the latter two in a preview only */
        template: Object,
    };

    get buttons() {
        return (this.props.template.buttons || []).map((button) => ({
            ...button,
            icon: BUTTON_ICONS[button.type?.toLowerCase()] || "fa-hand-pointer-o",
        }));
    }

    /** What stands for a header that carries a file or a place. */
    get attachment() {
        const { header, media, place } = this.props.template;
        const icon = MEDIA_ICONS[header?.type];
        if (!icon) {
            return null;
        }
        return {
            icon,
            picture: header.type === "image" ? media?.preview : null,
            name: media?.name || place?.name || "",
            missing: !media && !place,
        };
    }
}
