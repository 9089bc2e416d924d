// Set the chosen theme before anything is painted; without a choice the system decides.
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
