// The marked solution: the button beside a step asks for another way on from there.
element.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest("button.rewrite") : null;
  if (!(button instanceof HTMLElement)) return;
  followFocus();
  trigger("select", { step: Number(button.dataset.step) });
});

// The button goes away with its solution. Focus waits on Stop, and goes to the new solution once it can be read.
const followFocus = () => {
  let drafted = false;
  /** @param {string} selector @returns {HTMLElement | null} */
  const part = (selector) => document.querySelector(selector);
  const follow = () => {
    drafted ||= part("#reading .drafts") !== null;
    const heading = drafted ? part("#reading section.trace h3") : null;
    const lost = document.activeElement === document.body || document.activeElement === part("#stop");
    if (heading) {
      heading.tabIndex = -1;
      if (lost) heading.focus();
      leave();
    } else if (document.activeElement === document.body) {
      part("#stop:enabled")?.focus();
    }
  };
  const watching = new MutationObserver(follow);
  const leave = () => { watching.disconnect(); document.removeEventListener("pointerdown", leave); };
  watching.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
  document.addEventListener("pointerdown", leave);
};
