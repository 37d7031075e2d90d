// The legend's switches. The body has the class `by-…` of a switch's second choice while that one is made.
/** @param {HTMLInputElement} input */
const second = (input) => input.closest("fieldset")?.dataset.second;
/** @param {unknown} part @returns {part is HTMLInputElement} */
const isSwitch = (part) => part instanceof HTMLInputElement && part.matches(".switch input");

const agree = () => {
  for (const input of [...document.querySelectorAll(".switch input")].filter(isSwitch)) {
    const wanted = document.body.classList.contains(`by-${second(input)}`) === (input.value === second(input));
    if (input.checked !== wanted) input.checked = wanted;
  }
};
document.addEventListener("change", ({ target }) => {
  if (!isSwitch(target)) return;
  document.body.classList.toggle(`by-${second(target)}`, target.value === second(target));
  agree();
});
// A solution that is drawn later must show the choices made earlier.
new MutationObserver(agree).observe(document.body, { childList: true, subtree: true });
