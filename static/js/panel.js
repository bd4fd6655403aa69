/** The review panel as the server sees it: taking over what changed, turning to another page, fetching one ahead. */

import { askPage, Lost, Refused, SignedOut } from "./net.js";
import { announce, hush, say, sayFrom } from "./messages.js";
import * as outbox from "./outbox.js";
import * as tentative from "./tentative.js";

const FIRST_WAIT = 500, LONGEST_WAIT = 8_000; // milliseconds
const desk = document.getElementById("desk");
const options = { signInUrl: desk.dataset.signInUrl };
let isBusy = false;
let change = 0;
let opening = 0;
let ahead = null;

export const panel = () => document.getElementById("review");
export const pageNumber = () => Number(panel().dataset.page);
const addressOf = (number) => `${location.pathname}?page=${number}`;

/** Posts a form of the panel that changes the whole page (reopening it), and `more` with it; shows what came of it. */
export async function post(form, submitter = null, more = []) {
  if (isBusy) return;
  await outbox.empty();
  const data = new FormData(form, submitter);
  for (const [name, value] of more) data.set(name, value);
  await load(() => askPage(form.action, { ...options, form: data }));
}

/** Reads the present state of the page again, unless somebody is typing. */
export async function refresh() {
  if (isTyping()) {
    say("warning", desk.dataset.changed, reloadButton());
    return;
  }
  await load(() => askPage(addressOf(pageNumber()), options));
}

async function load(fetchPage) {
  isBusy = true;
  panel().classList.add("busy");
  try {
    const answer = await fetchPage();
    if (answer.page.querySelector("#messages .error")) sayFrom(answer.page);
    else replace(answer.page, { url: answer.url });
  } catch (error) {
    explain(error);
  } finally {
    isBusy = false;
    panel().classList.remove("busy");
  }
}

// --- Another page --------------------------------------------------------------------------------------------------

/** Turns to a page: at once if it was fetched ahead, otherwise as soon as the server gives it. */
export async function open(number, { push = true } = {}) {
  touch();
  const mine = ++opening;
  for (let wait = FIRST_WAIT; mine === opening; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    if (ahead?.number === number) {
      turnToAhead(push);
      return;
    }
    try {
      const answer = await askPage(addressOf(number), options);
      if (mine === opening) replace(answer.page, { url: answer.url, push });
      return;
    } catch (error) {
      if (mine === opening) explain(error);
      if (!(error instanceof Lost)) return;
      await new Promise((resolve) => { setTimeout(resolve, wait); });
    }
  }
}

/** The strip of pages is newer here than in what was fetched; the journal hears that the page is looked at. */
function turnToAhead(push) {
  const { page, viewer, number } = ahead;
  ahead = null;
  for (const link of document.querySelectorAll("#pages a")) link.removeAttribute("aria-current");
  tentative.linkOf(number)?.setAttribute("aria-current", "page");
  outbox.put({ id: `shown-${Date.now()}`, kind: "shown", fields: [], document: desk.dataset.document, page: number,
    url: desk.dataset.shownUrl.replace("/0/", `/${number}/`) });
  replace(page, { url: addressOf(number), push, viewer });
}

/** Fetches the page that comes next, with its image, while this one is worked on. The journal calls it sent ahead. */
export async function fetchAhead(number) {
  const isUnsettled = outbox.waiting().some((entry) => entry.page === number);
  if (!number || ahead?.number === number || isUnsettled) return;
  const mine = opening;
  const answer = await askPage(`${addressOf(number)}&ahead=1`, options).catch(() => null);
  if (!answer || mine !== opening || Number(answer.page.getElementById("viewer")?.dataset.page) !== number) return;
  const viewer = document.importNode(answer.page.getElementById("viewer"), true); // From here on its image loads.
  ahead = { number, page: answer.page, viewer };
  const crop = answer.page.querySelector("#items > [aria-current] .crop");
  if (crop) {
    const loaded = document.importNode(crop);
    loaded.loading = "eager";
    crop.replaceWith(loaded);
  }
}

/** Takes a page over as it came; the page image stays if it is the same page. */
function replace(page, { url, push = true, viewer = null }) {
  if (!page.getElementById("review")) return;
  sayFrom(page);
  const isOtherPage = page.getElementById("viewer").dataset.page !== document.getElementById("viewer").dataset.page;
  for (const id of ["score", "run", "review"]) swap(id, page);
  if (viewer) document.getElementById("viewer").replaceWith(viewer);
  else for (const id of ["pages", isOtherPage ? "viewer" : "overlay"]) swap(id, page);
  document.title = page.title;
  if (push || !isOtherPage) history[isOtherPage ? "pushState" : "replaceState"](null, "", url);
  showWaiting();
  announce(document.getElementById("next-step").textContent);
  document.dispatchEvent(new CustomEvent("panel-replaced", { detail: { isOtherPage } }));
}

/** What is on its way shows on a page that the server drew without it. */
export function showWaiting() {
  const here = outbox.waiting().filter((entry) => entry.document === desk.dataset.document);
  for (const entry of here) if (entry.page === pageNumber() || entry.kind === "sign") tentative.show(entry);
}

