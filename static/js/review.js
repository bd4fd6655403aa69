/** Reviewing with one hand: choosing a finding, deciding on it, going on. Every key has a visible control. */

import * as effort from "./effort.js";
import { areKeysOn, meaningOf, remap, resetKeys, showKeys, switchKeys, written } from "./keys.js";
import { insist, say } from "./messages.js";
import { Lost, tell } from "./net.js";
import * as outbox from "./outbox.js";
import { fetchAhead, open, pageNumber, panel, post, renew, showWaiting, signInLink, touch } from "./panel.js";
import * as tentative from "./tentative.js";
import { bringIntoView, clearBox, drawBox, openViewer, turnImage, zoomBy } from "./viewer.js";

// Milliseconds without a decision, after which the server is asked how things stand: a reviewer who goes on is not
// slowed down by pages that nobody looks at.
const QUIET = 2000, AFTER_SIGNING = 200;
const CROPS_AHEAD = 3;
const TYPED = ["nam", "visit_date", "visit_time", "box"];
const desk = document.getElementById("desk");
const items = () => [...document.querySelectorAll("#items > .item")];
const current = () => document.querySelector("#items > [aria-current]");
/** What decides on the current item; nothing when it is decided, or its page is being signed. */
const deciding = () => (tentative.isSigning() ? null : current()?.querySelector(".deciding:not([hidden])"));

// --- Choosing ------------------------------------------------------------------------------------------------------

/** Opens one item beside its box on the page; the others fold. */
function select(item, { focus = true } = {}) {
  if (!item) return;
  for (const other of document.querySelectorAll("#items > [aria-current]")) if (other !== item) unfold(other, false);
  unfold(item, true);
  if (focus) {
    item.querySelector(".item-link").focus({ preventScroll: true });
    const first = item.previousElementSibling ? item : document.getElementById("next-step");
    for (const each of [item, first]) each.scrollIntoView({ block: "nearest" });
  }
  bringIntoView(boxOf(item));
  for (const next of inOrder().filter((each) => each !== item).slice(0, CROPS_AHEAD)) prefetch(next);
}

function unfold(item, isChosen) {
  item.querySelector(".item-body").hidden = !isChosen;
  if (isChosen) item.setAttribute("aria-current", "true");
  else item.removeAttribute("aria-current");
  boxOf(item)?.classList.toggle("current", isChosen);
}

const boxOf = (item) => document.querySelector(`#overlay [data-item="${item.dataset.item}"] rect`);

/** The next crops are fetched while this one is looked at. */
function prefetch(item) {
  const crop = item.querySelector(".crop");
  if (crop && crop.loading !== "eager") crop.loading = "eager";
}

/** Crops that could not be fetched while the server was away. */
function fetchAgain() {
  for (const crop of document.querySelectorAll(".item-body:not([hidden]) .crop, .crop[loading=eager]")) {
    if (crop.complete && crop.naturalWidth === 0) crop.src = crop.getAttribute("src");
  }
}

function move(step) {
  const all = items();
  const next = all[all.indexOf(current()) + step];
  select(next);
}

function moveToDoubtful() {
  const all = items();
  const from = all.indexOf(current()) + 1;
  select([...all.slice(from), ...all.slice(0, from)].find((item) => item.matches(".doubtful")));
}

/** What is to decide, in the order in which it comes: doubtful ones first, then on from here as one reads. */
function inOrder() {
  const all = items();
  const from = all.indexOf(current()) + 1;
  const ahead = [...all.slice(from), ...all.slice(0, from)].filter((item) => "undecided" in item.dataset);
  const isDoubtful = (item) => item.matches(".doubtful");
  return [...ahead.filter(isDoubtful), ...ahead.filter((item) => !isDoubtful(item))];
}

/** The last one stays where it is. */
function goOn() {
  select(inOrder()[0] ?? current());
}

// --- Deciding ------------------------------------------------------------------------------------------------------

