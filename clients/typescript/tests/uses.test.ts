/** What the server is told of uses that were answered from memory: each once, whatever the network does. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { UseReporter } from "../src/uses.ts";

interface Sent {
  readonly name: string | null;
  readonly uses: Record<string, unknown>[];
}

function error(status: number, code: string): Response {
  return Response.json({ error: { type: "invalid_request_error", code, message: "No." } }, { status });
}

/** A reporter, what its server got, and what it warned of. answers: in this order, then success. */
function reporter(...answers: (() => Response)[]): { uses: UseReporter; sent: Sent[]; warnings: string[] } {
  const sent: Sent[] = [];
  const warnings: string[] = [];
  const reach = async (url: string, init: RequestInit) => {
    assert.equal(url, "https://keys.example.com/v1/keys/uses");
    sent.push({ name: new Headers(init.headers).get("idempotency-key"), uses: JSON.parse(init.body as string).uses });
    return (answers.shift() ?? (() => Response.json({ object: "use_report", counted: 1 })))();
  };
  let names = 0;
  const connecting = {
    url: "https://keys.example.com", token: "rk_service", timeout: 2, attempts: 1, chance: () => 0,
    fetch: reach as typeof fetch,
  };
  const name = async () => `batch ${(names += 1)}`;
  const uses = new UseReporter(connecting, 1000, () => 1_767_225_600.7, name, (message) => warnings.push(message));
  return { uses, sent, warnings };
}

test("uses of a key that needed the same are one, with the last address", async () => {
  const { uses, sent } = reporter();
  uses.count("mk_1", { permission: "report_read", cost: 2, ip: "192.0.2.1", endpoint: "GET /1" });
  uses.count("mk_1", { permission: "report_read", cost: 2, ip: "192.0.2.2" });
  uses.count("mk_1", {});
  await uses.report();
  const at = 1_767_225_600;
  assert.deepEqual(sent, [{
    name: "batch 1",
    uses: [
      { id: "mk_1", permission: "report_read", cost: 2, requests: 2, at, ip: "192.0.2.2" },
      { id: "mk_1", requests: 1, at },
    ],
  }]);
  await uses.report();
  assert.equal(sent.length, 1, "there is nothing to report");
});

test("a batch that may have arrived is sent again under its name, before newer uses", async () => {
  const { uses, sent, warnings } = reporter(() => { throw new Error("cut"); }, () => error(503, "unavailable"));
  uses.count("mk_1", {});
  await uses.report();
  uses.count("mk_1", {});
  await uses.report();
  await uses.report();
  assert.deepEqual(sent.map(({ name }) => name), ["batch 1", "batch 1", "batch 1", "batch 2"]);
  assert.deepEqual(sent.map((each) => each.uses[0]?.["requests"]), [1, 1, 1, 1]);
  assert.equal(warnings.length, 2);
});

test("a batch that the server does not take is left out, and the others go on", async () => {
  const { uses, sent, warnings } = reporter(() => error(400, "parameter_invalid"));
  for (let number = 0; number < 201; number += 1) uses.count(`mk_${number}`, {});
  await uses.report();
  assert.deepEqual(sent.map((each) => each.uses.length), [200, 1]);
  assert.match(warnings[0] ?? "", /not counted/);
});

test("a server that takes no reports from this service key is not asked again", async () => {
  for (const answer of [() => error(401, "invalid_token"), () => error(404, "url_unknown")]) {
    const { uses, sent, warnings } = reporter(answer);
    uses.count("mk_1", {});
    await uses.report();
    uses.count("mk_1", {});
    await uses.close();
    assert.deepEqual([sent.length, warnings.length], [1, 1]);
  }
});

test("the memory is bounded: beyond it, uses are counted without what they needed", async () => {
  const { uses, sent } = reporter();
  for (let number = 0; number < 10_050; number += 1) uses.count("mk_1", { route: `GET /${number}` });
  await uses.close();
  const all = sent.flatMap((each) => each.uses);
  assert.deepEqual(all.at(-1), { id: "mk_1", requests: 50, at: 1_767_225_600 });
  assert.equal(all.length, 10_001);
  assert.ok(sent.every((each) => JSON.stringify(each.uses).length < 60_000));
});

test("after the end nothing is counted", async () => {
  const { uses, sent } = reporter();
  await uses.close();
  uses.count("mk_1", {});
  await uses.close();
  assert.deepEqual(sent, []);
});
