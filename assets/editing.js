// A step is edited where it stands. What was typed and not kept waits, for as long as the page is open.
/** @typedef {{ step: number, original: string, box: HTMLTextAreaElement, panel: HTMLElement, sent: boolean }} Editing */
/** @type {Editing | null} */
let editing = null;
/** @type {Map<string, string>} */
const drafts = new Map();

/** @param {string} selector @returns {HTMLElement | null} */
const part = (selector) => element.querySelector(selector);
/** @param {number} step */
const editButton = (step) => part(`button.edit[data-step="${step}"]`);
/** @param {{ step: number, original: string }} of */
const key = ({ step, original }) => `${step} ${original}`;

/** @param {string} name @param {string} keys @param {() => void} act */
const button = (name, keys, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = name;
  if (keys) made.setAttribute("aria-keyshortcuts", keys);
  made.addEventListener("click", act);
  return made;
};

/** @param {HTMLElement} from */
const begin = (from) => {
  const row = from.closest("li.step");
  if (!(row instanceof HTMLElement) || editing) return;
  const step = Number(from.dataset.step);
  const original = from.dataset.text ?? "";
  const box = document.createElement("textarea");
  box.value = drafts.get(key({ step, original })) ?? original;
  box.maxLength = 8000;
  box.dir = "auto";
  box.setAttribute("aria-label", `Step ${step + 1}. Control and Enter keeps the change, Escape leaves.`);
  const panel = document.createElement("div");
  panel.className = "editor";
  const first = button("keep", "Control+Enter", keep);
  first.className = "keep";
  const choices = [first, button("leave", "Escape", () => leave(true)), button("divide at the cursor", "Alt+Enter", divide)];
  if (row.nextElementSibling) choices.push(button("join with the next", "", () => join()));
  choices.push(button("as it was", "", () => { box.value = original; drafts.delete(key({ step, original })); box.focus(); grow(); }));
  panel.append(box, ...choices);
  editing = { step, original, box, panel, sent: false };
  row.append(panel);
  row.classList.add("editing");
  box.addEventListener("input", grow);
  box.addEventListener("keydown", typed);
  grow();
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
  trigger("focus", { step });
};

const grow = () => {
  if (!editing) return;
  const { box } = editing;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
  if (box.value === editing.original) drafts.delete(key(editing));
  else drafts.set(key(editing), box.value);
};

/** @param {KeyboardEvent} event */
const typed = (event) => {
  event.stopPropagation();
  if (event.isComposing) return;
  const act = event.key === "Escape" ? () => leave(true)
    : event.key === "Enter" && (event.ctrlKey || event.metaKey) ? keep
      : event.key === "Enter" && event.altKey ? divide : null;
  if (!act) return;
  event.preventDefault();
  act();
};

/** @param {boolean} refocus */
const leave = (refocus) => {
  if (!editing) return;
  const { panel, step } = editing;
  panel.closest("li.step")?.classList.remove("editing");
  // The page draws by reusing nodes: what has become another part stays.
  if (panel.classList.contains("editor")) panel.remove();
  editing = null;
  if (refocus) editButton(step)?.focus();
};

/** @param {Record<string, unknown>} change */
const send = (change) => {
  if (!editing) return;
  editing.sent = true;
  trigger("edit", { step: editing.step, ...change });
};
const keep = () => {
  if (!editing) return;
  if (editing.box.value.trim() === editing.original.trim()) return leave(true);
  send({ action: "change", text: editing.box.value });
};
const divide = () => {
  if (!editing) return;
  const { box, original } = editing;
  const [before, after] = [box.value.slice(0, box.selectionStart), box.value.slice(box.selectionStart)];
  if (box.value !== original) return send({ action: "change", text: `${before.trimEnd()}\n${after.trimStart()}` });
  send({ action: "split", at: [...before].length });
};
const join = () => {
  if (!editing) return;
  const next = editButton(editing.step + 1)?.dataset.text ?? "";
  if (editing.box.value === editing.original) return send({ action: "merge" });
  // What was typed is not lost for it: the joined step can be kept once this one is.
  if (next) keep();
};

element.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const from = target.closest("button.edit");
  if (from instanceof HTMLElement) { leave(false); begin(from); }
  const change = target.closest("button[data-change]");
  if (change instanceof HTMLElement && change.ariaDisabled !== "true") trigger("undo", { action: change.dataset.change });
});

// Enter on a token, or anywhere in a step that has the focus, edits the step; Control+Z undoes.
element.addEventListener("keydown", (event) => {
  if (!(event.target instanceof Element) || event.target.closest("textarea, input, button, summary, a")) {
    if (!(event.target instanceof Element) || event.target.closest("textarea, input")) return;
  } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const from = event.target.closest("li.step")?.querySelector("button.edit");
    if (from instanceof HTMLElement && from.offsetParent) { event.preventDefault(); leave(false); begin(from); }
    return;
  }
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const letter = event.key.toLowerCase();
  const action = letter === "y" || (letter === "z" && event.shiftKey) ? "redo" : letter === "z" ? "undo" : "";
  if (!action) return;
  event.preventDefault();
  part(`button[data-change="${action}"]`)?.click();
});

// The solution was drawn anew. Focus goes on where it was; an editor that was not done is open again.
watch("value", () => {
  if (!editing) return;
  const { step, original, sent } = editing;
  setTimeout(() => {
    leave(false);
    const from = editButton(step) ?? part("section.trace button.edit");
    if (!sent && from?.dataset.text === original) return begin(from);
    if (sent) drafts.delete(key({ step, original }));
    if (document.activeElement === document.body || document.activeElement === null) from?.focus();
  });
});
