// Passkeys: the browser's own dialogs, our two requests around them.
import { csrf } from "./csrf.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const post = async (url, fields) => {
  const body = new URLSearchParams({ ...fields, csrf: csrf() });
  const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
  const said = await answer.json();
  if (said.error === "confirm") { location.assign(said.to.replace(/to=.*/, `to=${encodeURIComponent(location.pathname)}`)); throw new Error("Confirm first"); }
  if (!answer.ok) throw new Error(said.message);
  return said;
};
const complain = (error) => {
  if (error.name === "NotAllowedError" || error.name === "AbortError") return; // the person changed their mind
  const place = document.querySelector("[data-passkey-error]");
  if (place) { place.hidden = false; place.textContent = error.message; } else { alert(error.message); }
};
// passkeys belong to the server's own name, whatever name this page was opened under
const sameName = (name) => {
  if (name !== location.hostname && !location.hostname.endsWith(`.${name}`)) throw new Error(`Passkeys of this server belong to ${name}. Open the Dashboard under that address.`);
};
// a name is needed: browsers make no passkeys for bare IP addresses
const possible = Boolean(window.PublicKeyCredential) && !/^[\d.]+$|^\[/.test(location.hostname);

for (const button of document.querySelectorAll("[data-passkey-sign-in]")) {
  button.hidden = !possible;
  button.addEventListener("click", async () => {
    try {
      const options = await post("/login/passkey/options", {});
      sameName(options.rpId);
      const made = await navigator.credentials.get({ publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: [] } });
      const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
      const credential = JSON.stringify({
        id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
        response: { authenticatorData: text(authenticatorData), clientDataJSON: text(clientDataJSON), signature: text(signature), userHandle: userHandle ? text(userHandle) : null },
      });
      location.assign((await post("/login/passkey", { credential, to: button.dataset.to })).to);
    } catch (error) { complain(error); }
  });
}
for (const button of document.querySelectorAll("[data-passkey-add]")) {
  button.hidden = !possible;
  button.addEventListener("click", async () => {
    try {
      const options = await post(button.dataset.options, {});
      sameName(options.rp.id);
      const made = await navigator.credentials.create({ publicKey: {
        ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
      } });
      const credential = JSON.stringify({
        id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
        response: { attestationObject: text(made.response.attestationObject), clientDataJSON: text(made.response.clientDataJSON) },
      });
      const name = navigator.userAgentData?.platform ? `${navigator.userAgentData.platform} passkey` : "Passkey";
      location.assign((await post(button.dataset.to, { credential, name })).to);
    } catch (error) { complain(error); }
  });
}
