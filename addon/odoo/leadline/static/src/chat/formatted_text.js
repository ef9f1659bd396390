/** Text with WhatsApp's formatting, shown without making markup of it. */
import { Component } from "@odoo/owl";
import { isBigEmoji, parse } from "./formatting";

export class FormattedText extends Component {
    static template = "leadline.FormattedText";
    static props = { text: String };

    get tree() {
        return parse(this.props.text);
    }

    get isBigEmoji() {
        return isBigEmoji(this.props.text);
    }
}
