/** The review panel as the server sees it: posting its forms and putting the returned page in its place. */

import { askPage, Refused, SignedOut } from "./net.js";
import { announce, hush, say, sayFrom } from "./messages.js";

const PARTS = ["pages", "score", "run", "review"];
const desk = document.getElementById("desk");
let isBusy = false;

export const panel = () => document.getElementById("review");

/** Posts a form of the panel and shows what came of it. What was typed stays whenever it was not accepted. */
export async function post(form, submitter = null) {
  if (isBusy) return;
  const data = new FormData(form);
  if (submitter?.name) data.append(submitter.name, submitter.value);
  await show(form.action, data);
}

/** Reads the present state of the page again, unless somebody is typing. */
export async function refresh() {
  if (isTyping()) {
    say("warning", desk.dataset.changed, reloadButton());
    return;
  }
  await show(location.href, null);
}

async function show(url, form) {
  isBusy = true;
  panel().classList.add("busy");
  try {
    const answer = await askPage(url, { form, signInUrl: desk.dataset.signInUrl });
    if (answer.page.querySelector("#messages .error")) sayFrom(answer.page);
    else replace(answer);
  } catch (error) {
    explain(error);
  } finally {
    isBusy = false;
    panel().classList.remove("busy");
  }
}

/** Takes over the changed parts; the page image stays unless another page came back. */
function replace({ page, url }) {
  if (!page.getElementById("review")) return;
  sayFrom(page);
  const isOtherPage = page.getElementById("viewer").dataset.page !== document.getElementById("viewer").dataset.page;
  for (const id of PARTS) document.getElementById(id).replaceWith(page.getElementById(id));
  const part = isOtherPage ? "viewer" : "overlay";
  document.getElementById(part).replaceWith(page.getElementById(part));
  document.title = page.title;
  history[isOtherPage ? "pushState" : "replaceState"](null, "", url);
  announce(document.getElementById("next-step").textContent);
  document.dispatchEvent(new CustomEvent("panel-replaced", { detail: { isOtherPage } }));
}

function explain(error) {
  if (error instanceof SignedOut) {
    const link = document.createElement("a");
    Object.assign(link, { href: desk.dataset.signInUrl, target: "_blank", className: "button" });
    link.textContent = desk.dataset.signIn;
    say("error", desk.dataset.signedOut, link);
  } else if (error instanceof Refused) {
    say("error", error.message || desk.dataset.refused, reloadButton());
  } else {
    say("error", desk.dataset.lost);
  }
}

function reloadButton() {
  const button = document.createElement("button");
  button.textContent = desk.dataset.reload;
  button.addEventListener("click", () => { hush(); show(location.href, null); });
  return button;
}

function isTyping() {
  const fields = panel().querySelectorAll("input:not([type=hidden]):not([type=checkbox])");
  return [...fields].some((field) => field.value !== field.defaultValue);
}
