# ruff: noqa: E501  (the script is one text)
"""The flows of the payment provider's own guides, end to end, with the official Node SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.contract.conftest import Running

_SCRIPT = """
const [, , key, host, port] = process.argv;
const stripe = require('stripe')(key, {host, port, protocol: 'http', maxNetworkRetries: 0});
const never = {enabled: true, allow_redirects: 'never'};
const until = async (ask, happened) => {
  for (let end = Date.now() + 15000; Date.now() < end; await new Promise((r) => setTimeout(r, 50))) {
    const found = await ask();
    if (happened(found)) return found;
  }
  throw new Error('it did not happen in time');
};
(async () => {
  const out = {};
  const paid = await stripe.paymentIntents.create({amount: 1099, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, automatic_payment_methods: never});
  out.paid = [paid.status, paid.amount_received];
  const refund = await stripe.refunds.create({payment_intent: paid.id, amount: 99});
  out.refund = [refund.status, (await stripe.charges.retrieve(paid.latest_charge)).amount_refunded];
  const customer = await stripe.customers.create({email: 'jenny@example.com'});
  const setup = await stripe.setupIntents.create({customer: customer.id, payment_method: 'pm_card_visa', confirm: true, automatic_payment_methods: never});
  const [card] = (await stripe.customers.listPaymentMethods(customer.id, {type: 'card'})).data;
  const later = await stripe.paymentIntents.create({amount: 999, currency: 'usd', customer: customer.id, payment_method: card.id, off_session: true, confirm: true});
  out.saved = [setup.status, later.status];
  await stripe.customers.update(customer.id, {invoice_settings: {default_payment_method: card.id}});
  const price = await stripe.prices.create({unit_amount: 1500, currency: 'usd', recurring: {interval: 'month'}, product_data: {name: 'Gold'}});
  const subscription = await stripe.subscriptions.create({customer: customer.id, items: [{price: price.id}], expand: ['latest_invoice']});
  out.subscribed = [subscription.status, subscription.latest_invoice.status, subscription.latest_invoice.amount_paid];
  const changed = await stripe.subscriptions.update(subscription.id, {items: [{id: subscription.items.data[0].id, quantity: 2}]});
  out.changed = changed.items.data[0].quantity;
  out.canceled = (await stripe.subscriptions.cancel(subscription.id)).status;
  const account = await stripe.accounts.create({
    type: 'custom', country: 'US', business_type: 'individual', business_profile: {mcc: '5734', url: 'https://accessible.stripe.com'},
    capabilities: {card_payments: {requested: true}, transfers: {requested: true}}, external_account: 'btok_us',
    individual: {first_name: 'Jenny', last_name: 'Rosen', email: 'jenny@example.com', phone: '0000000000', id_number: '000000000',
      dob: {day: 1, month: 1, year: 1901}, address: {line1: 'address_full_match', city: 'Columbus', state: 'OH', postal_code: '43214'}},
    tos_acceptance: {date: 1700000000, ip: '8.8.8.8'},
  });
  await stripe.paymentIntents.create({amount: 10000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, allowed_payment_method_types: ['card'],
    capture_method: 'automatic', transfer_data: {destination: account.id}, application_fee_amount: 1000});
  const theirs = await stripe.balance.retrieve({}, {stripeAccount: account.id});
  out.connected = [...theirs.available, ...theirs.pending].reduce((sum, b) => sum + b.amount, 0);
  const disputed = await stripe.paymentIntents.create({amount: 3000, currency: 'usd', payment_method: 'pm_card_createDispute', confirm: true, allowed_payment_method_types: ['card']});
  const [dispute] = (await stripe.disputes.list({payment_intent: disputed.id})).data;
  await stripe.disputes.update(dispute.id, {evidence: {uncategorized_text: 'winning_evidence'}, submit: true});
  out.dispute = (await until(() => stripe.disputes.retrieve(dispute.id), (d) => d.status !== 'under_review')).status;
  const received = [];
  const hook = require('http').createServer((req, res) => {
    let body = '';
    req.on('data', (part) => { body += part; });
    req.on('end', () => { received.push([body, req.headers['stripe-signature']]); res.end(); });
  });
  await new Promise((listening) => hook.listen(0, '127.0.0.1', listening));
  const endpoint = await stripe.webhookEndpoints.create({url: `http://127.0.0.1:${hook.address().port}/hook`, enabled_events: ['customer.deleted']});
  await stripe.customers.del(customer.id);
  const [body, signature] = (await until(async () => received, (all) => all.length > 0))[0];
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  out.webhook = [event.type, event.data.object.id === customer.id];
  try { stripe.webhooks.constructEvent(body + ' ', signature, endpoint.secret); } catch (e) { out.forged = e.type; }
  await stripe.webhookEndpoints.del(endpoint.id);
  hook.closeAllConnections();
  hook.close();
  console.log(JSON.stringify(out));
})().catch((e) => { console.error(e); process.exit(1); });
"""


def test_the_guides_work_with_the_node_sdk(server: Running, node: Callable[..., str]) -> None:
    address = urlsplit(server.url)
    out = json.loads(node(_SCRIPT, server.secret_key, str(address.hostname), str(address.port)))
    assert out == {
        "paid": ["succeeded", 1099],
        "refund": ["succeeded", 99],
        "saved": ["succeeded", "succeeded"],
        "subscribed": ["active", "paid", 1500],
        "changed": 2,
        "canceled": "canceled",
        "connected": 9000,
        "dispute": "won",
        "webhook": ["customer.deleted", True],
        "forged": "StripeSignatureVerificationError",
    }
