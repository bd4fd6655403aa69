/** Decisions on their way: shown at once elsewhere, sent from here in their order, kept until the server has them.

An entry is {id, kind, url, fields, document, page, item, seen}: `fields` are the pairs of its form, its `id` is the key
by which the server knows that it has it already, `seen` the address of the page that it was made on. What waits is kept in this tab's sessionStorage, sealed with a key that
the server gives with the page to the same person only; without WebCrypto (no HTTPS) it is kept in memory alone. */

import { OtherPerson, Refused, SignedOut, tell } from "./net.js";

const FIRST_WAIT = 500, LONGEST_WAIT = 15_000; // milliseconds
const LOOK_AGAIN = 40; // milliseconds
const NONCE_BYTES = 12;

/** How it goes: "well", or why nothing leaves: "lost", "signed-out", "other-person". */
let state = "well";
let sentence = "";
let entries = [];
let settings = null;
let key = null;
let writing = Promise.resolve();
let wake = null;
let isReady = false;
let isSending = false;
let unwritten = 0;
let isGoingOn = false;

/** What waits for the server, oldest first. */
export const waiting = () => [...entries];

const FOR_THE_JOURNAL = ["shown", "painted"];

/** What a person made, which must not be lost; that a page was shown is for the journal. */
const decisions = () => entries.filter((each) => !FOR_THE_JOURNAL.includes(each.kind));

/**
 * Begins, with what an earlier page of this tab left. `settings`: {key, person, signInUrl, changed(state),
 * accepted(entry, answer), refused(entry, sentence)}.
 */
export async function open(given) {
  settings = given;
  key = await importKey(given.key);
  const kept = await readKept();
  entries = [...kept, ...entries];
  isReady = true;
  keep();
  addEventListener("beforeunload", (event) => { if (decisions().length && !isSafe()) event.preventDefault(); });
  addEventListener("click", noteLink);
  for (const name of ["online", "focus"]) addEventListener(name, tryNow);
  document.addEventListener("visibilitychange", tryNow);
  tellState();
  drain();
}

/** Leaves without a warning: the person was asked. */
export function leave() {
  isGoingOn = true;
}

/** Whether the page that comes next finds here what waits, and sends it. */
const isSafe = () => isGoingOn && Boolean(key) && !unwritten;

/** A link to another page of ours; a script that has taken the click goes nowhere. */
function noteLink(event) {
  const link = event.target.closest("a[href]");
  isGoingOn = Boolean(link) && link.origin === location.origin && !link.target && !event.defaultPrevented;
}

/** Puts an entry behind the others and sends it as soon as they are through. */
export function put(entry) {
  entries.push(entry);
  keep();
  tellState();
  drain();
}

/** Ends when nothing waits any more. */
export async function empty() {
  while (entries.length && isReady) await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN); });
}

/** An end to waiting: the server may be back. */
export function tryNow() {
  wake?.();
}

async function drain() {
  if (isSending || !isReady) return;
  isSending = true;
  let wait = FIRST_WAIT;
  while (entries.length) {
    const entry = entries[0];
    const { answer, error } = await tell(entry.url, { form: formOf(entry), signInUrl: settings.signInUrl })
      .then((said) => ({ answer: said }), (thrown) => ({ error: thrown }));
    if (answer) {
      wait = FIRST_WAIT;
      done(entry);
      settings.accepted(entry, answer);
    } else if (error instanceof Refused) {
      done(entry, { withThoseAbout: true });
      settings.refused(entry, error.message);
    } else {
      sayWhy(error);
      await pause(wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }
  isSending = false;
}

/** Everything but the server's refusal may pass. */
function sayWhy(error) {
  state = error instanceof SignedOut ? "signed-out" : error instanceof OtherPerson ? "other-person" : "lost";
  sentence = error.message;
  tellState();
}

/** An undoing of what was refused has nothing to undo. */
function done(entry, { withThoseAbout = false } = {}) {
  entries = entries.filter((each) => each !== entry && !(withThoseAbout && each.about === entry.id));
  [state, sentence] = ["well", ""];
  keep();
  tellState();
}

function formOf(entry) {
  const form = new FormData();
  for (const [name, value] of entry.fields) form.append(name, value);
  form.set("person", settings.person);
  return form;
}

/** Whoever else says how many wait hears it as an event (waiting.js). */
function tellState() {
  const detail = { count: decisions().length, state, sentence };
  settings?.changed(detail);
  document.dispatchEvent(new CustomEvent("outbox-changed", { detail }));
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    const end = () => { clearTimeout(timer); wake = null; resolve(); };
    const timer = setTimeout(end, milliseconds);
    wake = end;
  });
}

// --- What is kept --------------------------------------------------------------------------------------------------

const place = () => `outbox.${settings.person}`;

async function importKey(text) {
  if (!globalThis.crypto?.subtle) return null;
  return crypto.subtle.importKey("raw", bytesOf(text), "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Writes what waits, one writing after the other; the last one has the last word. */
function keep() {
  if (!key) return;
  unwritten += 1;
  writing = writing.then(write).finally(() => { unwritten -= 1; });
}

async function write() {
  if (!entries.length) {
    sessionStorage.removeItem(place());
    return;
  }
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = new TextEncoder().encode(JSON.stringify(entries));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, text));
  sessionStorage.setItem(place(), textOf(new Uint8Array([...nonce, ...sealed])));
}

async function readKept() {
  const kept = key && sessionStorage.getItem(place());
  if (!kept) return [];
  const bytes = bytesOf(kept);
  const [nonce, sealed] = [bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES)];
  try {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, key, sealed);
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return []; // Sealed under a key that is no more.
  }
}

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const textOf = (bytes) => btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
