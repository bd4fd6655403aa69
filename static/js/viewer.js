/** The page image: zoom, turns, moving it, bringing a box into view only when it is out of it, drawing a box. */

const STEPS = [100, 150, 200, 300];
const LEAST_DRAG = 6; // pixels; less is a click
let step = 0;
const turns = new Map(); // quarters by the clock, by page, while the document is open

const view = () => document.querySelector(".viewer-window");
const sheet = () => document.querySelector(".sheet");
const overlay = () => document.getElementById("overlay");

/** Begins with a fresh page image. */
export function openViewer({ onDrawn, onPainted, canDraw }) {
  document.querySelector(".viewer-bar").hidden = false;
  setZoom(step);
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zoomBy(Number(button.dataset.zoom)));
  }
  document.querySelector("[data-turn]").addEventListener("click", turnImage);
  view().addEventListener("wheel", zoomByWheel, { passive: false });
  showTurn();
  watchImage();
  whenPainted(onPainted);
  letMove({ byPlainDrag: !canDraw });
  if (canDraw) letDraw(onDrawn);
}

const quarters = () => turns.get(document.getElementById("viewer").dataset.page) ?? 0;

/** A quarter turn by the clock. The page stays so while its document is open; boxes turn with it. */
export function turnImage() {
  turns.set(document.getElementById("viewer").dataset.page, (quarters() + 1) % 4);
  showTurn();
  bringIntoView(overlay().querySelector(".current"));
}

function showTurn() {
  for (const quarter of [1, 2, 3]) sheet().classList.toggle(`turned-${quarter}`, quarter === quarters());
}

function zoomByWheel(event) {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomBy(event.deltaY < 0 ? 1 : -1);
}

/** The middle button or Shift moves the page under the pointer; where nothing is drawn, any drag does. */
function letMove({ byPlainDrag }) {
  const frame = view();
  let held = null;
  frame.addEventListener("pointerdown", (event) => {
    const moves = event.button === 1 || (event.button === 0 && (event.shiftKey || byPlainDrag));
    if (!moves || event.pointerType === "touch") return;
    held = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop };
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => {
    if (held) frame.scrollTo(held.x - event.clientX, held.y - event.clientY);
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { held = null; });
}

export function zoomBy(change) {
  setZoom(change === 0 ? 0 : Math.min(STEPS.length - 1, Math.max(0, step + change)));
}

/** Keeps the middle of what is seen in the middle, or the current box when there is one. */
function setZoom(next) {
  const frame = view();
  const x = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
  const y = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
  STEPS.forEach((percent, index) => sheet().classList.toggle(`zoom-${percent}`, index === next));
  document.querySelector(".viewer-bar output").textContent = `${STEPS[next]} %`;
  if (next === step) return;
  step = next;
  frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2);
  bringIntoView(overlay().querySelector(".current"));
}

/** Moves the page image only if the box is not wholly visible; a page that jumps costs the eye its place. */
export function bringIntoView(rect) {
  if (!rect) return;
  const frame = view();
  const seen = frame.getBoundingClientRect();
  const box = rect.getBoundingClientRect();
  const margin = 24;
  const isInside = box.top >= seen.top + margin && box.bottom <= seen.bottom - margin
    && box.left >= seen.left && box.right <= seen.right;
  if (isInside) return;
  frame.scrollBy({
    top: (box.top + box.bottom) / 2 - (seen.top + seen.bottom) / 2,
    left: (box.left + box.right) / 2 - (seen.left + seen.right) / 2,
  });
}

function watchImage() {
  const image = document.getElementById("page-image");
  const explain = () => {
    const sentence = document.createElement("p");
    sentence.textContent = image.dataset.broken;
    sheet().classList.add("broken");
    sheet().replaceChildren(sentence, overlay());
  };
  if (image.complete && image.naturalWidth === 0) explain();
  image.addEventListener("error", explain);
  image.addEventListener("load", () => bringIntoView(overlay().querySelector(".current")));
}

/** Calls `onPainted` with the page's number once its image has come, is decoded, and was drawn while somebody could see
it. One that never comes is never painted. */
async function whenPainted(onPainted) {
  const image = document.getElementById("page-image");
  const number = Number(document.getElementById("viewer").dataset.page);
  try {
    await image.decode();
  } catch {
    return;
  }
  do await frame(); while (document.hidden);
  await frame(); // The first one was begun with the image; now it is on the screen.
  if (image.isConnected) onPainted(number);
}

/** The next frame; a page that nobody sees has none. */
const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });

/** A drag with the mouse or a pen draws a box; a finger scrolls. Calls `onDrawn` with [x0, y0, x1, y1] in 0..1. */
function letDraw(onDrawn) {
  const area = sheet();
  let start = null;
  let hasMoved = false;
  area.classList.add("drawable");
  area.addEventListener("dragstart", (event) => event.preventDefault());
  area.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && !event.shiftKey && event.pointerType !== "touch") [start, hasMoved] = [event, false];
  });
  area.addEventListener("pointermove", (event) => {
    if (!start) return;
    if (!hasMoved && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < LEAST_DRAG) return;
    if (!hasMoved) area.setPointerCapture(event.pointerId);
    hasMoved = true;
    drawBox(boxBetween(area, start, event));
  });
  area.addEventListener("pointerup", (event) => {
    if (start && hasMoved) onDrawn(boxBetween(area, start, event));
    start = null;
  });
  area.addEventListener("pointercancel", () => { start = null; clearBox(); });
  area.addEventListener("click", (event) => {
    if (!hasMoved) return;
    event.preventDefault(); // The end of a drag is no click on the box beneath it.
    event.stopPropagation();
  }, true);
}

function boxBetween(area, a, b) {
  const bounds = area.getBoundingClientRect();
  const ends = [a, b].map((event) => onPage(
    clamp((event.clientX - bounds.left) / bounds.width), clamp((event.clientY - bounds.top) / bounds.height),
  ));
  const [x, y] = [0, 1].map((axis) => ends.map((end) => end[axis]).sort((one, two) => one - two));
  return [x[0], y[0], x[1], y[1]];
}

/** Where a point of the image as it is turned lies on the page. */
const onPage = (x, y) => [[x, y], [y, 1 - x], [1 - x, 1 - y], [1 - y, x]][quarters()];

const clamp = (value) => Math.min(1, Math.max(0, value));

export function drawBox([x0, y0, x1, y1]) {
  const rect = overlay().querySelector(".drawn") ?? overlay().appendChild(newRect());
  const sides = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
  for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value.toFixed(5));
}

function newRect() {
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("class", "drawn");
  rect.setAttribute("vector-effect", "non-scaling-stroke");
  return rect;
}

export function clearBox() {
  overlay().querySelector(".drawn")?.remove();
}
