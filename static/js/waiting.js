/** On every page of a reviewer: says in the header what still waits for the server, sends what another page of this tab
left, and asks before signing out. What sends is loaded only where something waits. */

const SLOW = 1500; // milliseconds; what is sent sooner is not worth a word
const ARRIVED = 6000;
const FIRST_WAIT = 1000, LONGEST_WAIT = 15_000;
const place = document.getElementById("waiting");
const words = place.dataset;
const isWorkbench = Boolean(document.querySelector("#desk[data-outbox-key]"));
let count = 0;
let isOpen = false;
let slow = null;
let isTold = false;

/** Whether this tab has something sealed for this person. */
const isKept = () => sessionStorage.getItem(`outbox.${words.person}`) !== null;
const isWaiting = () => (isOpen ? count > 0 : isKept());

// --- Saying it -----------------------------------------------------------------------------------------------------

function changed({ detail }) {
  [count, isOpen] = [detail.count, true];
  clearTimeout(slow);
  if (count && !isTold && detail.state === "well") slow = setTimeout(tell, SLOW);
  else if (count || isTold) tell();
}

function tell() {
  isTold = count > 0;
  place.textContent = !count ? words.arrived : count === 1 ? words.one : words.many.replace("{count}", count);
  place.hidden = false;
  if (!count) slow = setTimeout(() => { place.hidden = true; }, ARRIVED);
}

// --- Sending it ----------------------------------------------------------------------------------------------------

/** The workbench sends by itself; other pages ask for the key first, as often as it takes. */
async function send() {
  const [outbox, { ask }, messages] = await Promise.all([
    import("./outbox.js"), import("./net.js"), import("./messages.js"),
  ]);
  const refused = (entry, sentence) => {
    const unsigned = entry.kind === "sign" ? words.unsigned.replace("{number}", entry.page) : "";
    if (entry.kind in { shown: 1, painted: 1 }) return;
    messages.insist("error", `${unsigned} ${sentence || words.refused}`.trim(), linkTo(entry.seen));
  };
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    const key = await ask(words.keyUrl, { signInUrl: words.signInUrl }).catch(() => null);
    if (key) {
      outbox.open({ key: key.key, person: words.person, signInUrl: words.signInUrl, changed: () => {},
        accepted: () => {}, refused });
      return;
    }
    await new Promise((resolve) => { setTimeout(resolve, wait); });
  }
}

/** Back to the page on which it was made. */
function linkTo(address) {
  if (!address) return null;
  const link = document.createElement("a");
  Object.assign(link, { href: address, className: "button", textContent: words.see });
  return link;
}

// --- Signing out ---------------------------------------------------------------------------------------------------

/** What is under way gets a moment; then the person is asked. */
async function signingOut(event) {
  const form = event.target;
  if (form.getAttribute("action") !== words.signOutUrl || !isWaiting()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const outbox = await import("./outbox.js");
  await Promise.race([outbox.empty(), new Promise((resolve) => { setTimeout(resolve, SLOW); })]);
  if (isWaiting() && (await answer()) !== "leave") return;
  outbox.leave();
  form.submit();
}

function answer() {
  const dialog = document.getElementById("sign-out-asks");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

document.addEventListener("outbox-changed", changed);
document.addEventListener("submit", signingOut, { capture: true });
if (isWorkbench) place.ariaLive = "off"; // It says so beside the document's name.
else if (isKept()) send();
