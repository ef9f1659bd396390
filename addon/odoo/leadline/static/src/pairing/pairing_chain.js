/**
 * The chain from a customer's phone to this Odoo, link by link: `<widget name="leadline_pairing_chain"/>`.
 *
 * Odoo says how its two ways to and from the service fare; whether this browser reaches the service, only it can say.
 */
import { loadJS } from "@web/core/assets";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { Component, onWillDestroy, onWillStart, useState } from "@odoo/owl";

const MODEL = "leadline.pairing";
const EVERY_MS = 2500;
const BROWSER_MS = 10000;
const CODE_SIZE = 168;

const SIGNS = {
    ok: { icon: "fa-check-circle", color: "text-success", label: _t("Works") },
    wait: { icon: "fa-circle-o-notch fa-spin", color: "text-muted", label: _t("Checking") },
    warn: { icon: "fa-exclamation-circle", color: "text-warning", label: _t("Works, with a limit") },
    bad: { icon: "fa-times-circle", color: "text-danger", label: _t("Broken") },
};

export class PairingChain extends Component {
    static template = "leadline.PairingChain";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.signs = SIGNS;
        this.state = useState({ chain: null, browser: null, line: null, lost: false, draws: false });
        this.timer = null;
        this.gone = false;
        onWillStart(() => {
            this.look();
            this.loadCodes();
        });
        onWillDestroy(() => {
            this.gone = true;
            clearTimeout(this.timer);
        });
    }

    get resId() {
        return this.props.record.resId;
    }

    /** The links in the order of a message: out to the service, back to Odoo, and to who reads it. */
    get links() {
        const chain = this.state.chain || {};
        const waiting = { state: "wait", text: "" };
        return [
            { name: "service", title: _t("Odoo to the service"), ...(chain.service || waiting) },
            { name: "odoo", title: _t("The service to Odoo"), ...(chain.odoo || waiting) },
            { name: "browser", title: _t("This browser to the service"), ...(this.state.browser || waiting) },
            { name: "lines", title: _t("WhatsApp lines"), ...(this.linesLink || waiting) },
        ].slice(0, chain.service?.state === "bad" ? 1 : 4);
    }

    get linesLink() {
        const lines = this.state.chain?.lines;
        if (!lines) {
            return null;
        }
        if (!lines.length) {
            return {
                state: "bad",
                text: _t("No WhatsApp number leads to this connection yet."),
                mend: _t("On the service: leadline connect odoo --line ID. What you add there appears here."),
            };
        }
        return { state: "ok", text: lines.map((line) => `${line.name} ${line.number}`.trim()).join(", ") };
    }

    get line() {
        const lines = this.state.chain?.lines || [];
        return lines.find((line) => line.id === this.state.line) || lines[0];
    }

    /** The line's link as a code, once there is what draws it. */
    get qrCode() {
        if (!this.state.draws) {
            return "";
        }
        const { BrowserQRCodeSvgWriter, EncodeHintType } = window.ZXing;
        const hints = new Map([[EncodeHintType.ERROR_CORRECTION, "M"]]);
        const drawn = new BrowserQRCodeSvgWriter().write(this.line.link, CODE_SIZE, CODE_SIZE, hints);
        return `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(drawn))}`;
    }

    get existingText() {
        const existing = this.state.chain?.existing;
        if (!existing || (existing.done && !existing.count)) {
            return "";
        }
        return existing.done
            ? _t("Conversations in Odoo: %s", existing.count)
            : _t("Fetching the conversations that are there already … %s", existing.count);
    }

    get wroteText() {
        return _t("%s has written. It works.", this.state.chain.message.name);
    }

    async loadCodes() {
        try {
            await loadJS("/web/static/lib/zxing-library/zxing-library.js");
            this.state.draws = true;
        } catch {
            // The link beside the code does the same.
        }
    }

    async look() {
        clearTimeout(this.timer);
        try {
            const chain = this.resId && (await this.orm.silent.call(MODEL, "chain", [this.resId]));
            if (this.gone) {
                return;
            }
            this.state.lost = false;
            this.state.chain = chain || null;
            if (chain?.chat_url) {
                this.tryBrowser(chain.chat_url);
            }
        } catch {
            // Odoo itself is away, or the wizard's record was cleaned up after a day: the links stay as they were.
            this.state.lost = true;
        }
        if (!this.gone) {
            // Whoever pressed "try again" has begun a second round beside this one.
            clearTimeout(this.timer);
            this.timer = setTimeout(() => this.look(), EVERY_MS);
        }
    }

    async tryBrowser(url) {
        if (this.state.browser) {
            return;
        }
        this.state.browser = { state: "wait", text: _t("Trying …") };
        try {
            const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(BROWSER_MS) });
            const { status } = await answer.json();
            if (status !== "ok") {
                throw new Error(status);
            }
            this.state.browser = { state: "ok", text: _t("Agents read and write through %s.", url) };
        } catch {
            const mixed = window.location.protocol === "https:" && url.startsWith("http:");
            this.state.browser = {
                state: "bad",
                text: _t("This browser does not reach the service at %s. Agents could not read chats.", url),
                mend: mixed
                    ? _t("Odoo is on https, so the service must be too: browsers let nothing else through.")
                    : _t("Check whether the address is known and allowed in your agents' network."),
            };
        }
    }

    async tryAgain() {
        this.state.browser = null;
        await this.orm.call(MODEL, "check_again", [this.resId]);
        await this.look();
    }

    openMessage() {
        const { model, id } = this.state.chain.message;
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
            target: "current",
        });
    }
}

registry.category("view_widgets").add("leadline_pairing_chain", { component: PairingChain });
