// <tollkey-keys>: makes, rolls and revokes API keys of one account. No dependencies.
//
//   <script type="module" src="https://keys.example/portal/static/tollkey-keys.js"></script>
//   <tollkey-keys base="https://keys.example/portal"></tollkey-keys>
//   document.querySelector("tollkey-keys").token = await yourServer.portalToken();
//
// `token` is that of a portal session with ui_mode "component". It is a property, not an attribute, so that it is not part
// of the page's HTML. When it ends, the event "tollkey-session-ended" asks for a new one.
// Colours and fonts: --tollkey-accent, --tollkey-text, --tollkey-soft, --tollkey-surface, --tollkey-border,
// --tollkey-danger, --tollkey-font, --tollkey-radius.

const STYLE = `
:host { display: block; color-scheme: light dark; font-family: var(--tollkey-font, inherit);
  --text: var(--tollkey-text, #1a1f36); --soft: var(--tollkey-soft, #545969); --surface: var(--tollkey-surface, #ffffff);
  --border: var(--tollkey-border, #c9cdd6); --accent: var(--tollkey-accent, #4b45c6); --on-accent: var(--tollkey-on-accent, #ffffff);
  --danger: var(--tollkey-danger, #b3093c); --radius: var(--tollkey-radius, 6px); color: var(--text); }
@media (prefers-color-scheme: dark) { :host { --text: var(--tollkey-text, #e6e8ee); --soft: var(--tollkey-soft, #a9b0c0);
  --surface: var(--tollkey-surface, #1d212b); --border: var(--tollkey-border, #4a5163); --accent: var(--tollkey-accent, #a5a1ff);
  --on-accent: var(--tollkey-on-accent, #14171f); --danger: var(--tollkey-danger, #ff8fa8); } }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
h2 { font-size: 1.125rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; }
.bar { display: flex; justify-content: flex-end; gap: .5rem; margin-bottom: .75rem; }
button { font: inherit; min-height: 2.25rem; padding: .25rem .75rem; border: 1px solid var(--border); border-radius: var(--radius);
  background: var(--surface); color: var(--text); cursor: pointer; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.danger { color: var(--danger); }
button:disabled { opacity: .6; cursor: progress; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
ul.keys { list-style: none; margin: 0; padding: 0; }
ul.keys > li { border: 1px solid var(--border); border-radius: var(--radius); background: var(--surface); padding: .75rem 1rem;
  margin-bottom: .5rem; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
.about { flex: 1 1 16rem; min-width: 0; }
.name { font-weight: 600; overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.buttons { display: flex; gap: .5rem; flex-wrap: wrap; }
.empty { border: 1px dashed var(--border); border-radius: var(--radius); padding: 2rem 1rem; text-align: center; }
.error { color: var(--danger); font-size: .875rem; margin: .25rem 0 0; }
.notice { border: 1px solid var(--border); border-left: 4px solid var(--accent); border-radius: var(--radius);
  background: var(--surface); padding: .75rem 1rem; margin-bottom: .75rem; }
.secret { display: block; padding: .5rem .75rem; border: 1px solid var(--border); border-radius: var(--radius); margin-bottom: .75rem;
  user-select: all; }
dialog { width: min(34rem, calc(100vw - 2rem)); border: 1px solid var(--border); border-radius: var(--radius);
  background: var(--surface); color: var(--text); padding: 1.25rem; }
dialog::backdrop { background: rgb(0 0 0 / .5); }
label, legend { font-weight: 600; display: block; margin-bottom: .25rem; padding: 0; }
fieldset { border: 0; margin: 0; padding: 0; }
.field { margin-bottom: 1rem; }
.field label.choice { font-weight: 400; display: flex; gap: .5rem; align-items: center; min-height: 1.75rem; margin: 0; }
.choices { max-height: 14rem; overflow: auto; }
input[type=text], select { font: inherit; width: 100%; min-height: 2.25rem; padding: .25rem .5rem; border: 1px solid var(--border);
  border-radius: var(--radius); background: var(--surface); color: var(--text); }
input[aria-invalid=true] { border-color: var(--danger); }
.status { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;

const EXPIRES = [["never", "Never"], ["30", "In 30 days"], ["90", "In 90 days"], ["365", "In a year"]];
const GRACES = [["now", "Stops working now"], ["1h", "Works for 1 more hour"], ["24h", "Works for 24 more hours"],
  ["7d", "Works for 7 more days"]];

/** Makes an element. Children are nodes or texts; attributes that are null or false are left out. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

const day = (seconds) => new Date(seconds * 1000).toLocaleDateString(undefined, { dateStyle: "medium" });
const time = (seconds) => new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? "The service cannot be reached. Try again in a moment.");
    this.status = status;
    this.param = error?.param ?? null;
  }
}

class TollkeyKeys extends HTMLElement {
  static observedAttributes = ["base"];
  #token = null;
  #root = this.attachShadow({ mode: "open" });
  #session = null;
  #keys = [];
  #status = el("div", { class: "status", role: "status", "aria-live": "polite" });
  #body = el("div");
  #dialog = el("dialog", { "aria-labelledby": "title" });

  constructor() {
    super();
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [style];
    this.#root.append(this.#status, this.#body, this.#dialog);
  }

  /** The token of a portal session with ui_mode "component". */
  set token(value) {
    this.#token = value;
    if (this.isConnected) this.#load();
  }

  connectedCallback() {
    if (this.#token !== null || this.hasAttribute("csrf")) this.#load();
  }

  // -- asking the service

  async #ask(path, sent) {
    const headers = { accept: "application/json" };
    if (this.#token !== null) headers.authorization = `Bearer ${this.#token}`;
    else if (sent !== undefined) headers["x-csrf-token"] = this.getAttribute("csrf") ?? "";
    if (sent !== undefined) headers["content-type"] = "application/json";
    const base = (this.getAttribute("base") ?? "/portal").replace(/\/$/, "");
    let answer, value;
    try {
      answer = await fetch(`${base}/api/${path}`, {
        method: sent === undefined ? "GET" : "POST", headers, body: sent === undefined ? undefined : JSON.stringify(sent),
        credentials: this.#token === null ? "same-origin" : "omit", cache: "no-store", referrerPolicy: "no-referrer",
      });
      value = await answer.json();
    } catch {
      throw new Refused(0, null);
    }
    if (answer.ok) return value;
    if (answer.status === 401) this.dispatchEvent(new CustomEvent("tollkey-session-ended", { bubbles: true, composed: true }));
    throw new Refused(answer.status, value.error);
  }

  async #load() {
    try {
      const [session, list] = await Promise.all([this.#ask("session"), this.#ask("keys")]);
      this.#session = session;
      this.#keys = list.data;
      this.#draw();
    } catch (problem) {
      this.#body.replaceChildren(el("div", { class: "notice", role: "alert" }, el("p", {}, problem.message),
        el("button", { type: "button", onclick: () => this.#load() }, "Try again")));
    }
  }

  // -- the list

  #may(verb) {
    return this.#session.may.includes(verb);
  }

  #draw() {
    const create = this.#may("create")
      ? el("button", { type: "button", class: "main", onclick: () => this.#create() }, "Create key") : null;
    const list = this.#keys.length
      ? el("ul", { class: "keys" }, ...this.#keys.map((key) => this.#row(key)))
      : el("div", { class: "empty" }, el("p", {}, "There are no API keys yet."),
        create === null ? "" : el("p", { class: "soft" }, "A key lets a program of yours use this service."), create ?? "");
    this.#body.replaceChildren(...(this.#keys.length && create ? [el("div", { class: "bar" }, create)] : []), list);
  }

  #row(key) {
    const facts = [`Created ${day(key.created)}`,
      key.last_used_at === null ? "never used" : `last used ${time(key.last_used_at)}, ${key.uses.toLocaleString()} request${key.uses === 1 ? "" : "s"}`];
    if (key.expires_at !== null) facts.push(`${key.replaced ? "replaced, ends" : "expires"} ${time(key.expires_at)}`);
    if (key.disabled) facts.push("paused");
    const named = key.name || "Unnamed key";
    return el("li", { "data-id": key.id },
      el("div", { class: "about" }, el("div", { class: "name" }, named), el("code", {}, key.redacted),
        el("div", { class: "soft" }, facts.join(" · ")),
        el("div", { class: "soft" }, key.permissions.join(", "))),
      el("div", { class: "buttons" },
        key.can_roll ? el("button", { type: "button", "aria-label": `Roll ${named}`, onclick: () => this.#roll(key) }, "Roll") : "",
        key.can_revoke ? el("button", { type: "button", class: "danger", "aria-label": `Revoke ${named}`,
          onclick: () => this.#revoke(key) }, "Revoke") : ""));
  }

  // -- dialogs

  /** Shows a form. send: called with its data; errors are shown beside the field that they name. */
  #form(title, fields, action, send, danger = false) {
    const general = el("p", { class: "error", role: "alert" });
    const submit = el("button", { class: danger ? "danger" : "main" }, action);
    const cancel = el("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel");
    const form = el("form", { method: "dialog", novalidate: true }, el("h2", { id: "title" }, title), ...fields, general,
      el("div", { class: "buttons" }, submit, cancel));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      this.#clearErrors(form, general);
      submit.disabled = true;
      try {
        await send(new FormData(form));
      } catch (problem) {
        this.#showError(form, general, problem);
      } finally {
        submit.disabled = false;
      }
    });
    this.#open(form);
  }

  #open(...content) {
    this.#dialog.replaceChildren(...content);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.querySelector("input, select, button")?.focus();
  }

  #clearErrors(form, general) {
    general.textContent = "";
    for (const field of form.querySelectorAll("[data-field]")) {
      field.querySelector(".error").textContent = "";
      field.querySelector("input, select").removeAttribute("aria-invalid");
    }
  }

  #showError(form, general, problem) {
    const field = problem.param === null ? null : form.querySelector(`[data-field="${CSS.escape(problem.param)}"]`);
    if (field === null) {
      general.textContent = problem.message;
      return;
    }
    field.querySelector(".error").textContent = problem.message;
    const input = field.querySelector("input, select");
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }

  #text(name, label, help) {
    return el("div", { class: "field", "data-field": name }, el("label", { for: name }, label),
      el("input", { type: "text", id: name, name, maxlength: 100, autocomplete: "off", "aria-describedby": `${name}-error` }),
      help ? el("div", { class: "soft" }, help) : "", el("p", { class: "error", id: `${name}-error` }));
  }

  #select(name, label, options) {
    return el("div", { class: "field", "data-field": name }, el("label", { for: name }, label),
      el("select", { id: name, name, "aria-describedby": `${name}-error` },
        ...options.map(([value, text]) => el("option", { value }, text))),
      el("p", { class: "error", id: `${name}-error` }));
  }

  #permissions() {
    const choices = this.#session.permissions.map((one) => el("label", { class: "choice" },
      el("input", { type: "checkbox", name: "permissions", value: one.name, "aria-describedby": "permissions-error" }), one.label));
    return el("fieldset", { class: "field", "data-field": "permissions" }, el("legend", {}, "Permissions"),
      el("div", { class: "choices" }, ...choices), el("p", { class: "error", id: "permissions-error" }));
  }

  #create() {
    const fields = [this.#text("name", "Name", "For example the program that will use it."), this.#permissions(),
      this.#select("expires", "Expires", EXPIRES)];
    this.#form("Create an API key", fields, "Create key", async (data) => this.#reveal(await this.#ask("keys", {
      name: data.get("name"), permissions: data.getAll("permissions"), expires: data.get("expires"),
    })));
  }

  #roll(key) {
    const text = el("p", {}, "A new key with the same permissions takes its place.");
    this.#form(`Roll ${key.name || "this key"}?`, [text, this.#select("grace", "The old key", GRACES)], "Roll key",
      async (data) => this.#reveal(await this.#ask(`keys/${key.id}/roll`, { grace: data.get("grace") })));
  }

  #revoke(key) {
    const text = el("p", {}, "Programs that use this key stop working at once. This cannot be undone.");
    this.#form(`Revoke ${key.name || "this key"}?`, [text], "Revoke key", async () => {
      await this.#ask(`keys/${key.id}/revoke`, {});
      this.#dialog.close();
      this.#status.textContent = "The key was revoked.";
      await this.#load();
    }, true);
  }

  /** Shows the text of a new key, once. */
  #reveal(key) {
    const copied = el("span", { class: "soft", role: "status" });
    const copy = el("button", { type: "button", class: "main", onclick: async () => {
      await navigator.clipboard.writeText(key.secret);
      copied.textContent = "Copied.";
    } }, "Copy key");
    const done = el("button", { type: "button", onclick: () => this.#dialog.close() }, "Done");
    this.#open(el("h2", { id: "title" }, "Save your new key"),
      el("p", {}, "Copy it now and keep it safe. It is not shown again."), el("code", { class: "secret", tabindex: "0" }, key.secret),
      el("div", { class: "buttons" }, copy, done, copied));
    this.#dialog.addEventListener("close", () => this.#dialog.replaceChildren(), { once: true });
    this.#load();
  }
}

customElements.get("tollkey-keys") ?? customElements.define("tollkey-keys", TollkeyKeys);
