/** What the key server did not do. A refused *request* is not an error but a `Checked` with `valid: false`. */

/** The base class of the errors here. */
export class RemoteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** The key server refused the service key: a fault of the configuration, not of a caller. */
export class RemoteRefused extends RemoteError {
  /** 401 for an invalid service key, 403 for one that lacks a permission. */
  readonly status: number;
  /** The missing permission, if it is known. */
  readonly permission: string | null;

  constructor(message: string, status: number, permission: string | null = null) {
    super(message);
    this.status = status;
    this.permission = permission;
  }
}

/** The key server cannot be reached, took too long, or answered something that is not understood. */
export class RemoteUnavailable extends RemoteError {
  /** Whether the request may have reached the server, so that a change may have been made. */
  readonly sent: boolean;

  constructor(message: string, sent = true) {
    super(message);
    this.sent = sent;
  }
}

/** The key server refused a change, or an argument. Nothing was changed. */
export class KeyRefused extends RemoteError {
  /** A stable identifier, for example `api_key_expired`. */
  readonly code: string;
  /** The name of the invalid argument. */
  readonly param: string | null;
  readonly status: number;

  constructor(code: string, message: string, param: string | null, status: number) {
    super(message);
    this.code = code;
    this.param = param;
    this.status = status;
  }
}

/** Throws TypeError for an option that is not one of `known`: a misspelt one would have no effect. */
export function onlyKnown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`unknown option ${unknown}; the options are ${known.join(", ")}`);
}

/** The change stream is not one of a key server: an event is too long, or says something that is not understood. */
export class StreamBroken extends RemoteError {}
