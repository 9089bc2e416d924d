/** Reads Server-Sent Events (WHATWG HTML, section 9.2.6 "Interpreting an event stream"). */

import { StreamBroken } from "./errors.ts";

const LONGEST = 65_536; // characters of an event

export interface StreamEvent {
  /** `message` unless the event has a name. */
  readonly name: string;
  readonly data: string;
  /** The last id that the stream named; empty for none. */
  readonly id: string;
}

/** Makes events of the bytes of a stream, however they are cut. */
export class EventParser {
  readonly #longest: number;
  readonly #decoder = new TextDecoder();
  #line = "";
  #size = 0;
  #afterReturn = false;
  #name = "";
  #id = "";
  #data: string[] = [];

  constructor(longest = LONGEST) {
    this.#longest = longest;
  }

  /** Returns the events that this chunk completes. Throws StreamBroken for an event that is too long. */
  feed(chunk: Uint8Array): StreamEvent[] {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === "") return [];
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    this.#afterReturn = text === "" ? false : text.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    const rest = lines.pop() ?? "";
    const events: StreamEvent[] = [];
    for (const line of lines) {
      this.#add(line);
      const event = this.#endLine();
      if (event !== null) events.push(event);
    }
    this.#add(rest);
    return events;
  }

  #add(part: string): void {
    this.#size += part.length;
    if (this.#size > this.#longest) {
      throw new StreamBroken(`an event of the stream is longer than ${this.#longest} characters`);
    }
    this.#line += part;
  }

  #endLine(): StreamEvent | null {
    const line = this.#line;
    this.#line = "";
    if (line !== "") {
      this.#field(line);
      return null;
    }
    const event = this.#data.length > 0 ? { name: this.#name || "message", data: this.#data.join("\n"), id: this.#id } : null;
    this.#name = "";
    this.#data = [];
    this.#size = 0;
    return event;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#name = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }
}
