// Reveals test keys in place, and adds search and "set all" to the permission editor.
import { csrf } from "./csrf.js";

for (const link of document.querySelectorAll("[data-reveal]")) {
  const place = document.querySelector(`[data-token="${link.dataset.reveal}"]`);
  const redacted = place.textContent, words = link.textContent;
  let copy = null;
  link.setAttribute("role", "button");
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    if (copy) {
      place.textContent = redacted; link.textContent = words; copy.remove(); copy = null;
      return;
    }
    const answer = await fetch(link.href, { method: "POST", headers: { Accept: "application/json", "X-CSRF-Token": csrf() } });
    const said = await answer.json().catch(() => ({}));
    if (said.to) { location.assign(said.to); return; }
    if (!answer.ok) { location.assign(link.href); return; }
    place.textContent = said.secret;
    link.textContent = words.replace("Reveal", "Hide");
    copy = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
    copy.dataset.copy = said.secret;
    copy.setAttribute("aria-label", "Copy key");
    place.after(copy);
  });
}

for (const matrix of document.querySelectorAll("[data-matrix]")) {
  const rows = [...matrix.querySelectorAll("[data-row]")];
  const count = matrix.querySelector("[data-matrix-count]");
  matrix.querySelector("[data-matrix-tools]").hidden = false;
  const updateCount = () => {
    const chosen = matrix.querySelectorAll("input[type=radio]:checked:not([value=none])").length;
    count.textContent = chosen === 1 ? "1 permission granted" : `${chosen} permissions granted`;
  };
  matrix.querySelector("[data-matrix-search]").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => row.dataset.row.includes(word));
    for (const group of matrix.querySelectorAll("[data-group]")) group.hidden = !group.querySelector("[data-row]:not([hidden])");
  });
  matrix.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-matrix-search]")) event.preventDefault();
  });
  matrix.addEventListener("change", (event) => {
    const all = event.target.closest("[data-group-all]");
    if (all) {
      for (const set of all.closest("[data-group]").querySelectorAll(".row:not([hidden]) .levels:first-of-type")) {
        const radios = [...set.querySelectorAll("input")];
        const wanted = radios.find((radio) => radio.value === all.value) ?? (all.value === "write" ? radios.at(-1) : radios[0]);
        wanted.checked = true;
      }
      all.value = "";
    }
    updateCount();
  });
  updateCount();
}
