/** What the client makes of servers that answer anything, and what its gates answer to callers. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { gate, keyOf, KeyRefused, nodeGate, type NodeRequest, type Options, RemoteKeys, RemoteRefused } from "../src/index.ts";
import { verdict } from "./steps.ts";

type Answer = (body: Record<string, unknown>, request: Request) => Response | Promise<Response>;

/** A client of a server that gives this answer; `asked` has the bodies of its requests. */
function client(answer: Answer, options: Options = {}): { keys: RemoteKeys; asked: Record<string, unknown>[]; requests: Request[] } {
  const asked: Record<string, unknown>[] = [];
  const requests: Request[] = [];
  const reach = async (url: unknown, init: unknown) => {
    const request = new Request(url as string, init as RequestInit);
    requests.push(request);
    const body = JSON.parse((await request.clone().text()) || "{}") as Record<string, unknown>;
    asked.push(body);
    return answer(body, request);
  };
  const keys = new RemoteKeys("https://keys.example.com/base/", "rk_service", {
    capacity: 0, warn: () => undefined, chance: () => 0, fetch: reach as typeof fetch, ...options,
  });
  return { keys, asked, requests };
}

function error(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { type: "invalid_request_error", code, message: "No." } }, { status, headers });
}

async function reason(answer: Answer, options: Options = {}): Promise<string> {
  const checked = await client(answer, options).keys.check("rk_live_1");
  return checked.valid ? "valid" : checked.reason;
}

test("a valid key is returned with what the server knows of it", async () => {
  const { keys, asked, requests } = client(() => Response.json(verdict()));
  const checked = await keys.check("rk_live_1", { permission: "report_read", ip: "192.0.2.7", endpoint: "GET /\0", cost: 2 });
  assert.ok(checked.valid);
  assert.deepEqual([checked.key.account, checked.key.metadata, checked.key.version], ["cus_1", { machine: "7" }, 3]);
  assert.deepEqual(asked, [{ key: "rk_live_1", permission: "report_read", ip: "192.0.2.7", endpoint: "GET /?", cost: 2 }]);
  assert.equal(requests[0]?.url, "https://keys.example.com/base/v1/keys/verify");
  assert.equal(requests[0]?.headers.get("authorization"), "Bearer rk_service");
});

test("a refusal says why, which permission is lacking, and when to come back", async () => {
  const limit = { limit: 10, remaining: 0, reset: 2.5 };
  const { keys } = client(() => Response.json(verdict({ valid: false, code: "rate_limited", ratelimit: limit, retry_after: 2.5 })));
  const checked = await keys.check("rk_live_1");
  assert.ok(!checked.valid);
  assert.deepEqual([checked.reason, checked.limit, checked.retryAfter], ["rate_limited", limit, 2.5]);
  const other = client(() => Response.json(verdict({ valid: false, code: "forbidden", permission: "user_read" })));
  const lacking = await other.keys.check("rk_live_1", { permission: "user_read" });
  assert.ok(!lacking.valid);
  assert.equal(lacking.permission, "user_read");
});

test("what cannot be a key is refused without asking", async () => {
  const { keys, asked } = client(() => Response.json(verdict()));
  for (const [text, why] of [[null, "missing"], ["", "missing"], ["a\0b", "unknown"], ["\ud800", "unknown"], ["x".repeat(513), "unknown"]] as const) {
    const checked = await keys.check(text);
    assert.ok(!checked.valid);
    assert.equal(checked.reason, why);
  }
  assert.equal(asked.length, 0);
});

test("a route that the server would not take is refused without asking", async () => {
  const { keys, asked } = client(() => Response.json(verdict()));
  for (const route of ["GET /" + "x".repeat(2000), "GET /a\0b", "GET /a\ud800"]) {
    const checked = await keys.check("rk_live_1", { route });
    assert.ok(!checked.valid);
    assert.equal(checked.reason, "forbidden");
  }
  assert.equal(asked.length, 0);
});

test("a server that cannot be understood accepts nobody", async () => {
  const answers: Record<string, () => Response> = {
    "no JSON": () => new Response("<html>", { status: 200 }),
    "a list": () => Response.json([]),
    "no verdict": () => Response.json({}),
    "valid as text": () => Response.json(verdict({ valid: "true" })),
    "valid without a key": () => Response.json(verdict({ key: null })),
    "another account": () => Response.json(verdict({ key: { id: "mk_1" } })),
    "an unknown code": () => Response.json(verdict({ valid: false, code: "fine" })),
    "deep JSON": () => new Response("[".repeat(100_000)),
    "a redirect": () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example.com" } }),
    "a huge answer": () => new Response(new Uint8Array(5 * 1024 * 1024)),
    "status 500": () => new Response("", { status: 500 }),
    "status 418": () => new Response("", { status: 418 }),
    "too many requests": () => error(429, "rate_limited"),
  };
  for (const [name, answer] of Object.entries(answers)) assert.equal(await reason(answer), "unavailable", name);
});

