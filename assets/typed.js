// What was typed is still there after a reload, in this tab alone: session storage ends with the tab.
const places = ["problem", "diagnose-problem", "diagnose-solution"];
/** @param {string} place @returns {HTMLTextAreaElement | null} */
const box = (place) => document.querySelector(`#${place} textarea`);
/** @param {string} place */
const recall = (place) => { try { return sessionStorage.getItem(`errata-${place}`); } catch { return null; } };
/** @param {string} place @param {string} text */
const remember = (place, text) => {
  try { sessionStorage.setItem(`errata-${place}`, text); } catch { /* not allowed here: nothing is kept */ }
};

// What nobody typed or chose is not kept: what the page opens with may be another thing the next time.
/** @type {Set<string>} */
const chosen = new Set();
document.addEventListener("input", ({ target }) => {
  for (const place of places) if (target === box(place)) chosen.add(place);
});
document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest("button.chip")) return;
  for (const place of places) if (box(place)?.offsetParent) chosen.add(place);
});

/** @type {Set<string>} */
const restored = new Set();
const restore = () => {
  for (const place of places) {
    const field = box(place);
    if (!field || restored.has(place)) continue;
    restored.add(place); // a tab's fields come when it is opened
    const text = recall(place);
    if (!text || field.value === text) continue;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
};
window.addEventListener("pagehide", () => {
  for (const place of places) {
    const field = box(place);
    if (field && chosen.has(place)) remember(place, field.value);
  }
});
new MutationObserver(restore).observe(document.body, { childList: true, subtree: true });
restore();
