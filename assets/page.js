// The switches of the masthead (theme, marks, projector), and Ctrl+Enter.
const body = document.body;
/** @param {string} key @param {string} value */
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode: not kept */ } };
/** @param {string} key */
const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

/** @param {string} tool @param {boolean} on */
const press = (tool, on) => element.querySelector(`[data-tool="${tool}"]`)?.setAttribute("aria-pressed", String(on));
/** @param {boolean} on */
const project = (on) => { body.classList.toggle("projector", on); press("projector", on); };
// Hidden marks are not remembered: a page that seems to find nothing wrong must not be what one comes back to.
/** @param {boolean} on */
const mark = (on) => { body.classList.toggle("unmarked", !on); press("marks", on); };
// A page that guides says which step to look at, and not what is expected there.
/** @param {boolean} on */
const guide = (on) => { body.classList.toggle("guiding", on); press("guide", on); };
const asked = new URLSearchParams(location.search);
const forced = asked.get("__theme");
const theme = recall("errata-theme");
if (!forced && theme) body.classList.toggle("dark", theme === "dark");
project(recall("errata-projector") === "on" || asked.get("view") === "projector");
mark(asked.get("marks") !== "hidden");
guide(recall("errata-guide") === "on");

element.addEventListener("click", (event) => {
  const pressed = /** @type {Element} */ (event.target).closest("[data-tool]");
  const tool = pressed instanceof HTMLElement ? pressed.dataset.tool : undefined;
  if (tool === "theme") remember("errata-theme", body.classList.toggle("dark") ? "dark" : "light");
  if (tool === "marks") mark(body.classList.contains("unmarked"));
  if (tool === "guide") {
    guide(!body.classList.contains("guiding"));
    remember("errata-guide", body.classList.contains("guiding") ? "on" : "off");
  }
  if (tool === "projector") {
    project(!body.classList.contains("projector"));
    remember("errata-projector", body.classList.contains("projector") ? "on" : "off");
  }
});
watch("value", () => { project(body.classList.contains("projector")); mark(!body.classList.contains("unmarked")); guide(body.classList.contains("guiding")); });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (event.target instanceof Element && event.target.closest(".editor")) return; // there it keeps the step
  /** @type {HTMLButtonElement[]} */
  const buttons = [...document.querySelectorAll("button.go")].filter((b) => b instanceof HTMLButtonElement);
  const button = buttons.find((b) => b.offsetParent && !b.disabled);
  if (button) { event.preventDefault(); event.stopPropagation(); button.click(); }
}, true);