test("a server that is away or too slow accepts nobody", async () => {
  assert.equal(await reason(() => Promise.reject(new TypeError("fetch failed"))), "unavailable");
  const deaf: Answer = () => new Promise(() => undefined); // it does not heed the signal
  assert.equal(await reason(deaf, { timeout: 0.02 }), "unavailable");
});

test("a request that failed on the way is sent once more, and no oftener", async () => {
  let count = 0;
  assert.equal(await reason(() => (++count === 1 ? new Response("", { status: 503 }) : Response.json(verdict()))), "valid");
  count = 0;
  assert.equal(await reason(() => (++count, Promise.reject(new TypeError("fetch failed")))), "unavailable");
  assert.equal(count, 2);
});

test("a service key that may not verify is a fault of the configuration, which names the permission", async () => {
  const challenge = { "www-authenticate": 'Bearer realm="API", error="insufficient_scope", scope="key_verify_write"' };
  const { keys } = client(() => error(403, "insufficient_scope", challenge));
  await assert.rejects(keys.check("rk_live_1"), (thrown) => {
    assert.ok(thrown instanceof RemoteRefused);
    assert.match(thrown.message, /lacks the permission key_verify_write/);
    assert.deepEqual([thrown.status, thrown.permission], [403, "key_verify_write"]);
    return true;
  });
  await assert.rejects(client(() => error(401, "invalid_token")).keys.check("rk_live_1"), RemoteRefused);
});

test("a key that an answer repeats is in no error", async () => {
  const key = `sk_live_${"Abcdef0123456789".repeat(3)}`;
  const challenge = { "www-authenticate": `Bearer error="insufficient_scope", scope="${key}"` };
  const body = JSON.stringify({ error: { code: key, message: `Invalid ${"x".repeat(480)} ${key}`, param: key } });
  for (const answer of [() => error(403, "insufficient_scope", challenge), () => new Response(body, { status: 400 })]) {
    await assert.rejects(client(answer).keys.check("rk_live_1"), (thrown) => {
      assert.ok(thrown instanceof Error);
      assert.doesNotMatch(`${thrown.message} ${JSON.stringify(thrown)}`, /Abcdef0123456789Abc/);
      return true;
    });
  }
});

test("an argument that the server does not take is named", async () => {
  const { keys } = client(() => error(400, "permission_unknown"));
  await assert.rejects(keys.check("rk_live_1", { permission: "reprot" }), (thrown) => thrown instanceof KeyRefused && thrown.code === "permission_unknown");
  await assert.rejects(keys.check("rk_live_1", { cost: -1 }), RangeError);
});

test("addresses, tokens and numbers that cannot be right are refused at once", () => {
  for (const url of ["keys.example.com", "ftp://h", "https://user:pw@h", "https://h?x=1", "https://h#x"]) {
    assert.throws(() => new RemoteKeys(url, "t"), TypeError, url);
  }
  for (const token of ["", "a b", "a\nb", "é"]) assert.throws(() => new RemoteKeys("https://h", token), TypeError);
  for (const options of [{ timeout: 0 }, { attempts: 0 }, { capacity: -1 }]) {
    assert.throws(() => new RemoteKeys("https://h", "t", options), RangeError);
  }
});

test("a closed client accepts nobody", async () => {
  const { keys } = client(() => Response.json(verdict()));
  keys.close();
  keys.close();
  const checked = await keys.check("rk_live_1");
  assert.ok(!checked.valid && checked.reason === "unavailable");
});

function managed(changes: object = {}): object {
  const plain = {
    id: "mk_1", account: "cus_1", environment: "live", livemode: true, kind: "restricted", name: "CI", note: "",
    redacted: "rk_live_...abcd", status: "active", version: 1, secret: "rk_live_x",
  };
  return { ...plain, ...changes };
}

