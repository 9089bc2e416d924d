import { type Accepted, allows, type Checked, readVerdict, refused } from "./answers.ts";
import { AnswerCache } from "./cache.ts";
import { Digester, randomName } from "./digest.ts";
import { onlyKnown, RemoteUnavailable } from "./errors.ts";
import { ChangeFeed } from "./feed.ts";
import { Freshness } from "./freshness.ts";
import { addressOf, type Call, type Connecting, send, tokenOf } from "./http.ts";
import { Listener } from "./listener.ts";
import { Management } from "./management.ts";
import { type Use, UseReporter } from "./uses.ts";

const LONGEST_KEY = 512; // characters
const LONGEST_ROUTE = 2000; // characters that the server takes
const MOST_NAMES = 10_000; // names of permissions that the server is known to declare

/** What a request needs; all of it may be left out. */
export interface Needs {
  /** The permission, for example `report_read` or `project:42:write`. */
  readonly permission?: string;
  /** The caller's address; a key with an allow-list is refused without it. */
  readonly ip?: string;
  /** What the key is used for, kept as its last use. */
  readonly endpoint?: string;
  /** Method and path, `GET /reports/1`, to find the declared route; or a name, for limits of routes. */
  readonly route?: string;
  /** How much the request takes from the limits; 0 only looks at them. By default what its route declares, or 1. */
  readonly cost?: number;
  /** Whether a publishable key will do, true by default. It is public. */
  readonly publishable?: boolean;
  /** Accept only keys of this account. */
  readonly account?: string;
}

export interface Options {
  /** How many answers are remembered at most, 100,000 by default. 0: ask each time, and follow no change stream. */
  readonly capacity?: number;
  /** Seconds for a request with all its attempts, 2 by default. */
  readonly timeout?: number;
  /** How often a request is sent at most, 2 by default. */
  readonly attempts?: number;
  /** Seconds between two reports of uses that were answered from memory, 10 by default. 0: none is reported. */
  readonly reportSeconds?: number;
  /**
   * The server declares routes (`[[routes]]` in its configuration): gates then tell it the method and path of each
   * request, and a request that matches no route is refused. Answers are remembered for each path. False by default.
   */
  readonly routes?: boolean;
  /** Sends requests; the global `fetch` by default. */
  readonly fetch?: typeof fetch;
  /** Is told when the server is not heard; `console.warn` by default. Never told a key. */
  readonly warn?: (message: string) => void;
  /** Returns UTC epoch seconds. */
  readonly clock?: () => number;
  /** Returns seconds of a monotonic clock. */
  readonly monotonic?: () => number;
  /** Returns a number from 0 to 1. */
  readonly chance?: () => number;
}

const OPTIONS = ["capacity", "timeout", "attempts", "reportSeconds", "routes", "fetch", "warn", "clock", "monotonic", "chance"];

/**
 * Verifies and changes the keys of a key server (`tollkey keys serve`). Use one object for each process.
 *
 * Answers about valid keys without limits are remembered. A key that is revoked, disabled or changed at the server is
 * refused here within a second, because the memory is used only while the server's change stream is heard. Without it
 * every key is asked for, and if that fails, refused as `unavailable`.
 */
export class RemoteKeys extends Management {
  readonly #connecting: Connecting;
  readonly #cache: AnswerCache;
  readonly #freshness = new Freshness();
  readonly #listener: Listener;
  readonly #digester = new Digester();
  readonly #declared = new Set<string>();
  readonly #listens: boolean;
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  readonly #warn: (message: string) => void;
  readonly #uses: UseReporter;
  /** Whether the server declares routes, as this client was told. */
  readonly declaresRoutes: boolean;
  #closed = false;

  /**
   * url: `https://keys.example.com`. token: a service key with the permission `key_verify_write`; to list and change
   * keys it needs `key_read` and `key_write`. Throws TypeError or RangeError for arguments that cannot be right.
   */
  constructor(url: string, token: string, options: Options = {}) {
    super();
    onlyKnown(options, OPTIONS);
    const { capacity = 100_000, timeout = 2, attempts = 2, reportSeconds = 10 } = options;
    if (!(capacity >= 0) || !(timeout > 0) || !(attempts >= 1) || !(reportSeconds >= 0 && reportSeconds < 2_000_000)) {
      throw new RangeError("capacity and reportSeconds must not be negative, timeout above 0, attempts at least 1");
    }
    this.declaresRoutes = options.routes === true;
    this.#connecting = {
      url: addressOf(url),
      token: tokenOf(token),
      timeout,
      attempts,
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      chance: options.chance ?? Math.random,
    };
    this.#clock = options.clock ?? (() => Date.now() / 1000);
    this.#monotonic = options.monotonic ?? (() => performance.now() / 1000);
    this.#warn = options.warn ?? ((message) => console.warn(`@tollkey/keys: ${message}`));
    this.#cache = new AnswerCache(capacity);
    this.#listens = capacity > 0;
    const feed = new ChangeFeed(this.#cache, this.#freshness);
    this.#listener = new Listener(this.#connecting, feed, this.#monotonic, this.#warn);
    this.#uses = new UseReporter(this.#connecting, reportSeconds, this.#clock, randomName, this.#warn);
  }

