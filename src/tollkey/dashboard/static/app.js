// Enhancements of pages that also work without scripts. Elements are found by data- attributes.
import "./ask.js";

const announce = (text) => { const place = document.querySelector("[data-say]"); if (place) place.textContent = text; };

// copy
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = button.textContent;
  button.textContent = "Copied";
  announce("Copied to the clipboard");
  setTimeout(() => { button.textContent = before; }, 1500);
});

// theme: system, light, dark
const toggle = document.querySelector("[data-theme-toggle]");
const showTheme = () => {
  const name = localStorage.getItem("theme") ?? "system";
  if (!toggle) return;
  toggle.hidden = false;
  toggle.title = toggle.querySelector("[data-theme-name]").textContent = `Theme: ${name}`;
};
showTheme();
toggle?.addEventListener("click", () => {
  const order = ["system", "light", "dark"];
  const next = order[(order.indexOf(localStorage.getItem("theme") ?? "system") + 1) % 3];
  if (next === "system") { localStorage.removeItem("theme"); delete document.documentElement.dataset.theme; }
  else { localStorage.setItem("theme", next); document.documentElement.dataset.theme = next; }
  showTheme();
});

// on phones the sidebar is one scrolling line: scroll to the current page's entry
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// menus: Escape and a click outside close them; a click in a dialog does not count as outside
document.addEventListener("click", (event) => {
  if (event.target.closest("dialog")) return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) { menu.open = false; menu.querySelector("summary").focus(); }
});

// show times in the reader's time zone, with UTC in the title
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  time.title = time.textContent;
  time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

// countdowns: <span data-until="epoch seconds">
const duration = (seconds) => {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const parts = [];
  for (const [size, unit] of units) { const count = Math.floor(seconds / size); seconds -= count * size; if (count) parts.push(`${count} ${unit}`); }
  return parts.slice(0, 2).join(" ");
};
const counting = [...document.querySelectorAll("[data-until]")];
const count = () => {
  for (const place of counting) {
    const seconds = Number(place.dataset.until) - Math.floor(Date.now() / 1000);
    place.textContent = seconds > 0 ? duration(seconds) : "now";
  }
};
if (counting.length) { count(); setInterval(count, 1000); }

// the mode switch keeps the current page, unless the page shows an object of one mode
for (const link of document.querySelectorAll("[data-mode-link]")) {
  const parts = location.pathname.split("/").filter(Boolean);
  const account = parts[0]?.startsWith("acct_") ? parts.shift() : "";
  if (parts[0] === "test") parts.shift();
  if (account && parts.length && !parts.some((part) => part.includes("_"))) {
    link.href = `/${account}${link.dataset.modeLink === "test" ? "/test" : ""}/${parts.join("/")}`;
  }
}

if (document.querySelector("[data-reveal], [data-matrix]")) import("./keys.js");
if (document.querySelector("[data-passkey-sign-in], [data-passkey-add]")) import("./passkeys.js");
