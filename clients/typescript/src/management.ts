/** The methods that list and change keys, through `/v1/keys`. */

import type { Kind } from "./answers.ts";
import type { Call } from "./http.ts";

/** A key as the server shows it, in the server's own names. Never contains the text of a secret key. */
export interface ManagedKey {
  readonly id: string;
  readonly account: string;
  readonly livemode: boolean;
  readonly kind: Kind;
  readonly name: string;
  readonly [field: string]: unknown;
}

export abstract class Management {
  /** Sends a request to the server and returns the object that it answered. */
  protected abstract call(call: Call): Promise<Record<string, unknown>>;
}
