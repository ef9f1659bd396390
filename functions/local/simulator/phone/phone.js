// The customer's phone: what it shows, and what its owner does with it.

import { bubble, preview, quoteBox, ticks } from "./bubbles.js";
import { avatar, day, element, icon, time } from "./elements.js";
import { parseLink } from "./link.js";

const API = "/simulator";
const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const $ = (id) => document.getElementById(id);

const state = {
  lines: [], customers: [], wa_id: null, line: null, inChat: true,
  messages: new Map(), version: 0, quoting: null, file: null, drafts: new Map(),
  following: true, // the newest message is in view, and stays so when more arrive or pictures grow
};

// ── talking to the simulator ────────────────────────────────────────────────

async function call(path, { method = "GET", body } = {}) {
  const form = body instanceof FormData;
  const headers = body && !form ? { "Content-Type": "application/json" } : {};
  const answer = await fetch(API + path, { method, headers, body: form || !body ? body : JSON.stringify(body) });
  const content = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(content?.detail ?? `The simulator answered ${answer.status}.`);
  return content;
}

const person = (rest = "") => `/customers/${state.wa_id}${rest}`;

async function send(message) {
  const context = state.quoting ? { context: { id: state.quoting.id } } : {};
  quoteNothing();
  await call(person("/messages"), { method: "POST", body: { ...context, ...message, line: state.line } });
  await refresh();
  toBottom();
}

async function sendFile(file, caption) {
  const form = new FormData();
  form.set("line", state.line);
  form.set("file", file);
  if (caption) form.set("caption", caption);
  if (state.quoting) form.set("context", state.quoting.id);
  await call(person("/messages"), { method: "POST", body: form });
  attach(null);
  quoteNothing();
  await refresh();
  toBottom();
}

// ── keeping up with what happens ────────────────────────────────────────────

let refreshing = null;
let again = false;

/** Fetch what changed and show it; calls while one is under way are joined into one more. */
function refresh() {
  again = refreshing !== null;
  refreshing ??= (async () => {
    try {
      await update();
    } finally {
      refreshing = null;
      if (again) refresh().catch(complain);
    }
  })();
  return refreshing;
}

async function update() {
  const { wa_id, line } = state;
  const [customers, changed] = await Promise.all([
    call("/customers"),
    call(`/customers/${wa_id}/messages?line=${line}&after=${state.version}`),
  ]);
  if (wa_id !== state.wa_id || line !== state.line) return;
  state.customers = customers;
  showCustomers();
  showChats();
  showHead();
  showMessages(changed);
  await markRead();
}

/** Looking at a chat reads it. */
async function markRead() {
  const unread = [...state.messages.values()].some((one) => one.direction === "in" && one.status === "delivered" && one.type !== "reaction");
  if (!unread || !state.inChat || document.hidden) return;
  await call(person("/read"), { method: "POST", body: { line: state.line } });
}

function listen() {
  const events = new EventSource(`${API}/events`);
  events.onmessage = () => refresh().catch(complain);
  events.onopen = () => refresh().catch(complain);
  document.addEventListener("visibilitychange", () => refresh().catch(complain));
  // Should the stream be down, and for the typing dots to end.
  setInterval(() => {
    if (events.readyState !== EventSource.OPEN || chat()?.typing) refresh().catch(() => {});
  }, 1000);
}

// ── customers ───────────────────────────────────────────────────────────────

const shown = { customers: new Map(), chips: new Map(), chats: new Map() };

/** Keep one element per key in a list, so that focus and scrolling survive. */
function keyed(list, known, items, key, make, fill) {
  for (const item of items) {
    const id = key(item);
    if (!known.has(id)) {
      const node = make(item);
      known.set(id, node);
      list.append(element("li", {}, node));
    }
    fill(known.get(id), item);
  }
}

