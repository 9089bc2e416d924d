"""The official Node SDK against a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.contract.conftest import Running

_SCRIPT = """
const stripe = require('stripe')(process.argv[2], {
  host: process.argv[3], port: process.argv[4], protocol: 'http', maxNetworkRetries: 0,
});
(async () => {
  const out = {};
  const customer = await stripe.customers.create({email: 'jenny@example.com', metadata: {a: 'b'}});
  out.updated = (await stripe.customers.update(customer.id, {name: 'Jenny'})).name;
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await stripe.customers.create({email: customer.id + '@example.com'})).id);
  const walked = [];
  for await (const c of stripe.customers.list({email: customer.id + '@example.com', limit: 2})) walked.push(c.id);
  out.walked = JSON.stringify(walked) === JSON.stringify(ids.reverse());
  const pm = await stripe.paymentMethods.create({type: 'card', card: {token: 'tok_visa'}});
  out.attached = (await stripe.paymentMethods.attach(pm.id, {customer: customer.id})).customer === customer.id;
  const charge = await stripe.charges.create({amount: 2000, currency: 'usd', source: 'tok_visa', capture: false});
  out.captured = (await stripe.charges.capture(charge.id)).captured;
  out.refunded = (await stripe.refunds.create({charge: charge.id})).status;
  try { await stripe.charges.create({amount: 2000, currency: 'usd', source: 'tok_chargeDeclined'}); }
  catch (e) { out.declined = [e.type, e.code, e.decline_code]; }
  out.balance = (await stripe.balance.retrieve()).object;
  out.deleted = (await stripe.customers.del(customer.id)).deleted;
  out.events = (await stripe.events.list({type: 'customer.deleted', limit: 1})).data[0].data.object.id === customer.id;
  console.log(JSON.stringify(out));
})().catch((e) => { console.error(e); process.exit(1); });
"""


def test_the_node_sdk_works_unmodified(server: Running, node: Callable[..., str]) -> None:
    address = urlsplit(server.url)
    out = json.loads(node(_SCRIPT, server.secret_key, str(address.hostname), str(address.port)))
    assert out == {
        "updated": "Jenny",
        "walked": True,
        "attached": True,
        "captured": True,
        "refunded": "succeeded",
        "declined": ["StripeCardError", "card_declined", "generic_decline"],
        "balance": "balance",
        "deleted": True,
        "events": True,
    }
