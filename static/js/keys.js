/** Which single key does what. Every browser may have its own keys (WCAG 2.1.4); arrows, Enter and digits stay. */

const SWITCH = "single-key-shortcuts";
const CHOSEN = "single-keys";
const DEFAULTS = {
  next: "j", previous: "k", doubtful: "n", edit: "e", day: "d", clock: "h", reject: "x", add: "a", undo: "z", at_once: "c",
  before: "PageUp", after: "PageDown", closer: "+", farther: "-", whole: "0", turn: "r", help: "?",
};
const ALSO = { ArrowDown: "next", ArrowUp: "previous", "=": "closer" };

let chosen = read();

export const areKeysOn = () => localStorage.getItem(SWITCH) !== "off";

export function switchKeys(isOn) {
  localStorage.setItem(SWITCH, isOn ? "on" : "off");
}

/** The name of what a key does, or nothing. */
export function meaningOf(key) {
  const pressed = plain(key);
  return Object.keys(DEFAULTS).find((name) => keyOf(name) === pressed) ?? ALSO[key];
}

/** Gives an action another key. The answer is null, or why not: ["fixed"], or ["taken", by which action]. */
export function remap(name, key) {
  const wanted = plain(key);
  if ([...wanted].length !== 1 || /[1-9\s]/.test(wanted) || (key in ALSO && ALSO[key] !== name)) return ["fixed"];
  const holder = Object.keys(DEFAULTS).find((other) => other !== name && keyOf(other) === wanted);
  if (holder) return ["taken", holder];
  chosen[name] = wanted;
  localStorage.setItem(CHOSEN, JSON.stringify(chosen));
  return null;
}

export function resetKeys() {
  chosen = {};
  localStorage.removeItem(CHOSEN);
}

/** Every hint on the page says the key that works. */
export function showKeys() {
  for (const hint of document.querySelectorAll("[data-hint]")) {
    const words = written(keyOf(hint.dataset.hint));
    if (hint.textContent !== words) hint.textContent = words;
  }
}

/** A key as it is printed on a keyboard. */
export const written = (key) => ({ PageUp: "PgUp", PageDown: "PgDn", "-": "−" })[key] ?? key.toUpperCase();

const keyOf = (name) => chosen[name] ?? DEFAULTS[name];
const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);

function read() {
  try {
    return JSON.parse(localStorage.getItem(CHOSEN)) ?? {};
  } catch {
    return {};
  }
}
