/** Names answers by a keyed digest of the key's text (HMAC-SHA-256), with a key that never leaves this process. */

async function webCrypto(): Promise<Crypto> {
  if (globalThis.crypto?.subtle !== undefined) return globalThis.crypto;
  const node = "node:crypto"; // Node 18 has it there alone; a name in a variable is not bundled for browsers
  return ((await import(node)) as { webcrypto: Crypto }).webcrypto;
}

/** Returns 32 random hexadecimal characters. */
export async function randomName(): Promise<string> {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Digester {
  #key: Promise<[SubtleCrypto, CryptoKey]> | null = null;
  readonly #encoder = new TextEncoder();

  async #made(): Promise<[SubtleCrypto, CryptoKey]> {
    const { subtle } = await webCrypto();
    return [subtle, await subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"])];
  }

  /** Returns what an answer is stored under. route: the route that was asked about, if any. */
  async digest(text: string, route: string | undefined): Promise<string> {
    const [subtle, key] = await (this.#key ??= this.#made());
    const data = this.#encoder.encode(route === undefined ? text : `${text}\0${route}`);
    const bytes = new Uint8Array(await subtle.sign("HMAC", key, data));
    return String.fromCharCode(...bytes);
  }
}
