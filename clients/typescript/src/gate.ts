/** Guards requests: for `(request) => Response` handlers (Hono, Deno, Bun, edge runtimes), and for Express and Node. */

import { type Checked, type Key, type Reason, type Refused, refused } from "./answers.ts";
import type { RemoteKeys } from "./client.ts";
import { onlyKnown, RemoteError, RemoteRefused } from "./errors.ts";

/** A request as the gate sees it. */
interface Seen {
  readonly method: string;
  readonly path: string;
  /** The path as the application reads it, encoded. */
  readonly sent: string;
  header(name: string): string | null;
}

export interface GateOptions<R> {
  /** The permission that every request needs; by method, with `"*"` for the others; or a function of the request. */
  readonly needs?: string | Readonly<Record<string, string | null>> | ((request: R) => string | null);
  /** The header with the key. `authorization`, the default: a bearer token or the user name of Basic; else the key. */
  readonly header?: string;
  /** Also accept publishable keys. They are public, so only use it for public data. Declared routes decide by themselves. */
  readonly publishable?: boolean;
  /** Pass CORS preflight requests on, which cannot carry a key; true by default. */
  readonly preflights?: boolean;
  /** Returns the caller's address; behind a proxy read the header that the proxy sets. None by default. */
  readonly ip?: (request: R) => string | null;
  /** How much the request takes from the limits, 1 by default. */
  readonly cost?: (request: R) => number;
  /** Accept only keys of this account. */
  readonly account?: (request: R) => string | null;
  /** Is told of a fault of the configuration, for which requests are refused; `console.error` by default. */
  readonly onError?: (error: RemoteError) => void;
}

const OPTIONS = ["needs", "header", "publishable", "preflights", "ip", "cost", "account", "onError"];

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MESSAGES: Readonly<Record<Reason, string>> = {
  missing: "No API key was sent. Send it as '{how}'.",
  unusable_header: "The {header} header contains no API key. Send it as '{how}'.",
  unknown: "The API key is not valid.",
  expired: "The API key has expired.",
  revoked: "The API key has expired.",
  disabled: "The API key is disabled.",
  ip_not_allowed: "The API key may not be used from this IP address.",
  forbidden: "The API key lacks the permission {permission}.",
  rate_limited: "Too many requests with this API key.",
  quota_exceeded: "The quota of this API key is used up.",
  unavailable: "API keys cannot be checked at the moment.",
};
const PUBLISHABLE = "A publishable API key may not be used here. Use a secret or a restricted one, on a server.";
const NO_ROUTE = "This request matches no declared route.";
const STATUS: Partial<Record<Reason, number>> = { forbidden: 403, rate_limited: 429, quota_exceeded: 429, unavailable: 503 };

