/** Keeps the rows of the document list fresh while something is being read. */

const PERIOD = 2000; // milliseconds
const table = document.getElementById("documents");
let timer = 0;

async function refresh() {
  clearTimeout(timer);
  if (!document.hidden) {
    const trouble = document.getElementById("list-trouble");
    try {
      replace(await rows());
      trouble.hidden = true;
    } catch {
      trouble.hidden = false;
    }
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  if (table.hasAttribute("data-working") && !document.hidden) timer = setTimeout(refresh, PERIOD);
}

/** The fresh tbody. A redirect is the sign-in page, which holds none. */
async function rows() {
  const response = await fetch(table.dataset.rowsUrl, {
    credentials: "same-origin", headers: { "X-By-Itself": "1" }, // which keeps no session alive
  });
  if (!response.ok || response.redirected) throw new Error("no rows");
  const holder = document.createElement("template");
  holder.innerHTML = `<table>${await response.text()}</table>`;
  return holder.content.querySelector("tbody");
}

function replace(fresh) {
  const old = table.tBodies[0];
  if (comparable(old) !== comparable(fresh)) {
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    tellFinished(old, fresh);
    old.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  table.toggleAttribute("data-working", fresh.hasAttribute("data-working"));
}

/** Each form's token differs from answer to answer without meaning anything. */
const comparable = (body) => body.innerHTML.replace(/csrfmiddlewaretoken[^>]*/g, "");

/** Says aloud which documents came to an end since the last look. */
function tellFinished(old, fresh) {
  const ended = [...old.querySelectorAll("tr[data-active]")]
    .map((row) => fresh.querySelector(`#${row.id}:not([data-active])`))
    .filter(Boolean);
  const texts = ended.map((row) => `${textOf(row, ".name")}: ${textOf(row, ".words")}`);
  if (texts.length) document.getElementById("list-news").textContent = texts.join(". ");
}

const textOf = (row, selector) => row.querySelector(selector).textContent.trim();

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
document.addEventListener("documents-changed", refresh);
plan();
