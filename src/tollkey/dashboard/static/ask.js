// What cannot be taken back is asked about first. The server knows the words: a form that was sent without "sure" is
// answered with them, as JSON to this script, and as a page where it does not run.
const element = (name, about, ...inside) => {
  const made = Object.assign(document.createElement(name), about);
  made.append(...inside);
  return made;
};

const show = (form, opener, said) => {
  const title = element("h2", { id: "ask-title", textContent: said.label });
  const text = element("p", { id: "ask-text", textContent: said.ask });
  const no = element("button", { type: "button", className: "button second", textContent: "Cancel" });
  const yes = element("button", { type: "button", className: "button danger", textContent: said.label });
  const dialog = element("dialog", { className: "ask" }, title, text, element("div", { className: "actions" }, yes, no));
  dialog.setAttribute("aria-labelledby", "ask-title");
  dialog.setAttribute("aria-describedby", "ask-text");
  yes.addEventListener("click", () => {
    form.append(element("input", { type: "hidden", name: "sure", value: "1" }));
    form.submit();
  });
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { dialog.remove(); opener?.focus(); });
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-ask")) return;
  event.preventDefault();
  if (form.dataset.asking || document.querySelector("dialog[open]")) return;
  const opener = event.submitter ?? document.activeElement;
  form.dataset.asking = "1";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
    const said = await answer.json();
    if (said.ask) show(form, opener, said);
    else if (said.to) location.assign(said.to);
    else form.submit();
  } catch { form.submit(); } finally { delete form.dataset.asking; }
});
