/** Keeps the document while its page is open and seen, and gives it back when the page goes away. */

import { say } from "./messages.js";
import { token } from "./net.js";

const lease = () => document.querySelector("#lease[data-ticket]");
let timer = 0;
let lost = null; // the lease that somebody else has taken; a fresh page brings another one

/** Says that the page is still there. Who took the document meanwhile is told in a message; what is typed stays. */
async function beat() {
  const mine = lease();
  if (mine && mine !== lost && !document.hidden) {
    const answer = await send(mine).catch(() => null); // The network is away: the next one may come through.
    if (answer?.status === 409) {
      lost = mine;
      say("warning", (await answer.json()).error, reloadLink(mine));
    }
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  const mine = lease();
  if (mine && !document.hidden) timer = setTimeout(beat, Number(mine.dataset.every) * 1000);
}

const send = (mine) => fetch(mine.dataset.beat, {
  method: "POST", body: fields(mine), credentials: "same-origin", headers: { Accept: "application/json", "X-By-Itself": "1" },
  redirect: "manual", // to the sign-in page
});

function fields(mine) {
  const form = new FormData();
  form.set("csrfmiddlewaretoken", token());
  form.set("ticket", mine.dataset.ticket);
  return form;
}

function release() {
  const mine = lease();
  if (mine && mine !== lost) navigator.sendBeacon(mine.dataset.release, fields(mine));
}

function reloadLink(mine) {
  const link = document.createElement("a");
  Object.assign(link, { href: location.href, className: "button" });
  link.textContent = mine.dataset.reload;
  return link;
}

addEventListener("pagehide", release);
addEventListener("pageshow", (event) => (event.persisted ? beat() : plan())); // back from the browser's own cache
document.addEventListener("visibilitychange", beat);
document.addEventListener("panel-replaced", plan);
