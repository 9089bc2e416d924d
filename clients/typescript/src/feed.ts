/** What each event of the change stream does to the memory. */

import type { AnswerCache } from "./cache.ts";
import { StreamBroken } from "./errors.ts";
import type { StreamEvent } from "./events.ts";
import type { Freshness } from "./freshness.ts";

export class ChangeFeed {
  /** Where to go on after a break; null at the beginning. */
  position: string | null = null;
  readonly #cache: AnswerCache;
  readonly #freshness: Freshness;
  #anew = true;

  constructor(cache: AnswerCache, freshness: Freshness) {
    this.#cache = cache;
    this.#freshness = freshness;
  }

  /** A stream was opened, which goes on after `position`. asked: when, in seconds of a monotonic clock. */
  opened(asked: number): void {
    this.#freshness.opened(asked);
    this.#anew = this.position === null;
  }

  /** Applies an event. Throws StreamBroken for one that is not understood. */
  take(event: StreamEvent, now: number): void {
    if (event.name === "change") {
      const { id, version } = objectOf(event.data);
      if (typeof id !== "string" || !Number.isSafeInteger(version)) {
        throw new StreamBroken("a change lacks the id or the version of its key");
      }
      this.#cache.changed(id, version as number, now);
    } else if (event.name === "reset") {
      this.#cache.reset(now);
    } else if (event.name === "tick") {
      const { at } = objectOf(event.data);
      if (!Number.isFinite(at)) throw new StreamBroken("a tick lacks the time of the server");
      if (this.#anew) {
        this.#anew = false;
        this.#cache.reset(now);
      }
      this.#freshness.heard(at as number, now);
    } else {
      return; // a later server may say more
    }
    if (event.id !== "") this.position = event.id;
  }

  /** The server said something that is not understood: uses nothing from memory, and begins anew. */
  lost(): void {
    this.position = null;
    this.#freshness.expire();
  }
}

function objectOf(data: string): Record<string, unknown> {
  let found: unknown;
  try {
    found = JSON.parse(data);
  } catch {
    throw new StreamBroken("an event of the stream is not JSON");
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) {
    throw new StreamBroken("an event of the stream is not a JSON object");
  }
  return found as Record<string, unknown>;
}
