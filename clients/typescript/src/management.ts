/** The methods that list and change keys, through `/v1/keys`. */

import type { Kind } from "./answers.ts";
import { KeyRefused, RemoteUnavailable } from "./errors.ts";
import type { Call } from "./http.ts";

/** A key as the server shows it, in the server's own names. Times are UTC epoch seconds. */
export interface ManagedKey {
  readonly id: string;
  readonly account: string;
  readonly environment: string;
  readonly livemode: boolean;
  readonly kind: Kind;
  readonly name: string;
  readonly note: string;
  /** As granted. */
  readonly permissions: readonly string[];
  /** Those and all they imply. */
  readonly effective_permissions: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly ip_allowlist: readonly string[];
  readonly status: "active" | "disabled" | "expired" | "revoked";
  readonly created: number;
  readonly created_by: string;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly disabled_at: number | null;
  /** For lists, `sk_live_...abcd`. */
  readonly redacted: string;
  /** Its text: of a publishable key, and where a key was just created, rolled or revealed. */
  readonly secret: string | null;
  readonly revealable: boolean;
  readonly rolled_from: string | null;
  readonly replaced_by: string | null;
  readonly version: number;
}

/** What a key is for. In an update, what is left out stays, and an empty metadata value removes its entry. */
export interface About {
  readonly name?: string;
  readonly note?: string;
  readonly permissions?: readonly string[];
  readonly ip_allowlist?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface NewKey extends About {
  /** Your name for the customer that it belongs to. */
  readonly account: string;
  /** `restricted` by default. */
  readonly kind?: Kind;
  /** The live one by default. */
  readonly environment?: string;
  /** UTC epoch seconds. */
  readonly expires_at?: number;
}

export interface Filters {
  readonly account?: string;
  readonly status?: ManagedKey["status"];
  readonly kind?: Kind;
  /** What the text begins with, up to the environment: `sk_live_`. */
  readonly prefix?: string;
}

export interface Page {
  /** Newest first. */
  readonly data: readonly ManagedKey[];
  readonly has_more: boolean;
}

/**
 * All throw RemoteRefused if the service key may not do it, KeyRefused for what the server refuses (then nothing was
 * changed), RemoteUnavailable if it cannot be reached. Each change carries an `Idempotency-Key` of its own, so that the
 * server makes it once, however often the request is sent.
 */
export abstract class Management {
  /** Sends a request to the server and returns the object that it answered. */
  protected abstract call(call: Call): Promise<Record<string, unknown>>;

  /** Returns a new random name for a change. */
  protected abstract name(): Promise<string>;

  /** Creates a key. Its text is in `secret`; that of a live key is not stored at the server. */
  create(key: NewKey): Promise<ManagedKey> {
    return this.#change("/v1/keys", { ...key });
  }

  update(id: string, about: About): Promise<ManagedKey> {
    return this.#change(pathOf(id), { ...about });
  }

  /**
   * Creates a key's successor, valid at once. expiresIn: for how many seconds the old key stays valid, 0 by default.
   * `rolled` of the answer is the old key.
   */
  async roll(id: string, expiresIn = 0): Promise<ManagedKey & { readonly rolled: ManagedKey }> {
    const made = await this.#change(pathOf(id, "roll"), { expires_in: expiresIn });
    const { rolled } = made as unknown as { rolled: unknown };
    return Object.assign(made, { rolled: managed(rolled) });
  }

  /** Shows the text of a key that is still sealed; that of a live key once. */
  reveal(id: string): Promise<ManagedKey> {
    return this.#change(pathOf(id, "reveal"), {});
  }

  /** Revokes a key for good; every remote client refuses it within a second. */
  revoke(id: string): Promise<ManagedKey> {
    return this.#change(pathOf(id, "revoke"), {});
  }

  /** Pauses a key until `enable`. */
  disable(id: string): Promise<ManagedKey> {
    return this.#change(pathOf(id, "disable"), {});
  }

  enable(id: string): Promise<ManagedKey> {
    return this.#change(pathOf(id, "enable"), {});
  }

  cancelExpiry(id: string): Promise<ManagedKey> {
    return this.#change(pathOf(id, "cancel_expiry"), {});
  }

  /** Returns a key by its id, also one that has ended, or null. */
  get(id: string): Promise<ManagedKey | null> {
    return this.#found({ method: "GET", path: pathOf(id), needs: "key_read", repeatable: true });
  }

  /** Returns the key with this id or text, whatever its account, or null. It is no use of the key. */
  find(idOrText: string): Promise<ManagedKey | null> {
    const body = idOrText.startsWith("mk_") ? { id: idOrText } : { key: idOrText };
    return this.#found({ method: "POST", path: "/v1/keys/lookup", needs: "key_read", body, repeatable: true });
  }

  /** Returns a page of keys. limit: 1 to 100, 10 by default. after: the id of the last key of the page before. */
  async list(filters: Filters = {}, limit?: number, after?: string): Promise<Page> {
    const query = { ...filters, limit, starting_after: after };
    const found = await this.call({ method: "GET", path: "/v1/keys", needs: "key_read", query, repeatable: true });
    const { data, has_more } = found;
    if (!Array.isArray(data) || typeof has_more !== "boolean") throw unclear();
    return { data: data.map(managed), has_more };
  }

  /** Yields all keys, read in pages of 100. */
  async *each(filters: Filters = {}): AsyncGenerator<ManagedKey, void, void> {
    let page = await this.list(filters, 100);
    yield* page.data;
    while (page.has_more && page.data.length > 0) {
      page = await this.list(filters, 100, page.data.at(-1)?.id);
      yield* page.data;
    }
  }

  async #change(path: string, body: Record<string, unknown>): Promise<ManagedKey> {
    const idempotencyKey = await this.name();
    return managed(await this.call({ method: "POST", path, needs: "key_write", body, repeatable: true, idempotencyKey }));
  }

  async #found(call: Call): Promise<ManagedKey | null> {
    try {
      return managed(await this.call(call));
    } catch (error) {
      if (error instanceof KeyRefused && error.code === "resource_missing") return null;
      throw error;
    }
  }
}

function pathOf(id: string, verb?: string): string {
  const path = `/v1/keys/${encodeURIComponent(id)}`;
  return verb === undefined ? path : `${path}/${verb}`;
}

function unclear(): RemoteUnavailable {
  return new RemoteUnavailable("the answer of the key server is not understood: it is no key");
}

function managed(value: unknown): ManagedKey {
  const given = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const texts = ["id", "account", "kind", "name", "redacted", "status"].every((name) => typeof given[name] === "string");
  if (!texts || typeof given["livemode"] !== "boolean" || !Number.isSafeInteger(given["version"])) throw unclear();
  return given as unknown as ManagedKey;
}