/** Shows what the form does, sends it in the background, and goes on. */
function decide(form, submitter) {
  const fields = [...new FormData(form, submitter)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const entry = { id: randomId(), url: form.action, fields, document: desk.dataset.document, page: pageNumber(),
    seen: `${location.pathname}?page=${pageNumber()}` };
  if (form.matches(".undo")) undo(form, entry);
  else if (form.matches("[data-sign]")) sign(entry);
  else if (form.matches("[data-add]")) add(form, entry);
  else judge(form, entry);
}

function send(entry) {
  touch();
  tentative.show(entry);
  outbox.put(entry);
}

function judge(form, entry) {
  const item = form.closest(".item");
  const isRejection = form.elements.verdict.value === "reject";
  const verdict = isRejection ? "reject" : isChanged(form) ? "correct" : "confirm";
  form.closest(".deciding").querySelector(".rejection").open = false;
  decided.push(item.id);
  send(named({ ...entry, kind: "decide", item: item.dataset.item, verdict }));
  goOn();
}

function add(form, entry) {
  send(named({ ...entry, kind: "add", item: entry.id }));
  decided.push(`item-${entry.id}`);
  forgetDrawn(form);
  form.reset();
  form.elements.nam.focus();
}

/** The decision's own id is the key of its undoing: it can be undone once. */
function undo(form, entry) {
  const item = form.closest(".item");
  send({ ...entry, kind: "undo", item: item.dataset.item, about: item.dataset.decision });
  select(document.contains(item) ? item : items()[0]);
}

function sign(entry) {
  const following = nextUnsigned();
  effort.forget();
  send({ ...entry, kind: "sign", fields: [...entry.fields, ["sign_off", entry.id]] });
  if (following) open(following);
}

/** A decision with its own id, and what it took. */
function named(entry) {
  const fields = entry.fields.filter(([name]) => name !== "decision");
  return { ...entry, fields: [...fields, ["decision", entry.id], ...effort.take()] };
}

/** The next page that is not signed, going round once. */
function nextUnsigned() {
  const pages = [...document.querySelectorAll("#pages li")];
  const from = pages.findIndex((page) => page.querySelector("[aria-current]"));
  const open = [...pages.slice(from + 1), ...pages.slice(0, from)].find((page) => !page.querySelector(".signed"));
  return open && numberOf(open.querySelector("a"));
}

const numberOf = (link) => Number(new URL(link.href).searchParams.get("page"));

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The button says what it will do: confirm what is proposed, or save what was typed instead. */
function noteTyping(form) {
  const button = form.querySelector("[data-confirm]");
  button.firstElementChild.textContent = isChanged(form) ? button.dataset.correct : button.dataset.confirm;
}

function isChanged(form) {
  const fields = [form.elements.nam, form.elements.visit_date, form.elements.visit_time];
  return fields.some((field) => plain(field.value) !== plain(field.defaultValue));
}

const plain = (text) => text.replace(/[\s-]/g, "").toUpperCase();

/** Puts another reading into the field; the person still confirms it. */
function takeReading(button) {
  const field = button.closest(".item-body").querySelector("[data-decide] [name=nam]");
  field.value = button.value;
  noteTyping(field.form);
  field.focus();
}

/** The cursor goes to the first character that another reading doubts, so that one key corrects it. */
function edit() {
  const field = deciding()?.querySelector("[data-decide] [name=nam]");
  if (!field) return;
  const other = deciding().querySelector("[data-repairs] button")?.value ?? field.value;
  const at = [...field.value].findIndex((character, index) => character !== other[index]);
  field.focus();
  if (at >= 0) field.setSelectionRange(at, at + 1);
}

/** The date or the time of the visit, all of it chosen: what is typed replaces it. */
function enter(name) {
  deciding()?.querySelector(`[data-decide] [name=${name}]`)?.select();
}

/** `1`–`9`: a reason when the rejection is open, another reading otherwise. */
function choose(number) {
  const open = deciding()?.querySelector(".rejection[open]");
  const buttons = (open ?? deciding())?.querySelectorAll(open ? "button" : "[data-repairs] button") ?? [];
  buttons[number - 1]?.click();
}

function toggle(details) {
  if (!details) return;
  details.open = !details.open;
  if (!details.open) return;
  const fields = [...details.querySelectorAll("input:not([type=hidden]), button")];
  fields.find((field) => field.checkVisibility())?.focus();
}

// --- Adding --------------------------------------------------------------------------------------------------------

function keepDrawn(box) {
  const form = document.querySelector("[data-add]");
  form.elements.box.value = box.map((side) => side.toFixed(5)).join(",");
  form.querySelector(".place").hidden = false;
  form.querySelector(".hint").hidden = true;
  form.closest("details").open = true;
  drawBox(box);
  form.elements.nam.focus();
  readOut(form);
}

/** Asks the reader what stands in the box. It fills what is still empty; typing need not wait for it. */
async function readOut(form) {
  const place = form.querySelector(".readings");
  const box = form.elements.box.value;
  place.textContent = place.dataset.reading;
  const answer = await tellPatiently(place.dataset.url, box);
  if (form.elements.box.value !== box || !document.contains(form)) return;
  const readings = answer?.readings ?? [];
  place.textContent = readings.length ? "" : place.dataset.nothing;
  if (!readings.length) return;
  const offer = document.createElement("p");
  offer.textContent = place.dataset.offer;
  place.append(offer, ...readings.map((reading) => readingButton(form, reading)));
  fillEmpty(form, { nam: readings[0].nam, visit_date: answer.date, visit_time: answer.time });
}

/** The reader takes one place at a time; where the server is away, the person types. */
async function tellPatiently(url, box) {
  for (let turn = 0; turn < 4; turn += 1) {
    const form = new FormData();
    form.set("box", box);
    try {
      return await tell(url, { form, signInUrl: desk.dataset.signInUrl });
    } catch (error) {
      if (!(error instanceof Lost)) return null;
      await new Promise((resolve) => { setTimeout(resolve, 700); });
    }
  }
  return null;
}

function readingButton(form, { nam, reason }) {
  const button = document.createElement("button");
  const value = document.createElement("span");
  Object.assign(value, { className: "nam", textContent: nam });
  const why = document.createElement("span");
  Object.assign(why, { className: "soft", textContent: reason });
  Object.assign(button, { type: "button" });
  button.append(value, why);
  button.addEventListener("click", () => { form.elements.nam.value = nam; form.elements.nam.focus(); });
  return button;
}

/** What was proposed is chosen whole, so that typing replaces it. */
function fillEmpty(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field.value && value) field.value = value;
  }
  const { nam } = form.elements;
  if (document.activeElement === nam && nam.value === values.nam) nam.select();
}

