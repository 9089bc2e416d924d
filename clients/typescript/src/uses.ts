/**
 * Reports the uses of keys that were answered from memory, in the background and in batches.
 *
 * Each batch has a name, under which the server counts it once however often it arrives. A process that is killed loses
 * what it has not reported. The memory for it is bounded: beyond, uses of a key are counted without route and permission.
 */

import { KeyRefused, RemoteRefused, RemoteUnavailable } from "./errors.ts";
import { type Call, type Connecting, send } from "./http.ts";

const AT_ONCE = 200; // uses in one report
const BYTES_AT_ONCE = 40_000; // of their JSON; the server takes 64 KB
const MOST = 10_000; // slots that are counted apart
const WAITING = 4; // times `MOST`: further keys are not counted
const MOST_REQUESTS = 1e9; // of one use; the server refuses a whole report for more
const MOST_COST = 1e6;

/** What was asked about a key. */
export interface Use {
  readonly route?: string | undefined;
  readonly permission?: string | undefined;
  readonly cost?: number | undefined;
  readonly ip?: string | undefined;
  readonly endpoint?: string | undefined;
}

interface Count {
  readonly id: string;
  readonly route?: string | undefined;
  readonly permission?: string | undefined;
  readonly cost?: number | undefined;
  requests: number;
  at: number;
  ip?: string | undefined;
  endpoint?: string | undefined;
}

interface Batch {
  readonly name: string;
  readonly uses: readonly object[];
}

export class UseReporter {
  readonly #connecting: Connecting;
  readonly #seconds: number;
  readonly #clock: () => number;
  readonly #newName: () => Promise<string>;
  readonly #warn: (message: string) => void;
  readonly #counts = new Map<string, Count>();
  readonly #encoder = new TextEncoder();
  #batch: Batch | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sending: Promise<void> = Promise.resolve();
  #off: boolean;

  /** seconds: between two reports; 0: nothing is reported. clock: returns UTC epoch seconds. */
  constructor(
    connecting: Connecting,
    seconds: number,
    clock: () => number,
    newName: () => Promise<string>,
    warn: (message: string) => void,
  ) {
    this.#connecting = connecting;
    this.#seconds = seconds;
    this.#clock = clock;
    this.#newName = newName;
    this.#warn = warn;
    this.#off = seconds <= 0;
  }

  /** Counts a use of a key that was answered from memory. */
  count(id: string, use: Use): void {
    if (this.#off) return;
    const count = this.#slot(id, use);
    if (count === null) return;
    count.requests += 1;
    count.at = Math.floor(this.#clock());
    count.ip = use.ip;
    count.endpoint = use.endpoint;
    if (this.#timer === null) this.#wait();
  }

  #slot(id: string, { route, permission, cost }: Use): Count | null {
    const name = JSON.stringify([id, route, permission, cost]);
    const found = this.#counts.get(name);
    if (found !== undefined) return found;
    if (this.#counts.size < MOST) return this.#added(name, { id, route, permission, cost, requests: 0, at: 0 });
    const alone = JSON.stringify([id]);
    const counted = this.#counts.get(alone);
    if (counted !== undefined) return counted;
    return this.#counts.size < WAITING * MOST ? this.#added(alone, { id, requests: 0, at: 0 }) : null;
  }

  #added(name: string, count: Count): Count {
    this.#counts.set(name, count);
    return count;
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.report(), this.#seconds * 1000);
    // In Node the timer is an object, and alone it keeps no process alive.
    const timer = this.#timer as { unref?: () => void };
    if (typeof timer === "object") timer.unref?.();
  }

  /** Reports what was counted. What does not arrive is kept for the next time. Never throws. */
  report(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending = this.#sending.then(() => this.#sendAll());
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (!this.#off && (await this.#sendNext()));
    if (!this.#off && this.#timer === null && (this.#batch !== null || this.#counts.size > 0)) this.#wait();
  }

  /** Sends a batch, and returns whether to go on with the next one. */
  async #sendNext(): Promise<boolean> {
    try {
      const batch = (this.#batch ??= await this.#taken());
      if (batch === null) return false;
      await send(this.#connecting, request(batch));
    } catch (error) {
      if (!(error instanceof KeyRefused) || error.status === 404) {
        return this.#failed(error);
      }
      this.#warn(`some uses of keys were not counted: ${error.message}`);
    }
    this.#batch = null;
    return true;
  }

  #failed(error: unknown): false {
    if (error instanceof RemoteRefused || error instanceof KeyRefused) {
      // Also a server that is older than this client.
      this.#warn(`uses of keys that are answered from memory are not reported: ${error.message}`);
      this.stop();
    } else if (error instanceof RemoteUnavailable) {
      this.#warn(`uses of keys could not be reported yet: ${error.message}`);
    } else {
      this.#warn("uses of keys could not be reported yet");
    }
    return false;
  }

  async #taken(): Promise<Batch | null> {
    if (this.#counts.size === 0) return null;
    const name = await this.#newName();
    const uses: object[] = [];
    let left = BYTES_AT_ONCE;
    for (const [slot, count] of this.#counts) {
      if (uses.length >= AT_ONCE || left <= 0) break;
      uses.push(shown(count));
      left -= this.#encoder.encode(JSON.stringify(uses.at(-1))).length;
      this.#counts.delete(slot);
    }
    return { name, uses };
  }

  /** Counts and reports nothing from now on. */
  stop(): void {
    this.#off = true;
    this.#batch = null;
    this.#counts.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Reports what is left, and stops. */
  async close(): Promise<void> {
    await this.report();
    this.stop();
  }
}

function request(batch: Batch): Call {
  const { uses, name } = batch;
  return {
    method: "POST", path: "/v1/keys/uses", needs: "key_verify_write", body: { uses }, repeatable: true, idempotencyKey: name,
  };
}

function shown(count: Count): object {
  const { requests, cost, ...rest } = count;
  const bounded = cost === undefined ? {} : { cost: Math.min(cost, MOST_COST) };
  return { ...rest, requests: Math.min(requests, MOST_REQUESTS), ...bounded };
}
