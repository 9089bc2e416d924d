/**
 * Remembers what the server answered about valid keys, by a keyed digest of their text, never by the text.
 *
 * It stores only what the change stream will correct: an answer is dropped when its key changes, and one that was on
 * its way while the key changed is not stored. It does not know whether the stream is heard; `freshness.ts` does.
 */

import type { Accepted } from "./answers.ts";

const STALE = 1; // seconds: a node of the server may answer from its own memory for this long
const KEEP = 60; // seconds: how long the version of a changed key is remembered; longer than any request lasts

export interface Entry {
  readonly checked: Accepted;
  /** When it must not be used any more, in seconds of a monotonic clock. */
  readonly until: number;
}

/** Taken before the server is asked, so that the answer can be compared with the changes heard meanwhile. */
export interface Ticket {
  readonly epoch: number;
  readonly began: number;
}

export class AnswerCache {
  readonly #capacity: number;
  #epoch = 0;
  #quietUntil = -Infinity;
  readonly #entries = new Map<string, Entry>();
  readonly #digests = new Map<string, Set<string>>();
  readonly #versions = new Map<string, readonly [version: number, at: number]>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(digest: string, now: number): Entry | null {
    const entry = this.#entries.get(digest);
    if (entry === undefined || now >= entry.until) return null;
    this.#entries.delete(digest); // the one used last is the last of the map
    this.#entries.set(digest, entry);
    return entry;
  }

  begin(now: number): Ticket {
    return { epoch: this.#epoch, began: now };
  }

  /** Stores an answer, unless its key may have changed since the state that it tells of. Returns whether it did. */
  store(digest: string, entry: Entry, ticket: Ticket): boolean {
    const { id, version } = entry.checked.key;
    if (ticket.epoch !== this.#epoch || ticket.began < this.#quietUntil || this.#capacity <= 0) return false;
    const [newest, heard] = this.#versions.get(id) ?? [0, -Infinity];
    if (version < newest || (version === newest && ticket.began < heard + STALE)) return false;
    this.#remove(digest);
    if (this.#entries.size >= this.#capacity) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#remove(oldest);
    }
    this.#entries.set(digest, entry);
    const digests = this.#digests.get(id) ?? new Set();
    this.#digests.set(id, digests.add(digest));
    return true;
  }

  #remove(digest: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#entries.delete(digest);
    const { id } = entry.checked.key;
    const digests = this.#digests.get(id);
    digests?.delete(digest);
    if (digests?.size === 0) this.#digests.delete(id);
  }

  /**
   * Drops the answers about a key, and stores no older version of it. Its account's plan may have changed, which is no
   * new version: for a second a node of the server may answer with the plan before, so that nothing that is asked for
   * until then is stored.
   */
  changed(id: string, version: number, now: number): void {
    for (const digest of this.#digests.get(id) ?? []) this.#entries.delete(digest);
    this.#digests.delete(id);
    const known = this.#versions.get(id)?.[0] ?? 0;
    this.#versions.delete(id);
    this.#versions.set(id, [Math.max(version, known), now]);
    for (const [oldest, [, at]] of this.#versions) {
      if (at >= now - KEEP) break;
      this.#versions.delete(oldest);
    }
    if (this.#versions.size > Math.max(this.#capacity, 1000)) this.#drop(now + KEEP); // too many to remember
  }

  /**
   * Drops everything, because changes may have been missed up to `now`. Nothing that was asked for in the second after
   * it is stored: until then a node of the server may still answer what was true before those changes.
   */
  reset(now: number): void {
    this.#drop(now + STALE);
  }

  #drop(quietUntil: number): void {
    this.#epoch += 1;
    this.#quietUntil = Math.max(this.#quietUntil, quietUntil);
    this.#entries.clear();
    this.#digests.clear();
    this.#versions.clear();
  }
}
