/** Keys and streams as a server tells of them. */

import type { Accepted } from "../src/answers.ts";
import { AnswerCache, type Entry } from "../src/cache.ts";
import { ChangeFeed } from "../src/feed.ts";
import { Freshness } from "../src/freshness.ts";

export function accepted(id: string, version = 1): Accepted {
  const key = {
    id, version, account: "cus_1", environment: "live", livemode: true, kind: "restricted" as const, name: "CI",
    permissions: new Set(["report_read"]), metadata: {}, expiresAt: null,
  };
  return { valid: true, key, limit: null };
}

export function entry(id: string, version = 1, until = 1e9): Entry {
  return { checked: accepted(id, version), until };
}

/** A feed with its memory; the server's clock shows 90 seconds less than the client's. */
export class Stream {
  readonly cache = new AnswerCache(10);
  readonly freshness = new Freshness();
  readonly feed = new ChangeFeed(this.cache, this.freshness);

  say(name: string, now: number, id = "", data: object = {}): void {
    this.feed.take({ name, id, data: JSON.stringify(data) }, now);
  }

  tick(now: number, id = ""): void {
    this.say("tick", now, id, { at: now - 90 });
  }

  store(id: string, began: number, version = 1): boolean {
    return this.cache.store("d", entry(id, version), this.cache.begin(began));
  }

  usable(now: number): boolean {
    return this.freshness.fresh(now) && this.cache.get("d", now) !== null;
  }
}

/** A stream opened at 100, whose second of silence is over. */
export function open(): Stream {
  const stream = new Stream();
  stream.feed.opened(100);
  for (const now of [100.1, 100.5, 101, 101.5, 102]) stream.tick(now, "p5");
  return stream;
}

/** The answer of a server to `verify` about a valid key. */
export function verdict(changes: object = {}): object {
  const key = {
    id: "mk_1", account: "cus_1", environment: "live", livemode: true, kind: "restricted", name: "CI",
    permissions: ["report_read"], metadata: { machine: "7" }, expires_at: null,
  };
  return { valid: true, code: "valid", key, ratelimit: null, retry_after: null, ttl: 60, version: 3, permission: null, ...changes };
}