function showCustomers() {
  const choose = (customer) => () => select(customer.wa_id);
  keyed($("customers"), shown.customers, state.customers, (one) => one.wa_id, (customer) => {
    const button = element("button", { className: "customer", type: "button", "data-testid": "customer", "data-wa-id": customer.wa_id });
    button.addEventListener("click", choose(customer));
    return button;
  }, (button, customer) => {
    const newest = customer.chats.map((chat) => chat.last).filter(Boolean).sort((a, b) => (a.at < b.at ? 1 : -1))[0];
    button.setAttribute("aria-current", customer.wa_id === state.wa_id);
    button.replaceChildren(avatar(customer.name, customer.wa_id),
      element("span", { className: "who" }, element("b", {}, customer.name), element("small", {}, customer.number),
        newest && element("i", {}, preview(newest))),
      badge(customer.chats));
  });
  keyed($("chips"), shown.chips, state.customers, (one) => one.wa_id, (customer) => {
    const button = element("button", { className: "chip", type: "button", "data-testid": "chip", "data-wa-id": customer.wa_id });
    button.addEventListener("click", choose(customer));
    return button;
  }, (button, customer) => {
    button.setAttribute("aria-current", customer.wa_id === state.wa_id);
    button.replaceChildren(avatar(customer.name, customer.wa_id), customer.name.split(" ")[0], badge(customer.chats));
  });
}

function badge(chats) {
  const unread = chats.reduce((sum, chat) => sum + chat.unread, 0);
  return element("span", { className: "badge", "data-testid": "unread", ariaLabel: unread ? `${unread} unread` : null }, unread ? String(unread) : "");
}

async function select(wa_id, line = state.line) {
  keepDraft();
  Object.assign(state, { wa_id, line, messages: new Map(), version: 0, inChat: true });
  localStorage.setItem("customer", wa_id);
  quoteNothing();
  attach(null);
  $("messages").replaceChildren(element("li", { className: "note" }, "This phone is simulated. Messages stay on this machine."));
  $("panel").classList.remove("open");
  $("chats").hidden = true;
  $("chat").hidden = false;
  setText(state.drafts.get(draftKey()) ?? "");
  await refresh();
  toBottom();
}

// ── chats of a customer ─────────────────────────────────────────────────────

const customer = () => state.customers.find((one) => one.wa_id === state.wa_id);
const chat = () => customer()?.chats.find((one) => one.line === state.line);

function showChats() {
  $("back").hidden = state.lines.length < 2;
  if (state.lines.length < 2) return;
  keyed($("businesses"), shown.chats, state.lines, (line) => line.phone_number_id, (line) => {
    const button = element("button", { className: "customer", type: "button", "data-testid": "chat", "data-line": line.phone_number_id });
    button.addEventListener("click", () => select(state.wa_id, line.phone_number_id).catch(complain));
    return button;
  }, (button, line) => {
    const found = customer()?.chats.find((one) => one.line === line.phone_number_id);
    const face = avatar(line.name, line.phone_number_id);
    face.classList.add("business");
    button.replaceChildren(face,
      element("span", { className: "who" }, element("b", {}, line.name), element("i", {}, found?.last ? preview(found.last) : line.number)),
      badge(found ? [found] : []));
  });
}

function showHead() {
  const line = state.lines.find((one) => one.phone_number_id === state.line);
  const typing = chat()?.typing ?? false;
  $("business").textContent = line.name;
  $("business-avatar").textContent = line.name.split(/\s+/).slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
  $("presence").textContent = typing ? "typing…" : line.number;
  $("presence").className = typing ? "typing" : "";
  document.title = `${customer()?.name ?? "Customer"} – phone`;
  showDots(typing);
}

function showDots(typing) {
  const dots = $("messages").querySelector(".dots-row");
  if (typing && !dots) {
    const row = element("li", { className: "message dots-row", "data-direction": "in", "data-first": "", "data-testid": "typing", ariaLabel: "typing" });
    row.append(element("div", { className: "bubble" }, element("div", { className: "dots" }, element("i"), element("i"), element("i"))));
    $("messages").append(row);
    toBottom();
  } else if (!typing) dots?.remove();
}

// ── messages ────────────────────────────────────────────────────────────────

function showMessages(changed) {
  const touched = new Set();
  for (const message of changed) {
    state.messages.set(message.id, message);
    state.version = Math.max(state.version, message.version);
    touched.add(message.type === "reaction" ? message.reaction.message_id : message.id);
  }
  for (const id of touched) draw(id);
  if (touched.size && state.following) toBottom();
}

