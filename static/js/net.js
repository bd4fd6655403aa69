/** Asking our own server for a page or an answer, and telling apart the ways in which it may not come. */

/** The session is over: the answer was the sign-in page. */
export class SignedOut extends Error {}

/** Somebody else is signed in now; the message is the server's sentence. */
export class OtherPerson extends Error {}

/** The server said no; the message is its sentence, or empty. */
export class Refused extends Error {}

/** Nothing came back: the network or the server is away. */
export class Lost extends Error {}

const PATIENCE = 20_000; // milliseconds

/** The page at `url` as {page: Document, url: string}. A `form` is posted; without one the page is only read. */
export async function askPage(url, { form = null, signInUrl }) {
  const { response, text } = await request(url, { form, signInUrl, accept: "text/html, application/json" });
  if (!response.ok) throw new Refused(answerOf(response, text).error ?? "");
  return { page: new DOMParser().parseFromString(text, "text/html"), url: response.url };
}

/** Posts `form` and gives the server's short answer, an object. What it cannot take now is Lost, not Refused. */
export async function tell(url, { form, signInUrl }) {
  const { response, text } = await request(url, { form, signInUrl, accept: "application/json" });
  const answer = answerOf(response, text);
  if (response.ok) return answer;
  if (answer.code === "other_person") throw new OtherPerson(answer.error);
  // 403 without a sentence is a token of an earlier session: the next try takes the one of now.
  const isForNow = response.status >= 500 || response.status === 429 || (response.status === 403 && !answer.error);
  if (isForNow) throw new Lost();
  throw new Refused(answer.error ?? "");
}

/** The token as it is now: signing in again, perhaps in another tab, made the one in the page worthless. */
export function token() {
  return document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]+)/)?.[1] ?? "";
}

/** The server's short answer to a question, an object. Raises Refused for anything else that comes back. */
export async function ask(url, { signInUrl }) {
  const { response, text } = await request(url, { form: null, signInUrl, accept: "application/json" });
  if (!response.ok) throw new Refused(answerOf(response, text).error ?? "");
  return answerOf(response, text);
}

async function request(url, { form, signInUrl, accept }) {
  const options = {
    headers: { Accept: accept }, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE),
  };
  if (form) {
    form.set("csrfmiddlewaretoken", token() || form.get("csrfmiddlewaretoken"));
    Object.assign(options, { method: "POST", body: form });
  }
  const response = await fetch(url, options).catch(() => { throw new Lost(); });
  if (new URL(response.url).pathname === signInUrl) throw new SignedOut();
  const text = await response.text().catch(() => { throw new Lost(); });
  return { response, text };
}

function answerOf(response, text) {
  return response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : {};
}
