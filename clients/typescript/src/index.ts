/** Verifies API keys at a Tollkey key server, from memory where that is safe. */

export { allows } from "./answers.ts";
export type { Accepted, Checked, Key, Kind, LimitState, Reason, Refused } from "./answers.ts";
export { RemoteKeys } from "./client.ts";
export type { Needs, Options } from "./client.ts";
export { KeyRefused, RemoteError, RemoteRefused, RemoteUnavailable } from "./errors.ts";
export { gate, keyOf, nodeGate, refusalOf } from "./gate.ts";
export type { GateOptions, NodeRequest, NodeResponse, Refusal } from "./gate.ts";
export type { About, Filters, ManagedKey, NewKey, Page } from "./management.ts";
