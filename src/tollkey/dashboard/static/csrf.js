// The form token of this page, for requests by scripts.
export const csrf = () => document.querySelector("input[name=csrf]")?.value ?? "";
