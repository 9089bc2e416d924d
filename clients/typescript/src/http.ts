/** Sends requests to the key server. Redirects are not followed, answers have a limit, and so has the time. */

import { Backoff } from "./backoff.ts";
import { KeyRefused, RemoteRefused, RemoteUnavailable } from "./errors.ts";

const LARGEST = 4 * 1024 * 1024; // bytes of an answer
const AGAIN: ReadonlySet<number> = new Set([502, 503, 504]); // the server or a proxy has not handled the request

export interface Connecting {
  readonly url: string;
  readonly token: string;
  readonly timeout: number;
  readonly attempts: number;
  readonly fetch: typeof fetch;
  readonly chance: () => number;
}

export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** The permission that the service key needs. */
  readonly needs: string;
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** It may be sent again if it is unknown whether it arrived. */
  readonly repeatable?: boolean;
  /** By which the server knows that it is the same change. */
  readonly idempotencyKey?: string;
}

/** Returns the address of a key server in its normal form. Throws TypeError for one that cannot be right. */
export function addressOf(url: string): string {
  const parts = new URL(url);
  if (parts.protocol !== "https:" && parts.protocol !== "http:") {
    throw new TypeError("the URL of a key server begins with https:// or http://");
  }
  if (parts.username !== "" || parts.password !== "" || parts.search !== "" || parts.hash !== "") {
    throw new TypeError("the URL of a key server has no user name, password, query or fragment");
  }
  return parts.href.replace(/\/+$/, "");
}

/** Checks a service key. Throws TypeError for one that no header can hold. */
export function tokenOf(token: string): string {
  if (!/^[!-~]+$/.test(token)) throw new TypeError("the service key is empty, or has characters that a header cannot hold");
  return token;
}

/** Sends a request, and again where that is safe, and returns the object that the server answered. */
export async function send(connecting: Connecting, call: Call): Promise<Record<string, unknown>> {
  const backoff = new Backoff(0.05, 1, connecting.chance);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), connecting.timeout * 1000);
  // A `fetch` of somebody's own may not heed the signal, and what waits for it may be collected with the request.
  const late = new Promise<RemoteUnavailable>((resolve) => {
    deadline.signal.addEventListener("abort", () => resolve(tooLate()));
  });
  try {
    for (let left = connecting.attempts - 1; ; left -= 1) {
      const reply = await Promise.race([once(connecting, call, deadline.signal), late]);
      const again = left > 0 && call.repeatable === true && (reply instanceof RemoteUnavailable || AGAIN.has(reply.status));
      if (!again || deadline.signal.aborted) {
        if (reply instanceof RemoteUnavailable) throw reply;
        return understood(reply, call);
      }
      await pause(backoff.next(), deadline.signal);
    }
  } finally {
    clearTimeout(timer);
  }
}

interface Reply {
  readonly status: number;
  readonly challenge: string;
  readonly body: string;
}

async function once(connecting: Connecting, call: Call, signal: AbortSignal): Promise<Reply | RemoteUnavailable> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  const asked = query.toString() === "" ? "" : `?${query}`;
  const headers: Record<string, string> = { authorization: `Bearer ${connecting.token}`, accept: "application/json" };
  if (call.body !== undefined) headers["content-type"] = "application/json";
  if (call.idempotencyKey !== undefined) headers["idempotency-key"] = call.idempotencyKey;
  try {
    const response = await connecting.fetch(connecting.url + call.path + asked, {
      method: call.method,
      headers,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      redirect: "manual",
      signal,
    });
    const body = await bodyOf(response);
    return { status: response.status, challenge: response.headers.get("www-authenticate") ?? "", body };
  } catch (error) {
    if (error instanceof RemoteUnavailable) return error;
    // Its text is left out: it may repeat the address or a header.
    return signal.aborted ? tooLate() : new RemoteUnavailable("the key server cannot be reached");
  }
}

function tooLate(): RemoteUnavailable {
  return new RemoteUnavailable("the key server did not answer in time");
}

async function bodyOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let size = 0;
  let body = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return body + decoder.decode();
    size += value.byteLength;
    if (size > LARGEST) {
      await reader.cancel();
      throw new RemoteUnavailable(`the answer of the key server is longer than ${LARGEST} bytes`);
    }
    body += decoder.decode(value, { stream: true });
  }
}

function understood(reply: Reply, call: Call): Record<string, unknown> {
  const { status } = reply;
  if (status >= 200 && status < 300) {
    const found = decoded(reply.body);
    if (found === null) throw new RemoteUnavailable("the answer of the key server is not a JSON object");
    return found;
  }
  if (status >= 500 || status < 400 || status === 408 || status === 429) {
    throw new RemoteUnavailable(`the key server answered with status ${status}`, status !== 429);
  }
  const given = decoded(reply.body)?.["error"];
  const error = (typeof given === "object" && given !== null ? given : {}) as Record<string, unknown>;
  const [code, message, param] = ["code", "message", "param"].map((name) => {
    const value = error[name];
    return typeof value === "string" ? shown(value) : "";
  }) as [string, string, string];
  if (status === 401) throw new RemoteRefused("the key server does not accept the service key (status 401)", 401);
  if (status === 403 && (code === "" || code === "insufficient_scope")) {
    const permission = shown(/scope="([^"]{1,2000})"/.exec(reply.challenge)?.[1] ?? call.needs);
    throw new RemoteRefused(`the service key may not do this: it lacks the permission ${permission} (status 403)`, 403, permission);
  }
  if (code === "") throw new RemoteUnavailable(`there is no key server at this address (status ${status})`, false);
  throw new KeyRefused(code, message, param || null, status);
}

/** A text of the server for an error: what repeats a key, as a proxy's answer may, is masked. */
function shown(text: string): string {
  return text.slice(0, 2000).replace(/[A-Za-z0-9]+_(?:[A-Za-z0-9]+_)?[A-Za-z0-9]{24,}/g, (key) => `${key.slice(0, 8)}…`).slice(0, 500);
}

function decoded(body: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(body);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Waits, or ends at once when the signal says so. */
export function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal.addEventListener("abort", end);
  });
}
