/** Reviewing with one hand: choosing a finding, deciding on it, going on. Every key has a visible control. */

import { panel, post } from "./panel.js";
import { bringIntoView, clearBox, drawBox, openViewer, zoomBy } from "./viewer.js";

const KEYS_SETTING = "single-key-shortcuts";
const items = () => [...document.querySelectorAll("#items > .item")];
const current = () => document.querySelector("#items > [aria-current]");

// --- Choosing ------------------------------------------------------------------------------------------------------

/** Opens one item beside its box on the page; the others fold. */
function select(item, { focus = true } = {}) {
  if (!item) return;
  for (const each of items()) {
    const isChosen = each === item;
    each.querySelector(".item-body").hidden = !isChosen;
    isChosen ? each.setAttribute("aria-current", "true") : each.removeAttribute("aria-current");
    boxOf(each)?.classList.toggle("current", isChosen);
  }
  if (focus) {
    item.querySelector(".item-link").focus({ preventScroll: true });
    const first = item.previousElementSibling ? item : document.getElementById("next-step");
    for (const each of [item, first]) each.scrollIntoView({ block: "nearest" });
  }
  bringIntoView(boxOf(item));
  prefetch(items()[items().indexOf(item) + 1]);
}

const boxOf = (item) => document.querySelector(`#overlay [data-item="${item.dataset.item}"] rect`);

/** The next crop is fetched while this one is looked at. */
function prefetch(item) {
  const crop = item?.querySelector(".crop");
  if (crop) crop.loading = "eager";
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

// --- Deciding ------------------------------------------------------------------------------------------------------

/** One id per decision, so that sending it twice is one decision; changed fields make it another decision. */
function nameDecision(form) {
  const field = form.elements.decision;
  if (field && !field.value) field.value = randomId();
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The button says what it will do: confirm what is proposed, or save what was typed instead. */
function noteTyping(form) {
  form.elements.decision.value = "";
  const fields = [form.elements.nam, form.elements.visit_date, form.elements.visit_time];
  const isChanged = fields.some((field) => plain(field.value) !== plain(field.defaultValue));
  const button = form.querySelector("[data-confirm]");
  button.firstElementChild.textContent = isChanged ? button.dataset.correct : button.dataset.confirm;
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
  const field = current()?.querySelector("[data-decide] [name=nam]");
  if (!field) return;
  const other = current().querySelector("[data-repairs] button")?.value ?? field.value;
  const at = [...field.value].findIndex((character, index) => character !== other[index]);
  field.focus();
  if (at >= 0) field.setSelectionRange(at, at + 1);
}

/** The date or the time of the visit, all of it chosen: what is typed replaces it. */
function enter(name) {
  current()?.querySelector(`[data-decide] [name=${name}]`)?.select();
}

/** `1`–`9`: a reason when the rejection is open, another reading otherwise. */
function choose(number) {
  const open = current()?.querySelector(".rejection[open]");
  const buttons = (open ?? current())?.querySelectorAll(open ? "button" : "[data-repairs] button") ?? [];
  buttons[number - 1]?.click();
}

function toggle(details) {
  if (!details) return;
  details.open = !details.open;
  if (details.open) details.querySelector("input:not([type=hidden]), button, input")?.focus();
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
}

function forgetDrawn(form) {
  form.elements.box.value = "";
  form.querySelector(".place").hidden = true;
  form.querySelector(".hint").hidden = false;
  clearBox();
}

// --- Keys ----------------------------------------------------------------------------------------------------------

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  n: moveToDoubtful,
  c: () => document.querySelector("[data-confirm-all] button")?.click(),
  e: edit,
  d: () => enter("visit_date"),
  h: () => enter("visit_time"),
  x: () => toggle(current()?.querySelector(".rejection")),
  a: () => toggle(document.getElementById("add")),
  z: () => lastDecided()?.querySelector("[data-undo]")?.click(),
  PageUp: () => turn("previous"),
  PageDown: () => turn("next"),
  "+": () => zoomBy(1),
  "=": () => zoomBy(1),
  "-": () => zoomBy(-1),
  0: () => zoomBy(0),
  "?": () => toggle(document.querySelector(".shortcuts")),
};
const decided = [];

/** What Z takes back: the current item if it is decided, otherwise what was decided last on this page, one by one. */
function lastDecided() {
  if (current()?.matches(".decided")) return current();
  while (decided.length && !document.getElementById(decided.at(-1))?.matches(".decided")) decided.pop();
  return document.getElementById(decided.at(-1));
}

/** The page before or behind this one. */
function turn(side) {
  const here = document.querySelector("#pages [aria-current]").closest("li");
  (side === "next" ? here.nextElementSibling : here.previousElementSibling)?.querySelector("a").click();
}

function pressed(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    document.querySelector("[data-sign] button:not(:disabled)")?.click();
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "Escape") {
    current()?.querySelector(".item-link").focus();
  } else if (!event.target.matches("input, select, textarea") && areKeysOn()) {
    pressedSingle(event);
  }
}

function pressedSingle(event) {
  if (event.key === "Enter") {
    if (event.target.closest("button, summary, a:not(.item[aria-current] .item-link)")) return;
    event.preventDefault();
    if (!event.repeat) current()?.querySelector("[data-decide]")?.requestSubmit();
  } else if (/^[1-9]$/.test(event.key)) {
    choose(Number(event.key));
  } else if (event.target.closest(".viewer-window") && /^(Arrow|Page)/.test(event.key)) {
    return; // There these scroll the page image.
  } else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

const areKeysOn = () => localStorage.getItem(KEYS_SETTING) !== "off";

// --- Listening -----------------------------------------------------------------------------------------------------

function submitted(event) {
  const form = event.target;
  if (!form.closest("#review") || form.matches("[data-leaves]")) return;
  event.preventDefault();
  if (form.matches("[data-repairs]")) {
    takeReading(event.submitter);
    return;
  }
  nameDecision(form);
  if (form.closest(".item")) decided.push(form.closest(".item").id);
  post(form, event.submitter);
}

function clicked(event) {
  const chosen = event.target.closest(".item-link, #overlay a");
  if (chosen && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    select(document.getElementById(`item-${chosen.closest("[data-item]").dataset.item}`));
  }
  const clear = event.target.closest("[data-clear]");
  if (clear) forgetDrawn(clear.form);
}

function typed(event) {
  const form = event.target.form;
  if (form?.matches("[data-decide]")) noteTyping(form);
  if (event.target.matches("[data-keys]")) localStorage.setItem(KEYS_SETTING, event.target.checked ? "on" : "off");
}

/** Makes a fresh panel (and, for another page, a fresh image) work. */
function begin({ isOtherPage, focus }) {
  if (isOtherPage) openViewer({ onDrawn: keepDrawn, canDraw: Boolean(document.querySelector("[data-add]")) });
  const shortcuts = panel().querySelector(".switch");
  if (shortcuts) {
    shortcuts.hidden = false;
    shortcuts.querySelector("input").checked = areKeysOn();
  }
  select(current(), { focus });
}

document.addEventListener("submit", submitted);
document.addEventListener("click", clicked);
document.addEventListener("input", typed);
document.addEventListener("keydown", pressed);
document.addEventListener("panel-replaced", (event) => begin({ ...event.detail, focus: true }));
addEventListener("popstate", () => location.reload());
begin({ isOtherPage: true, focus: false });
