// Formulas: KaTeX is fetched when there is one to show. What it cannot read stays on the page as it is written.
/** @type {Promise<boolean> | undefined} */
let fetched;
/** @param {string} file */
const address = (file) => new URL(`vendor/katex/${file}`, `${window.gradio_config?.root ?? location.origin + location.pathname}`.replace(/\/*$/, "/")).href;
const katex = () => (fetched ??= new Promise((done) => {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = address("katex.min.css");
  const code = document.createElement("script");
  code.src = address("katex.min.js");
  code.onload = () => done(true);
  code.onerror = () => done(false);
  document.head.append(style, code);
}));

/** @param {HTMLElement} place */
const typeset = (place) => {
  const tex = place.dataset.tex ?? "";
  if (place.dataset.done === tex) return;
  place.dataset.done = tex;
  // Nothing is trusted, nothing is kept from one formula to the next, and what runs on is given up.
  const options = { displayMode: place.dataset.display === "true", trust: false, maxExpand: 100, maxSize: 20, strict: "ignore", throwOnError: true, macros: {} };
  try {
    window.katex?.render(tex, place, options);
    place.closest(".formula")?.classList.add("typeset");
  } catch {
    place.replaceChildren();
    place.closest(".formula")?.classList.remove("typeset");
  }
};
const look = async () => {
  /** @returns {HTMLElement[]} */
  const waiting = () => [...document.querySelectorAll(".math[data-tex]")].filter((place) => place instanceof HTMLElement)
    .map((place) => /** @type {HTMLElement} */ (place)).filter((place) => place.dataset.done !== place.dataset.tex || (!place.firstChild && place.closest(".typeset")) || (place.firstChild && !place.closest(".typeset")));
  if (!waiting().length || !(await katex())) return;
  for (const place of waiting()) {
    delete place.dataset.done; // the page may have drawn another formula into the same place
    typeset(place);
  }
};
new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-tex"] });
look();
