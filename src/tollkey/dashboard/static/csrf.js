// The form token of this page, for requests that scripts make.
export const csrf = () => document.querySelector("input[name=csrf]")?.value ?? "";
