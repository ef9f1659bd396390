/**
 * The tab on a real card in a real Odoo, which names the conversations and gives the grants. Only the chat API is
 * played here, since no service runs beside Odoo's own tests.
 *
 * Start it on a lead with one conversation; the conversation's name stands in the tab's head.
 */
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { LIMITS } from "@leadline/chat/attachment";

const messages = [];

function say(direction, text, given = {}) {
    const serial = messages.length + 1;
    messages.push({
        id: `m${serial}`,
        version: serial,
        sort: String(serial).padStart(8, "0"),
        at: new Date().toISOString(),
        direction,
        type: "text",
        text: { body: text },
        status: direction === "in" ? "received" : "queued",
        statuses: {},
        author: { kind: direction === "in" ? "customer" : "agent", id: "1", name: "Ada" },
        client_id: null,
        reactions: [],
        media: null,
        ...given,
    });
    return messages.at(-1);
}

function answer(method, path, body) {
    if (path.endsWith("/messages")) {
        if (method === "POST") {
            return say("out", body.text.body, { client_id: body.client_id });
        }
        return { items: messages, next: null, cursor: String(messages.length) };
    }
    if (path.endsWith("/read")) {
        return { read: messages.length, unread: 0 };
    }
    if (path.endsWith("/limits")) {
        return LIMITS;
    }
    const until = new Date(Date.now() + 3600000).toISOString();
    return { contact: { name: "Ada" }, window: { open: true, until }, unread: 0, owner: null };
}

function playChatApi() {
    const { fetch } = browser;
    browser.fetch = async (url, init = {}) => {
        const { pathname } = new URL(url, browser.location.origin);
        if (!pathname.includes("/chat/v1/")) {
            return fetch(url, init);
        }
        if (!init.headers.Authorization.startsWith("Bearer ey")) {
            throw new Error("The tab came without a grant");
        }
        const given = answer(init.method, pathname, init.body && JSON.parse(init.body));
        return new Response(JSON.stringify(given), { status: 200 });
    };
}

registry.category("web_tour.tours").add("leadline_chat_tour", {
    steps: () => [
        {
            content: "before the tab opens there is a message",
            trigger: ".o_form_view .o_notebook",
            run() {
                playChatApi();
                say("in", "Is it in stock?");
            },
        },
        {
            content: "leave the tab, whichever page was first",
            trigger: ".o_notebook .nav-link[name=internal_notes]",
            run: "click",
        },
        {
            content: "open the tab",
            trigger: ".o_notebook .nav-link[name=leadline_chat]",
            run: "click",
        },
        {
            content: "the customer's message is there",
            trigger: ".o_leadline_message[data-direction=in] .o_leadline_body:contains(Is it in stock?)",
        },
        {
            content: "answer",
            trigger: "textarea.o_leadline_input",
            run: "edit Yes, both colours",
        },
        {
            content: "send",
            trigger: ".o_leadline_send:enabled",
            run: "click",
        },
        {
            content: "the API has it, and the composer is empty",
            trigger: ".o_leadline_message[data-message-id=m2][data-status=queued] .o_leadline_body:contains(Yes, both colours)",
        },
        {
            content: "begin another message",
            trigger: "textarea.o_leadline_input:value()",
            run: "edit half a tho",
        },
        {
            content: "leave the tab",
            trigger: ".o_notebook .nav-link[name=internal_notes]",
            run: "click",
        },
        {
            content: "come back",
            trigger: ".o_notebook:not(:has(.o_leadline_chat)) .nav-link[name=leadline_chat]",
            run: "click",
        },
        {
            content: "the draft is still there, and so is what was said",
            trigger: "textarea.o_leadline_input:value(half a tho)",
        },
        {
            trigger: ".o_leadline_message[data-message-id=m2]",
        },
        {
            content: "throw the draft away",
            trigger: "textarea.o_leadline_input",
            run: "clear",
        },
    ],
});
