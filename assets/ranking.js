// The ranking list: one click or key chooses a solution or an order; rows glide to their new places.
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
/** @returns {HTMLElement[]} */
const rows = () => [...element.querySelectorAll("li[data-trace], li[data-solution]")].filter((row) => row instanceof HTMLElement && row.offsetParent !== null).map((row) => /** @type {HTMLElement} */ (row));
/** @param {HTMLElement} row */
const number = (row) => row.dataset.trace ?? row.dataset.solution;

/** @param {EventTarget | null} target */
const choose = (target) => {
  if (!(target instanceof Element)) return;
  const order = target.closest("[data-order]");
  if (order instanceof HTMLElement) return trigger("select", { order: order.dataset.order });
  const row = target.closest("[data-trace], [data-solution]");
  if (row instanceof HTMLElement) trigger("select", { trace: Number(number(row)) });
};

element.addEventListener("click", (event) => choose(event.target));
element.addEventListener("keydown", (event) => {
  const all = rows();
  const here = all.findIndex((row) => row === /** @type {Element} */ (event.target).closest("li[role=option]"));
  if (here < 0) return;
  /** @type {Record<string, number>} */
  const places = { ArrowDown: here + 1, ArrowUp: here - 1, ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 };
  if (event.key in places) {
    event.preventDefault();
    all[Math.min(Math.max(places[event.key], 0), all.length - 1)].focus();
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    choose(event.target);
  }
});

// Rows are matched by trace number, not by node: the page may reuse nodes when it draws the list anew.
/** @type {Map<string | undefined, number>} */
let tops = new Map();
const glide = () => {
  const now = new Map(rows().map((row) => [number(row), row.offsetTop]));
  for (const row of rows()) {
    const shift = (tops.get(number(row)) ?? row.offsetTop) - row.offsetTop;
    if (shift && !calm.matches) {
      row.animate([{ transform: `translateY(${shift}px)` }, { transform: "none" }], { duration: 380, easing: "cubic-bezier(.2,.7,.2,1)" });
    }
  }
  tops = now;
};
new MutationObserver(glide).observe(element, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["data-trace"] });
