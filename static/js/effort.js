/** What an item takes: how many keys and pointer presses since the one before. Never which ones. */

const MOST = 999; // as review/effort.py has it
let keys = 0;
let presses = 0;

/** Begins to count. A key that is held down is one. */
export function watch() {
  addEventListener("keydown", (event) => { if (!event.repeat) keys += 1; }, { capture: true });
  addEventListener("pointerdown", () => { presses += 1; }, { capture: true });
}

/** What a decision sends along; counting begins anew. */
export function take() {
  const fields = [["keys", Math.min(keys, MOST)], ["presses", Math.min(presses, MOST)]];
  forget();
  return fields;
}

/** What was pressed until now is no item's. */
export function forget() {
  keys = 0;
  presses = 0;
}
