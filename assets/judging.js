// A reader's verdict on the solution: a, s and n, or the buttons; `s` within a step names that step.
/** @param {string} selector @returns {HTMLElement | null} */
const part = (selector) => element.querySelector(selector);
/** @param {unknown} verdict */
const say = (verdict) => { rememberFocus(); trigger("like", { verdict }); };

/** @param {boolean} shown */
const offer = (shown) => {
  const picks = part(".verdict .picks");
  if (!picks) return;
  picks.hidden = !shown;
  part('.verdict [data-verdict="step"]')?.setAttribute("aria-expanded", String(shown));
  if (shown) (part('.picks [aria-pressed="true"]') ?? part(".picks button"))?.focus();
};

element.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const pick = target.closest("button[data-pick]");
  if (pick instanceof HTMLElement) { part('.verdict [data-verdict="step"]')?.focus(); return say(Number(pick.dataset.pick)); }
  const pressed = target.closest("button[data-verdict]");
  if (!(pressed instanceof HTMLElement)) return;
  if (pressed.dataset.verdict !== "step") return say(pressed.dataset.verdict);
  offer(part(".verdict .picks")?.hidden === true);
});

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
  if (document.body.classList.contains("no-keys")) return;
  if (target.closest("textarea, input, select, [contenteditable]") || !part(".verdict")?.offsetParent) return;
  const here = target.closest("li.step");
  if (event.key === "Escape" && part(".verdict .picks")?.hidden === false) {
    offer(false);
    part('.verdict [data-verdict="step"]')?.focus();
  } else if (event.key === "s" && here instanceof HTMLElement && element.contains(here)) {
    event.preventDefault();
    say(Number(here.dataset.step));
  } else if (event.key in names) {
    const button = part(`.verdict [data-verdict="${names[event.key]}"]`);
    if (!button?.offsetParent) return;
    event.preventDefault();
    button.click();
  } else if (/^[1-9]$/.test(event.key) && part(".verdict .picks")?.hidden === false) {
    part(`.picks [data-pick="${Number(event.key) - 1}"]`)?.click();
  }
});
/** @type {Record<string, string>} */
const names = { a: "agree", s: "step", n: "none" };

// The solution is drawn anew, and a token loses its place among what Tab reaches: it is given back.
let token = -1;
const rememberFocus = () => { token = [...element.querySelectorAll(".t[data-tip]")].findIndex((t) => t === document.activeElement); };
watch("value", () => {
  if (token < 0) return;
  const [at] = [token];
  token = -1;
  setTimeout(() => {
    const again = element.querySelectorAll(".t[data-tip]")[at];
    if (!(again instanceof HTMLElement)) return;
    for (const other of element.querySelectorAll('.t[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    again.tabIndex = 0;
    if (document.activeElement === document.body || document.activeElement === null) again.focus();
  });
});
