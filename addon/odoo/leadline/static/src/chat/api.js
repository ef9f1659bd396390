/**
 * The client of the chat API: one conversation, one short-lived grant.
 *
 * Every request either answers, or throws one of two errors whose type says what to do next:
 * `Refused` (asking again the same way changes nothing: tell the agent) or `Unreachable` (ask again later).
 */
import { browser } from "@web/core/browser/browser";
import { RPCError } from "@web/core/network/rpc";
import { inOurWords, problemInOurWords } from "./service_words";

/** Longest life of a grant, in seconds (the API refuses longer ones). */
const GRANT_LIFE = 300;
/** A grant this close to its end (s) is renewed before it is used. */
const GRANT_MARGIN = 30;
/** After this time (ms) without an answer a request counts as lost. */
const PATIENCE = 20000;
/** HTTP answers that time cures. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The API's "no". `code` is stable, `message` is a sentence a person can act on. */
export class Refused extends Error {
    /**
     * @param {{ status: number, code?: string, title?: string, detail?: string,
     *  errors?: { field: string, message: string }[] }} problem
     */
    constructor(problem) {
        const { status, code = "", errors = [] } = problem;
        super(problemInOurWords(problem) || `HTTP ${status}`);
        this.name = "Refused";
        this.status = status;
        this.code = code;
        this.errors = errors.map(({ field, message }) => ({ field, message: inOurWords(message) }));
    }
}

/** No answer, or one that says "later". */
export class Unreachable extends Error {
    constructor(reason) {
        super(reason);
        this.name = "Unreachable";
    }
}

export class ChatApi {
    /**
     * @param {Object} params
     * @param {string} params.url base of the chat API, e.g. "https://chat.example.com/chat"
     * @param {string} params.conversation id
     * @param {() => Promise<{ token: string, expires: number, now: number }>} params.grant asks Odoo for a grant;
     *  `expires` and the server's `now` in epoch seconds
     */
    constructor({ url, conversation, grant }) {
        this.base = url.replace(/\/+$/, "");
        this.path = `/v1/conversations/${encodeURIComponent(conversation)}`;
        this.conversationId = conversation;
        this.askGrant = grant;
        /** @type {{ token: string, until: number } | null} `until` in ms of this browser's clock */
        this.granted = null;
        this.granting = null;
        /** How far (ms) the server's clock is ahead of this browser's. */
        this.skew = 0;
    }

    /** Contact, line, window, unread and owner of the conversation. */
    conversation() {
        return this.request("GET", this.path);
    }

    /**
     * One page of messages, oldest first.
     *
     * @param {{ before?: string, after?: string, limit?: number }} [where] without either cursor: the newest
     * @returns {Promise<{ items: Object[], next: string | null, cursor: string }>}
     */
    messages({ before, after, limit } = {}) {
        const query = new URLSearchParams();
        for (const [key, value] of Object.entries({ limit, before, after })) {
            if (value !== undefined && value !== null) {
                query.set(key, value);
            }
        }
        return this.request("GET", `${this.path}/messages${query.size ? `?${query}` : ""}`);
    }

    /**
     * One page of the line's templates.
     *
     * @param {string|null} after
     * @returns {Promise<{ items: Object[], next: string|null }>}
     */
    templates(after) {
        const query = new URLSearchParams({ limit: 100, ...(after ? { after } : {}) });
        return this.request("GET", `/v1/templates?${query}`);
    }

    /** @param {Object} body Graph's message shape with `client_id` */
    send(body) {
        return this.request("POST", `${this.path}/messages`, body);
    }

    /** @param {{ client_id: string, body: string }} note */
    note(note) {
        return this.request("POST", `${this.path}/notes`, note);
    }

    /** @param {string} message id of the newest message the agent was shown */
    read(message) {
        return this.request("POST", `${this.path}/read`, { message });
    }

    /** The customer's phone shows that an answer is being written; marks the last message as read, too. */
    typing() {
        return this.request("POST", `${this.path}/typing`);
    }

    /**
     * Decide about a message of which nobody knows whether it was sent, or which failed.
     *
     * @param {string} message id
     * @param {{ as: "let_be" } | { as: "send_again", client_id: string }} decision
     * @returns {Promise<Object>} the message as it stands now, or the new one that goes in its place
     */
    settle(message, decision) {
        return this.request("POST", `${this.path}/messages/${encodeURIComponent(message)}/settle`, decision);
    }

    /** @param {string} message id of one whose file could not be fetched from WhatsApp: try once more */
    fetchFile(message) {
        return this.request("POST", `${this.path}/messages/${encodeURIComponent(message)}/fetch`);
    }

    /** What WhatsApp takes, in the shape of `LIMITS`. */
    limits() {
        return this.request("GET", "/v1/limits");
    }

