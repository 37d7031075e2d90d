// What is said aloud: that work has begun, and how it ended. The line that is seen changes four times a second.
const voice = document.createElement("div");
voice.id = "voice";
voice.className = "sr";
voice.setAttribute("role", "status");
document.body.append(voice);

/** @type {Map<string, string>} */
const heard = new Map();
const speak = () => {
  for (const place of ["status", "diagnose-status"]) {
    const line = document.querySelector(`#${place} .status`);
    const words = line?.classList.contains("running") ? "working" : line?.textContent?.trim() ?? "";
    if (heard.get(place) === words) continue;
    if (heard.has(place) && words) voice.textContent = words; // what the page opens with is read as the page is
    heard.set(place, words);
  }
};
new MutationObserver(speak).observe(document.body, { childList: true, subtree: true, characterData: true });
speak();
