/** Asking our own server for a page or an answer, and telling apart the ways in which it may not come. */

/** The session is over: the answer was the sign-in page. */
export class SignedOut extends Error {}

/** The server said no; the message is its sentence, or empty. */
export class Refused extends Error {}

/** Nothing came back: the network or the server is away. */
export class Lost extends Error {}

/** The page at `url` as {page: Document, url: string}. A `form` is posted; without one the page is only read. */
export async function askPage(url, { form = null, signInUrl }) {
  const options = { headers: { Accept: "text/html, application/json" }, credentials: "same-origin" };
  if (form) {
    form.set("csrfmiddlewaretoken", token() || form.get("csrfmiddlewaretoken"));
    Object.assign(options, { method: "POST", body: form });
  }
  const response = await fetch(url, options).catch(() => { throw new Lost(); });
  if (new URL(response.url).pathname === signInUrl) throw new SignedOut();
  const text = await response.text().catch(() => { throw new Lost(); });
  if (!response.ok) throw new Refused(sentenceOf(response, text));
  return { page: new DOMParser().parseFromString(text, "text/html"), url: response.url };
}

/** The token as it is now: signing in again, perhaps in another tab, made the one in the page worthless. */
export function token() {
  return document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]+)/)?.[1] ?? "";
}

function sentenceOf(response, text) {
  if (!response.headers.get("Content-Type")?.includes("json")) return "";
  return JSON.parse(text).error || "";
}
