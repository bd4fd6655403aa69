/** What is said above the page: seen by everybody, and read aloud because the place is a live region. */

const MARKS = { success: "✓", warning: "!", error: "✕" };

/** Shows one message in place of the earlier ones. `action` is an optional link or button at its end. */
export function say(kind, text, action = null) {
  place().replaceChildren(...kept(), made(kind, text, action));
}

/** Shows a message that stays, beside others of its kind, until the person puts it away. */
export function insist(kind, text, action = null) {
  const message = made(kind, text, action);
  message.dataset.kept = "";
  const close = document.createElement("button");
  Object.assign(close, { className: "quiet", textContent: "✕", ariaLabel: place().dataset.close });
  close.addEventListener("click", () => message.remove());
  message.append(close);
  place().append(message);
}

const kept = () => place().querySelectorAll("[data-kept]");

function made(kind, text, action) {
  const message = document.createElement("p");
  message.className = `message ${kind}`;
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.ariaHidden = "true";
  mark.textContent = MARKS[kind];
  message.append(mark, text, ...(action ? [action] : []));
  return message;
}

/** Shows the messages that came with a fetched page; without any, earlier ones go away. */
export function sayFrom(page) {
  place().replaceChildren(...kept(), ...page.getElementById("messages").children);
}

export function hush() {
  place().replaceChildren(...kept());
}

/** Read aloud, not shown: what the eye sees anyway. */
export function announce(text) {
  document.getElementById("announce").textContent = text.replace(/\s+/g, " ").trim();
}

function place() {
  return document.getElementById("messages");
}
