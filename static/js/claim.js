/** C takes the next document of the queue, where the page offers it. */

const KEYS_SETTING = "single-key-shortcuts"; // shared with the review

function pressed(event) {
  if (event.key !== "c" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("input, select, textarea") || localStorage.getItem(KEYS_SETTING) === "off") return;
  document.querySelector("[data-claim]")?.requestSubmit();
}

/** The form leaves the page; whoever else listens to the panel's forms would show another document in this one. */
function submitted(event) {
  if (event.target.matches("[data-claim]")) event.stopImmediatePropagation();
}

document.addEventListener("keydown", pressed);
document.addEventListener("submit", submitted, { capture: true });
