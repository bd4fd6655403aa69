/** What is said above the page: seen by everybody, and read aloud because the place is a live region. */

const MARKS = { success: "✓", warning: "!", error: "✕" };

/** Shows one message in place of the earlier ones. `action` is an optional link or button at its end. */
export function say(kind, text, action = null) {
  const message = document.createElement("p");
  message.className = `message ${kind}`;
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.ariaHidden = "true";
  mark.textContent = MARKS[kind];
  message.append(mark, text, ...(action ? [action] : []));
  place().replaceChildren(message);
}

/** Shows the messages that came with a fetched page; without any, earlier ones go away. */
export function sayFrom(page) {
  place().replaceChildren(...page.getElementById("messages").children);
}

export function hush() {
  place().replaceChildren();
}

/** Read aloud, not shown: what the eye sees anyway. */
export function announce(text) {
  document.getElementById("announce").textContent = text.replace(/\s+/g, " ").trim();
}

function place() {
  return document.getElementById("messages");
}
