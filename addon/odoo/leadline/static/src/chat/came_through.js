/** Through which of the business's links a message came, in place of the code in its text. */
import { Component } from "@odoo/owl";

export class CameThrough extends Component {
    static template = "leadline.CameThrough";
    static props = { link: Object };

    get label() {
        const { label, reference } = this.props.link;
        return String(label || reference || "");
    }
}