  /**
   * Verifies a key, then its permission, then its limits. text: the key as the caller sent it.
   *
   * Nothing that a caller can send throws. Throws RemoteRefused if the server refuses the service key, KeyRefused for
   * an argument that it does not take (`permission_unknown`), RangeError for a cost that is negative.
   */
  async check(text: string | null | undefined, needs: Needs = {}): Promise<Checked> {
    const { permission, route, account, cost } = needs;
    if (cost !== undefined && !(Number.isSafeInteger(cost) && cost >= 0)) throw new RangeError("the cost of a request is a whole number, 0 or more");
    if (text === null || text === undefined || text === "") return refused("missing");
    if (!usable(text)) return refused("unknown");
    if (route !== undefined && (route.length > LONGEST_ROUTE || /[\0\p{Cs}]/u.test(route))) return refused("forbidden");
    if (this.#listens) this.#listener.start();
    const digest = await this.#digester.digest(text, route);
    const known = this.#known(digest, needs);
    if (known !== null) {
      this.#uses.count(known.key.id, use(needs));
      return known;
    }
    const ticket = this.#cache.begin(this.#monotonic());
    try {
      const verdict = readVerdict(await this.call(question(text, needs)), account);
      if (permission !== undefined) this.#declare(permission);
      if (verdict.checked.valid && verdict.ttl > 0) {
        this.#cache.store(digest, { checked: verdict.checked, until: ticket.began + verdict.ttl }, ticket);
      }
      return verdict.checked;
    } catch (error) {
      if (!(error instanceof RemoteUnavailable)) throw error;
      this.#warn(`a key could not be checked: ${error.message}`);
      return refused("unavailable");
    }
  }

  /** Only acceptance is answered from memory: the server counts every refused request. */
  #known(digest: string, { permission, account, publishable }: Needs): Accepted | null {
    const now = this.#monotonic();
    if (this.#closed || !this.#freshness.fresh(now)) return null;
    const checked = this.#cache.get(digest, now)?.checked;
    if (checked === undefined) return null;
    const { key } = checked;
    if (key.expiresAt !== null && this.#clock() >= key.expiresAt) return null;
    if (account !== undefined && key.account !== account) return null;
    if (key.kind === "publishable" && publishable === false) return null;
    if (permission !== undefined && !(this.#declared.has(permission) && allows(key, permission))) return null;
    return checked;
  }

  #declare(permission: string): void {
    if (this.#declared.size >= MOST_NAMES) this.#declared.clear();
    this.#declared.add(permission);
  }

  protected override call(call: Call): Promise<Record<string, unknown>> {
    if (this.#closed) return Promise.reject(new RemoteUnavailable("it was closed", false));
    return send(this.#connecting, call);
  }

  protected override name(): Promise<string> {
    return randomName();
  }

  /**
   * Reports at once the uses that were answered from memory, where a runtime does not let a timer do it
   * (`context.waitUntil(keys.report())`). Never throws: what does not arrive is kept for the next time.
   */
  report(): Promise<void> {
    return this.#uses.report();
  }

  /**
   * Ends the change stream; every key is refused as `unavailable` from then on. The promise is fulfilled when the uses
   * that are left are reported.
   */
  close(): Promise<void> {
    this.#closed = true;
    this.#listener.stop();
    return this.#uses.close();
  }
}

function usable(text: string): boolean {
  return text.length <= LONGEST_KEY && !/[\p{Cc}\p{Cs}]/u.test(text);
}

/** What is reported of a question that was answered from memory: as much as the server takes. */
function use({ permission, route, cost, ip, endpoint }: Needs): Use {
  return {
    permission, route, cost,
    ip: ip !== undefined && ip.length <= 64 ? shown(ip) : undefined,
    endpoint: endpoint === undefined ? undefined : shown(endpoint),
  };
}

function question(text: string, needs: Needs): Call {
  const body: Record<string, unknown> = { key: text };
  if (needs.permission !== undefined) body["permission"] = needs.permission;
  if (needs.ip !== undefined && needs.ip.length <= 64) body["ip"] = needs.ip;
  if (needs.endpoint !== undefined) body["endpoint"] = shown(needs.endpoint);
  if (needs.route !== undefined) body["route"] = needs.route;
  if (needs.cost !== undefined) body["cost"] = needs.cost;
  if (needs.publishable === false) body["publishable"] = false;
  if (needs.account !== undefined) body["account"] = needs.account;
  return { method: "POST", path: "/v1/keys/verify", needs: "key_verify_write", body, repeatable: true };
}

/** Cuts what comes from a request, and replaces what a database does not take as text. */
function shown(endpoint: string): string {
  return endpoint.slice(0, 200).replace(/[\p{Cc}\p{Cs}]/gu, "?");
}
