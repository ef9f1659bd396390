/** Choose an emoji to react with, or take the one that stands away. */
import { EmojiPicker } from "@web/core/emoji_picker/emoji_picker";
import { _t } from "@web/core/l10n/translation";
import { Component, useState } from "@odoo/owl";

/** What WhatsApp's own apps offer first. */
const USUAL = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

export class ReactionPicker extends Component {
    static template = "leadline.ReactionPicker";
    static components = { EmojiPicker };
    static props = {
        /** The emoji that stands; null without. */
        chosen: { type: [String, { value: null }] },
        /** (emoji) "" takes it away */
        onChoose: Function,
        /** Closes the popover. */
        close: Function,
    };

    setup() {
        this.state = useState({ all: false });
    }

    /** One that was chosen among all is shown among the usual ones, so that it can be taken away. */
    get offered() {
        const { chosen } = this.props;
        return chosen && !USUAL.includes(chosen) ? [chosen, ...USUAL] : USUAL;
    }

    labelOf(emoji) {
        return emoji === this.props.chosen ? _t("Remove %s", emoji) : _t("React with %s", emoji);
    }

    choose(emoji) {
        this.props.close();
        this.props.onChoose(emoji === this.props.chosen ? "" : emoji);
    }
}
