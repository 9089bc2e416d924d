/** The client with its change stream: remembers, forgets, asks when the stream is silent, comes back when it broke. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { RemoteKeys } from "../src/index.ts";
import { verdict } from "./steps.ts";

/** A key server made of one stream and verdicts, and the client's clock, which stands still until it is moved. */
class Scene {
  now = 100;
  asked = 0;
  opened: (string | null)[] = [];
  answer: () => Response | Promise<Response> = () => Response.json(verdict());
  readonly warnings: string[] = [];
  readonly reported: unknown[] = [];
  readonly #waiting: (() => void)[] = [];
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly keys = new RemoteKeys("https://keys.example.com", "rk_service", {
    monotonic: () => this.now,
    clock: () => 1_767_225_600,
    chance: () => 0,
    warn: (message) => this.warnings.push(message),
    fetch: (async (url: string, init: RequestInit) => {
      if (url.endsWith("/v1/keys/uses")) {
        this.reported.push(JSON.parse(init.body as string));
        return Response.json({ object: "use_report", counted: 1 });
      }
      if (!url.endsWith("/v1/keys/changes")) {
        this.asked += 1;
        return this.answer();
      }
      this.opened.push(new Headers(init.headers).get("last-event-id"));
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#stream = controller) });
      init.signal?.addEventListener("abort", () => this.#stream?.error(new Error("aborted")));
      for (const resolve of this.#waiting.splice(0)) resolve();
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    }) as typeof fetch,
  });

  /** Waits until the client opens its next stream. */
  async stream(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await settled();
  }

  async say(text: string): Promise<void> {
    this.#stream?.enqueue(new TextEncoder().encode(text));
    await settled();
  }

  tick(id = "p1"): Promise<void> {
    return this.say(`event: tick\nid: ${id}\ndata: {"at": ${this.now}}\n\n`);
  }

  async drop(): Promise<void> {
    this.#stream?.close();
    await settled();
  }

  async check(): Promise<[result: string, asked: number]> {
    const before = this.asked;
    const checked = await this.keys.check("rk_live_1", { permission: "report_read" });
    return [checked.valid ? checked.key.id : checked.reason, this.asked - before];
  }

  /** Opens the stream, lets the first second pass, and asks for the key once. */
  async begin(): Promise<void> {
    const opening = this.stream();
    await this.check();
    await opening;
    await this.tick();
    this.now += 1.1;
    await this.tick();
    assert.deepEqual(await this.check(), ["mk_1", 1]);
  }
}

/** Lets everything that is ready run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("a valid key is asked for once while the stream is heard, and every time when it is silent", async () => {
  const scene = new Scene();
  await scene.begin();
  assert.deepEqual(await scene.check(), ["mk_1", 0]);
  scene.now += 1;
  assert.deepEqual(await scene.check(), ["mk_1", 1]);
  scene.answer = () => Promise.reject(new TypeError("fetch failed"));
  assert.deepEqual(await scene.check(), ["unavailable", 2]);
  scene.keys.close();
});

test("a change is obeyed at once", async () => {
  const scene = new Scene();
  await scene.begin();
  scene.answer = () => Response.json(verdict({ valid: false, code: "revoked", version: 4 }));
  assert.deepEqual(await scene.check(), ["mk_1", 0]);
  await scene.say('event: change\nid: p2\ndata: {"id": "mk_1", "version": 4}\n\n');
  assert.deepEqual(await scene.check(), ["revoked", 1]);
  scene.keys.close();
});

test("keys with a limit, and those that only some addresses may use, are asked for each time", async () => {
  const scene = new Scene();
  const limit = { limit: 10, remaining: 9, reset: 1 };
  scene.answer = () => Response.json(verdict({ ratelimit: limit }));
  await scene.begin();
  assert.deepEqual(await scene.check(), ["mk_1", 1]);
  scene.answer = () => Response.json(verdict({ ttl: 0 }));
  assert.deepEqual(await scene.check(), ["mk_1", 1]);
  assert.deepEqual(await scene.check(), ["mk_1", 1]);
  scene.keys.close();
});

test("what is remembered holds for the permissions, accounts and routes that were asked about", async () => {
  const scene = new Scene();
  await scene.begin();
  for (const needs of [{ permission: "user_read" }, { account: "cus_2" }, { route: "reports" }]) {
    const before = scene.asked;
    await scene.keys.check("rk_live_1", needs);
    assert.equal(scene.asked, before + 1, JSON.stringify(needs));
  }
  scene.keys.close();
});

test("a stream that breaks is opened again where it stopped, and what was remembered is used again", async () => {
  const scene = new Scene();
  await scene.begin();
  const opening = scene.stream();
  await scene.drop();
  await opening;
  assert.deepEqual(scene.opened, [null, "p1"]);
  assert.match(scene.warnings[0] ?? "", /is not heard, so every key is asked for/);
  await scene.tick();
  assert.deepEqual(await scene.check(), ["mk_1", 0]);
  scene.keys.close();
});

test("a stream that cannot be understood is opened anew, and nothing remembered is used", async () => {
  const scene = new Scene();
  await scene.begin();
  const opening = scene.stream();
  await scene.say("event: tick\ndata: {}\n\n");
  assert.deepEqual(await scene.check(), ["mk_1", 1]);
  await opening;
  assert.deepEqual(scene.opened, [null, null]);
  scene.keys.close();
});

test("what was answered from memory is reported, at the end too", async () => {
  const scene = new Scene();
  await scene.begin();
  await scene.check();
  await scene.keys.report();
  await scene.check();
  await scene.check();
  await scene.keys.close();
  const used = (requests: number) => ({ uses: [{ id: "mk_1", permission: "report_read", requests, at: 1_767_225_600 }] });
  assert.deepEqual(scene.reported, [used(1), used(2)], "the server has counted itself what it was asked");
});
