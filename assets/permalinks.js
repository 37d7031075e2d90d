// "copy link": the address of the recorded run that is on show, projected and without marks where the page is so now.
/** @param {string} name */
const address = (name) => {
  const link = new URL(location.origin + location.pathname);
  link.searchParams.set("ex", name);
  if (document.body.classList.contains("projector")) link.searchParams.set("view", "projector");
  if (document.body.classList.contains("unmarked")) link.searchParams.set("marks", "hidden");
  return String(link);
};
/** Where the browser lets nobody write to the clipboard, the link is shown to be copied by hand.
 * @param {HTMLElement} button @param {string} link */
const show = (button, link) => {
  const field = document.createElement("input");
  field.className = "link";
  field.readOnly = true;
  field.value = link;
  field.setAttribute("aria-label", "link to this run");
  button.replaceWith(field);
  field.select();
};
document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element ? target.closest(".copy-link") : null;
  if (!(button instanceof HTMLElement)) return;
  const link = address(button.dataset.ex ?? "");
  try {
    await navigator.clipboard.writeText(link);
    button.textContent = "link copied";
    setTimeout(() => { button.textContent = "copy link"; }, 2000);
  } catch {
    show(button, link);
  }
});