function draw(id) {
  const message = state.messages.get(id);
  if (!message || message.type === "reaction") return;
  const row = bubble(message, { reactions: reactionsTo(id), quoted: state.messages.get(message.context?.id), say });
  const old = rowOf(id);
  if (old) {
    if ("first" in old.dataset) row.dataset.first = "";
    old.replaceWith(row);
    return;
  }
  const list = $("messages");
  const before = [...list.querySelectorAll(".message[data-id]")].at(-1);
  const previous = before && state.messages.get(before.dataset.id);
  if (!previous || day(previous.at) !== day(message.at)) {
    list.append(element("li", { className: "day" }, day(message.at)));
    row.dataset.first = "";
  } else if (previous.direction !== message.direction) row.dataset.first = "";
  list.append(row);
  const dots = list.querySelector(".dots-row");
  if (dots) list.append(dots);
}

const rowOf = (id) => $("messages").querySelector(`[data-id="${CSS.escape(id)}"]`);

/** The emoji that stand on a message: the last of each side, if it was not taken back. */
function reactionsTo(id) {
  const last = new Map();
  for (const one of state.messages.values()) {
    if (one.type === "reaction" && one.reaction.message_id === id) last.set(one.from, one.reaction.emoji);
  }
  return [...last.values()].filter(Boolean);
}

function toBottom() {
  const list = $("messages");
  list.scrollTop = list.scrollHeight;
  state.following = true;
}

function noticeScroll() {
  const list = $("messages");
  state.following = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
}

/** What bubbles ask for. */
function say(event, ...details) {
  const acts = {
    actions: openActions,
    answer: (message, body) => send({ ...body, context: { id: message.id } }),
    copy: async (code) => { await navigator.clipboard?.writeText(code); toast(`Copied ${code}`); },
    find: (id) => flash(rowOf(id)),
    grown: () => { if (state.following) toBottom(); },
    list: openList,
    view: (url) => { $("viewer").querySelector("img").src = url; $("viewer").showModal(); },
  };
  Promise.resolve(acts[event](...details)).catch(complain);
}

function flash(row) {
  if (!row) return;
  row.scrollIntoView({ block: "center", behavior: "smooth" });
  row.classList.add("flash");
  setTimeout(() => row.classList.remove("flash"), 1000);
}

function openActions(message, anchor) {
  const menu = $("actions");
  const button = (label, content, act) => {
    const node = element("button", { type: "button", role: "menuitem", ariaLabel: label }, content);
    node.addEventListener("click", () => { menu.hidePopover(); Promise.resolve(act()).catch(complain); });
    return node;
  };
  const mine = [...state.messages.values()].filter((one) => one.type === "reaction" && one.direction === "out" && one.reaction.message_id === message.id).at(-1)?.reaction.emoji;
  menu.replaceChildren(button("Reply", icon("reply"), () => quoteMessage(message)),
    ...EMOJI.map((emoji) => button(mine === emoji ? `Take back ${emoji}` : `React ${emoji}`, emoji, () => {
      quoteNothing();
      const reaction = mine === emoji ? { message_id: message.id } : { message_id: message.id, emoji };
      return send({ type: "reaction", reaction });
    })));
  menu.showPopover();
  const place = anchor.closest(".bubble").getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  const left = message.direction === "in" ? place.left : place.right - box.width;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - box.width - 8))}px`;
  menu.style.top = `${Math.max(8, place.top - box.height - 6)}px`;
  menu.querySelector("button").focus();
}

function openList(sections) {
  const sheet = $("choices");
  sheet.replaceChildren(...sections.flatMap(({ title, rows }) => [
    title && element("h3", {}, title),
    ...rows.map((row) => {
      const button = element("button", { type: "button", "data-testid": "row" }, row.title, row.description && element("small", {}, row.description));
      button.addEventListener("click", () => { sheet.close(); row.choose(); });
      return button;
    }),
  ]).filter(Boolean));
  sheet.showModal();
}

// ── writing ─────────────────────────────────────────────────────────────────

const draftKey = () => `${state.wa_id} ${state.line}`;
const keepDraft = () => state.drafts.set(draftKey(), $("text").value);

function setText(text) {
  $("text").value = text;
  fit();
}

function fit() {
  const area = $("text");
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 130)}px`;
}

