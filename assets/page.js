// Page-wide manners: the switches for theme, marks and projector, Ctrl+Enter, the token tooltip, and what is coloured by what.
const body = document.body;
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch (_) { /* private mode: not kept */ } };
const recall = (key) => { try { return localStorage.getItem(key); } catch (_) { return null; } };

const press = (tool, on) => element.querySelector(`[data-tool="${tool}"]`)?.setAttribute("aria-pressed", String(on));
const project = (on) => { body.classList.toggle("projector", on); press("projector", on); };
// Hidden marks are not remembered: a page that seems to find nothing wrong must not be what one comes back to.
const mark = (on) => { body.classList.toggle("unmarked", !on); press("marks", on); };
const asked = new URLSearchParams(location.search);
const forced = asked.get("__theme");
const theme = recall("errata-theme");
if (!forced && theme) body.classList.toggle("dark", theme === "dark");
project(recall("errata-projector") === "on" || asked.get("view") === "projector");
mark(asked.get("marks") !== "hidden");

element.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-tool]")?.dataset.tool;
  if (tool === "theme") remember("errata-theme", body.classList.toggle("dark") ? "dark" : "light");
  if (tool === "marks") mark(body.classList.contains("unmarked"));
  if (tool === "projector") {
    project(!body.classList.contains("projector"));
    remember("errata-projector", body.classList.contains("projector") ? "on" : "off");
  }
});
watch("value", () => { project(body.classList.contains("projector")); mark(!body.classList.contains("unmarked")); });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const button = [...document.querySelectorAll("button.go")].find((b) => b.offsetParent && !b.disabled);
  if (button) { event.preventDefault(); event.stopPropagation(); button.click(); }
}, true);

const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("role", "tooltip");
tip.hidden = true;
body.append(tip);
document.addEventListener("pointerover", (event) => {
  const token = event.target.closest?.(".t[data-tip]");
  if (!token || body.classList.contains("unmarked")) { tip.hidden = true; return; }
  tip.textContent = token.dataset.tip;
  tip.hidden = false;
  const box = token.getClientRects()[0];
  const left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${left}px`;
  tip.style.top = `${box.top - tip.offsetHeight - 6 < 4 ? box.bottom + 6 : box.top - tip.offsetHeight - 6}px`;
});
document.addEventListener("scroll", () => { tip.hidden = true; }, { capture: true, passive: true });

// The legend's switches. The body has the class `by-…` of a switch's second choice while that one is made.
const second = (input) => input.closest("fieldset").dataset.second;
const agree = () => {
  for (const input of document.querySelectorAll(".switch input")) {
    const wanted = body.classList.contains(`by-${second(input)}`) === (input.value === second(input));
    if (input.checked !== wanted) input.checked = wanted;
  }
};
document.addEventListener("change", (event) => {
  if (!event.target.matches?.(".switch input")) return;
  body.classList.toggle(`by-${second(event.target)}`, event.target.value === second(event.target));
  agree();
});
// A solution that is drawn later must show the choices made earlier.
new MutationObserver(agree).observe(body, { childList: true, subtree: true });

// What was typed is still there after a reload, in this tab alone: session storage ends with the tab.
const typed = ["problem", "diagnose-problem", "diagnose-solution"];
const box = (id) => document.querySelector(`#${id} textarea`);
const restored = new Set();
const keepTyped = () => {
  try {
    for (const id of typed) if (box(id)) sessionStorage.setItem(`errata-${id}`, box(id).value);
  } catch (_) { /* not allowed here: nothing is kept */ }
};
const restoreTyped = () => {
  for (const id of typed) {
    if (restored.has(id) || !box(id)) continue;
    restored.add(id); // a tab's boxes come when it is opened
    let text = "";
    try { text = sessionStorage.getItem(`errata-${id}`) ?? ""; } catch (_) { /* not allowed here */ }
    if (!text || box(id).value) continue;
    box(id).value = text;
    box(id).dispatchEvent(new Event("input", { bubbles: true }));
  }
};
window.addEventListener("pagehide", keepTyped);
new MutationObserver(restoreTyped).observe(body, { childList: true, subtree: true });
restoreTyped();
