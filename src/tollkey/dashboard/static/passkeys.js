// Passkeys: the browser's WebAuthn dialogs, with a request for options before and a request with the result after.
import { csrf } from "./csrf.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const post = async (url, fields) => {
  const body = new URLSearchParams({ ...fields, csrf: csrf() });
  const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
  const said = await answer.json();
  if (said.error === "confirm") { location.assign(said.to.replace(/to=.*/, `to=${encodeURIComponent(location.pathname)}`)); throw new Error("Confirm your identity first"); }
  if (!answer.ok) throw new Error(said.message);
  return said;
};
const showError = (error) => {
  if (error.name === "NotAllowedError" || error.name === "AbortError") return; // canceled by the person
  const place = document.querySelector("[data-passkey-error]");
  if (place) { place.hidden = false; place.textContent = error.message; } else { alert(error.message); }
};
// passkeys are bound to the server's public host name, which may differ from this page's
const checkHost = (name) => {
  if (name !== location.hostname && !location.hostname.endsWith(`.${name}`)) throw new Error(`Passkeys of this server only work on ${name}. Open the Dashboard at that address.`);
};
// browsers do not support passkeys on IP addresses
const possible = Boolean(window.PublicKeyCredential) && !/^[\d.]+$|^\[/.test(location.hostname);

for (const button of document.querySelectorAll("[data-passkey-sign-in]")) {
  button.hidden = !possible;
  button.addEventListener("click", async () => {
    try {
      const options = await post("/login/passkey/options", {});
      checkHost(options.rpId);
      const made = await navigator.credentials.get({ publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: [] } });
      const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
      const credential = JSON.stringify({
        id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
        response: { authenticatorData: text(authenticatorData), clientDataJSON: text(clientDataJSON), signature: text(signature), userHandle: userHandle ? text(userHandle) : null },
      });
      location.assign((await post("/login/passkey", { credential, to: button.dataset.to })).to);
    } catch (error) { showError(error); }
  });
}
for (const button of document.querySelectorAll("[data-passkey-add]")) {
  button.hidden = !possible;
  button.addEventListener("click", async () => {
    try {
      const options = await post(button.dataset.options, {});
      checkHost(options.rp.id);
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
    } catch (error) { showError(error); }
  });
}
