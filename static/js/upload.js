/** Uploading: each file by itself, two at a time, every one with its progress and its outcome. */

import { token } from "./net.js";

const AT_ONCE = 2;
const form = document.getElementById("upload");
const words = form.dataset;
const drop = form.querySelector(".drop");
const input = form.elements.file;
const list = form.querySelector(".transfers");
const queue = [];
let active = 0;

function add(files) {
  for (const file of files) {
    const line = newLine(file);
    list.append(line);
    queue.push({ file, line });
  }
  next();
}

function newLine(file) {
  const line = document.createElement("li");
  const name = element("span", "file", file.name);
  const bar = document.createElement("progress");
  bar.max = 100;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  line.append(name, bar, element("span", "soft step", words.waiting), element("span", "outcome", ""));
  return line;
}

function element(kind, className, text) {
  const made = document.createElement(kind);
  made.className = className;
  made.textContent = text;
  return made;
}

function next() {
  while (active < AT_ONCE && queue.length) send(queue.shift());
}

function send({ file, line }) {
  const request = new XMLHttpRequest();
  const bar = line.querySelector("progress");
  active += 1;
  step(line, words.sending);
  request.upload.addEventListener("progress", (event) => { bar.value = (100 * event.loaded) / event.total; });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    step(line, words.checking);
  });
  request.addEventListener("load", () => conclude(file, line, request));
  request.addEventListener("error", () => fail(file, line, words.lost));
  request.addEventListener("loadend", () => { active -= 1; next(); });
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", token() || form.elements.csrfmiddlewaretoken.value);
  request.send(bodyFor(file));
}

/** The file with the billing fields as they stand; the form's own file field stays out. */
function bodyFor(file) {
  const body = new FormData(form);
  body.delete("file");
  body.delete("csrfmiddlewaretoken"); // The header carries the present one.
  body.append("file", file);
  return body;
}

function conclude(file, line, request) {
  const answer = jsonOf(request);
  if (answer?.url) {
    const link = element("a", "", words.open);
    link.href = answer.url;
    finish(line, answer.duplicate ? "duplicate" : "received", answer.message, link);
    document.dispatchEvent(new CustomEvent("documents-changed"));
  } else if (answer?.message) {
    const retry = answer.code === "invalid_field" ? againButton(file, line) : null;
    finish(line, "refused", [answer.message, ...fieldErrors(answer)].join(" "), retry);
  } else {
    const isSignedOut = request.responseURL && new URL(request.responseURL).pathname !== new URL(form.action).pathname;
    fail(file, line, isSignedOut ? words.signedOut : words.broken);
  }
}

function jsonOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}

const fieldErrors = (answer) => Object.values(answer.fields ?? {}).flat();

function fail(file, line, sentence) {
  finish(line, "refused", sentence, againButton(file, line));
}

function againButton(file, line) {
  const button = element("button", "", words.again);
  button.type = "button";
  button.addEventListener("click", () => {
    const fresh = newLine(file);
    line.replaceWith(fresh);
    queue.push({ file, line: fresh });
    next();
  });
  return button;
}

/** The last word on a file: a mark and a sentence; said aloud once. */
function finish(line, kind, sentence, action) {
  line.className = kind;
  line.querySelector("progress").remove();
  step(line, { received: "✓", duplicate: "=", refused: "✕" }[kind]);
  const outcome = line.querySelector(".outcome");
  outcome.append(sentence, " ", ...(action ? [action] : []));
  document.getElementById("upload-news").textContent = `${line.querySelector(".file").textContent}: ${sentence}`;
}

function step(line, text) {
  line.querySelector(".step").textContent = text;
}

// --- Listening -----------------------------------------------------------------------------------------------------

form.querySelector(".drop button").hidden = true; // A chosen file is sent at once.
input.addEventListener("change", () => {
  add([...input.files]);
  input.value = "";
});
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  drop.classList.remove("over");
  add([...event.dataTransfer.files]);
});
addEventListener("beforeunload", (event) => { if (active || queue.length) event.preventDefault(); });