function forgetDrawn(form) {
  form.elements.box.value = "";
  form.querySelector(".place").hidden = true;
  form.querySelector(".hint").hidden = false;
  form.querySelector(".readings").replaceChildren();
  clearBox();
}

// --- Keys ----------------------------------------------------------------------------------------------------------

const ACTIONS = {
  next: () => move(1),
  previous: () => move(-1),
  doubtful: moveToDoubtful,
  edit,
  day: () => enter("visit_date"),
  clock: () => enter("visit_time"),
  reject: () => toggle(deciding()?.querySelector(".rejection")),
  add: () => toggle(document.getElementById("add")),
  at_once: () => document.querySelector("[data-confirm-all]:not([hidden]) button")?.click(),
  undo: () => lastDecided()?.querySelector("[data-undo]")?.click(),
  before: () => turn("previous"),
  after: () => turn("next"),
  closer: () => zoomBy(1),
  farther: () => zoomBy(-1),
  whole: () => zoomBy(0),
  turn: turnImage,
  help: () => toggle(document.querySelector(".shortcuts")),
};
const decided = [];

/** What Z takes back: what was decided last on this page, one by one; then the current item, if it is decided. */
function lastDecided() {
  while (decided.length && !document.getElementById(decided.at(-1))?.matches(".decided")) decided.pop();
  if (decided.length) return document.getElementById(decided.at(-1));
  return current()?.matches(".decided") ? current() : null;
}

/** The page before or behind this one. */
function turn(side) {
  const here = document.querySelector("#pages [aria-current]").closest("li");
  const link = (side === "next" ? here.nextElementSibling : here.previousElementSibling)?.querySelector("a");
  if (link) open(numberOf(link));
}

function pressed(event) {
  if (event.target.closest?.("dialog")) return; // Another question is open.
  if (remapping) {
    remapped(event);
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    document.querySelector("[data-sign] button:not(:disabled)")?.click();
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "Escape") {
    current()?.querySelector(".item-link").focus();
  } else if (!event.target.matches("input:not([type=checkbox]), select, textarea") && areKeysOn()) {
    pressedSingle(event);
  }
}

