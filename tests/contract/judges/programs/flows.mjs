// The flows that every official SDK runs, with the one for Node: `flows.mjs URL KEY` prints what each came to.
// No API version is named, so that the SDK asks for the version it was made for.
import {randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import Stripe from 'stripe';

const [, , address, key] = process.argv;
const {hostname: host, port} = new URL(address);
const client = (secret) => new Stripe(secret, {host, port, protocol: 'http', maxNetworkRetries: 0});
const stripe = client(key);
const never = {enabled: true, allow_redirects: 'never'};
const saved = {payment_method: 'pm_card_visa', invoice_settings: {default_payment_method: 'pm_card_visa'}};

const until = async (ask) => {
  for (const end = Date.now() + 20000; Date.now() < end; await new Promise((wait) => setTimeout(wait, 50))) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new Error('it did not happen in time');
};
const pay = (amount, method = 'pm_card_visa') =>
  stripe.paymentIntents.create({
    amount, currency: 'usd', payment_method: method, confirm: true, automatic_payment_methods: never,
  });
const outcome = (call) => call().then(() => 'no error', (error) => [error.statusCode, error.code ?? null]);

const flows = {
  async customer() {
    const made = await stripe.customers.create({email: 'jenny@example.com'});
    const {name} = await stripe.customers.update(made.id, {name: 'Jenny'});
    await stripe.customers.del(made.id);
    return [name, (await stripe.customers.retrieve(made.id)).deleted];
  },
  async payment() {
    const intent = await pay(2000);
    return [intent.status, intent.amount_received];
  },
  async three_d_secure() {
    const asked = await stripe.paymentIntents.create({
      amount: 1099, currency: 'usd', payment_method: 'pm_card_threeDSecure2Required', confirm: true,
      automatic_payment_methods: {enabled: true}, return_url: 'https://example.com/done',
    });
    const page = asked.next_action.redirect_to_url.url;
    const [, action] = /<form[^>]*action="([^"]*complete[^"]*)"/.exec(await (await fetch(page)).text());
    await fetch(new URL(action, page), {method: 'POST', redirect: 'manual'});
    return [asked.status, (await stripe.paymentIntents.retrieve(asked.id)).status];
  },
  async declined() {
    try {
      return (await pay(2000, 'pm_card_visa_chargeDeclined')).status;
    } catch (error) {
      return [error.statusCode, error.code, error.decline_code];
    }
  },
  async refund() {
    const intent = await pay(2000);
    const made = await stripe.refunds.create({payment_intent: intent.id, amount: 500});
    return [made.status, (await stripe.charges.retrieve(intent.latest_charge)).amount_refunded];
  },
  async subscription() {
    const start = 1_800_000_000;
    const clock = await stripe.testHelpers.testClocks.create({frozen_time: start});
    const payer = await stripe.customers.create({test_clock: clock.id, ...saved});
    const price = await stripe.prices.create({
      unit_amount: 500, currency: 'usd', recurring: {interval: 'month'}, product_data: {name: 'Silver'},
    });
    const made = await stripe.subscriptions.create({customer: payer.id, items: [{price: price.id}]});
    await stripe.testHelpers.testClocks.advance(clock.id, {frozen_time: start + 35 * 86400});
    await until(async () => (await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'ready');
    const invoices = (await stripe.invoices.list({subscription: made.id})).data;
    const {status} = await stripe.subscriptions.retrieve(made.id);
    return [status, invoices.map((invoice) => [invoice.status, invoice.billing_reason])];
  },
  async invoice() {
    const payer = await stripe.customers.create(saved);
    const draft = await stripe.invoices.create({customer: payer.id, auto_advance: false});
    await stripe.invoiceItems.create({customer: payer.id, invoice: draft.id, amount: 1500, currency: 'usd'});
    const opened = await stripe.invoices.finalizeInvoice(draft.id);
    const paid = await stripe.invoices.pay(draft.id);
    return [draft.status, opened.status, paid.status, paid.amount_paid];
  },
  async checkout() {
    const made = await stripe.checkout.sessions.create({
      mode: 'payment', success_url: 'https://example.com/done',
      line_items: [{quantity: 2, price_data: {currency: 'usd', unit_amount: 700, product_data: {name: 'Mug'}}}],
    });
    const expired = await stripe.checkout.sessions.expire(made.id);
    return [made.status, made.amount_total, Boolean(made.url), expired.status];
  },
  async connect() {
    const account = await stripe.accounts.create({
      type: 'custom', country: 'US', business_type: 'individual',
      business_profile: {mcc: '5734', url: 'https://accessible.stripe.com'},
      capabilities: {card_payments: {requested: true}, transfers: {requested: true}},
      external_account: 'btok_us',
      individual: {
        first_name: 'Jenny', last_name: 'Rosen', email: 'jenny@example.com', phone: '0000000000',
        id_number: '000000000', dob: {day: 1, month: 1, year: 1901},
        address: {line1: 'address_full_match', city: 'Columbus', state: 'OH', postal_code: '43214'},
      },
      tos_acceptance: {date: 1700000000, ip: '8.8.8.8'},
    });
    await pay(10000, 'pm_card_bypassPending');
    const moved = await stripe.transfers.create({amount: 3000, currency: 'usd', destination: account.id});
    const theirs = await stripe.balance.retrieve({}, {stripeAccount: account.id});
    const reversed = await stripe.transfers.createReversal(moved.id, {amount: 1000});
    return [[...theirs.available, ...theirs.pending].reduce((sum, part) => sum + part.amount, 0), reversed.amount];
  },
  async webhook() {
    const received = [];
    const hook = createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        received.push([Buffer.concat(parts).toString(), request.headers['stripe-signature']]);
        response.end();
      });
    });
    await new Promise((listening) => hook.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${hook.address().port}/hook`;
    const endpoint = await stripe.webhookEndpoints.create({url, enabled_events: ['customer.created']});
    const made = await stripe.customers.create();
    const [body, signature] = await until(async () => received[0]);
    await stripe.webhookEndpoints.del(endpoint.id);
    hook.closeAllConnections();
    hook.close();
    const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
    let forged = 'accepted';
    try {
      stripe.webhooks.constructEvent(`${body} `, signature, endpoint.secret);
    } catch (error) {
      if (error.type === 'StripeSignatureVerificationError') forged = 'refused';
    }
    return [event.type, event.data.object.id === made.id, forged];
  },
  async pagination() {
    const email = `${randomUUID()}@example.com`;
    const ids = [];
    for (let made = 0; made < 5; made++) ids.unshift((await stripe.customers.create({email})).id);
    const walked = [];
    for await (const customer of stripe.customers.list({email, limit: 2})) walked.push(customer.id);
    return walked.join() === ids.join();
  },
  async idempotency() {
    const options = {idempotencyKey: randomUUID()};
    const first = await stripe.customers.create({name: 'Jenny'}, options);
    const again = await stripe.customers.create({name: 'Jenny'}, options);
    const [status] = await outcome(() => stripe.customers.create({name: 'Joan'}, options));
    return [first.id === again.id, status];
  },
  async errors() {
    const wrong = client(`sk_test_${'x'.repeat(24)}`);
    return [
      await outcome(() => stripe.customers.retrieve('cus_missing')),
      await outcome(() => pay(1)),
      await outcome(() => stripe.customers.create({colour: 'red'})),
      await outcome(() => wrong.customers.list()),
    ];
  },
  async files() {
    const data = Buffer.from('%PDF-1.4 evidence');
    const pdf = {data, name: 'evidence.pdf', type: 'application/pdf'};
    const png = {data: Buffer.from('\x89PNG\r\n\x1a\n' + '\0'.repeat(40), 'latin1'), name: 'logo.png', type: 'image/png'};
    const made = await stripe.files.create({purpose: 'dispute_evidence', file: pdf});
    const logo = await stripe.files.create({purpose: 'business_logo', file: png});
    const link = await stripe.fileLinks.create({file: logo.id});
    return [made.purpose, made.size === data.length, link.object];
  },
  async search() {
    const email = `${randomUUID()}@example.com`;
    const made = await stripe.customers.create({email});
    const found = await until(async () => (await stripe.customers.search({query: `email:'${email}'`})).data[0]);
    return found.id === made.id;
  },
  async v2() {
    const name = randomUUID();
    await stripe.billing.meters.create({
      display_name: 'calls', event_name: name, default_aggregation: {formula: 'sum'},
    });
    const payer = await stripe.customers.create();
    const made = await stripe.v2.billing.meterEvents.create({
      event_name: name, payload: {stripe_customer_id: payer.id, value: '7'},
    });
    const session = await stripe.v2.billing.meterEventSession.create();
    return [made.object, session.object];
  },
  async destination() {
    const destinations = stripe.v2.core.eventDestinations;
    const made = await destinations.create({
      name: 'errors of meters', type: 'webhook_endpoint', event_payload: 'thin',
      enabled_events: ['v1.billing.meter.no_meter_found'], webhook_endpoint: {url: 'https://example.com/hook'},
      include: ['webhook_endpoint.signing_secret'],
    });
    let listed = false;
    for await (const found of destinations.list()) listed ||= found.id === made.id;
    const secret = made.webhook_endpoint.signing_secret.startsWith('whsec_');
    const {status} = await destinations.disable(made.id);
    return [made.status, secret, listed, status, (await destinations.del(made.id)).id === made.id];
  },
};

for (const [name, flow] of Object.entries(flows)) {
  const came = await flow().catch((error) => `${error.type ?? error.name}: ${error.message}`);
  console.log(JSON.stringify({[name]: came}));
}
