// Language tabs of code examples. One choice applies to all examples and is stored in this browser.
const wanted = () => localStorage.getItem("language") ?? "curl";
const groups = [...document.querySelectorAll("[data-tabs]")];

const choose = (language, from) => {
  for (const group of groups) {
    for (const tab of group.querySelectorAll("[role=tab]")) {
      const chosen = tab.dataset.language === language;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen && from === group) tab.focus();
    }
    for (const panel of group.querySelectorAll("[role=tabpanel]")) panel.hidden = panel.dataset.language !== language;
  }
};

for (const group of groups) {
  group.classList.add("tabbed");
  const list = group.querySelector("[role=tablist]");
  list.hidden = false;
  const tabs = [...list.querySelectorAll("[role=tab]")];
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    const before = group.getBoundingClientRect().top;
    localStorage.setItem("language", tab.dataset.language);
    choose(tab.dataset.language, group);
    scrollBy(0, group.getBoundingClientRect().top - before);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    const next = tabs[(at + step + tabs.length) % tabs.length];
    localStorage.setItem("language", next.dataset.language);
    choose(next.dataset.language, group);
  });
}
if (groups.length) choose(wanted());

const menu = document.querySelector("[data-docs-menu]");
if (menu && matchMedia("(max-width: 50rem)").matches) menu.open = false;
