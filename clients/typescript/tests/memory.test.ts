/** What is remembered: never more than the change stream can correct, and only while it is heard. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../src/backoff.ts";
import { AnswerCache } from "../src/cache.ts";
import { StreamBroken } from "../src/errors.ts";
import { EventParser } from "../src/events.ts";
import { Freshness } from "../src/freshness.ts";
import { entry, open, Stream } from "./steps.ts";

const STREAM = new TextEncoder().encode(
  '\ufeff: hello\n\nevent: change\nid: 7\ndata: {"a":\ndata: 1}\n\ndata:one\r\n\r\n' +
    "event: tick\rdata: \u00e9\r\rid: bad\0id\ndata\n\nevent: nothing\n\nretry: 10\ndata: x\n\n",
);
const EVENTS = [
  { name: "change", data: '{"a":\n1}', id: "7" },
  { name: "message", data: "one", id: "7" },
  { name: "tick", data: "\u00e9", id: "7" },
  { name: "message", data: "", id: "7" },
  { name: "message", data: "x", id: "7" },
];

test("events are read as the standard says, wherever the stream is cut", () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.feed(STREAM.subarray(at, at + size)));
    assert.deepEqual(events, EVENTS, `cut after each ${size} bytes`);
  }
});

test("an event that grows without end breaks the stream", () => {
  for (const chunk of ["data: xxxxxxx", "data: a\n", ":\n:"]) {
    const parser = new EventParser(1000);
    assert.throws(() => {
      for (let count = 0; count < 1000; count += 1) parser.feed(new TextEncoder().encode(chunk));
    }, StreamBroken);
  }
});

test("waits double up to the longest, and chance takes away up to half", () => {
  const whole = new Backoff(0.5, 3, () => 1);
  assert.deepEqual([0, 1, 2, 3, 4].map(() => whole.next()), [0.5, 1, 2, 3, 3]);
  whole.reset();
  assert.equal(whole.next(), 0.5);
  assert.equal(new Backoff(1, 8, () => 0).next(), 0.5);
});

test("a revoked key is refused as soon as the stream says so", () => {
  const stream = open();
  stream.store("mk_1", 102);
  assert.ok(stream.usable(102.2));
  stream.say("change", 102.2, "p6", { id: "mk_1", version: 2 });
  assert.ok(!stream.usable(102.2));
});

test("an answer older than an announced change is not stored, not even if it was asked for later", () => {
  const stream = open();
  stream.say("change", 102.2, "p6", { id: "mk_1", version: 3 });
  stream.say("change", 102.3, "p7", { id: "mk_1", version: 2 });
  assert.ok(!stream.store("mk_1", 102.5, 2));
  assert.ok(stream.store("mk_1", 102.5, 4));
});

test("an answer that may be of the plan before is not stored", () => {
  const stream = open();
  stream.say("change", 102, "p6", { id: "mk_1", version: 3 });
  for (const [began, stored] of [[101, false], [102.9, false], [103, true]] as const) {
    assert.equal(stream.store("mk_1", began, 3), stored);
  }
});

test("a silent stream ends the use of the memory within a second", () => {
  const stream = open();
  stream.store("mk_1", 102);
  assert.ok(stream.usable(102.8));
  assert.ok(!stream.usable(103));
});

test("ticks that were held back do not count as heard now", () => {
  const freshness = new Freshness();
  freshness.opened(100);
  for (const at of [7, 7.5, 8, 8.5]) freshness.heard(at, 105);
  assert.ok(!freshness.fresh(105));
});

test("a server's clock that runs ahead does not reach beyond now", () => {
  const freshness = new Freshness();
  freshness.opened(100);
  freshness.heard(7, 100.1);
  freshness.heard(1e15, 100.5);
  assert.ok(!freshness.fresh(101.5));
});

test("nothing is stored within a second of the first tick, or of a reset", () => {
  const stream = new Stream();
  stream.feed.opened(100);
  assert.ok(stream.store("mk_1", 100.05));
  stream.tick(100.6);
  assert.ok(!stream.usable(100.6));
  assert.ok(!stream.store("mk_1", 101.5));
  assert.ok(stream.store("mk_1", 101.6));
  stream.say("reset", 102, "p9");
  assert.equal(stream.feed.position, "p9");
  assert.ok(!stream.store("mk_1", 102.9));
});

test("a stream that goes on where it broke keeps the memory; one that was lost does not", () => {
  const stream = open();
  stream.store("mk_1", 102);
  stream.feed.opened(110);
  stream.tick(110.1);
  assert.ok(stream.usable(110.2));
  stream.feed.lost();
  assert.ok(!stream.usable(110.2));
  stream.feed.opened(111);
  stream.tick(111.1);
  assert.ok(!stream.usable(111.1));
});

test("what is not understood breaks the stream and renews nothing", () => {
  const wrong: [string, string][] = [
    ["change", "{}"], ["change", '{"id": "mk_1", "version": "2"}'], ["change", '{"id": 1, "version": 2}'],
    ["change", "not JSON"], ["change", "null"], ["tick", "[1]"], ["tick", "{}"], ["tick", '{"at": "1"}'],
    ["tick", '{"at": 1e999}'], ["tick", '{"at": null}'],
  ];
  for (const [name, data] of wrong) {
    const stream = open();
    assert.throws(() => stream.feed.take({ name, data, id: "p10" }, 102.9), StreamBroken, data);
    assert.equal(stream.feed.position, "p5");
    assert.ok(!stream.freshness.fresh(103));
  }
  const stream = open();
  stream.feed.take({ name: "weather", data: "rain", id: "p99" }, 102);
  assert.equal(stream.feed.position, "p5");
});

test("the answer used longest ago makes room", () => {
  const cache = new AnswerCache(2);
  const store = (id: string) => cache.store(id, entry(id), cache.begin(10));
  store("mk_1");
  store("mk_2");
  assert.ok(cache.get("mk_1", 20));
  store("mk_3");
  assert.deepEqual(["mk_1", "mk_2", "mk_3"].map((id) => cache.get(id, 20) !== null), [true, false, true]);
});

test("more changes than can be remembered stop the storing for a minute", () => {
  const cache = new AnswerCache(3);
  cache.store("d", entry("mk_1"), cache.begin(10));
  for (let number = 0; number <= 1000; number += 1) cache.changed(`mk_other_${number}`, 2, 20);
  assert.equal(cache.get("d", 21), null);
  assert.ok(!cache.store("d", entry("mk_1"), cache.begin(79.9)));
  assert.ok(cache.store("d", entry("mk_1"), cache.begin(80)));
});
