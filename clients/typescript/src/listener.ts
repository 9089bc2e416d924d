/** Follows the change stream of the key server, and opens it again when it breaks. */

import { Backoff } from "./backoff.ts";
import { EventParser } from "./events.ts";
import type { ChangeFeed } from "./feed.ts";
import { StreamBroken } from "./errors.ts";
import { type Connecting, pause } from "./http.ts";

const SILENT = 2; // seconds without a byte after which a stream is opened again; ticks come several times a second
const OLDEST = 600; // seconds after which a stream is opened anew, so that two clocks do not drift apart

export class Listener {
  readonly #connecting: Connecting;
  readonly #feed: ChangeFeed;
  readonly #monotonic: () => number;
  readonly #warn: (message: string) => void;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  #running = false;
  #said = "";

  constructor(connecting: Connecting, feed: ChangeFeed, monotonic: () => number, warn: (message: string) => void) {
    this.#connecting = connecting;
    this.#feed = feed;
    this.#monotonic = monotonic;
    this.#warn = warn;
    this.#backoff = new Backoff(0.1, 10, connecting.chance);
  }

  /** Begins to follow the stream, unless that was done. */
  start(): void {
    if (this.#running || this.#stopped.signal.aborted) return;
    this.#running = true;
    void this.#run();
  }

  /** Ends the stream. May be called again. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const stopped = this.#stopped.signal;
    while (!stopped.aborted) {
      let why = "the server ended the stream";
      try {
        if (await this.#follow()) continue;
      } catch (error) {
        if (error instanceof StreamBroken) this.#feed.lost();
        why = error instanceof StreamBroken || error instanceof Unusable ? error.message : "it cannot be reached";
      }
      if (stopped.aborted) return;
      if (why !== this.#said) {
        this.#said = why;
        this.#warn(`the change stream of the key server is not heard, so every key is asked for: ${why}`);
      }
      await pause(this.#backoff.next(), stopped);
    }
  }

  /** Follows one stream until it ends or is old. Returns whether it is only old. */
  async #follow(): Promise<boolean> {
    const ended = new AbortController();
    const end = () => ended.abort();
    this.#stopped.signal.addEventListener("abort", end);
    let silence = setTimeout(end, SILENT * 1000);
    try {
      const asked = this.#monotonic();
      const response = await this.#open(ended.signal);
      const parser = new EventParser();
      this.#feed.opened(asked);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return false;
        clearTimeout(silence);
        silence = setTimeout(end, SILENT * 1000);
        const now = this.#monotonic();
        for (const event of parser.feed(value)) {
          this.#feed.take(event, now);
          this.#backoff.reset();
          this.#said = "";
        }
        if (now - asked > OLDEST) return true;
      }
    } finally {
      clearTimeout(silence);
      this.#stopped.signal.removeEventListener("abort", end);
      ended.abort();
    }
  }

  async #open(signal: AbortSignal): Promise<Response> {
    const { url, token } = this.#connecting;
    const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
    if (this.#feed.position !== null) headers["last-event-id"] = this.#feed.position;
    const response = await this.#connecting.fetch(`${url}/v1/keys/changes`, { headers, redirect: "manual", signal });
    if (response.status === 401 || response.status === 403) {
      throw new Unusable(`the service key may not follow the changes of keys (status ${response.status})`);
    }
    if (response.status !== 200) throw new Unusable(`status ${response.status}`);
    const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
    if (type !== "text/event-stream" || response.body === null) throw new Unusable("the answer is no event stream");
    return response;
  }
}

/** The answer to the request for the stream is none. */
class Unusable extends Error {}