function quoteMessage(message) {
  state.quoting = message;
  $("quoted").replaceChildren(...quoteBox(message));
  $("quoting").hidden = false;
  $("text").focus();
}

function quoteNothing() {
  state.quoting = null;
  $("quoting").hidden = true;
}

function attach(file) {
  state.file = file;
  $("attached").hidden = !file;
  $("file").value = "";
  URL.revokeObjectURL($("preview").src);
  $("preview").removeAttribute("src");
  if (!file) return;
  $("attached-name").textContent = file.name;
  if (file.type.startsWith("image/")) $("preview").src = URL.createObjectURL(file);
  $("text").placeholder = "Message";
  $("text").focus();
}

async function submit() {
  const text = $("text").value.trim();
  const { file } = state;
  if (!file && !text) return;
  $("send-button").disabled = true;
  try {
    setText("");
    await (file ? sendFile(file, text) : send({ type: "text", text: { body: text } }));
  } catch (error) {
    setText(text);
    complain(error);
  } finally {
    $("send-button").disabled = false;
    $("text").focus();
  }
}

// ── links ───────────────────────────────────────────────────────────────────

async function openLink(written) {
  const link = parseLink(written);
  if (!link) throw new Error("That is no wa.me link to a number.");
  const line = state.lines.find((one) => one.number.replace(/\D/g, "") === link.number);
  if (!line) throw new Error("No business with that number is simulated here.");
  await select(state.wa_id, line.phone_number_id);
  if (link.text) setText(link.text);
  $("text").focus();
}

// ── the rest ────────────────────────────────────────────────────────────────

let toastTimer;

function toast(words) {
  clearTimeout(toastTimer);
  $("toast").textContent = words;
  $("toast").hidden = false;
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 5000);
}

function complain(error) {
  toast(error instanceof TypeError ? "The simulator can’t be reached." : error.message);
}

function showTime() {
  $("clock").textContent = time(Date.now());
}

function wire() {
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  $("text").addEventListener("input", fit);
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
    if (event.key === "Escape") { quoteNothing(); attach(null); }
  });
  $("text").addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) { event.preventDefault(); attach(file); }
  });
  $("messages").addEventListener("scroll", noticeScroll);
  $("attach").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => attach($("file").files[0] ?? null));
  $("detach").addEventListener("click", () => attach(null));
  $("unquote").addEventListener("click", quoteNothing);
  $("back").addEventListener("click", () => { state.inChat = false; $("chat").hidden = true; $("chats").hidden = false; });
  $("panel-open").addEventListener("click", () => $("panel").classList.add("open"));
  $("panel-close").addEventListener("click", () => $("panel").classList.remove("open"));
  $("viewer").addEventListener("click", () => $("viewer").close());
  $("choices").addEventListener("click", (event) => { if (event.target === $("choices")) $("choices").close(); });
  $("add").addEventListener("submit", (event) => {
    event.preventDefault();
    addCustomer(event.target).catch(complain);
  });
  $("open-link").addEventListener("submit", (event) => {
    event.preventDefault();
    openLink($("link").value).then(() => { $("link").value = ""; }).catch(complain);
  });
}

async function addCustomer(form) {
  const fields = Object.fromEntries(new FormData(form));
  const added = await call("/customers", { method: "POST", body: fields });
  form.reset();
  $("adding").open = false;
  await select(added.wa_id);
  $("text").focus();
}

async function begin() {
  wire();
  showTime();
  setInterval(showTime, 15000);
  [state.lines, state.customers] = await Promise.all([call("/lines"), call("/customers")]);
  const query = new URLSearchParams(location.search);
  const wanted = (query.get("customer") ?? "").replace(/\D/g, "");
  if (wanted && !state.customers.some((one) => one.wa_id === wanted)) {
    state.customers.push(await call("/customers", { method: "POST", body: { wa_id: wanted, name: query.get("name") ?? `+${wanted}` } }));
  }
  const known = [wanted, localStorage.getItem("customer")].find((wa_id) => state.customers.some((one) => one.wa_id === wa_id));
  await select(known ?? state.customers[0].wa_id, state.lines[0].phone_number_id);
  $("text").disabled = $("send-button").disabled = false;
  if (query.get("link")) await openLink(query.get("link"));
  listen();
}

begin().catch(complain);