    /**
     * Put a file where messages can name it.
     *
     * @param {File} file
     * @param {{ onProgress?: (share: number) => void, signal?: AbortSignal }} [options] share from 0 to 1
     * @returns {Promise<string>} media id
     */
    async upload(file, { onProgress, signal } = {}) {
        const { id, upload } = await this.request("POST", "/v1/media", {
            conversation: this.conversationId,
            filename: file.name,
            mime: file.type || "application/octet-stream",
            size: file.size,
        });
        await putFile(upload, file, { base: this.base, onProgress, signal });
        return id;
    }

    /**
     * @param {string} method
     * @param {string} path below the base
     * @param {Object} [body] sent as JSON
     * @returns {Promise<any>} the JSON answer
     * @throws {Refused | Unreachable}
     */
    async request(method, path, body) {
        let response = await this.fetch(method, path, body, await this.token());
        if (response.status === 401) {
            this.granted = null;
            response = await this.fetch(method, path, body, await this.token());
        }
        const text = await response.text().catch(() => null);
        if (text === null) {
            throw new Unreachable("answer broke off");
        }
        if (!response.ok) {
            throw failure(response.status, parsed(text));
        }
        const answer = parsed(text);
        if (answer === null) {
            // A captive portal or a proxy's page is not the API.
            throw new Unreachable("answer is not JSON");
        }
        return answer;
    }

    async fetch(method, path, body, token) {
        const patience = new AbortController();
        const timer = browser.setTimeout(() => patience.abort(), PATIENCE);
        try {
            return await browser.fetch(`${this.base}${path}`, {
                method,
                headers: {
                    Authorization: `Bearer ${token}`,
                    ...(body ? { "Content-Type": "application/json" } : {}),
                },
                body: body && JSON.stringify(body),
                credentials: "omit",
                cache: "no-store",
                signal: patience.signal,
            });
        } catch (error) {
            throw new Unreachable(error.message);
        } finally {
            browser.clearTimeout(timer);
        }
    }

    /** A grant that still lives; several requests at once wait for the same one. */
    async token() {
        if (this.granted && Date.now() < this.granted.until) {
            return this.granted.token;
        }
        this.granting ??= this.renew().finally(() => (this.granting = null));
        return this.granting;
    }

    async renew() {
        let grant;
        try {
            grant = await this.askGrant();
        } catch (error) {
            if (error instanceof RPCError) {
                throw new Refused({ status: 403, code: "no_grant", detail: error.data?.message });
            }
            throw new Unreachable(error.message);
        }
        // A browser's clock may be wrong; the server's tells when the window closes, too.
        this.skew = grant.now ? grant.now * 1000 - Date.now() : 0;
        // A life no grant can have is replaced by the longest one, and a grant that is over before we think so
        // costs one 401.
        let life = grant.expires - (Date.now() + this.skew) / 1000;
        if (life <= GRANT_MARGIN || life > GRANT_LIFE) {
            life = GRANT_LIFE;
        }
        this.granted = { token: grant.token, until: Date.now() + (life - GRANT_MARGIN) * 1000 };
        return grant.token;
    }
}

/**
 * Put a file where the API says. XMLHttpRequest, since fetch tells nothing about the progress of an upload.
 *
 * @param {{ method: string, url: string, headers: Object }} target as the API answers
 * @param {File} file
 * @param {{ base?: string, onProgress?: (share: number) => void, signal?: AbortSignal }} [options]
 */
export function putFile({ method, url, headers }, file, { base = browser.location.origin, onProgress, signal } = {}) {
    return new Promise((resolve, reject) => {
        if (signal?.aborted) {
            // Stopped while we still asked where to put it.
            reject(new Unreachable("upload stopped"));
            return;
        }
        const request = new browser.XMLHttpRequest();
        request.open(method, new URL(url, `${base}/`).href);
        for (const [name, value] of Object.entries(headers || {})) {
            request.setRequestHeader(name, value);
        }
        request.upload.addEventListener("progress", (ev) => {
            if (ev.lengthComputable) {
                onProgress?.(ev.loaded / ev.total);
            }
        });
        request.addEventListener("load", () => {
            if (request.status < 300) {
                resolve();
            } else {
                reject(failure(request.status, parsed(request.responseText)));
            }
        });
        request.addEventListener("error", () => reject(new Unreachable("upload broke off")));
        request.addEventListener("abort", () => reject(new Unreachable("upload stopped")));
        signal?.addEventListener("abort", () => request.abort());
        request.send(file);
    });
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null; // said by the caller: an error page, a proxy's answer
    }
}

function failure(status, problem) {
    if (PASSING.has(status)) {
        return new Unreachable(`HTTP ${status}`);
    }
    return new Refused({ ...problem, status });
}
