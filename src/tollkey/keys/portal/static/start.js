// Opens the session of a one-time link. Programs that only look at links do not run this, so they do not use them up.
document.querySelector("form[data-start]").requestSubmit();
