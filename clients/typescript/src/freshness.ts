/**
 * Whether the change stream is heard, and how old what it says can be at most.
 *
 * That a tick arrived now does not mean that it was sent now: a proxy or a full network buffer may have held it back.
 * So a tick carries a time of the server's clock: up to then it tells of every change, of all nodes. The client knows
 * when it asked for the stream, and that the first tick's time is later. How far the server's clock went since then
 * says from when a later tick is at the earliest. The two clocks are never compared, only how far each went.
 */

/** How long memory may be used after the time that a tick is from, in seconds: a revoked key is refused within this time. */
export const BOUND = 1;
const DRIFT = 1e-4; // how much faster the server's clock may run than the client's

export class Freshness {
  #until = -Infinity;
  #asked = 0;
  #first: number | null = null;

  /** A stream was opened. asked: when the client asked for it, in seconds of its own monotonic clock. */
  opened(asked: number): void {
    this.#asked = asked;
    this.#first = null;
  }

  /**
   * A tick was heard. at: it tells of every change before this time, in seconds of the server's clock. now: when it
   * arrived, in seconds of the client's.
   */
  heard(at: number, now: number): void {
    this.#first ??= at;
    const passed = (at - this.#first) * (1 - DRIFT);
    this.#until = Math.max(this.#until, Math.min(now, this.#asked + passed) + BOUND);
  }

  /** Uses nothing from memory until the next tick. */
  expire(): void {
    this.#until = -Infinity;
  }

  /** Whether memory may be used. now: seconds of the client's monotonic clock. */
  fresh(now: number): boolean {
    return now < this.#until;
  }
}