/** Returns the response to a refused request: JSON, with the challenge of RFC 6750 section 3. It repeats no key. */
export function refusalOf(checked: Refused, header = "authorization"): Refusal {
  const bearer = header.toLowerCase() === "authorization";
  const shown = header.toLowerCase().replace(/(^|-)([a-z])/g, (part) => part.toUpperCase());
  const { reason, permission } = checked;
  const publishable = checked.known?.kind === "publishable";
  const message = (reason === "forbidden" && permission === null ? (publishable ? PUBLISHABLE : NO_ROUTE) : MESSAGES[reason])
    .replace("{how}", `${shown}: ${bearer ? "Bearer " : ""}YOUR_KEY`)
    .replace("{header}", shown)
    .replace("{permission}", permission ?? "");
  const challenge = `${bearer ? "Bearer" : "ApiKey"} realm="API"`;
  const status = STATUS[reason] ?? 401;
  const headers: Record<string, string> = { "content-type": "application/json", "cache-control": "no-store" };
  let code: string = reason;
  if (status === 401) {
    const sent = reason !== "missing" && reason !== "unusable_header"; // RFC 6750 section 3.1
    code = sent ? "invalid_token" : "no_api_key";
    headers["www-authenticate"] = challenge + (sent ? `, error="invalid_token", error_description="${message}"` : "");
  } else if (status === 403) {
    code = permission !== null ? "insufficient_scope" : publishable ? "publishable_key_refused" : "route_unknown";
    const scope = permission !== null && /^[!#-[\]-~ ]+$/.test(permission) ? `, scope="${permission}"` : "";
    if (code !== "route_unknown") headers["www-authenticate"] = `${challenge}, error="insufficient_scope"${scope}`;
  } else {
    headers["retry-after"] = String(Math.max(1, Math.ceil(checked.retryAfter ?? 1)));
  }
  return { status, headers, body: JSON.stringify({ error: { code, message } }) };
}

const INTERNAL: Refusal = {
  status: 500,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body: '{"error":{"code":"internal_error","message":"This request could not be checked. The error is in the server\'s log."}}',
};

async function decide<R>(keys: RemoteKeys, options: GateOptions<R>, request: R, seen: Seen): Promise<Key | Refusal | null> {
  const method = seen.method.toUpperCase();
  if (options.preflights !== false && method === "OPTIONS" && seen.header("origin") !== null
    && seen.header("access-control-request-method") !== null) return null;
  const header = (options.header ?? "authorization").toLowerCase();
  const text = presented(seen.header(header), header === "authorization");
  if (typeof text !== "string") return refusalOf(text, header);
  const permission = needed(options.needs, request, method === "HEAD" ? "GET" : method);
  const ip = options.ip?.(request) ?? null;
  const account = options.account?.(request) ?? null;
  const publishable = options.publishable === true || (options.needs === undefined && keys.declaresRoutes);
  let checked: Checked;
  try {
    checked = await keys.check(text, {
      endpoint: `${method} ${seen.path}`,
      publishable,
      ...(keys.declaresRoutes ? { route: `${method} ${seen.sent}` } : {}),
      ...(permission === null ? {} : { permission }),
      ...(ip === null ? {} : { ip }),
      ...(account === null ? {} : { account }),
      ...(options.cost === undefined ? {} : { cost: options.cost(request) }),
    });
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    (options.onError ?? console.error)(error);
    return error instanceof RemoteRefused ? refusalOf(refused("unavailable"), header) : INTERNAL;
  }
  if (!checked.valid) return refusalOf(checked, header);
  if (checked.key.kind === "publishable" && !publishable) {
    return refusalOf({ ...refused("forbidden"), known: checked.key }, header);
  }
  return checked.key;
}

function needed<R>(needs: GateOptions<R>["needs"], request: R, method: string): string | null {
  if (needs === undefined) return null;
  if (typeof needs === "string") return needs;
  if (typeof needs === "function") return needs(request);
  return needs[method] !== undefined ? needs[method] : (needs["*"] as string | null);
}

/** Returns the key in a header's value, or why there is none. */
function presented(value: string | null, authorization: boolean): string | Refused {
  const given = (value ?? "").trim();
  if (given === "") return refused("missing");
  const space = given.indexOf(" ");
  const scheme = space < 0 ? "" : given.slice(0, space).toLowerCase();
  const rest = space < 0 ? given : given.slice(space + 1).trim();
  if (scheme === "bearer" && rest !== "") return rest;
  if (!authorization) return space < 0 ? given : refused("unusable_header");
  if (scheme === "basic" && rest !== "") {
    try {
      const [user] = atob(rest).split(":");
      if (user) return user;
    } catch {
      // no base64
    }
  }
  return refused("unusable_header");
}

function checkOptions<R>(options: GateOptions<R>): void {
  onlyKnown(options, OPTIONS);
  const { needs } = options;
  if (typeof needs === "object" && needs["*"] === undefined) {
    throw new TypeError('needs lacks an entry for other methods: add "*" with a permission or null');
  }
}

const accepted = new WeakMap<object, Key>();

/** Returns the key of a request that a gate let through. Throws if none did. */
export function keyOf(request: object): Key {
  const key = accepted.get(request);
  if (key === undefined) throw new Error("no gate has let this request through");
  return key;
}

/**
 * Returns a function of a request (Fetch standard): null if it may go on, or else the response that refuses it.
 *
 *     const guard = gate(keys, { needs: { GET: "report_read", "*": "report_write" } });
 *     const refusal = await guard(request);
 *     if (refusal !== null) return refusal;
 *     const { account } = keyOf(request);
 */
export function gate(keys: RemoteKeys, options: GateOptions<Request> = {}): (request: Request) => Promise<Response | null> {
  checkOptions(options);
  return async (request) => {
    const path = pathOf(request.url);
    const seen = { method: request.method, path, sent: path, header: (name: string) => request.headers.get(name) };
    const answer = await decide(keys, options, request, seen);
    if (answer === null) return null;
    if ("status" in answer) {
      return new Response(request.method === "HEAD" ? null : answer.body, { status: answer.status, headers: answer.headers });
    }
    accepted.set(request, answer);
    return null;
  };
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname;
  } catch {
    return url.split("?")[0] ?? "";
  }
}

/** What the middleware needs of Node's IncomingMessage, which Express extends. */
export interface NodeRequest {
  readonly method?: string;
  readonly url?: string;
  readonly originalUrl?: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** What the middleware needs of Node's ServerResponse, which Express extends. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

/**
 * Returns middleware for Express, Connect and Node's `http`: `app.use(nodeGate(keys, { needs: "report_read" }))`.
 *
 * The key is removed from the headers of a request that goes on, so that the application and its logs do not see it.
 */
export function nodeGate<R extends NodeRequest>(
  keys: RemoteKeys,
  options: GateOptions<R> = {},
): (request: R, response: NodeResponse, next: (error?: unknown) => void) => void {
  checkOptions(options);
  const name = (options.header ?? "authorization").toLowerCase();
  const header = (request: R, wanted: string): string | null => {
    const value = request.headers[wanted];
    return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
  };
  return (request, response, next) => {
    const target = request.originalUrl ?? request.url ?? "/";
    const path = pathOf(`http://host${target}`);
    const sent = target.split("?")[0] ?? ""; // not normalised: the application may route `/a/../b` by its beginning
    const seen = { method: request.method ?? "GET", path, sent, header: (wanted: string) => header(request, wanted) };
    decide(keys, options, request, seen).then((answer) => {
      if (answer !== null && "status" in answer) {
        response.statusCode = answer.status;
        for (const [field, value] of Object.entries(answer.headers)) response.setHeader(field, value);
        response.end(seen.method === "HEAD" ? undefined : answer.body);
        return;
      }
      if (answer !== null) {
        accepted.set(request, answer);
        delete request.headers[name];
      }
      next();
    }, next);
  };
}