// --- The same page, newer ------------------------------------------------------------------------------------------

/** Says that something changed here: an answer that was asked for before it is too old to be shown. */
export function touch() {
  change += 1;
}

/** Takes over what the server knows now and leaves alone what the reviewer is doing: its place, focus and typing. */
export async function renew() {
  const [asked, number] = [change, pageNumber()];
  const answer = await askPage(addressOf(number), options).catch(() => null);
  const isOld = asked !== change || outbox.waiting().length || number !== pageNumber();
  if (!answer?.page.getElementById("review") || isOld) return;
  merge(answer.page);
}

function merge(page) {
  if (Boolean(page.getElementById("add")) !== Boolean(document.getElementById("add")) || tentative.isSigning()) {
    replace(page, { url: location.href });
    return;
  }
  const focused = focusIn(panel());
  if (page.querySelector("#messages > *")) sayFrom(page);
  if (page.getElementById("run").dataset.stream !== document.getElementById("run").dataset.stream) swap("run", page);
  for (const id of ["pages", "score", "page-warnings", "at-once", "hints", "review-progress"]) swap(id, page);
  const current = document.querySelector("#items > [aria-current]")?.id;
  mergeItems(page, current);
  swap("overlay", page);
  for (const rect of document.querySelectorAll("#overlay .current")) rect.classList.remove("current");
  document.querySelector(`#overlay [data-item="${current?.slice(5)}"] rect`)?.classList.add("current");
  swap("next-step", page);
  document.querySelector(".sign-off").replaceWith(page.querySelector(".sign-off"));
  panel().toggleAttribute("data-signable", "signable" in page.getElementById("review").dataset);
  focused?.();
  document.dispatchEvent(new CustomEvent("panel-merged"));
}

/** Items that nobody decided on since stay the very same elements. */
function mergeItems(page, current) {
  const list = document.getElementById("items");
  const fresh = [...page.getElementById("items").children].map((item) => {
    document.adoptNode(item); // Before our image moves into it: one that changes its document is loaded again.
    const own = document.getElementById(item.id);
    const isKnown = own && own.dataset.decision === item.dataset.decision;
    if (isKnown && !(item.dataset.decision && "tentative" in own.dataset)) {
      delete own.dataset.tentative;
      return own;
    }
    const crop = own?.querySelector(".crop");
    if (crop) item.querySelector(".crop")?.replaceWith(crop);
    item.toggleAttribute("aria-current", false);
    if (item.id === current) item.setAttribute("aria-current", "true");
    item.querySelector(".item-body").hidden = item.id !== current;
    return item;
  });
  const isSame = fresh.length === list.children.length && fresh.every((item, index) => item === list.children[index]);
  if (!isSame) reorder(list, fresh);
}

/** Moves no element that is in its place already: a moved one loses its focus. */
function reorder(list, fresh) {
  for (const old of [...list.children]) if (!fresh.includes(old)) old.remove();
  fresh.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
}

/** How to give the focus back after its element was replaced, or null when it need not be. */
function focusIn(place) {
  const active = document.activeElement;
  if (!place.contains(active)) return null;
  const item = active.closest(".item")?.id;
  const isSigning = Boolean(active.closest(".sign-off"));
  return () => {
    if (active === document.activeElement) return;
    const other = item ? document.getElementById(item)?.querySelector(".item-link")
      : isSigning && place.querySelector(".sign-off button:not(:disabled), .sign-off a");
    (document.contains(active) ? active : other)?.focus?.({ preventScroll: true });
  };
}

/** Puts the element of a fetched page in the place of ours; a list that scrolls stays where it is. */
function swap(id, page) {
  const [ours, theirs] = [document.getElementById(id), page.getElementById(id)];
  const scrolled = ours.firstElementChild?.scrollLeft;
  ours.replaceWith(theirs);
  if (scrolled) theirs.firstElementChild.scrollLeft = scrolled;
}

// --- Saying what went wrong ----------------------------------------------------------------------------------------

function explain(error) {
  if (error instanceof SignedOut) {
    say("error", desk.dataset.signedOut, signInLink());
  } else if (error instanceof Refused) {
    say("error", error.message || desk.dataset.refused, reloadButton());
  } else {
    say("error", desk.dataset.lost);
  }
}

export function signInLink() {
  const link = document.createElement("a");
  Object.assign(link, { href: desk.dataset.signInUrl, target: "_blank", className: "button" });
  link.textContent = desk.dataset.signIn;
  return link;
}

function reloadButton() {
  const button = document.createElement("button");
  button.textContent = desk.dataset.reload;
  button.addEventListener("click", () => { hush(); load(() => askPage(addressOf(pageNumber()), options)); });
  return button;
}

function isTyping() {
  const fields = panel().querySelectorAll("input:not([type=hidden]):not([type=checkbox])");
  return [...fields].some((field) => field.value !== field.defaultValue);
}