test("keys are made and changed, each change under a name of its own that its repetition keeps", async () => {
  let count = 0;
  const { keys, asked, requests } = client(() =>
    ++count === 1 ? Promise.reject(new TypeError("fetch failed")) : Response.json(managed({ rolled: managed({ id: "mk_0" }) })),
  );
  assert.equal((await keys.create({ account: "cus_1", permissions: ["report_read"] })).secret, "rk_live_x");
  assert.equal((await keys.roll("mk_0", 60)).rolled.id, "mk_0");
  await keys.update("mk_1", { name: "other" });
  await keys.revoke("a/../b");
  assert.deepEqual(requests.map((each) => new URL(each.url).pathname.replace("/base/v1/keys", "")),
    ["", "", "/mk_0/roll", "/mk_1", "/a%2F..%2Fb/revoke"]);
  assert.deepEqual(asked.slice(1), [{ account: "cus_1", permissions: ["report_read"] }, { expires_in: 60 }, { name: "other" }, {}]);
  const names = requests.map((each) => each.headers.get("idempotency-key"));
  assert.equal(names[0], names[1]);
  assert.equal(new Set(names).size, 4);
});

test("keys are listed, found or not found", async () => {
  const pages = [{ data: [managed({ id: "mk_3" }), managed({ id: "mk_2" })], has_more: true }, { data: [managed()], has_more: false }];
  const { keys, requests } = client(() => Response.json(pages.shift()));
  const ids = [];
  for await (const key of keys.each({ account: "cus_1" })) ids.push(key.id);
  assert.deepEqual(ids, ["mk_3", "mk_2", "mk_1"]);
  assert.deepEqual(requests.map((each) => new URL(each.url).search),
    ["?account=cus_1&limit=100", "?account=cus_1&limit=100&starting_after=mk_2"]);
  assert.equal(await client(() => error(404, "resource_missing")).keys.find("rk_live_1"), null);
  assert.equal((await client(() => Response.json(managed())).keys.get("mk_1"))?.account, "cus_1");
  for (const wrong of [{}, [], managed({ version: "1" })]) {
    await assert.rejects(client(() => Response.json(wrong)).keys.get("mk_1"), { name: "RemoteUnavailable" });
  }
});

function request(headers: Record<string, string> = {}, method = "GET"): Request {
  return new Request("https://api.example.com/reports?x=1", { method, headers });
}
const KEY = { authorization: "Bearer rk_live_1" };

test("a gate lets an accepted request go on, and knows its key", async () => {
  const { keys, asked } = client(() => Response.json(verdict()));
  const guard = gate(keys, { needs: { GET: "report_read", "*": "report_write" }, ip: () => "192.0.2.7" });
  const accepted = request(KEY);
  assert.equal(await guard(accepted), null);
  assert.equal(keyOf(accepted).account, "cus_1");
  assert.equal(await guard(request(KEY, "HEAD")), null);
  assert.equal(await guard(request(KEY, "POST")), null);
  assert.deepEqual(asked.map((body) => [body["permission"], body["endpoint"], body["ip"]]), [
    ["report_read", "GET /reports", "192.0.2.7"],
    ["report_read", "HEAD /reports", "192.0.2.7"],
    ["report_write", "POST /reports", "192.0.2.7"],
  ]);
  assert.throws(() => keyOf(request()), /no gate/);
  assert.throws(() => gate(keys, { needs: { GET: "report_read" } }), TypeError);
});

test("a gate reads bearer, basic and other headers, and passes preflights on", async () => {
  const { keys, asked } = client(() => Response.json(verdict()));
  await gate(keys)(request({ authorization: `Basic ${btoa("rk_basic:")}` }));
  await gate(keys, { header: "X-API-Key" })(request({ "x-api-key": "rk_own" }));
  assert.deepEqual(asked.map((body) => body["key"]), ["rk_basic", "rk_own"]);
  const preflight = request({ origin: "https://a.example", "access-control-request-method": "GET" }, "OPTIONS");
  assert.equal(await gate(keys)(preflight), null);
  const refusal = await gate(keys, { preflights: false })(preflight);
  assert.equal(refusal?.status, 401);
});

