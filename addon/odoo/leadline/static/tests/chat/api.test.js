import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { Deferred, advanceTime, mockDate, tick } from "@odoo/hoot";
import { allowTranslations, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { RPCError } from "@web/core/network/rpc";
import { ChatApi, Refused, Unreachable } from "@leadline/chat/api";

describe.current.tags("headless");

const NOW = Date.UTC(2026, 10, 20, 10) / 1000;

/** @type {{ method: string, url: string, token: string, body: any }[]} */
let calls;
let grants;
let answer;

function json(value, status = 200) {
    return new Response(JSON.stringify(value), { status });
}

function problem(status, code, detail) {
    return json({ type: "about:blank", title: code, status, detail, code }, status);
}

function api(grant) {
    return new ChatApi({
        url: "https://chat.test/chat/",
        conversation: "conv1",
        grant: grant || (async () => ({ token: `token${++grants}`, expires: Date.now() / 1000 + 300 })),
    });
}

beforeEach(() => {
    allowTranslations();
    mockDate("2026-11-20 10:00:00");
    calls = [];
    grants = 0;
    answer = () => json({ ok: true });
    patchWithCleanup(browser, {
        async fetch(url, { method, headers, body }) {
            const call = {
                method,
                url,
                token: headers.Authorization.replace("Bearer ", ""),
                body: body && JSON.parse(body),
            };
            calls.push(call);
            return answer(call);
        },
    });
});

async function failure(promise) {
    return promise.then(
        () => null,
        (error) => error
    );
}

describe("grant", () => {
    test("one grant serves until shortly before its end, then it is renewed", async () => {
        const chat = api();
        await chat.conversation();
        await advanceTime(200 * 1000);
        await chat.conversation();
        expect(grants).toBe(1);
        await advanceTime(75 * 1000);
        await chat.conversation();
        expect(grants).toBe(2);
        expect(calls.map(({ token }) => token)).toEqual(["token1", "token1", "token2"]);
    });

    test("requests at the same time wait for the same grant", async () => {
        const chat = api();
        await Promise.all([chat.conversation(), chat.messages(), chat.messages({ before: "x" })]);
        expect(grants).toBe(1);
    });

    test("on 401 the grant is renewed once and the request repeated", async () => {
        const chat = api();
        answer = ({ token }) => (token === "token1" ? problem(401, "grant_expired") : json({ id: "conv1" }));
        expect(await chat.conversation()).toEqual({ id: "conv1" });
        expect(calls.map(({ token }) => token)).toEqual(["token1", "token2"]);
    });

    test("a second 401 is the answer", async () => {
        answer = () => problem(401, "grant_invalid", "This grant is not valid.");
        const error = await failure(api().conversation());
        expect(error).toBeInstanceOf(Refused);
        expect(error.status).toBe(401);
        expect(error.message).toBe("This grant is not valid.");
        expect(calls).toHaveLength(2);
    });

    test("Odoo's no is the agent's to read, its silence is not", async () => {
        const denied = Object.assign(new RPCError(), { data: { message: "You may not read this lead." } });
        const error = await failure(api(() => Promise.reject(denied)).conversation());
        expect(error).toBeInstanceOf(Refused);
        expect(error.message).toBe("You may not read this lead.");
        const lost = await failure(api(() => Promise.reject(new Error("connection lost"))).conversation());
        expect(lost).toBeInstanceOf(Unreachable);
        expect(calls).toHaveLength(0);
    });

    test("a browser's wrong clock costs at most a renewal", async () => {
        for (const expires of [NOW - 3600, NOW + 7200]) {
            grants = 0;
            const chat = api(async () => ({ token: `token${++grants}`, expires }));
            await chat.conversation();
            await chat.conversation();
            expect(grants).toBe(1);
        }
    });

    test("after a failed grant the next request asks anew", async () => {
        let fails = true;
        const chat = api(async () => {
            if (fails) {
                throw new Error("connection lost");
            }
            return { token: "late", expires: NOW + 300 };
        });
        await failure(chat.conversation());
        fails = false;
        expect(await chat.conversation()).toEqual({ ok: true });
    });
});

describe("answers", () => {
    test("the type of the error says whether to ask again", async () => {
        const verdicts = {
            400: Refused,
            403: Refused,
            404: Refused,
            408: Unreachable,
            409: Refused,
            422: Refused,
            429: Unreachable,
            500: Unreachable,
            502: Unreachable,
            503: Unreachable,
        };
        for (const [status, type] of Object.entries(verdicts)) {
            answer = () => problem(Number(status), "code", "Sentence.");
            expect(await failure(api().conversation())).toBeInstanceOf(type, { message: status });
        }
    });

    test("a problem's code and sentence are kept", async () => {
        answer = () => problem(422, "window_closed", "Free text is closed.");
        const error = await failure(api().send({}));
        expect([error.status, error.code, error.message]).toEqual([422, "window_closed", "Free text is closed."]);
    });

    test("an error without a problem document still says something", async () => {
        answer = () => new Response("<html>Forbidden</html>", { status: 403 });
        expect((await failure(api().conversation())).message).toBe("HTTP 403");
    });

    test("no network, and an answer that is not the API's, mean: later", async () => {
        answer = () => {
            throw new TypeError("Failed to fetch");
        };
        expect(await failure(api().conversation())).toBeInstanceOf(Unreachable);
        answer = () => new Response("<html>Sign in to the hotel's network</html>");
        expect(await failure(api().conversation())).toBeInstanceOf(Unreachable);
    });

    test("a request without an answer is given up", async () => {
        patchWithCleanup(browser, {
            fetch(url, { signal }) {
                const never = new Deferred();
                signal.addEventListener("abort", () => never.reject(new Error("aborted")));
                return never;
            },
        });
        const lost = failure(api().conversation());
        await tick();
        await advanceTime(20001);
        expect(await lost).toBeInstanceOf(Unreachable);
    });
});

describe("requests", () => {
    test("reading", async () => {
        const chat = api();
        await chat.conversation();
        await chat.messages();
        await chat.messages({ before: "a~b", limit: 20 });
        await chat.messages({ after: "17" });
        await chat.read("m1");
        const base = "https://chat.test/chat/v1/conversations/conv1";
        expect(calls.map(({ method, url }) => `${method} ${url.replace(base, "")}`)).toEqual([
            "GET ",
            "GET /messages",
            "GET /messages?limit=20&before=a%7Eb",
            "GET /messages?after=17",
            "POST /read",
        ]);
        expect(calls.at(-1).body).toEqual({ message: "m1" });
    });

    test("writing", async () => {
        const chat = api();
        await chat.send({ client_id: "1", type: "text", text: { body: "hi" } });
        await chat.note({ client_id: "2", body: "psst" });
        expect(calls.map(({ url }) => url.split("/").pop())).toEqual(["messages", "notes"]);
        expect(calls[0].body).toEqual({ client_id: "1", type: "text", text: { body: "hi" } });
        expect(calls[1].body).toEqual({ client_id: "2", body: "psst" });
    });

    test("an id can't lead elsewhere", async () => {
        const chat = new ChatApi({
            url: "https://chat.test/chat",
            conversation: "../../admin?x=",
            grant: async () => ({ token: "t", expires: NOW + 300 }),
        });
        await chat.conversation();
        expect(calls[0].url).toBe("https://chat.test/chat/v1/conversations/..%2F..%2Fadmin%3Fx%3D");
    });
});

describe("upload", () => {
    /** Stands in for XMLHttpRequest; `end` decides what happens. */
    function patchUpload(end) {
        const sent = [];
        class FakeRequest extends EventTarget {
            upload = new EventTarget();
            status = 0;
            responseText = "";
            headers = {};
            open(method, url) {
                Object.assign(this, { method, url });
            }
            setRequestHeader(name, value) {
                this.headers[name] = value;
            }
            abort() {
                this.dispatchEvent(new Event("abort"));
            }
            send(file) {
                sent.push({ method: this.method, url: this.url, headers: this.headers, file });
                end(this);
            }
        }
        patchWithCleanup(browser, { XMLHttpRequest: FakeRequest });
        return sent;
    }

    const file = new File(["hello"], "plan.pdf", { type: "application/pdf" });

    test("the file goes where the API says, and its progress is told", async () => {
        answer = () =>
            json({ id: "media1", upload: { method: "PUT", url: "https://bucket.test/x", headers: { "X-A": "b" } } });
        const sent = patchUpload((request) => {
            for (const loaded of [2, 5]) {
                const progress = new ProgressEvent("progress", { lengthComputable: true, loaded, total: 5 });
                request.upload.dispatchEvent(progress);
            }
            request.status = 201;
            request.dispatchEvent(new Event("load"));
        });
        const progress = [];
        expect(await api().upload(file, { onProgress: (share) => progress.push(share) })).toBe("media1");
        expect(calls[0].body).toEqual({
            conversation: "conv1",
            filename: "plan.pdf",
            mime: "application/pdf",
            size: 5,
        });
        expect(sent).toEqual([{ method: "PUT", url: "https://bucket.test/x", headers: { "X-A": "b" }, file }]);
        expect(progress).toEqual([0.4, 1]);
    });

    test("an address without a host belongs to the API's host", async () => {
        answer = () => json({ id: "media1", upload: { method: "PUT", url: "/media/up/1", headers: {} } });
        const sent = patchUpload((request) => {
            request.status = 200;
            request.dispatchEvent(new Event("load"));
        });
        await api().upload(file);
        expect(sent[0].url).toBe("https://chat.test/media/up/1");
    });

    test("a broken, refused or stopped upload says which it was", async () => {
        answer = () => json({ id: "m", upload: { method: "PUT", url: "https://bucket.test/x" } });
        patchUpload((request) => request.dispatchEvent(new Event("error")));
        expect(await failure(api().upload(file))).toBeInstanceOf(Unreachable);
        patchUpload((request) => {
            Object.assign(request, { status: 413, responseText: '{"detail": "Too large."}' });
            request.dispatchEvent(new Event("load"));
        });
        const refused = await failure(api().upload(file));
        expect(refused).toBeInstanceOf(Refused);
        expect(refused.message).toBe("Too large.");
        const stop = new AbortController();
        patchUpload(() => stop.abort());
        expect(await failure(api().upload(file, { signal: stop.signal }))).toBeInstanceOf(Unreachable);
    });

    test("an upload that was stopped before it began never begins", async () => {
        const stop = new AbortController();
        answer = () => {
            stop.abort();
            return json({ id: "m", upload: { method: "PUT", url: "https://bucket.test/x" } });
        };
        const sent = patchUpload((request) => {
            request.status = 200;
            request.dispatchEvent(new Event("load"));
        });
        expect(await failure(api().upload(file, { signal: stop.signal }))).toBeInstanceOf(Unreachable);
        expect(sent).toEqual([]);
    });
});
