/** Says on the page what allauth's script would only write to the console: the passkey was refused or put away. */

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const place of document.querySelectorAll("[data-passkey-failed]")) place.hidden = false;
});