test("a gate refuses with the status, the challenge and the wait that fit", async () => {
  const answers: [Record<string, string>, object, number, Record<string, string>, string][] = [
    [{}, {}, 401, { "www-authenticate": 'Bearer realm="API"' }, "no_api_key"],
    [{ authorization: "Digest x" }, {}, 401, { "www-authenticate": 'Bearer realm="API"' }, "no_api_key"],
    [KEY, { valid: false, code: "revoked" }, 401,
      { "www-authenticate": 'Bearer realm="API", error="invalid_token", error_description="The API key has expired."' }, "invalid_token"],
    [KEY, { valid: false, code: "forbidden", permission: "report_read" }, 403,
      { "www-authenticate": 'Bearer realm="API", error="insufficient_scope", scope="report_read"' }, "insufficient_scope"],
    [KEY, { valid: false, code: "forbidden" }, 403, {}, "route_unknown"],
    [KEY, { valid: false, code: "quota_exceeded", retry_after: 3.2 }, 429, { "retry-after": "4" }, "quota_exceeded"],
    [KEY, { valid: "?" }, 503, { "retry-after": "1" }, "unavailable"],
  ];
  for (const [headers, changes, status, wanted, code] of answers) {
    const refusal = await gate(client(() => Response.json(verdict(changes))).keys, { needs: "report_read" })(request(headers));
    assert.equal(refusal?.status, status);
    for (const [name, value] of Object.entries(wanted)) assert.equal(refusal.headers.get(name), value);
    const body = (await refusal.json()) as { error: { code: string } };
    assert.equal(body.error.code, code);
  }
});

test("a gate refuses publishable keys unless told, and never accepts for a fault of the configuration", async () => {
  const publishable = verdict({ key: { ...(verdict() as { key: object }).key, kind: "publishable" } });
  const { keys } = client(() => Response.json(publishable));
  assert.equal((await gate(keys)(request(KEY)))?.status, 403);
  assert.equal(await gate(keys, { publishable: true })(request(KEY)), null);
  const told: unknown[] = [];
  const onError = (thrown: unknown) => told.push(thrown);
  assert.equal((await gate(client(() => error(401, "invalid_token")).keys, { onError })(request(KEY)))?.status, 503);
  assert.equal((await gate(client(() => error(400, "permission_unknown")).keys, { onError })(request(KEY)))?.status, 500);
  assert.equal(told.length, 2);
});

test("a gate tells a server that declares routes the method and the path as it was sent", async () => {
  const { keys, asked } = client(() => Response.json(verdict()), { routes: true });
  assert.equal(await gate(keys)(request(KEY)), null);
  const sent = { method: "GET", url: "/a/../reports%2F7?x=1", headers: { ...KEY } };
  await new Promise((resolve) => nodeGate(keys)(sent, { statusCode: 0, setHeader: () => 0, end: resolve }, resolve));
  assert.deepEqual(asked.map((body) => body["route"]), ["GET /reports", "GET /a/../reports%2F7"]);
});

test("declared routes decide whether a publishable key will do, where the gate names no permission", async () => {
  const publishable = verdict({ key: { ...(verdict() as { key: object }).key, kind: "publishable" } });
  const { keys, asked } = client(() => Response.json(publishable), { routes: true });
  assert.equal(await gate(keys)(request(KEY)), null);
  assert.equal((await gate(keys, { needs: "report_read" })(request(KEY)))?.status, 403);
  assert.deepEqual(asked.map((body) => body["publishable"] ?? true), [true, false]);
});

test("an option that does not exist is refused", () => {
  assert.throws(() => client(() => error(404), { route: true } as object), /unknown option route; the options are/);
  const { keys } = client(() => error(404));
  assert.throws(() => gate(keys, { permission: "report_read" } as object), /unknown option permission/);
  assert.throws(() => nodeGate(keys, { permission: "report_read" } as object), /unknown option permission/);
});

test("middleware for Node hides the key from the application", async () => {
  const { keys } = client(() => Response.json(verdict()));
  const run = (sent: NodeRequest) =>
    new Promise<[number, Record<string, string>, unknown]>((resolve) => {
      const headers: Record<string, string> = {};
      const response = {
        statusCode: 200,
        setHeader: (name: string, value: string) => (headers[name] = value),
        end: (body?: string) => resolve([response.statusCode, headers, body]),
      };
      nodeGate(keys, { needs: "report_read" })(sent, response, (problem) => resolve([0, {}, problem]));
    });
  const accepted: NodeRequest = { method: "GET", url: "/reports?x=1", headers: { authorization: "Bearer rk_live_1" } };
  assert.deepEqual(await run(accepted), [0, {}, undefined]);
  assert.deepEqual([accepted.headers, keyOf(accepted).id], [{}, "mk_1"]);
  const [status, headers, body] = await run({ method: "GET", url: "/reports", headers: {} });
  assert.deepEqual([status, headers["www-authenticate"]], [401, 'Bearer realm="API"']);
  assert.match(String(body), /no_api_key/);
});
