/** How the panel looks while a decision is on its way: as it will when the server has it, or as it was before. */

const desk = () => document.getElementById("desk");
const panel = () => document.getElementById("review");
const word = (name) => desk().dataset[name];
const rectOf = (item) => document.querySelector(`#overlay [data-item="${item.dataset.item}"] rect`);
const KINDS = ["open", "doubtful", "decided", "confirm", "correct", "reject", "add"];

/** Shows what an entry of the outbox will do to this page; what it speaks of may be elsewhere. */
export function show(entry) {
  const item = document.getElementById(`item-${entry.item}`);
  if (entry.kind === "decide" && item) settle(item, entry);
  if (entry.kind === "add") append(entry);
  if (entry.kind === "undo" && item) takeBack(item);
  if (entry.kind === "sign") sign(entry);
  count();
}

/** Takes back what `show` did, because the server refused it. What was typed is still in the fields. */
export function hide(entry) {
  const item = document.getElementById(`item-${entry.item}`);
  if (entry.kind === "decide" && item) unsettle(item);
  if (entry.kind === "add") item?.remove();
  if (entry.kind === "sign" && entry.page === Number(panel().dataset.page)) panel().classList.remove("signing");
  count();
}

/** Whether the person's own next step on this page waits for the server's word on its sign-off. */
export const isSigning = () => panel().classList.contains("signing");

function settle(item, { id, verdict, fields }) {
  const typed = Object.fromEntries(fields);
  turnTo(item, `decided ${verdict}`, verdict === "reject" ? "✕" : "✓", verdict);
  fillForm(item, typed);
  if (verdict !== "reject") write(item, typed.nam, typed.visit_date, typed.visit_time);
  Object.assign(item.dataset, { decision: id, tentative: "" });
  delete item.dataset.undecided;
  undoable(item, id);
  fold(item, true);
}

function unsettle(item) {
  const isDoubtful = "doubts" in item.dataset;
  const form = item.querySelector("[data-decide]");
  turnTo(item, isDoubtful ? "doubtful" : "open", isDoubtful ? "?" : "○", isDoubtful ? "doubtful" : "open");
  if (form) write(item, ...["nam", "visit_date", "visit_time"].map((name) => form.elements[name].defaultValue));
  Object.assign(item.dataset, { decision: "", undecided: "", tentative: "" });
  for (const field of item.querySelectorAll("[name=against]")) field.value = ""; // Nothing stands any more.
  const undo = item.querySelector(".undo");
  if (undo) undo.hidden = true;
  fold(item, false);
}

/** A finding is open again; an addition goes. */
function takeBack(item) {
  if (item.matches(".add")) item.remove();
  else unsettle(item);
}

function turnTo(item, kind, mark, words) {
  item.classList.remove(...KINDS);
  item.classList.add(...kind.split(" "));
  item.querySelector(".mark").textContent = mark;
  item.querySelector(".item-state .words").textContent = word(`word${words[0].toUpperCase()}${words.slice(1)}`);
  const rect = rectOf(item);
  rect?.classList.remove(...KINDS);
  rect?.classList.add(...kind.split(" "));
}

/** After a reload the fields hold the proposal again; what was typed is put back, should the server refuse it. */
function fillForm(item, typed) {
  const form = item.querySelector("[data-decide]");
  for (const name of ["nam", "visit_date", "visit_time"]) {
    if (form && name in typed) form.elements[name].value = typed[name];
  }
}

function write(item, nam, day, clock) {
  const value = nam.replace(/[^A-Za-z0-9]/g, "").toUpperCase();
  item.querySelector(".item-link .nam").textContent = value.replace(/(.{4})(?=.)/g, "$1 ");
  const visit = [day || word("dayUnknown"), clock || (day && word("clockUnknown"))];
  item.querySelector(".visit").textContent = visit.join(" ");
}

function undoable(item, decision) {
  const undo = item.querySelector(".undo");
  if (!undo) return;
  undo.action = desk().dataset.undoUrl.replace("00000000-0000-0000-0000-000000000000", decision);
  undo.hidden = false;
}

function fold(item, isSettled) {
  const deciding = item.querySelector(".deciding");
  if (deciding) deciding.hidden = isSettled;
  const settled = item.querySelector(".settled");
  settled.hidden = !isSettled;
  if (!isSettled) return;
  const value = document.createElement("p");
  value.className = "nam big";
  value.textContent = item.querySelector(".item-link .nam").textContent;
  settled.replaceChildren(value);
}

function append(entry) {
  if (document.getElementById(`item-${entry.item}`)) return;
  const item = document.getElementById("added").content.firstElementChild.cloneNode(true);
  item.id = `item-${entry.item}`;
  item.dataset.item = entry.item;
  item.querySelector(".item-link").href = `?page=${entry.page}#${item.id}`;
  document.getElementById("items").append(item);
  settle(item, { ...entry, verdict: "add" });
}

function sign({ page }) {
  const link = linkOf(page);
  link?.querySelector(".count, .unread")?.remove();
  if (link && !link.querySelector(".signed")) {
    const mark = document.createElement("span");
    Object.assign(mark, { className: "signed", textContent: "✓", title: word("signed") });
    link.append(mark);
  }
  if (Number(panel().dataset.page) === page) panel().classList.add("signing");
}

/** The link to a page in the strip of pages. */
export function linkOf(page) {
  return document.querySelector(`#pages a[href="?page=${page}"]`);
}

/** How far the whole document is, of which other pages are as the server counted them. */
function countDocument(left) {
  const line = document.getElementById("review-progress");
  if (!line?.dataset.total) return;
  const { total, leftElsewhere, doubtfulElsewhere } = line.dataset;
  const doubtful = panel().querySelectorAll(".doubtful[data-undecided]").length;
  line.querySelector("[data-decided]").textContent = Math.max(0, total - leftElsewhere - left);
  line.querySelector("[data-doubtful]").textContent = Number(doubtfulElsewhere) + doubtful;
}

/** What the button confirms at once, and how many: without those that are decided. */
function countAtOnce() {
  const form = panel().querySelector("[data-confirm-all]");
  if (!form) return;
  const fields = [...form.querySelectorAll("[name=finding]")];
  for (const field of fields) {
    field.disabled = !("undecided" in (document.getElementById(`item-${field.value}`)?.dataset ?? {}));
  }
  const left = fields.filter((field) => !field.disabled).length;
  form.hidden = left === 0 || isSigning();
  const text = left === 1 ? form.dataset.one : form.dataset.many.replace("{count}", left);
  const words = form.querySelector("button span");
  if (words.textContent !== text) words.textContent = text;
}

/** What is left to decide, wherever it is said, and whether the page can be signed. */
export function count() {
  const left = panel().querySelectorAll("[data-undecided]").length;
  countDocument(left);
  countAtOnce();
  const badge = linkOf(panel().dataset.page)?.querySelector(".count");
  if (badge && left) badge.firstChild.textContent = `${left} `;
  else badge?.remove();
  const button = panel().querySelector("[data-sign] button");
  if (button) button.disabled = left > 0 || !("signable" in panel().dataset) || isSigning();
  if (!document.querySelector("[data-tentative]")) return;
  const step = document.getElementById("next-step");
  step.textContent = left ? word("left").replace("{count}", left) : word("nothingLeft");
  const reason = document.getElementById("sign-reason");
  if (reason && "signable" in panel().dataset) reason.textContent = left ? word("decideFirst") : "";
}