function pressedSingle(event) {
  if (event.key === "Enter") {
    if (event.target.closest("button, summary, a:not(.item[aria-current] .item-link)")) return;
    event.preventDefault();
    if (!event.repeat) deciding()?.querySelector("[data-decide]").requestSubmit();
  } else if (/^[1-9]$/.test(event.key)) {
    choose(Number(event.key));
  } else if (event.target.closest(".viewer-window") && /^(Arrow|Page)/.test(event.key)) {
    return; // There these scroll the page image.
  } else if (meaningOf(event.key)) {
    event.preventDefault();
    ACTIONS[meaningOf(event.key)]();
  }
}

// --- Other keys ----------------------------------------------------------------------------------------------------

let remapping = null;

/** The next key that is pressed becomes the key of this button's action. */
function beginRemapping(button) {
  remapping = button;
  tellRemapping("press");
}

function remapped(event) {
  if (["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"].includes(event.key)) return;
  if (event.key === "Tab" || event.ctrlKey || event.altKey || event.metaKey) { // Leaving: nobody is held here.
    remapping = null;
    return;
  }
  event.preventDefault();
  const [why, holder] = event.key === "Escape" ? ["kept"] : remap(remapping.dataset.remap, event.key) ?? ["done"];
  tellRemapping(why, { key: written(event.key), holder });
  if (why === "fixed" || why === "taken") return;
  showKeys();
  remapping = null;
}

function tellRemapping(what, { key = "", holder = remapping?.dataset.remap } = {}) {
  const place = document.getElementById("remapping");
  const words = document.getElementById(`key-${holder ?? remapping?.dataset.remap}`)?.textContent.trim() ?? "";
  place.textContent = place.dataset[what].replace("{key}", key).replace("{words}", words);
}

// --- Listening -----------------------------------------------------------------------------------------------------

function submitted(event) {
  const form = event.target;
  if (!form.closest("#review")) return;
  event.preventDefault();
  if (form.matches("[data-leaves]")) {
    outbox.empty().then(() => form.submit());
    return;
  }
  if (form.matches("[data-repairs]")) {
    takeReading(event.submitter);
    return;
  }
  if (form.matches(".decide, .undo, [data-sign], .rejection form")) decide(form, event.submitter);
  else post(form, event.submitter, form.matches("[data-confirm-all]") ? effort.take() : []);
}

function clicked(event) {
  const chosen = event.target.closest(".item-link, #overlay a");
  if (chosen && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    select(document.getElementById(`item-${chosen.closest("[data-item]").dataset.item}`));
  }
  const link = event.target.closest("#pages a, .sign-off a");
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    open(numberOf(link));
  }
  remapping = null;
  const key = event.target.closest("[data-remap]");
  if (key) beginRemapping(key);
  if (event.target.closest("[data-reset-keys]")) {
    resetKeys();
    showKeys();
    tellRemapping("reset");
  }
  const clear = event.target.closest("[data-clear]");
  if (clear) forgetDrawn(clear.form);
}

function typed(event) {
  const form = event.target.form;
  if (form?.matches("[data-decide]")) noteTyping(form);
  if (event.target.matches("[data-keys]")) switchKeys(event.target.checked);
}

/** Makes a fresh panel (and, for another page, a fresh image) work. */
function begin({ isOtherPage, focus }) {
  if (isOtherPage) {
    effort.forget();
    openViewer({ onDrawn: keepDrawn, onPainted: tellPainted, canDraw: Boolean(document.querySelector("[data-add]")) });
  }
  const shortcuts = panel().querySelector(".switch");
  if (shortcuts) {
    shortcuts.hidden = false;
    shortcuts.querySelector("input").checked = areKeysOn();
  }
  select(current() ?? items()[0], { focus });
  tentative.count();
  showKeys();
  if (isOtherPage) soon(prepareNext);
}

/** Most often the next page comes next; after the last one, the first that is not signed. */
function prepareNext() {
  const link = document.querySelector("#pages [aria-current]").closest("li").nextElementSibling?.querySelector("a");
  if (isReviewer) fetchAhead(link && !link.querySelector(".signed") ? numberOf(link) : nextUnsigned());
}

