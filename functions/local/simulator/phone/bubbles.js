// What a message looks like on the phone.

import { element, icon, linked, time } from "./elements.js";

const STATUS = { sent: "Sent", delivered: "Delivered", read: "Read", played: "Played" };

/** Build a message's row. `say(event, …)` is called for what the customer does with it. */
export function bubble(message, { reactions, quoted, say }) {
  const body = element("div", { className: "body" },
    message.context?.id && quote(quoted, message.context.id, say), ...content(message, say));
  // Room for the time at the end of the last line of text.
  if (body.lastElementChild?.matches(".text")) body.lastElementChild.append(element("span", { className: `room ${message.direction}` }));
  body.append(meta(message));
  const box = element("div", { className: "bubble" }, body);
  const actions = element("button", { className: "act", type: "button", ariaLabel: "Reply or react" }, icon("more"));
  actions.addEventListener("click", () => say("actions", message, actions));
  box.append(actions, ...footer(message, say));
  if (reactions.length) box.append(element("span", { className: "reactions", "data-testid": "reactions" }, reactions.join(" ")));
  return element("li", {
    className: `message ${message.type}`, "data-testid": "message", "data-id": message.id, "data-type": message.type,
    "data-direction": message.direction, "data-status": message.status,
    "data-reactions": reactions.length ? reactions.length : undefined,
  }, box);
}

/** One line that stands for a message: in quotes and lists. */
export function preview(message) {
  const own = message[message.type] ?? {};
  const words = {
    text: () => own.body, image: () => own.caption || "Photo", video: () => own.caption || "Video",
    audio: () => (own.voice ? "Voice message" : "Audio"), document: () => own.filename || "Document",
    sticker: () => "Sticker", location: () => own.name || "Location", contacts: () => "Contact",
    interactive: () => own.body?.text ?? own.button_reply?.title ?? own.list_reply?.title,
    button: () => own.text, template: () => message.shown?.body, reaction: () => `Reacted ${own.emoji ?? ""}`,
  };
  return String(words[message.type]?.() ?? "Message").slice(0, 200);
}

/** The grey box that names and shows the message being answered. */
export function quoteBox(message, own = message.direction === "out") {
  return [element("b", {}, own ? "You" : "Business"), element("span", {}, preview(message))];
}

export function ticks(status) {
  const shown = icon(status === "sent" ? "tick" : "ticks");
  shown.removeAttribute("aria-hidden");
  shown.setAttribute("role", "img");
  shown.setAttribute("aria-label", STATUS[status] ?? status);
  return shown;
}

function quote(quoted, id, say) {
  const box = element("button", { className: "quote", type: "button" },
    ...(quoted ? quoteBox(quoted) : [element("span", {}, "Original message not on this phone")]));
  box.addEventListener("click", () => say("find", id));
  return box;
}

function meta(message) {
  const clock = element("time", { dateTime: message.at }, time(message.at));
  return element("span", { className: "meta" }, clock, message.direction === "out" ? ticks(message.status) : null);
}

function content(message, say) {
  const own = message[message.type] ?? {};
  const drawn = CONTENT[message.type]?.(own, message, say);
  return drawn ?? [element("div", { className: "text gone" }, `A message of type ${message.type}`)];
}

const CONTENT = {
  text: (own) => [/^\p{Extended_Pictographic}{1,3}$/u.test(own.body) ? linked(own.body, "text big-emoji") : linked(own.body)],
  image: (own, message, say) => [picture(message.media?.url, say), own.caption && linked(own.caption)],
  video: (own, message) => [player("video", message), own.caption && linked(own.caption)],
  audio: (own, message) => [player("audio", message)],
  sticker: (own, message) => [element("img", { src: message.media?.url ?? "", alt: "Sticker" })],
  document: (own, message) => [attachment(own, message), own.caption && linked(own.caption)],
  location: (own) => [card("pin", own.name ?? "Location", own.address ?? `${own.latitude}, ${own.longitude}`)],
  contacts: (own) => own.map((one) => card("person", one.name?.formatted_name ?? "Contact", one.phones?.[0]?.phone ?? "")),
  interactive: (own, message, say) => own.button_reply || own.list_reply
    ? [linked((own.button_reply ?? own.list_reply).title)]
    : [...head(own.header, say), own.body && linked(own.body.text), own.footer && linked(own.footer.text, "text foot")],
  button: (own) => [linked(own.text)],
  template: (own, { shown }, say) => shown && [...head(shown.header, say), linked(shown.body), shown.footer && linked(shown.footer, "text foot")],
};

