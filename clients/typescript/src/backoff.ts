/** Waits that double up to a maximum, each shortened at random so that many clients do not come back at once. */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  readonly #chance: () => number;
  #wait: number;

  /** first, most: the shortest and the longest wait, in seconds. chance: returns a number from 0 to 1. */
  constructor(first: number, most: number, chance: () => number) {
    this.#first = this.#wait = first;
    this.#most = most;
    this.#chance = chance;
  }

  /** Returns the next wait in seconds: between half of it and all of it. */
  next(): number {
    const wait = this.#wait;
    this.#wait = Math.min(this.#most, 2 * wait);
    return wait * (0.5 + this.#chance() / 2);
  }

  /** Begins again with the shortest wait, after a success. */
  reset(): void {
    this.#wait = this.#first;
  }
}
