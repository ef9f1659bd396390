/** The counter in the menu bar: conversations with something unread that are the user's, or nobody's yet. */
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Component, useState } from "@odoo/owl";

const ACTION = "leadline.leadline_conversation_action";

export class InboxMenu extends Component {
    static template = "leadline.InboxMenu";
    static components = { Dropdown, DropdownItem };
    static props = [];

    setup() {
        this.inbox = useService("leadline.inbox");
        this.action = useService("action");
        this.state = useState(this.inbox.state);
    }

    get count() {
        return this.state.mine + this.state.unassigned;
    }

    get label() {
        return this.count ? _t("WhatsApp: %s with unread messages", this.count) : _t("WhatsApp: nothing unread");
    }

    /** @param {string[]} filters of the inbox's search view */
    open(filters) {
        const additionalContext = { search_default_current: 0 };
        for (const filter of filters) {
            additionalContext[`search_default_${filter}`] = 1;
        }
        return this.action.doAction(ACTION, { additionalContext, clearBreadcrumbs: true });
    }

    onToggleAlerts() {
        return this.inbox.setAlerts(!this.state.alerts);
    }
}

registry.category("systray").add("leadline.inbox_menu", { Component: InboxMenu }, { sequence: 24 });