function footer(message, say) {
  const list = choices(message, say).map(([label, action]) => {
    if (typeof action === "string") return element("a", { href: action, target: "_blank", rel: "noopener noreferrer" }, label);
    const button = element("button", { type: "button", "data-testid": "choice" }, label);
    button.addEventListener("click", action);
    return button;
  });
  return list.length ? [element("div", { className: "buttons" }, ...list)] : [];
}

// What can be tapped under a message: a label with a function, or with an address to open.
function choices(message, say) {
  const own = message[message.type] ?? {};
  const answer = (body) => () => say("answer", message, body);
  const reply = (kind, { id, title, description }) =>
    answer({ type: "interactive", interactive: { type: kind, [kind]: { id, title, description } } });
  if (message.direction === "out") return [];
  if (message.type === "template") {
    return (message.shown?.buttons ?? []).map((button) => {
      if (button.url) return [button.text, safe(button.url)];
      if (button.code) return [button.text, () => say("copy", button.code)];
      return [button.text, answer({ type: "button", button: { payload: button.payload ?? button.text, text: button.text } })];
    });
  }
  if (message.type !== "interactive") return [];
  const { action = {} } = own;
  if (own.type === "button") return action.buttons.map(({ reply: one }) => [one.title, reply("button_reply", one)]);
  if (own.type === "list") {
    const sections = action.sections.map(({ title, rows }) => ({ title, rows: rows.map((row) => ({ ...row, choose: reply("list_reply", row) })) }));
    return [[action.button, () => say("list", sections)]];
  }
  if (own.type === "cta_url") return [[action.parameters.display_text, safe(action.parameters.url)]];
  if (own.type === "location_request_message") {
    return [["Send location", answer({ type: "location", location: { latitude: 51.4779, longitude: -0.0015, name: "Royal Observatory" } })]];
  }
  return [];
}

function head(header, say) {
  if (!header) return [];
  if (header.type === "text") return [linked(header.text, "text head")];
  const file = header[header.type];
  const url = file?.id && `/simulator/media/${file.id}`;
  return header.type === "image" ? [picture(url, say)] : [card("file", file?.filename ?? header.type, "")];
}

function picture(url, say) {
  if (!url) return element("div", { className: "text gone" }, "The picture is no longer there");
  const image = element("img", { src: url, alt: "Photo", loading: "lazy" });
  image.addEventListener("load", () => say("grown"));
  const button = element("button", { className: "picture", type: "button", ariaLabel: "Open the photo" }, image);
  button.addEventListener("click", () => say("view", url));
  return button;
}

function player(kind, message) {
  if (!message.media) return element("div", { className: "text gone" }, "The file is no longer there");
  return element(kind, { src: message.media.url, controls: true, preload: "metadata" });
}

function attachment(own, message) {
  const name = own.filename ?? message.media?.name ?? "Document";
  const size = message.media ? `${Math.max(1, Math.round(message.media.size / 1024)).toLocaleString()} KB` : "no longer there";
  return element("a", { className: "attachment", href: message.media?.url ?? "#", download: name }, icon("file"),
    element("span", {}, name, element("small", {}, size)));
}

function card(symbol, title, detail) {
  return element("div", { className: "attachment" }, icon(symbol), element("span", {}, title, detail && element("small", {}, detail)));
}

const safe = (url) => (/^https?:\/\//i.test(url) ? url : "#");
