// Elements are built by hand: what customers and businesses write only ever becomes text.

/** Make an element. `properties` are set as properties, those with a dash as attributes; children may be text. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/** Make an icon of the page's sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export function avatar(name, key) {
  const letters = name.split(/\s+/).filter((word) => /\p{L}/u.test(word)).slice(0, 2).map((word) => [...word][0]);
  const hue = [...key].reduce((sum, digit) => sum + digit.charCodeAt(0), 0) % 6;
  const node = element("span", { className: "avatar", "aria-hidden": "true", "data-hue": hue });
  node.append(letters.length ? letters.join("").toUpperCase() : icon("person"));
  return node;
}

/** Text in which web addresses can be clicked. */
export function linked(text, className = "text") {
  const parts = text.split(/(https?:\/\/[^\s<>"]+)/g).map((part, index) =>
    index % 2 ? element("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part);
  return element("div", { className }, ...parts);
}

export const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export function day(at) {
  const date = new Date(at);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });
}
