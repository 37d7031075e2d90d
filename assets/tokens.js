// The numbers of a token: at the pointer, and at the keyboard's focus, which arrow keys move from token to token.
const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("role", "tooltip");
tip.hidden = true;
document.body.append(tip);

const hide = () => { tip.hidden = true; };
/** @param {HTMLElement | null} token */
const show = (token) => {
  if (!token || document.body.classList.contains("unmarked")) return hide();
  tip.textContent = token.dataset.tip ?? "";
  tip.hidden = false;
  const box = token.getClientRects()[0];
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = `${Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), room)}px`;
  const above = box.top - tip.offsetHeight - 6;
  tip.style.top = `${above < 4 ? box.bottom + 6 : above}px`;
};
/** @param {Event} event @returns {HTMLElement | null} */
const tokenAt = ({ target }) => (target instanceof Element ? target.closest(".t[data-tip]") : null);

// Of what is rendered, what stands behind it is not shown.
/** @param {Element} token @returns {token is HTMLElement} */
const shown = (token) => token instanceof HTMLElement && token.offsetParent !== null;

document.addEventListener("pointerover", (event) => show(tokenAt(event)));
document.addEventListener("focusin", (event) => {
  const token = tokenAt(event);
  token?.setAttribute("aria-describedby", "tip");
  show(token);
});
document.addEventListener("focusout", hide);
document.addEventListener("scroll", hide, { capture: true, passive: true });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  const token = tokenAt(event);
  /** @type {HTMLElement[]} */
  const tokens = token ? [...(token.closest("section.trace")?.querySelectorAll(".t[data-tip]") ?? [])].filter(shown) : [];
  const here = token ? tokens.indexOf(token) : -1;
  /** @type {Record<string, number>} */
  const places = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tokens.length - 1 };
  if (!token || !(event.key in places)) return;
  event.preventDefault();
  const next = tokens[Math.min(Math.max(places[event.key], 0), tokens.length - 1)];
  token.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

// Each solution is one stop of the Tab key: a hundred would be a wall.
const reachable = () => {
  for (const trace of document.querySelectorAll("section.trace")) {
    if (!trace.querySelector('.t[tabindex="0"]')) [...trace.querySelectorAll(".t[data-tip]")].find(shown)?.setAttribute("tabindex", "0");
  }
};
new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true });
