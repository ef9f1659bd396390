/** A floating button that opens a WhatsApp chat, for any web page. No cookies, no requests, no dependencies. */
(function () {
    "use strict";
    const given = document.currentScript.dataset;
    if (!/^https?:\/\//.test(given.link || "")) {
        console.warn("Leadline button: data-link must be the address of a link.");
        return;
    }
    const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

    /** Whether somebody is there now; null when no hours are given. `hours`: "Mo-Fr 09:00-18:00, Sa 10:00-14:00". */
    function isOpen(hours, timeZone) {
        if (!hours) {
            return null;
        }
        const format = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone };
        const now = {};
        try {
            for (const { type, value } of new Intl.DateTimeFormat("en-GB", format).formatToParts(new Date())) {
                now[type] = value;
            }
        } catch {
            console.warn(`Leadline button: no browser knows the time zone ${timeZone}.`);
            return null;
        }
        const today = DAYS.indexOf(now.weekday.slice(0, 2));
        const time = `${now.hour}:${now.minute}`;
        return hours.split(",").some((part) => {
            const [, first, last, from, to] =
                /^\s*(\w\w)(?:-(\w\w))?\s+(\d\d:\d\d)-(\d\d:\d\d)\s*$/.exec(part) || [];
            const start = DAYS.indexOf(first);
            const end = DAYS.indexOf(last || first);
            const isDay = start <= end ? start <= today && today <= end : today >= start || today <= end;
            return start >= 0 && isDay && from <= time && time < to;
        });
    }

    function show() {
        const open = isOpen(given.hours, given.timezone || undefined);
        const text = given.text || "Chat on WhatsApp";
        const presence = open === null ? "" : open ? given.open || "We are here" : given.closed || "We answer later";
        const address = new URL(given.link);
        address.searchParams.set("page", document.title.slice(0, 100));

        const host = document.createElement("div");
        const root = host.attachShadow({ mode: "open" });
        const style = document.createElement("style");
        style.textContent = `
            a { position: fixed; bottom: 20px; ${given.side === "left" ? "left" : "right"}: 20px; z-index: 2147483000;
                display: flex; align-items: center; gap: 10px; min-height: 48px; box-sizing: border-box;
                padding: 8px 18px; border-radius: 28px; background: #0b6b52; color: #fff; text-decoration: none;
                font: 600 16px/1.3 system-ui, sans-serif; box-shadow: 0 2px 10px rgb(0 0 0 / 30%); }
            a:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #0b6b52; }
            a:hover { background: #085040; }
            svg { flex: none; width: 24px; height: 24px; fill: currentColor; }
            small { display: block; font-weight: 400; font-size: 13px; }
            @media print { a { display: none; } }`;
        const link = document.createElement("a");
        link.href = address.href;
        link.target = "_blank";
        link.rel = "noopener noreferrer";
        link.innerHTML =
            '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z"/></svg><span></span>';
        const words = link.querySelector("span");
        words.textContent = text;
        if (presence) {
            const line = document.createElement("small");
            line.textContent = presence;
            words.append(line);
        }
        root.append(style, link);
        document.body.append(host);
    }

    if (document.body && document.readyState !== "loading") {
        show();
    } else {
        document.addEventListener("DOMContentLoaded", show);
    }
})();
