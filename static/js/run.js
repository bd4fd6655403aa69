/** While a document is read: how far it is, as the server tells it; at the end, the proposals. */

import { refresh } from "./panel.js";

function follow() {
  const run = document.getElementById("run");
  if (!run.dataset.stream || run.dataset.followed) return;
  run.dataset.followed = "yes";
  const source = new EventSource(run.dataset.stream);
  for (const name of ["connected", "progress"]) {
    source.addEventListener(name, (event) => show(run, JSON.parse(event.data)));
  }
  source.addEventListener("completed", () => finish(source));
  source.addEventListener("error", (event) => {
    // Our own last event has data; the browser's sign of a lost connection has none, and it connects again by itself.
    if (event.data) finish(source);
    else words(run, run.dataset.lost);
  });
}

function finish(source) {
  source.close();
  refresh();
}

function show(run, state) {
  const pages = state.pageCount;
  const done = state.status === "reading" ? state.pagesRead + state.unreadPages.length : state.pagesFound;
  const phrase = run.dataset[state.status];
  if (phrase) words(run, fill(phrase, { page: Math.min(done + 1, pages), pages }));
  run.querySelector("progress")?.setAttribute("value", state.progress);
  const found = run.querySelector(".found");
  if (found && state.namsFound) found.textContent = fill(run.dataset.found, { found: state.namsFound });
}

function words(run, text) {
  const place = run.querySelector(".words");
  if (place && place.textContent !== text) place.textContent = text;
}

const fill = (phrase, values) => phrase.replace(/{(\w+)}/g, (_, name) => values[name]);

document.addEventListener("panel-replaced", follow);
follow();
