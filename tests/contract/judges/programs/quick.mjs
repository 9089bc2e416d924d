// The quick starts of Stripe's documentation, with the newest SDK for Node: `quick.mjs URL KEY PUBLISHABLE_KEY`.
// What a browser does there is done with the publishable key. No API version is named.
import {randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import Stripe from 'stripe';

const [, , address, key, publishable] = process.argv;
const {hostname: host, port} = new URL(address);
const client = (secret) => new Stripe(secret, {host, port, protocol: 'http', maxNetworkRetries: 0});
const [stripe, browser] = [client(key), client(publishable)];
const home = 'https://example.com/';

const until = async (ask) => {
  for (const end = Date.now() + 20000; Date.now() < end; await new Promise((wait) => setTimeout(wait, 50))) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new Error('it did not happen in time');
};
// A receiver of webhooks: `use` gets its address, and a function that waits for the next one.
const hook = async (use) => {
  const received = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      received.push([Buffer.concat(parts).toString(), request.headers['stripe-signature']]);
      response.end();
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    return await use(`http://127.0.0.1:${server.address().port}/hook`, () => until(async () => received.shift()));
  } finally {
    server.closeAllConnections();
    server.close();
  }
};
// Confirms an intent by its client secret, as stripe.confirmPayment does.
const inBrowser = (secret) => {
  const id = secret.split('_secret_')[0];
  const intents = id.startsWith('seti_') ? browser.setupIntents : browser.paymentIntents;
  const payment_method_data = {type: 'card', card: {token: 'tok_visa'}};
  return intents.confirm(id, {client_secret: secret, payment_method_data, return_url: home});
};
// Pays on the page of a Checkout session.
const complete = async ({id}) => {
  const method = await browser.paymentMethods.create({type: 'card', card: {token: 'tok_visa'}});
  await browser.rawRequest('POST', `/v1/payment_pages/${id}/confirm`, {payment_method: method.id});
  return stripe.checkout.sessions.retrieve(id, {expand: ['line_items', 'payment_intent']});
};
const priceOf = async (price = {}) => {
  const default_price_data = {unit_amount: 1000, currency: 'usd', recurring: {interval: 'month'}, ...price};
  return (await stripe.products.create({name: 'Starter', default_price_data})).default_price;
};

