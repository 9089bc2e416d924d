/**
 * Whether the change stream is heard, and how old what it says can be at most.
 *
 * That a tick arrived now does not mean that it was sent now: a proxy or a full network buffer may have held it back.
 * So a tick carries the server's clock: when it was sent, and up to when the server itself has heard of every change.
 * The client knows when it asked for the stream, and that the first tick was sent after that. How far the server's
 * clock went since then says when a later tick was sent at the earliest. The two clocks are never compared.
 */

/** How long memory may be used after a tick was sent, in seconds: a revoked key is refused within this time. */
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
   * A tick was heard. sent: when the server sent it; known: up to when it tells of every change, both in seconds of
   * the server's clock. now: when it arrived, in seconds of the client's.
   */
  heard(sent: number, known: number, now: number): void {
    this.#first ??= sent;
    const passed = known - this.#first;
    this.#until = Math.max(this.#until, Math.min(now, this.#asked + passed - DRIFT * Math.abs(passed)) + BOUND);
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
