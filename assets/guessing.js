// A class looks for the error before the marks are shown: who points where is counted here and sent nowhere.
const body = document.body;
const hidden = () => body.classList.contains("unmarked");
/** @returns {HTMLElement | null} */
const solution = () => {
  const shown = [...document.querySelectorAll("section.trace")].find((one) => one instanceof HTMLElement && one.offsetParent !== null);
  return shown instanceof HTMLElement ? shown : null;
};

/** Votes by solution, the last one last: the number of a step, or "none". @type {Map<string, string[]>} */
const votes = new Map();
/** @param {HTMLElement} trace */
const written = (trace) => [...trace.querySelectorAll(".t:not(.math)")].map((token) => token.textContent).join("");
/** @param {HTMLElement} trace @returns {string[]} */
const own = (trace) => votes.get(written(trace)) ?? [];
/** @param {string[]} cast @param {string} choice */
const count = (cast, choice) => cast.filter((vote) => vote === choice).length;
/** @param {string} choice */
const named = (choice) => (choice === "none" ? "none" : `step ${Number(choice) + 1}`);

/** What a class said, most first. @param {string[]} cast */
const said = (cast) => {
  const parts = [...new Set(cast)].map((choice) => ({ choice, n: count(cast, choice) })).sort((a, b) => b.n - a.n);
  return parts.length ? `The class: ${parts.map(({ choice, n }) => `${n} of ${cast.length} pointed at ${named(choice)}`).join(", ")}.` : "";
};
/** @param {Element | null} place @param {string} words */
const write = (place, words) => { if (place && place.textContent !== words) place.textContent = words; };
const draw = () => {
  for (const trace of document.querySelectorAll("section.trace")) {
    if (!(trace instanceof HTMLElement) || !trace.querySelector(".guess")) continue;
    const cast = own(trace);
    for (const button of trace.querySelectorAll("[data-vote]")) {
      const n = count(cast, button.getAttribute("data-vote") ?? "");
      write(button.querySelector(".tally"), n ? String(n) : "");
    }
    const place = trace.querySelector(".class-said");
    write(place, said(cast));
    place?.toggleAttribute("hidden", !cast.length);
  }
};

/** @param {string} choice */
const vote = (choice) => {
  const trace = solution();
  if (!hidden() || !trace?.querySelector(`[data-vote="${choice}"]`)) return;
  votes.set(written(trace), [...own(trace), choice]);
  draw();
  const n = count(own(trace), choice);
  write(document.querySelector("#voice"), `${named(choice)}: ${n}`);
};
const takeBack = () => {
  const trace = solution();
  if (!hidden() || !trace) return;
  votes.set(written(trace), own(trace).slice(0, -1));
  draw();
  write(document.querySelector("#voice"), `taken back; ${own(trace).length} left`);
};

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest("section.trace")) return;
  const button = target.closest("[data-vote]");
  if (button) return vote(button.getAttribute("data-vote") ?? "");
  if (target.closest("[data-unvote]")) return takeBack();
  if (target.closest('[data-tool="marks"]')) {
    const reveal = document.querySelector('#masthead [data-tool="marks"]');
    if (reveal instanceof HTMLElement) { reveal.click(); reveal.focus(); }
    return;
  }
  // Who points at a step points anywhere in it; who selects text does not.
  const step = target.closest("li.step");
  if (step && hidden() && !target.closest("button, a, input, summary") && !String(document.getSelection())) vote(step.getAttribute("data-step") ?? "");
});
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (!hidden() || event.ctrlKey || event.metaKey || event.altKey || body.classList.contains("no-keys")) return;
  if (target instanceof HTMLElement && target.matches("input:not([type=radio]), textarea, select, [contenteditable=true]")) return;
  if (document.querySelector("dialog[open]")) return;
  if (/^[1-9]$/.test(key)) vote(String(Number(key) - 1));
  else if (key === "0") vote("none");
  else if (key === "+" && target instanceof Element) vote(target.closest("li.step")?.getAttribute("data-step") ?? "");
  else if (key === "Backspace") takeBack();
  else return;
  event.preventDefault();
});

// What the page opens with is the vote's choice: a class begins with the first of the shuffled list instead, unless
// somebody chose a solution already.
/** @type {Set<string>} */
const begun = new Set();
/** @returns {HTMLElement | null} */
const list = () => document.querySelector("#ranking .guess-list");
const begin = () => {
  const of = list()?.dataset.of;
  if (!hidden() || !of || begun.has(of) || document.querySelector("#ranking .waiting")) return;
  begun.add(of);
  /** @type {HTMLElement | null} */
  const first = list()?.querySelector("[data-solution]") ?? null;
  if (first?.getAttribute("aria-selected") === "false") first.click();
};
document.addEventListener("click", ({ target }) => {
  const of = list()?.dataset.of;
  if (of && target instanceof Element && target.closest("#ranking [role=option], #votes [data-trace]")) begun.add(of);
}, true);
const look = () => { draw(); begin(); };
new MutationObserver(look).observe(body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-of"] });
look();
