// wa.me links, as a phone understands them.

/** What a link opens: {number, text}, or null when it is no link to a chat. `number` is digits, `text` may be "". */
export function parseLink(written) {
  let url;
  try {
    url = new URL(/^[a-z]+:/i.test(written.trim()) ? written.trim() : `https://${written.trim()}`);
  } catch {
    return null;
  }
  const query = parameters(url.search);
  const short = ["wa.me", "www.wa.me"].includes(url.hostname);
  const long = url.hostname === "api.whatsapp.com" || url.protocol === "whatsapp:";
  if (!short && !long) return null;
  const number = (short ? url.pathname : query.phone ?? "").replace(/\D/g, "");
  return number ? { number, text: query.text ?? "" } : null;
}

// Not URLSearchParams: in these links a plus is a plus, and only %20 is a space.
function parameters(search) {
  const pairs = search.slice(1).split("&").filter(Boolean).map((pair) => pair.split("="));
  return Object.fromEntries(pairs.map(([name, ...value]) => [name, decoded(value.join("="))]));
}

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
