// One key for each thing that can be done, listed in the dialog that ? opens. Nothing happens while somebody types.
/** @type {HTMLDialogElement | null} */
const dialog = element.querySelector("dialog.keys");
const body = document.body;

/** @param {string} selector @returns {HTMLElement[]} */
const seen = (selector) => [...document.querySelectorAll(selector)].filter((part) => part instanceof HTMLElement && part.offsetParent !== null).map((part) => /** @type {HTMLElement} */ (part));

/** @param {boolean} on */
const single = (on) => {
  body.classList.toggle("no-keys", !on);
  const input = dialog?.querySelector("[data-single]");
  if (input instanceof HTMLInputElement) input.checked = on;
};
try { single(localStorage.getItem("errata-keys") !== "off"); } catch { /* private mode: they act */ }

const list = () => { if (dialog && !dialog.open) dialog.showModal(); };
document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  if (target.closest('[data-tool="keys"]')) list();
  if (target.closest("dialog.keys [data-close]")) dialog?.close();
});
dialog?.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement)) return;
  single(target.checked);
  try { localStorage.setItem("errata-keys", target.checked ? "on" : "off"); } catch { /* not kept */ }
});

/** @param {HTMLElement[]} parts @param {number} by */
const neighbour = (parts, by) => {
  const here = parts.findIndex((part) => part.contains(document.activeElement));
  return parts[Math.min(Math.max(here < 0 ? (by > 0 ? 0 : parts.length - 1) : here + by, 0), parts.length - 1)];
};
/** @param {number} by */
const toStep = (by) => {
  const step = neighbour(seen("section.trace li.step"), by);
  if (!step) return;
  step.tabIndex = -1;
  step.focus();
};
/** @param {number} by */
const toSolution = (by) => {
  const rows = seen("#ranking [role=option]:not([aria-disabled])");
  const here = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  rows[Math.min(Math.max(here + by, 0), rows.length - 1)]?.click();
};
/** @param {string} tool */
const tool = (tool) => seen(`#masthead [data-tool="${tool}"]`)[0]?.click();

/** @type {Record<string, () => void>} */
const acts = {
  "?": list,
  m: () => tool("marks"), g: () => tool("guide"), p: () => tool("projector"), t: () => tool("theme"),
  l: () => seen(".copy-link")[0]?.click(),
  "]": () => toSolution(1), "[": () => toSolution(-1),
  o: () => seen('#ranking .order button[aria-pressed="false"]')[0]?.click(),
  w: () => seen(".switch.script input:not(:checked)")[0]?.click(),
  j: () => toStep(1), k: () => toStep(-1),
};
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || body.classList.contains("no-keys") || dialog?.open) return;
  if (target instanceof HTMLElement && target.matches("input:not([type=radio]), textarea, select, [contenteditable=true]")) return;
  if (!Object.hasOwn(acts, key)) return;
  event.preventDefault();
  acts[key]();
});