/** The journal hears that the image stands on the screen: only then may the page be confirmed at once. */
function tellPainted(number) {
  if (!isReviewer || !desk.dataset.paintedUrl) return;
  outbox.put({ id: `painted-${Date.now()}`, kind: "painted", fields: [], document: desk.dataset.document, page: number,
    url: desk.dataset.paintedUrl.replace("/0/", `/${number}/`) });
}

// --- The outbox ----------------------------------------------------------------------------------------------------

const isReviewer = "outboxKey" in desk.dataset;
const SLOW = 1500; // milliseconds
let quiet = null;
let slow = null;
let trouble = false;

/** Does something when the reviewer and the network are not busy with more urgent things. */
function soon(something) {
  (globalThis.requestIdleCallback ?? setTimeout)(something);
}

function accepted(entry, answer) {
  if (answer.message && entry.kind === "sign") say("success", answer.message);
  if (trouble) fetchAgain();
  if (entry.kind === "painted") return; // Nothing changed by it.
  clearTimeout(quiet);
  quiet = setTimeout(async () => {
    if (outbox.waiting().length) return;
    await renew();
    prepareNext();
  }, entry.kind === "sign" ? AFTER_SIGNING : QUIET);
}

/** The server's sentence stays until it is read; what was typed is in its fields, and the truth is fetched. */
function refused(entry, sentence) {
  if (entry.kind === "shown" || entry.kind === "painted") return;
  const isHere = entry.document === desk.dataset.document;
  if (isHere) tentative.hide(entry);
  if (entry.kind === "add" && isHere) giveBack(entry);
  const unsigned = entry.kind === "sign" ? desk.dataset.unsigned.replace("{number}", entry.page) : "";
  insist("error", `${unsigned} ${sentence || desk.dataset.refused}`.trim(), isHere ? seeButton(entry) : null);
  touch();
  renew();
}

/** An addition that was refused goes back into its form, unless the next one is being typed there. */
function giveBack({ page, fields }) {
  const form = document.querySelector("[data-add]");
  if (!form || page !== pageNumber() || form.elements.nam.value) return;
  for (const [name, value] of fields) if (TYPED.includes(name)) form.elements[name].value = value;
  form.closest("details").open = true;
}

function seeButton(entry) {
  const button = document.createElement("button");
  button.textContent = desk.dataset.see;
  button.addEventListener("click", async () => {
    if (entry.page !== pageNumber()) await open(entry.page);
    select(document.getElementById(`item-${entry.item}`));
  });
  return button;
}

/** Says what waits, and why, as soon as the server does not answer or takes its time. */
function tellWaiting({ count, state, sentence }) {
  const place = document.getElementById("outbox");
  const why = { lost: desk.dataset.away, "signed-out": desk.dataset.signInAgain, "other-person": sentence }[state];
  clearTimeout(slow);
  if (count && !why && !trouble) {
    slow = setTimeout(() => place.replaceChildren(counted(count)), SLOW);
    return;
  }
  const text = count ? [counted(count), why].filter(Boolean).join(" ") : trouble ? desk.dataset.arrived : "";
  trouble = count > 0;
  place.classList.toggle("troubled", trouble);
  if (place.firstChild?.textContent === text) return;
  place.replaceChildren(text, ...(why && state !== "lost" && count ? [" ", signInLink()] : []));
}

const counted = (count) => (count === 1 ? desk.dataset.waits : desk.dataset.wait.replace("{count}", count));

// --- Beginning -----------------------------------------------------------------------------------------------------

document.addEventListener("submit", submitted);
document.addEventListener("click", clicked);
document.addEventListener("input", typed);
document.addEventListener("keydown", pressed);
document.addEventListener("panel-replaced", (event) => begin({ ...event.detail, focus: true }));
document.addEventListener("panel-merged", () => { tentative.count(); showKeys(); });
addEventListener("popstate", () => {
  const page = Number(new URL(location.href).searchParams.get("page"));
  if (page) open(page, { push: false });
  else location.reload();
});
effort.watch();
begin({ isOtherPage: true, focus: false });
if (isReviewer) {
  outbox.open({ key: desk.dataset.outboxKey, person: desk.dataset.person, signInUrl: desk.dataset.signInUrl,
    changed: tellWaiting, accepted, refused }).then(showWaiting);
}
