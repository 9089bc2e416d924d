// Verifies keys with @tollkey/keys on whatever runtime this is. arguments: URL SERVICE_KEY WEAK_SERVICE_KEY KEY_ID KEY
// Prints a line of JSON for each step. Between "remembered" and "refused" the key is revoked from outside.
import { gate, keyOf, RemoteKeys, RemoteRefused } from "@tollkey/keys";

const [url, token, weak, id, text] = process.argv.slice(2);
const say = (facts) => console.log(JSON.stringify(facts));
const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

let asked = 0;
const counted = (input, init) => {
  if (String(input).endsWith("/verify")) asked += 1;
  return fetch(input, init);
};
const keys = new RemoteKeys(url, token, { fetch: counted });
let accepted = 1; // the first one

const first = await keys.check(text, { permission: "report_read" });
say({ first: [first.valid, first.key.id === id, first.key.account, [...first.key.permissions]] });
const unknown = await keys.check(`${text}x`);
const lacking = await keys.check(text, { permission: "report_write" });
say({ refusals: [unknown.reason, lacking.reason, lacking.permission] });
try {
  await keys.check(text, { permission: "reprot_read" });
} catch (error) {
  say({ undeclared: [error.name, error.code] });
}
try {
  await new RemoteKeys(url, weak, { capacity: 0 }).check(text);
} catch (error) {
  say({ weak: [error instanceof RemoteRefused, error.status, error.permission] });
}
const request = new Request("https://api.example.com/reports", { headers: { authorization: `Bearer ${text}` } });
const guard = gate(keys, { needs: "report_read" });
say({ gate: [await guard(request), keyOf(request).id === id, (await guard(new Request(request.url))).status] });

const made = await keys.create({ account: "cus_2", permissions: ["report_read"], metadata: { machine: "7" } });
const next = await keys.roll(made.id);
const states = [];
for await (const key of keys.each({ account: "cus_2" })) states.push([key.status, key.metadata.machine]);
const works = (await keys.check(next.secret, { permission: "report_read" })).valid;
await keys.revoke(next.id);
say({ managed: [states.slice(0, 2), works, (await keys.find(next.secret)).status, await keys.get("mk_nobody")] });

for (let before = -1; before !== asked; await pause()) {
  before = asked;
  accepted += (await keys.check(text, { permission: "report_read" })).valid;
}
say({ remembered: true });
for (;;) {
  const checked = await keys.check(text, { permission: "report_read" });
  if (!checked.valid) {
    say({ refused: checked.reason });
    break;
  }
  accepted += 1;
  await pause();
}
await keys.close();
say({ accepted });
const closed = await keys.check(text);
say({ closed: closed.reason });
