// Equal numbers of problem, solution and list light up together, at the pointer and at the keyboard's focus.
/** @param {EventTarget | null} target */
const light = (target) => {
  for (const one of document.querySelectorAll(".linked")) one.classList.remove("linked");
  // A page that moves below a resting pointer does not put out what the keyboard lit.
  const number = [target, document.activeElement].map((one) => (one instanceof Element ? one.closest("section.trace [data-q]") : null)).find(Boolean);
  if (!(number instanceof HTMLElement) || document.body.classList.contains("unmarked")) return;
  const name = number.dataset.q ?? "";
  const all = [...(number.closest("section.trace")?.querySelectorAll("[data-q], [data-qs]") ?? [])];
  for (const one of all) {
    if (one.getAttribute("data-q") === name || one.getAttribute("data-qs")?.split(" ").includes(name)) one.classList.add("linked");
  }
};
document.addEventListener("pointerover", ({ target }) => light(target));
document.addEventListener("focusin", ({ target }) => light(target));

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key !== "q" || event.ctrlKey || event.metaKey || event.altKey || document.body.classList.contains("no-keys")) return;
  if (target instanceof HTMLElement && target.matches("input:not([type=radio]), textarea, select, [contenteditable=true]")) return;
  if (document.querySelector("dialog[open]")) return;
  const lists = [...document.querySelectorAll("section.trace details.quantities")];
  const list = lists.find((one) => one instanceof HTMLElement && one.offsetParent !== null);
  if (!(list instanceof HTMLDetailsElement)) return;
  event.preventDefault();
  list.open = true;
  const buttons = [...list.querySelectorAll("button")];
  const here = buttons.findIndex((button) => button === document.activeElement);
  buttons[(here + 1) % buttons.length]?.focus();
});
