/** Keys and verdicts, read from the server's JSON. What is missing or of another type is never guessed. */

import { RemoteUnavailable } from "./errors.ts";

export type Kind = "restricted" | "secret" | "publishable";

/** Why a request was refused. Log it; how much of it the response reveals is your decision. */
export type Reason =
  | "missing"
  | "unusable_header"
  | "unknown"
  | "expired"
  | "revoked"
  | "disabled"
  | "ip_not_allowed"
  | "forbidden"
  | "rate_limited"
  | "quota_exceeded"
  | "unavailable";

const REASONS: ReadonlySet<string> = new Set<Reason>([
  "missing", "unusable_header", "unknown", "expired", "revoked", "disabled", "ip_not_allowed", "forbidden",
  "rate_limited", "quota_exceeded", "unavailable",
]);

/** A verified key. Never contains its text. */
export interface Key {
  readonly id: string;
  /** Your name for the customer. */
  readonly account: string;
  readonly environment: string;
  readonly livemode: boolean;
  readonly kind: Kind;
  readonly name: string;
  /** Its permissions and all they imply. A secret key has every permission; see `allows`. */
  readonly permissions: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, string>>;
  /** UTC epoch seconds; refused from then on. */
  readonly expiresAt: number | null;
  readonly version: number;
}

/** Where a key stands in its tightest limit. reset: seconds until it is full again. */
export interface LimitState {
  readonly limit: number;
  readonly remaining: number;
  readonly reset: number;
}

export interface Accepted {
  readonly valid: true;
  readonly key: Key;
  readonly limit: LimitState | null;
}

export interface Refused {
  readonly valid: false;
  readonly reason: Reason;
  /** The permission that the key lacks, for `forbidden`. */
  readonly permission: string | null;
  readonly limit: LimitState | null;
  /** Seconds until the same request can be accepted, for `rate_limited` and `quota_exceeded`. */
  readonly retryAfter: number | null;
  /** The key that was recognised: for logs. */
  readonly known: Key | null;
}

/** The result of checking a request: `if (!checked.valid) …`. */
export type Checked = Accepted | Refused;

export function refused(reason: Reason): Refused {
  return { valid: false, reason, permission: null, limit: null, retryAfter: null, known: null };
}

/** Whether a key has a permission. A secret key has all, a publishable key none. */
export function allows(key: Key, permission: string): boolean {
  if (key.kind === "secret" || key.permissions.has(permission)) return true;
  const colon = permission.indexOf(":");
  if (colon < 0) return false;
  const level = permission.slice(permission.lastIndexOf(":") + 1);
  return key.permissions.has(`${permission.slice(0, colon)}:*:${level}`); // project:*:read covers project:42:read
}

type Json = Readonly<Record<string, unknown>>;

function unclear(name: string): RemoteUnavailable {
  return new RemoteUnavailable(`the answer of the key server is not understood: ${name}`);
}

function text(from: Json, name: string): string {
  const value = from[name];
  if (typeof value !== "string") throw unclear(name);
  return value;
}

function flag(from: Json, name: string): boolean {
  const value = from[name];
  if (typeof value !== "boolean") throw unclear(name);
  return value;
}

function integer(from: Json, name: string): number {
  const value = from[name];
  if (!Number.isSafeInteger(value)) throw unclear(name);
  return value as number;
}

function amount(from: Json, name: string): number | null {
  const value = from[name] ?? null;
  if (value === null) return null;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw unclear(name);
  return value;
}

function object(from: Json, name: string): Json | null {
  const value = from[name] ?? null;
  if (value === null) return null;
  if (typeof value !== "object" || Array.isArray(value)) throw unclear(name);
  return value as Json;
}

function texts(from: Json, name: string): string[] {
  const value = from[name] ?? [];
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) throw unclear(name);
  return value as string[];
}

function keyOf(from: Json, version: number): Key {
  const kind = text(from, "kind");
  if (kind !== "restricted" && kind !== "secret" && kind !== "publishable") throw unclear("kind");
  const metadata = object(from, "metadata") ?? {};
  if (!Object.values(metadata).every((each) => typeof each === "string")) throw unclear("metadata");
  return {
    id: text(from, "id"),
    account: text(from, "account"),
    environment: text(from, "environment"),
    livemode: flag(from, "livemode"),
    kind,
    name: (from["name"] ?? null) === null ? "" : text(from, "name"),
    permissions: new Set(texts(from, "permissions")),
    metadata: metadata as Record<string, string>,
    expiresAt: (from["expires_at"] ?? null) === null ? null : integer(from, "expires_at"),
    version,
  };
}

function limitOf(from: Json | null): LimitState | null {
  if (from === null) return null;
  return { limit: integer(from, "limit"), remaining: integer(from, "remaining"), reset: amount(from, "reset") ?? 0 };
}

/** What the server answered to `verify`. ttl: for how many seconds it may be remembered; 0: not at all. */
export interface Verdict {
  readonly checked: Checked;
  readonly ttl: number;
}

const LONGEST_TTL = 3600; // seconds

/**
 * Reads a verdict. Only acceptance without limits may be remembered: a key with a limit is asked for each time, so that
 * the server counts every request. Throws RemoteUnavailable for an answer that is not understood.
 */
export function readVerdict(from: Json, account: string | undefined): Verdict {
  const shown = object(from, "key");
  const key = shown === null ? null : keyOf(shown, integer(from, "version"));
  const limit = limitOf(object(from, "ratelimit"));
  if (!flag(from, "valid")) {
    const reason = text(from, "code");
    if (!REASONS.has(reason)) throw unclear("code");
    const checked: Refused = {
      valid: false,
      reason: reason as Reason,
      permission: (from["permission"] ?? null) === null ? null : text(from, "permission"),
      limit,
      retryAfter: amount(from, "retry_after"),
      known: key,
    };
    return { checked, ttl: 0 };
  }
  if (key === null || (account !== undefined && key.account !== account)) throw unclear("key");
  const ttl = limit === null ? Math.min(amount(from, "ttl") ?? 0, LONGEST_TTL) : 0;
  return { checked: { valid: true, key, limit }, ttl };
}
