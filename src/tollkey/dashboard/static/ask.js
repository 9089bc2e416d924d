// Confirmation dialogs for actions that cannot be undone. The server answers a form without the field "sure" with the text
// of the confirmation: as JSON to this script, as a page when scripts do not run.
const element = (name, about, ...inside) => {
  const made = Object.assign(document.createElement(name), about);
  made.append(...inside);
  return made;
};

const showDialog = (form, opener, question) => {
  const title = element("h2", { id: "ask-title", textContent: question.label });
  const text = element("p", { id: "ask-text", textContent: question.ask });
  const no = element("button", { type: "button", className: "button second", textContent: "Cancel" });
  const yes = element("button", { type: "button", className: "button danger", textContent: question.label });
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
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (answer.ask) showDialog(form, opener, answer);
    else if (answer.to) location.assign(answer.to);
    else form.submit();
  } catch { form.submit(); } finally { delete form.dataset.asking; }
});
