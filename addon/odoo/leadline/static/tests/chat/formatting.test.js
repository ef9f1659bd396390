import { describe, expect, test } from "@odoo/hoot";
import { hrefOf, isBigEmoji, parse } from "@leadline/chat/formatting";

describe.current.tags("headless");

/** Nodes as text: *bold*, _italic_, ~strike~ as <b>, <i>, <s>; `code` as <c>, blocks as <m>, links as <a>. */
function shown(text) {
    const tags = { bold: "b", italic: "i", strike: "s" };
    const draw = (nodes) =>
        nodes
            .map((node) => {
                switch (node.type) {
                    case "text":
                        return node.text;
                    case "code":
                        return `<c>${node.text}</c>`;
                    case "mono":
                        return `<m>${node.text}</m>`;
                    case "link":
                        return `<a ${node.href}>${node.text}</a>`;
                    default:
                        return `<${tags[node.type]}>${draw(node.children)}</${tags[node.type]}>`;
                }
            })
            .join("");
    return draw(parse(text));
}

describe("marks", () => {
    test("bold, italic, struck and monospaced text", () => {
        expect(shown("a *b* c")).toBe("a <b>b</b> c");
        expect(shown("_b_")).toBe("<i>b</i>");
        expect(shown("~b~!")).toBe("<s>b</s>!");
        expect(shown("```b\nc```")).toBe("<m>b\nc</m>");
        expect(shown("`b*c*`")).toBe("<c>b*c*</c>");
    });

    test("marks lie inside each other", () => {
        expect(shown("*a _b ~c~_*")).toBe("<b>a <i>b <s>c</s></i></b>");
        expect(shown("*_~x~_*")).toBe("<b><i><s>x</s></i></b>");
    });

    test("a mark inside a word, before a space or without its partner is text", () => {
        expect(shown("2*3*4")).toBe("2*3*4");
        expect(shown("snake_case_name")).toBe("snake_case_name");
        expect(shown("* a *")).toBe("* a *");
        expect(shown("*a")).toBe("*a");
        expect(shown("a *")).toBe("a *");
        expect(shown("**")).toBe("**");
        expect(shown("```")).toBe("```");
    });

    test("a mark ends on its own line", () => {
        expect(shown("*a\nb*")).toBe("*a\nb*");
        expect(shown("*a*\n*b*")).toBe("<b>a</b>\n<b>b</b>");
    });

    test("nothing inside monospaced text is formatted", () => {
        expect(shown("```*a* https://x.io```")).toBe("<m>*a* https://x.io</m>");
    });

    test("letters of all scripts count as letters", () => {
        expect(shown("é*b*")).toBe("é*b*");
        expect(shown("*жирный* текст")).toBe("<b>жирный</b> текст");
        expect(shown("👍*b*👍")).toBe("👍<b>b</b>👍");
    });

    test("line breaks stay", () => {
        expect(shown("a\n\nb")).toBe("a\n\nb");
    });
});

describe("links", () => {
    test("http and https become links", () => {
        expect(shown("see https://a.io/b?c=d&e=f#g now")).toBe(
            "see <a https://a.io/b?c=d&e=f#g>https://a.io/b?c=d&e=f#g</a> now"
        );
        expect(shown("HTTP://A.io")).toBe("<a http://a.io/>HTTP://A.io</a>");
    });

    test("nothing else does", () => {
        for (const text of [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a.io",
            "file:///etc/passwd",
            "www.a.io",
            "https://",
            "xhttps://a.io",
        ]) {
            expect(parse(text).some(({ type }) => type === "link")).toBe(false, { message: text });
        }
    });

    test("the punctuation of the sentence is not part of the link", () => {
        expect(shown("(https://a.io/b).")).toBe("(<a https://a.io/b>https://a.io/b</a>).");
        expect(shown("https://a.io/b_(c)")).toBe("<a https://a.io/b_(c)>https://a.io/b_(c)</a>");
        expect(shown("https://a.io, https://b.io!")).toBe(
            "<a https://a.io/>https://a.io</a>, <a https://b.io/>https://b.io</a>!"
        );
    });

    test("marks inside a link are part of it", () => {
        expect(shown("https://a.io/x_y_z")).toBe("<a https://a.io/x_y_z>https://a.io/x_y_z</a>");
        expect(shown("_see https://a.io/x_y ok_")).toBe("<i>see <a https://a.io/x_y>https://a.io/x_y</a> ok</i>");
    });

    test("a link can be bold", () => {
        expect(shown("*https://a.io*")).toBe("<b><a https://a.io/>https://a.io</a></b>");
    });

    test("quotes and angle brackets never get into an address", () => {
        expect(shown('https://a.io/"onclick=x')).toBe('<a https://a.io/>https://a.io/</a>"onclick=x');
        expect(shown("https://a.io/<b>")).toBe("<a https://a.io/>https://a.io/</a><b>");
    });

    test("an address without a host is no address", () => {
        expect(hrefOf("https://a.io/")).toBe("https://a.io/");
        expect(hrefOf("https://")).toBe(null);
        expect(hrefOf("javascript:1")).toBe(null);
    });
});

describe("hostile text", () => {
    test("every character comes out again", () => {
        const pieces = ["*", "_", "~", "`", "```", "\n", " ", "a", "https://a.io/", ")", "é", "👩‍👩‍👧"];
        let seed = 11;
        const random = () => (seed = (seed * 48271) % 2147483647);
        const flat = (nodes) =>
            nodes.map((node) => (node.children ? flat(node.children) : node.text)).join("");
        for (let turn = 0; turn < 300; turn++) {
            const text = Array.from({ length: 30 }, () => pieces[random() % pieces.length]).join("");
            const bare = (string) => string.replace(/[*_~`\n]/g, "");
            expect(bare(flat(parse(text)))).toBe(bare(text));
        }
    });

    test("a long text of marks that never close is read in time", () => {
        const started = performance.now();
        for (const piece of ["*a ", "*_~", "`", "_*x ", "https://a.io/)))", "*https://a.io "]) {
            parse(piece.repeat(20000));
        }
        expect(performance.now() - started).toBeLessThan(4000);
    });
});

test("up to three emoji alone are shown large", () => {
    expect(isBigEmoji("❤️")).toBe(true);
    expect(isBigEmoji("👩‍👩‍👧 🇧🇷 👍🏽")).toBe(true);
    expect(isBigEmoji("👍👍👍👍")).toBe(false);
    expect(isBigEmoji("ok 👍")).toBe(false);
    expect(isBigEmoji("123")).toBe(false);
    expect(isBigEmoji("")).toBe(false);
    expect(isBigEmoji(" ")).toBe(false);
});