const flows = {
  payments: () =>
    hook(async (url, arrived) => {
      const endpoint = await stripe.webhookEndpoints.create({url, enabled_events: ['payment_intent.succeeded']});
      const intent = await stripe.paymentIntents.create({
        amount: 1400, currency: 'usd', automatic_payment_methods: {enabled: true},
      });
      const paid = await inBrowser(intent.client_secret);
      const event = stripe.webhooks.constructEvent(...(await arrived()), endpoint.secret);
      await stripe.webhookEndpoints.del(endpoint.id);
      const expand = ['latest_charge.balance_transaction'];
      const retrieve = () => stripe.paymentIntents.retrieve(intent.id, {expand});
      const settled = await until(async () => (await retrieve()).latest_charge.balance_transaction); // comes later
      return [intent.status, paid.status, event.data.object.id === intent.id, settled.fee];
    }),
  async saved_card() {
    const customer = (await stripe.customers.create({email: 'jenny@example.com'})).id;
    const intent = await stripe.setupIntents.create({customer, automatic_payment_methods: {enabled: true}});
    const done = await inBrowser(intent.client_secret);
    const methods = (await stripe.customers.listPaymentMethods(customer, {type: 'card'})).data;
    const later = await stripe.paymentIntents.create({
      amount: 1099, currency: 'eur', customer, payment_method: methods[0].id, off_session: true, confirm: true,
    });
    return [done.status, methods.length, later.status];
  },
  checkout: () =>
    hook(async (url, arrived) => {
      const endpoint = await stripe.webhookEndpoints.create({url, enabled_events: ['checkout.session.completed']});
      const price = await stripe.prices.create({unit_amount: 2000, currency: 'usd', product_data: {name: 'T-shirt'}});
      const made = await stripe.checkout.sessions.create({
        mode: 'payment', line_items: [{price: price.id, quantity: 2}], allow_promotion_codes: true,
        success_url: `${home}?session_id={CHECKOUT_SESSION_ID}`,
      });
      const done = await complete(made);
      const event = stripe.webhooks.constructEvent(...(await arrived()), endpoint.secret);
      await stripe.webhookEndpoints.del(endpoint.id);
      const quantities = done.line_items.data.map((item) => item.quantity);
      const {status, payment_status, payment_intent} = done;
      const paid = payment_intent.amount_received;
      return [made.payment_status, status, payment_status, paid, quantities, event.data.object.id === made.id];
    }),
  async subscription() {
    const customer = (await stripe.customers.create({email: 'jenny@example.com', name: 'Jenny'})).id;
    const made = await stripe.subscriptions.create({
      customer, items: [{price: await priceOf()}], payment_behavior: 'default_incomplete',
      payment_settings: {save_default_payment_method: 'on_subscription'},
      expand: ['latest_invoice.confirmation_secret'],
    });
    await inBrowser(made.latest_invoice.confirmation_secret.client_secret);
    const active = await stripe.subscriptions.retrieve(made.id);
    const items = [{id: made.items.data[0].id, price: await priceOf({unit_amount: 2500})}];
    const preview = await stripe.invoices.createPreview({
      customer, subscription: made.id, subscription_details: {items, proration_date: made.created},
    });
    const changed = await stripe.subscriptions.update(made.id, {items});
    const portal = await stripe.billingPortal.sessions.create({customer, return_url: home});
    const ended = await stripe.subscriptions.cancel(made.id);
    return [
      made.status, active.status, Boolean(active.default_payment_method), preview.total,
      changed.items.data[0].price.unit_amount, Boolean(portal.url), ended.status,
    ];
  },
  async checkout_of_a_subscription() {
    const made = await stripe.checkout.sessions.create({
      mode: 'subscription', line_items: [{price: await priceOf(), quantity: 1}], success_url: home,
      customer_email: 'jenny@example.com', subscription_data: {trial_period_days: 7},
    });
    const {status, subscription} = await complete(made);
    const [invoice] = (await stripe.invoices.list({subscription})).data;
    return [status, (await stripe.subscriptions.retrieve(subscription)).status, invoice.total];
  },
  async connect() {
    const account = await stripe.accounts.create({
      country: 'US', email: 'jenny@example.com',
      controller: {
        fees: {payer: 'application'}, losses: {payments: 'application'}, stripe_dashboard: {type: 'express'},
      },
      capabilities: {card_payments: {requested: true}, transfers: {requested: true}},
    });
    const link = await stripe.accountLinks.create({
      account: account.id, type: 'account_onboarding', refresh_url: home, return_url: home,
    });
    const session = await stripe.accountSessions.create({
      account: account.id, components: {account_onboarding: {enabled: true}},
    });
    const early = await stripe.paymentIntents
      .create({
        amount: 1000, currency: 'usd', application_fee_amount: 123, payment_method: 'pm_card_visa', confirm: true,
        transfer_data: {destination: account.id},
      })
      .then(() => 'accepted', (error) => error.code);
    const {charges_enabled, controller} = account;
    return [charges_enabled, controller.is_controller, Boolean(link.url), Boolean(session.client_secret), early];
  },
  async accounts_v2() {
    const made = await stripe.v2.core.accounts.create({
      contact_email: 'jenny@example.com', display_name: "Jenny's shop", dashboard: 'full',
      identity: {country: 'us', entity_type: 'individual'},
      configuration: {merchant: {capabilities: {card_payments: {requested: true}}}},
      defaults: {
        currency: 'usd', locales: ['en-US'], responsibilities: {fees_collector: 'stripe', losses_collector: 'stripe'},
      },
      include: ['configuration.merchant', 'identity', 'requirements'],
    });
    const found = await stripe.v2.core.accounts.retrieve(made.id, {include: ['configuration.merchant']});
    let listed = false;
    for await (const one of stripe.v2.core.accounts.list({limit: 5})) listed ||= one.id === made.id;
    const link = await stripe.v2.core.accountLinks.create({
      account: made.id,
      use_case: {
        type: 'account_onboarding',
        account_onboarding: {refresh_url: home, return_url: home},
      },
    });
    const {status} = found.configuration.merchant.capabilities.card_payments;
    return [made.object, made.applied_configurations, status, listed, Boolean(link.url)];
  },
  async meters() {
    const name = `calls_${randomUUID()}`;
    const meter = await stripe.billing.meters.create({
      display_name: 'Calls', event_name: name, default_aggregation: {formula: 'sum'},
    });
    const price = await stripe.prices.create({
      currency: 'usd', unit_amount: 4, billing_scheme: 'per_unit', product_data: {name: 'Calls'},
      recurring: {usage_type: 'metered', interval: 'month', meter: meter.id},
    });
    const customer = (await stripe.customers.create({payment_method: 'pm_card_visa'})).id;
    const [method] = (await stripe.customers.listPaymentMethods(customer)).data;
    const subscribed = await stripe.subscriptions.create({
      customer, items: [{price: price.id}], default_payment_method: method.id,
    });
    const event = {event_name: name, payload: {stripe_customer_id: customer, value: '25'}};
    await stripe.v2.billing.meterEvents.create({...event, identifier: randomUUID()});
    const session = await stripe.v2.billing.meterEventSession.create();
    await client(session.authentication_token).v2.billing.meterEventStream.create({events: [event]});
    const start_time = Math.floor(Date.now() / 3600000) * 3600 - 3600;
    const sums = await until(async () => {
      const span = {customer, start_time, end_time: start_time + 3 * 3600};
      const {data} = await stripe.billing.meters.listEventSummaries(meter.id, span);
      return data.length && data.map((sum) => sum.aggregated_value);
    });
    const preview = await stripe.invoices.createPreview({customer, subscription: subscribed.id});
    return [subscribed.status, sums, preview.total];
  },
  thin_events: () =>
    hook(async (url, arrived) => {
      const made = await stripe.v2.core.eventDestinations.create({
        name: 'thin', type: 'webhook_endpoint', event_payload: 'thin',
        enabled_events: ['v1.invoice.paid', 'v1.billing.meter.no_meter_found'], webhook_endpoint: {url},
        include: ['webhook_endpoint.signing_secret'],
      });
      const secret = made.webhook_endpoint.signing_secret;
      const missing = {event_name: `none_${randomUUID()}`, payload: {stripe_customer_id: 'cus_1', value: '1'}};
      const session = await stripe.v2.billing.meterEventSession.create();
      await client(session.authentication_token).v2.billing.meterEventStream.create({events: [missing]});
      const fault = stripe.parseEventNotification(...(await arrived()), secret);
      const count = (await fault.fetchEvent()).data.reason.error_count;
      const customer = (await stripe.customers.create()).id;
      const draft = await stripe.invoices.create({customer});
      await stripe.invoices.finalizeInvoice(draft.id);
      const note = stripe.parseEventNotification(...(await arrived()), secret);
      const same = (await note.fetchRelatedObject()).id === draft.id;
      await stripe.v2.core.eventDestinations.del(made.id);
      return [fault.type, count, note.type, same, (await note.fetchEvent()).type];
    }),
};

for (const [name, flow] of Object.entries(flows)) {
  const came = await flow().catch((error) => `${error.type ?? error.name}: ${error.message}`);
  console.log(JSON.stringify({[name]: came}));
}
