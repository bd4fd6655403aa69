/** Folds an open group of the main menu as menus fold: on Escape, and when somebody presses elsewhere. Without this
script a group folds by its own word. */

const unfolded = () => document.querySelector(".top details[open]");

document.addEventListener("keydown", (event) => {
  const group = unfolded();
  if (event.key !== "Escape" || !group) return;
  if (group.contains(document.activeElement)) group.querySelector("summary").focus();
  group.open = false;
});

document.addEventListener("click", (event) => {
  const group = unfolded();
  if (group && !group.contains(event.target)) group.open = false;
});
